//! 64 at once: exactly one winner, no server error, every time (THREATS A30 to A33, D25).

use std::collections::BTreeMap;
use std::future::Future;

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::{Answer, Team};

const PARALLEL: usize = 64;
const ROUNDS: usize = 5;

/// How many answers have which status.
async fn tally<F: Future<Output = Answer>>(
    calls: impl IntoIterator<Item = F>,
) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in join_all(calls).await {
        assert!(answer.status.as_u16() < 500, "{:#}", answer.body);
        *counts.entry(answer.status.as_u16()).or_default() += 1;
    }
    counts
}

/// One winner with this status; everybody else with that one.
#[track_caller]
fn one_winner(counts: &BTreeMap<u16, usize>, won: u16, lost: u16) {
    assert_eq!(*counts, BTreeMap::from([(won, 1), (lost, PARALLEL - 1)]));
}

#[sqlx::test(migrations = false)]
async fn of_64_variables_with_one_key_one_is_made(pool: PgPool) {
    let team = Team::start(pool).await;
    for round in 0..ROUNDS {
        let wish = |value| json!({"key": format!("K{round}"), "value": format!("v{value}"), "environment": team.environment});
        let calls = (0..PARALLEL).map(|n| team.app.make(&team.editor, "variables/", wish(n)));
        one_winner(&tally(calls).await, 201, 400);
    }
    assert_eq!(team.shown(&team.admin).await.len(), ROUNDS);
}

#[sqlx::test(migrations = false)]
async fn of_64_invitations_of_one_address_one_is_sent(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("organizations/{}/invite_member/", team.organization);
    for round in 0..ROUNDS {
        let spelled = |n| {
            if n % 2 == 0 {
                format!("bob{round}@example.com")
            } else {
                format!("BOB{round}@Example.Com")
            }
        };
        let calls =
            (0..PARALLEL).map(|n| team.app.make(&team.admin, &path, json!({"email": spelled(n)})));
        one_winner(&tally(calls).await, 201, 400);
    }
    let mails = team.app.deliver().await;
    let sent = mails.iter().filter(|mail| mail.recipient.starts_with("bob")).count();
    assert_eq!(sent, ROUNDS);
}

#[sqlx::test(migrations = false)]
async fn of_64_acceptances_of_one_invitation_one_joins(pool: PgPool) {
    let team = Team::start(pool).await;
    for round in 0..ROUNDS {
        let wish = json!({"name": format!("Team {round}")});
        let organization =
            team.app.make(&team.admin, "organizations/", wish).await.expect(201).id();
        let token =
            team.app.invite(&team.admin, organization, &team.outsider.email, "viewer").await;
        let calls =
            (0..PARALLEL).map(|n| team.app.accept((n % 2 == 0).then_some(&team.outsider), &token));
        one_winner(&tally(calls).await, 200, 400);
        let members = team
            .app
            .read(&team.admin, &format!("organizations/{organization}/members/"))
            .await
            .body;
        assert_eq!(members["total_count"], 2);
    }
}

#[sqlx::test(migrations = false)]
async fn two_admins_never_demote_or_remove_each_other(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor: other, .. } = &team;
    for round in 0..ROUNDS {
        let wish = json!({"name": format!("Pair {round}")});
        let organization = app.make(admin, "organizations/", wish).await.expect(201).id();
        app.join(admin, organization, other, "admin").await;
        let role = format!("organizations/{organization}/update_member_role/");
        let removal = format!("organizations/{organization}/remove_member/");
        let calls = (0..PARALLEL).map(|n| {
            let (actor, target) = if n % 2 == 0 { (admin, other) } else { (other, admin) };
            let (role, removal) = (&role, &removal);
            async move {
                if n % 4 < 2 {
                    app.change(actor, role, json!({"user_id": target.id, "role": "viewer"})).await
                } else {
                    app.remove(actor, removal, json!({"user_id": target.id})).await
                }
            }
        });
        tally(calls).await;
        app.catch_up().await;
        let mut admins = 0;
        for person in [admin, other] {
            let members =
                app.read(person, &format!("organizations/{organization}/members/")).await.body;
            let Some(members) = members["members"].as_array() else { continue };
            admins = members.iter().filter(|member| member["role"] == "admin").count();
        }
        assert_eq!(admins, 1, "round {round}");
    }
}

