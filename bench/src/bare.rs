//! What a handler costs that does next to nothing: the same framework, the same statement, the same append, and nothing of
//! the product around them. A process of its own, as the product is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::ListenerExt;
use clap::Args;
use keynest_cli::product::Product;
use keynest_domain::access::{Access, VariablesRead};
use keynest_domain::organization::Organization;
use keynest_domain::{Aggregate, EnvironmentId, Event, OrganizationId, UserId};
use keynest_projections::{Page, VariableRow};
use keynest_store::{Append, Expected, Metadata, StreamAppend, encode};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::instance::{Instance, free_address};
use crate::place::{Place, open};
use crate::seed::Team;

/// As many as a profile has bytes, about.
const ANSWER: &str = r#"{"id":4611686018427387,"username":"person000001","email":"person000001@example.com","first_name":"Person","last_name":"1","organizations":[]}"#;
const PAGE: Page = Page { number: 1, size: 1_000 };

/// The hidden subcommand.
#[derive(Args)]
pub struct Options {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    data: PathBuf,
}

/// Whose values.
#[derive(Deserialize)]
struct Asked {
    user: i64,
    organization: i64,
    environment: i64,
}

/// Starts it in a place.
pub async fn start(place: &Place) -> anyhow::Result<Instance> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bare").arg("--listen").arg(address.to_string());
    command.arg("--data").arg(place.data()).env("DATABASE_URL", place.url());
    Instance::run(command, address, "/nothing").await.context("start a bare server")
}

/// The path of a route for the values of a team.
pub fn path(route: &str, team: &Team) -> String {
    let Team { admin, organization, environment, .. } = team;
    format!("/{route}?user={admin}&organization={organization}&environment={environment}")
}

/// Serves until it is killed.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let product = Arc::new(open(&crate::place::server_url()?, &options.data).await?);
    let router = Router::new()
        .route("/nothing", get(async || ANSWER))
        .route("/statement", get(statement))
        .route("/append", get(append))
        .route("/statement_and_append", get(statement_and_append))
        .with_state(product);
    let listener = TcpListener::bind(options.listen).await?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await.context("serve")
}

async fn statement(
    State(product): State<Arc<Product>>,
    Query(asked): Query<Asked>,
) -> Result<String, StatusCode> {
    Ok(rows(&product, &asked).await?.len().to_string())
}

async fn append(
    State(product): State<Arc<Product>>,
    Query(asked): Query<Asked>,
) -> Result<&'static str, StatusCode> {
    record(&product, &asked, &[]).await?;
    Ok(ANSWER)
}

async fn statement_and_append(
    State(product): State<Arc<Product>>,
    Query(asked): Query<Asked>,
) -> Result<String, StatusCode> {
    let rows = rows(&product, &asked).await?;
    record(&product, &asked, &rows).await?;
    Ok(rows.len().to_string())
}

async fn rows(product: &Product, asked: &Asked) -> Result<Vec<VariableRow>, StatusCode> {
    let environment = Some(EnvironmentId::new(asked.environment));
    let listed = product.queries.list_variables(UserId::new(asked.user), environment, PAGE).await;
    listed.map(|it| it.items).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// The append that goes before clear values: a record, and a check of the organization's revision.
async fn record(product: &Product, asked: &Asked, rows: &[VariableRow]) -> Result<(), StatusCode> {
    let organization = OrganizationId::new(asked.organization);
    let variables = rows.iter().map(|row| row.id).collect();
    let read = Event::from(VariablesRead { organization, variables });
    let stream = Access::stream(organization);
    let actor = Some(UserId::new(asked.user));
    let append = Append {
        command_id: product.clock.command_id(),
        streams: vec![StreamAppend {
            stream,
            expected: Expected::Any,
            events: vec![encode(&read)],
        }],
        checks: rows
            .first()
            .map(|row| (Organization::stream(organization), row.organization_revision))
            .into_iter()
            .collect(),
        claims: Vec::new(),
        releases: Vec::new(),
        metadata: Metadata { actor, organization: Some(organization), ..Metadata::default() },
    };
    product.store.append(append).await.map(drop).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}
