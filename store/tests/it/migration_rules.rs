//! What a migration may say: nothing that rewrites a table or holds it for long, nothing that older binaries miss
//! (docs/decisions/0100). Files of before 0100 made the first database and are not looked at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keynest_store::postgres::{MIGRATOR, contracts_below};
use keynest_store::{FORMAT, FormatLevel};
use sqlx::migrate::Migrator;

const RULES_SINCE: i64 = 100;

/// What stands in the way of a file, if anything.
fn objections(text: &str, is_contract: bool) -> Vec<String> {
    let is_outside = text.starts_with("-- no-transaction");
    let statements = statements(text);
    let made: BTreeSet<String> =
        statements.iter().filter_map(|it| it.strip_prefix("create table ")).map(table).collect();
    let is_new = |name: &str| made.contains(&table(name));
    let mut found = Vec::new();
    let mut object = |statement: &str, why: &str| found.push(format!("{why}: {statement}"));
    let is_altered = |it: &String| it.strip_prefix("alter table ").is_some_and(|it| !is_new(it));
    let alters = statements.iter().any(is_altered);
    if is_outside && statements.len() != 1 {
        object(text, "outside a transaction one statement alone can be done again");
    }
    for it in &statements {
        let it = it.as_str();
        let says = |words: &str| it.contains(words);
        for words in ["lock table", "vacuum", "cluster ", "refresh materialized", "truncate"] {
            if it.starts_with(words) {
                object(it, "holds a table for as long as it takes");
            }
        }
        if it.starts_with("reindex") && !says("concurrently") {
            object(it, "holds a table for as long as it takes");
        }
        let index = it.strip_prefix("create index ").or(it.strip_prefix("create unique index "));
        if let Some(index) = index {
            let on = index.split_once(" on ").map_or("", |(_, on)| on);
            if index.starts_with("concurrently ") == is_new(on) {
                object(it, "an index of a table with rows is made concurrently, of a new one not");
            } else if index.starts_with("concurrently ") && !is_outside {
                object(it, "begins with the line `-- no-transaction`");
            }
        }
        if let Some(altered) = it.strip_prefix("alter table ").filter(|it| !is_new(it)) {
            alter(altered, is_contract, &mut |why| object(it, why));
        }
        if !is_contract && (it.starts_with("drop ") && !says("drop index"))
            || it.starts_with("revoke")
        {
            object(it, "takes away what older binaries may use: a file `.contract<level>`");
        }
        let is_change = ["update ", "delete ", "insert "].iter().any(|verb| it.starts_with(verb));
        if is_change && alters {
            object(
                it,
                "rows are changed in another file than tables, or the table is held meanwhile",
            );
        }
    }
    found
}

fn alter(altered: &str, is_contract: bool, object: &mut dyn FnMut(&str)) {
    let says = |words: &str| altered.contains(words);
    if says(" type ") && says("alter column") {
        object("rewrites the table");
    }
    let is_drawn =
        ["clock_timestamp", "gen_random_uuid", "random()", "nextval", "serial", "generated"];
    if says("add column") && is_drawn.iter().any(|value| altered.contains(value)) {
        object("a default that differs from row to row rewrites the table");
    }
    if says("set not null") || says("add primary key") || says("add unique") {
        object("reads the whole table while it is held");
    }
    if (says("add constraint") || says(" check (") || says("references "))
        && !says("not valid")
        && !says("using index")
    {
        object("reads the whole table while it is held, unless `not valid` at first");
    }
    if !is_contract && (says("drop ") || says("rename ")) {
        object("takes away what older binaries may use: a file `.contract<level>`");
    }
}

/// In lower case, one line each, without comments; what stands in `$$` stays whole.
fn statements(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ").to_lowercase();
    let mut statements = vec![String::new()];
    for (number, part) in text.split("$$").enumerate() {
        if number % 2 == 1 {
            statements.last_mut().unwrap().push_str("$$");
            continue;
        }
        for (place, piece) in part.split(';').enumerate() {
            if place > 0 {
                statements.push(String::new());
            }
            statements.last_mut().unwrap().push_str(piece);
        }
    }
    let words = |it: &String| it.split_whitespace().collect::<Vec<_>>().join(" ");
    statements.iter().map(words).filter(|it| !it.is_empty()).collect()
}

/// The table that a statement goes on about, without its schema.
fn table(rest: &str) -> String {
    let rest = rest.trim_start_matches("if not exists ").trim_start_matches("if exists ");
    let name = rest.trim_start_matches("only ").split([' ', '(']).next().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

fn files(folder: &str) -> Vec<(PathBuf, i64, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let number = name.split_once('_').unwrap().0.parse().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        (path, number, text)
    };
    paths.map(file).collect()
}

#[test]
fn no_migration_holds_a_table_or_takes_away_what_is_in_use() {
    for (path, number, text) in files("store").into_iter().chain(files("read")) {
        if number >= RULES_SINCE {
            let is_contract = path.to_str().unwrap().contains(".contract");
            assert_eq!(objections(&text, is_contract), Vec::<String>::new(), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn what_is_taken_away_names_a_level_that_this_binary_reaches() {
    let read = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/read");
    let read = Migrator::new(read).await.unwrap();
    for migration in MIGRATOR.iter().chain(read.iter()) {
        if let Some(level) = contracts_below(migration) {
            assert!(level > FormatLevel::FIRST && level <= FORMAT.highest, "{}", migration.version);
        }
    }
}

#[test]
fn the_rules_tell_good_from_bad() {
    for good in [
        "create table t (id bigint primary key); create index i on t (id); insert into t values (1)",
        "alter table t add column c text",
        "alter table t add column c integer not null default 1",
        "-- no-transaction\ncreate index concurrently i on t (c)",
        "create or replace function f() returns void language plpgsql as $$ begin drop table t; end $$",
        "alter table t add constraint c check (a > 0) not valid",
        "update t set c = 1 where c is null",
        "drop index if exists i",
    ] {
        assert_eq!(objections(good, false), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "create index i on t (c)",
        "create unique index i on store.t (c)",
        "create index concurrently i on t (c)",
        "-- no-transaction\ncreate index concurrently i on t (c); create index concurrently j on t (d)",
        "alter table t alter column c type bigint",
        "alter table t add column c uuid not null default gen_random_uuid()",
        "alter table t alter column c set not null",
        "alter table t add constraint c check (a > 0)",
        "alter table t add column c bigint references u (id)",
        "alter table t drop column c",
        "alter table t rename column c to d",
        "drop table t",
        "DROP FUNCTION f()",
        "lock table t in exclusive mode",
        "vacuum full t",
        "truncate t",
        "alter table t add column c text; update t set c = 'x'",
    ] {
        assert_ne!(objections(bad, false), Vec::<String>::new(), "{bad}");
    }
    for contract in ["drop table t", "alter table t drop column c", "drop function f()"] {
        assert_eq!(objections(contract, true), Vec::<String>::new(), "{contract}");
    }
}