#[sqlx::test(migrations = false)]
async fn d25_the_hundredth_member_is_the_last_also_on_acceptance(pool: PgPool) {
    let team = Team::start(pool).await;
    let mut tokens = Vec::new();
    for name in ["pia", "pim", "pol", "pam", "per", "pat"] {
        let person = team.app.register_active(name).await;
        tokens.push(team.app.invite(&team.admin, team.organization, &person.email, "viewer").await);
    }
    // Admin, editor, viewer and 96 more make 99.
    team.app.crowd(team.organization, 96).await;
    let calls = (0..60).map(|n| team.app.accept(None, &tokens[n % tokens.len()]));
    assert_eq!(tally(calls).await, BTreeMap::from([(200, 1), (400, 59)]));
    let path = format!("organizations/{}/", team.organization);
    assert_eq!(team.app.read(&team.admin, &path).await.body["member_count"], 100);
    let path = format!("organizations/{}/invite_member/", team.organization);
    let full =
        team.app.make(&team.admin, &path, json!({"email": "late@example.com"})).await.expect(400);
    assert_eq!(full.body["code"], "organization_full");
}

#[sqlx::test(migrations = false)]
async fn of_64_organizations_and_environments_with_one_name_one_is_made(pool: PgPool) {
    let team = Team::start(pool).await;
    for round in 0..ROUNDS {
        let name = |n: usize| {
            if n.is_multiple_of(2) { format!("Team {round}") } else { format!("TEAM {round}") }
        };
        let calls = (0..PARALLEL)
            .map(|n| team.app.make(&team.editor, "organizations/", json!({"name": name(n)})));
        one_winner(&tally(calls).await, 201, 400);
        let name = |n: usize| {
            if n.is_multiple_of(2) { format!("qa-{round}") } else { format!("QA-{round}") }
        };
        let wish = |n| json!({"name": name(n), "project": team.project});
        let calls = (0..PARALLEL).map(|n| team.app.make(&team.editor, "environments/", wish(n)));
        one_winner(&tally(calls).await, 201, 400);
    }
}

#[sqlx::test(migrations = false)]
async fn of_64_different_variables_of_one_environment_all_are_made(pool: PgPool) {
    let team = Team::start(pool).await;
    for round in 0..ROUNDS {
        let wish = |n| json!({"key": format!("K{round}_{n}"), "value": "x", "environment": team.environment});
        let calls = (0..PARALLEL).map(|n| team.app.make(&team.editor, "variables/", wish(n)));
        assert_eq!(tally(calls).await, BTreeMap::from([(201, PARALLEL)]));
    }
    assert_eq!(team.shown(&team.admin).await.len(), ROUNDS * PARALLEL);
}

#[sqlx::test(migrations = false)]
async fn parallel_changes_of_one_value_are_all_kept_in_order(pool: PgPool) {
    let team = Team::start(pool).await;
    let path = format!("variables/{}/", team.variable("TOKEN", "0").await);
    for _ in 0..ROUNDS {
        let wish = |n| json!({"value": format!("{n}")});
        let calls = (0..PARALLEL).map(|n| team.app.change(&team.editor, &path, wish(n)));
        assert_eq!(tally(calls).await, BTreeMap::from([(200, PARALLEL)]));
    }
    let shown = team.app.read(&team.admin, &path).await.expect(200).body;
    assert_eq!(shown["version"], 1 + ROUNDS * PARALLEL);
}

#[sqlx::test(migrations = false)]
async fn nobody_reads_a_value_after_the_removal_is_acknowledged(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("TOKEN", "secret").await;
    let Team { app, admin, editor, .. } = &team;
    let (list, removal) = (
        format!("environments/{}/variables/", team.environment),
        format!("organizations/{}/remove_member/", team.organization),
    );
    for _ in 0..ROUNDS {
        let reads = join_all((0..32).map(|_| app.read(editor, &list)));
        let removed = app.remove(admin, &removal, json!({"user_id": editor.id}));
        let (reads, removed) = futures::future::join(reads, removed).await;
        removed.expect(200);
        for read in reads {
            assert!([200, 404].contains(&read.status.as_u16()), "{:#}", read.body);
        }
        let after = join_all((0..8).map(|_| app.read(editor, &list))).await;
        assert!(after.iter().all(|answer| answer.status.as_u16() == 404 && !shows(&answer.body)));
        app.join(admin, team.organization, editor, "editor").await;
    }
}

fn shows(body: &Value) -> bool {
    body.to_string().contains("secret")
}
