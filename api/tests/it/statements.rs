//! What a request costs in SQL (DESIGN 10, CONTRACT D35): a fixed number of statements, however long its answer is. Counted
//! from what sqlx logs, and compared with the table in `docs/OPERATIONS.md`; `KEYNEST_UPDATE_DOCS=1` writes it.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::core::team::Team;
use crate::person::{PASSWORD, Person};
use crate::sql::{Statements, is_append};

const HEAD: &str =
    "| request | statements | appends among them | round trips |\n|---|---|---|---|\n";

/// Calls of each kind that are counted.
const TURNS: usize = 3;

/// What one request took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    statements: usize,
    appends: usize,
    /// One per statement, and one per transaction for its beginning, which is not logged.
    round_trips: usize,
}

fn ends_a_transaction(statement: &str) -> bool {
    let statement = statement.trim_start().to_ascii_lowercase();
    statement.starts_with("commit") || statement.starts_with("rollback")
}

impl Statements {
    fn cost(&self) -> Cost {
        let taken = self.take();
        let appends = taken.iter().filter(|text| is_append(text)).count();
        let transactions = taken.iter().filter(|text| ends_a_transaction(text)).count();
        Cost { statements: taken.len(), appends, round_trips: taken.len() + transactions }
    }

    /// What a call costs once caches are warm and everything before it is settled: the most of some turns.
    async fn of(
        &self,
        team: &Team,
        caller: Option<&Person>,
        call: impl Fn(usize) -> (Method, String, Value),
    ) -> Cost {
        let mut costs = Vec::new();
        for turn in 0..=TURNS {
            team.app.catch_up().await;
            self.cost();
            let (method, path, body) = call(turn);
            let answer = team.app.call(caller, method, &path, body).await;
            assert!(answer.status.is_success(), "{path}: {answer:?}");
            costs.push(self.cost());
        }
        // The first turn warms caches up.
        costs[1..].iter().copied().max_by_key(|cost| cost.statements).expect("there are turns")
    }
}

/// An environment with so many variables.
async fn environment(team: &Team, name: &str, variables: usize) -> i64 {
    let wish = json!({"name": name, "project": team.project});
    let id = team.app.make(&team.admin, "environments/", wish).await.expect(201).id();
    let file: String = (0..variables).map(|number| format!("KEY_{number}={number}\n")).collect();
    let import = format!("environments/{id}/import/");
    team.app.make(&team.admin, &import, json!({"data": file})).await.expect(200);
    id
}

/// Each request of the table with its cost.
async fn costs(team: &Team, statements: &Statements) -> Vec<(&'static str, Cost)> {
    let admin = Some(&team.admin);
    let (one, many) = (environment(team, "one", 1).await, environment(team, "many", 200).await);
    let mut costs = Vec::new();
    for (name, path) in [
        ("profile", "/api/auth/profile/".to_owned()),
        ("organizations", "organizations/".to_owned()),
        ("members", format!("organizations/{}/members/", team.organization)),
        ("projects", "projects/".to_owned()),
        ("environments", "environments/".to_owned()),
        ("variables of an environment with 1", format!("environments/{one}/variables/")),
        ("variables of an environment with 200", format!("environments/{many}/variables/")),
        ("export of 1 variable", format!("environments/{one}/export/")),
        ("export of 200 variables", format!("environments/{many}/export/")),
        ("audit log, one page", "audit-logs/".to_owned()),
    ] {
        let call = |_| (Method::GET, path.clone(), Value::Null);
        costs.push((name, statements.of(team, admin, call).await));
    }
    let create = |turn| {
        let wish = json!({"key": format!("NEW_{turn}"), "value": "x", "environment": many});
        (Method::POST, "variables/".to_owned(), wish)
    };
    costs.push(("create a variable", statements.of(team, admin, create).await));
    let id = team.variable("CHANGING", "x").await;
    let change = |turn: usize| {
        (Method::PATCH, format!("variables/{id}/"), json!({"value": turn.to_string()}))
    };
    costs.push(("change a variable", statements.of(team, admin, change).await));
    let login = |_| {
        let wish = json!({"email": team.admin.email, "password": PASSWORD});
        (Method::POST, "/api/auth/login/".to_owned(), wish)
    };
    costs.push(("sign in", statements.of(team, None, login).await));
    // A token of its own for each turn: the same one again would be answered without an append.
    let people = [&team.admin, &team.editor, &team.viewer, &team.outsider];
    let refresh = |turn: usize| {
        let wish = json!({"refresh": people[turn].refresh});
        (Method::POST, "/api/auth/token/refresh/".to_owned(), wish)
    };
    costs.push(("refresh a session", statements.of(team, None, refresh).await));
    let mut tokens = Vec::new();
    for turn in 0..=TURNS {
        let person = team.app.register_active(&format!("invited{turn}")).await;
        let invited = team.app.invite(&team.admin, team.organization, &person.email, "viewer");
        tokens.push(invited.await);
    }
    let accept = |turn: usize| {
        let path = "/api/auth/invitations/accept/".to_owned();
        (Method::POST, path, json!({"token": tokens[turn]}))
    };
    costs.push(("accept an invitation", statements.of(team, None, accept).await));
    costs
}

#[sqlx::test(migrations = false)]
async fn d35_requests_cost_a_fixed_number_of_statements(pool: PgPool) {
    let statements = Statements::default();
    let _listening = statements.listen();
    let team = Team::start(pool).await;
    let costs = costs(&team, &statements).await;
    let cost = |name: &str| costs.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!(
        cost("variables of an environment with 1"),
        cost("variables of an environment with 200")
    );
    assert_eq!(cost("export of 1 variable"), cost("export of 200 variables"));
    assert_eq!(cost("profile").appends, 0);
    assert_eq!(cost("create a variable").appends, 1);

    let row = |(name, cost): &(&str, Cost)| {
        let Cost { statements, appends, round_trips } = cost;
        format!("| {name} | {statements} | {appends} | {round_trips} |\n")
    };
    let table = HEAD.to_owned() + &costs.iter().map(row).collect::<String>();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/OPERATIONS.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(HEAD).expect("the page has the table");
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let written = format!("{before}{table}{after}");
    if std::env::var_os("KEYNEST_UPDATE_DOCS").is_some() {
        std::fs::write(path, written).unwrap();
    } else {
        assert_eq!(page, written, "docs/OPERATIONS.md; KEYNEST_UPDATE_DOCS=1 writes it");
    }
}
