//! Notices about projects and environments, to the other members who want them.

use insta::assert_snapshot;
use keynest_commands::environment::{CreateEnvironment, ImportVariables, VariableValue};
use keynest_commands::project::{CreateProject, DeleteProject, UpdateProject};
use keynest_domain::{
    Description, EnvironmentName, EnvironmentType, FileFormat, OrganizationId, ProjectId,
    ProjectName, UserId, VariableKey,
};
use keynest_workers::Transport;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::shown::shown;
use crate::world::World;

impl World {
    pub async fn project(
        &self,
        user: UserId,
        organization: OrganizationId,
        name: &str,
    ) -> ProjectId {
        let name = ProjectName::parse(name).unwrap();
        let wish = CreateProject { organization, name, description: None };
        self.commands.create_project(&self.as_user(user), wish).await.unwrap().outcome
    }

    async fn rename(&self, user: UserId, project: ProjectId, name: &str) {
        let name = Some(ProjectName::parse(name).unwrap());
        let wish = UpdateProject { project, organization: None, name, description: None };
        self.commands.update_project(&self.as_user(user), wish).await.unwrap();
    }

    async fn import(&self, user: UserId, project: ProjectId) {
        let wish = CreateEnvironment {
            project,
            name: EnvironmentName::parse("Live").unwrap(),
            environment_type: EnvironmentType::Production,
            description: None,
        };
        let origin = self.as_user(user);
        let environment = self.commands.create_environment(&origin, wish).await.unwrap().outcome;
        let entry = |key: &str| {
            (VariableKey::parse(key).unwrap(), VariableValue::parse("hidden-value").unwrap())
        };
        for keys in [vec!["A", "B"], vec!["B", "C"]] {
            let entries = keys.into_iter().map(entry).collect();
            let format = FileFormat::Env;
            let wish = ImportVariables { environment, format, overwrite: true, entries };
            self.commands.import_variables(&origin, wish).await.unwrap();
        }
    }
}

#[sqlx::test(migrations = false)]
async fn the_other_members_hear_of_projects_and_environments(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    world.member(ann, acme, "bob").await;
    world.person("stranger").await;
    let mailer = world.mailer().await;
    let project = world.project(ann, acme, "Shop").await;
    mailer.drain().await.unwrap();
    world.rename(ann, project, "Store").await;
    world.import(ann, project).await;
    mailer.drain().await.unwrap();
    let wish = DeleteProject { project };
    world.commands.delete_project(&world.as_user(ann), wish).await.unwrap();
    mailer.drain().await.unwrap();
    let sent = [
        "environment_created to bob@example.com",
        "project_created to bob@example.com",
        "project_deleted to bob@example.com",
        "project_renamed to bob@example.com",
        "variables_imported to bob@example.com",
        "variables_imported to bob@example.com",
    ];
    assert_eq!(world.sent().await, sent);
    for kind in [
        "environment_created",
        "project_created",
        "project_deleted",
        "project_renamed",
        "variables_imported",
    ] {
        let mail = world.mail(kind, "bob@example.com").await;
        assert_snapshot!(kind, shown(&mail));
        assert!(!mail.body_html.contains("hidden-value"), "no value leaves by mail");
    }
}

#[sqlx::test(migrations = false)]
async fn who_refuses_notices_gets_none(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    let bob = world.member(ann, acme, "bob").await;
    world.member(ann, acme, "eve").await;
    let mailer = world.mailer().await;
    world.commands.switch_notices(&world.as_user(bob), false).await.unwrap();
    world.project(ann, acme, "Shop").await;
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["project_created to eve@example.com"]);
    world.commands.switch_notices(&world.as_user(bob), true).await.unwrap();
    world.project(ann, acme, "Other").await;
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await.len(), 3);
}

#[sqlx::test(migrations = false)]
async fn an_installation_may_send_no_notices_at_all(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    world.member(ann, acme, "bob").await;
    let mailer = world.mailer_by(Transport::Mailbox(world.mailbox.clone()), false).await;
    world.project(ann, acme, "Shop").await;
    world.register("new", "New", "").await;
    mailer.drain().await.unwrap();
    assert_eq!(world.sent().await, ["activation to new@example.com"]);
}

#[sqlx::test(migrations = false)]
async fn a_new_description_is_no_news(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let ann = world.person("ann").await;
    let acme = world.team(ann, "Acme").await;
    world.member(ann, acme, "bob").await;
    let project = world.project(ann, acme, "Shop").await;
    let mailer = world.mailer().await;
    let description = Some(Some(Description::parse("what it is").unwrap()));
    let wish = UpdateProject { project, organization: None, name: None, description };
    world.commands.update_project(&world.as_user(ann), wish).await.unwrap();
    mailer.drain().await.unwrap();
    assert!(world.sent().await.is_empty());
    assert_eq!(world.work.counts("mailer").await.unwrap(), (0, 0));
}
