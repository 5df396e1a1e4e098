//! The guide for frontend developers, written by walking through the whole product over HTTP.

mod access;
mod accounts;
mod admin;
mod audit;
mod call;
mod factors;
mod files;
mod leaving;
mod mask;
mod people;
mod providers;
mod recorder;
mod refusals;
mod resources;
mod team;
pub mod tokens;
mod variables;

pub use recorder::Recorder;

use crate::app::TestApp;
use people::People;

/// What the guide says before the endpoints.
const INTRODUCTION: &str = include_str!("introduction.md");

/// Walks from the first visit to the last, and answers the text.
pub async fn walk(app: &TestApp) -> String {
    let document = super::document::Document::of(app).await;
    let mut guide = Recorder::new(app, document, INTRODUCTION);
    let mut people = People::default();
    accounts::discover(&mut guide).await;
    accounts::register(&mut guide, &mut people).await;
    accounts::sign_in(&mut guide, &mut people).await;
    accounts::profile(&mut guide, &people).await;
    factors::factors(&mut guide, &people).await;
    providers::providers(&mut guide, &people).await;
    let organization = team::organizations(&mut guide, &people).await;
    factors::policy(&mut guide, &people, organization).await;
    let project = resources::projects(&mut guide, &people, organization).await;
    let environment = resources::environments(&mut guide, &people, project).await;
    let variable = variables::variables(&mut guide, &people, environment).await;
    files::import(&mut guide, &people, environment).await;
    files::export(&mut guide, &people, environment).await;
    team::invite(&mut guide, &mut people, organization).await;
    team::members(&mut guide, &people, organization, environment).await;
    tokens::tokens(&mut guide, &people, organization, environment).await;
    audit::audit_log(&mut guide, &people, organization).await;
    admin::instance(&mut guide, &people).await;
    refusals::refusals(&mut guide, &people).await;
    let removed = [("variables", variable), ("environments", environment), ("projects", project)];
    resources::deletions(&mut guide, &people, &removed, organization).await;
    access::sessions(&mut guide, &people).await;
    access::address(&mut guide, &mut people).await;
    accounts::passwords(&mut guide, &mut people).await;
    leaving::leave(&mut guide).await;
    guide.finish()
}
