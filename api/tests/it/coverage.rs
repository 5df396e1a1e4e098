//! `docs/CONTRACT_COVERAGE.md` has a row for each rule, defect and route of the contract, and its tests are there.
//! That they ran is what `scripts/check-coverage-ran` looks at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The routes of CONTRACT 1.2 to 1.4.
const ROUTES: &str = "
    /api/auth/register/ POST
    /api/auth/login/ POST
    /api/auth/token/refresh/ POST
    /api/auth/logout/ POST
    /api/auth/profile/ GET
    /api/auth/activate/ POST
    /api/auth/password-reset/ POST
    /api/auth/password-reset-confirm/ POST
    /api/auth/change-password/ POST
    /api/auth/invitations/accept/ POST
    /api/auth/oauth/google/ POST
    /api/auth/oauth/github/ POST
    /api/auth/status/ GET
    /api/auth/config/ GET
    /api/core/ GET
    /api/core/organizations/ GET POST
    /api/core/organizations/{id}/ GET PATCH PUT DELETE
    /api/core/organizations/{id}/members/ GET
    /api/core/organizations/{id}/invite_member/ POST
    /api/core/organizations/{id}/update_member_role/ PATCH
    /api/core/organizations/{id}/remove_member/ DELETE
    /api/core/projects/ GET POST
    /api/core/projects/{id}/ GET PATCH PUT DELETE
    /api/core/projects/{id}/environments/ GET
    /api/core/environments/ GET POST
    /api/core/environments/{id}/ GET PATCH PUT DELETE
    /api/core/environments/{id}/variables/ GET
    /api/core/environments/{id}/export/ GET
    /api/core/environments/{id}/import/ POST
    /api/core/variables/ GET POST
    /api/core/variables/{id}/ GET PATCH PUT DELETE
    /api/core/audit-logs/ GET
    /health/ GET
    /api/ GET
    /admin/ GET";
const RULES: u8 = 21;
const DEFECTS: u8 = 41;
/// Rows that no backend can show.
const FRONTEND_ONLY: [&str; 2] = ["D39", "D40"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn wanted() -> Vec<String> {
    let numbered = |letter: char, last: u8| (1..=last).map(move |n| format!("{letter}{n}"));
    let routes = ROUTES.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| {
        let mut words = line.split_whitespace();
        let path = words.next().unwrap();
        words.map(move |method| format!("{method} `{path}`"))
    });
    numbered('R', RULES).chain(numbered('D', DEFECTS)).chain(routes).collect()
}

/// First cell to last cell of each row of each table.
fn rows() -> Vec<(String, String)> {
    let page = fs::read_to_string(repository().join("docs/CONTRACT_COVERAGE.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> =
            line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect();
        Some(((*cells.first()?).to_owned(), (*cells.last()?).to_owned()))
    };
    page.lines().filter_map(row).filter(|(first, _)| first != "row" && first != "what").collect()
}

/// What stands in backquotes and is no path of a URL.
fn named_tests(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|text| text.contains("::")).collect()
}

#[test]
fn every_rule_defect_and_route_has_a_row_whose_tests_exist() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut faults = Vec::new();
    for (row, shown_by) in rows() {
        let tests = named_tests(&shown_by);
        faults.extend(tests.iter().filter_map(|test| fault(test)));
        let is_explained = !tests.is_empty()
            || shown_by.starts_with("issue: ")
            || (shown_by == "frontend only" && FRONTEND_ONLY.contains(&row.as_str()));
        if !is_explained {
            faults.push(format!("{row}: neither a test nor an issue"));
        }
        *seen.entry(row).or_default() += 1;
    }
    let wanted = wanted();
    faults.extend(
        wanted
            .iter()
            .filter(|row| seen.get(*row) != Some(&1))
            .map(|row| format!("{row}: not exactly one row")),
    );
    assert!(faults.is_empty(), "docs/CONTRACT_COVERAGE.md:\n{}", faults.join("\n"));
}

/// Why a named test does not count; `None`: it is there.
fn fault(test: &str) -> Option<String> {
    let parts: Vec<&str> = test.split("::").collect();
    let [folder, modules @ .., name] = parts.as_slice() else {
        return Some(format!("{test}: not a path"));
    };
    let sources: Vec<String> = files(folder, modules)
        .iter()
        .filter_map(|path| fs::read_to_string(repository().join(path)).ok())
        .collect();
    let attributes = sources.iter().find_map(|source| attributes_of(source, name));
    match attributes {
        None => Some(format!("{test}: no such function")),
        Some(text) if !text.contains("test]") && !text.contains("::test(") => {
            Some(format!("{test}: not a test"))
        }
        Some(text) if text.contains("ignore") || text.contains("cfg") => {
            Some(format!("{test}: switched off"))
        }
        Some(_) => None,
    }
}

/// The files that may hold the module, `tests` inside of a file or beside it included.
fn files(folder: &str, modules: &[&str]) -> Vec<String> {
    let inner = modules.strip_suffix(&["tests"]).unwrap_or(modules);
    let both = [modules.join("/"), inner.join("/"), format!("{}_tests", inner.join("/"))];
    let places = [format!("{folder}/tests/it"), format!("{folder}/src")];
    let files = places.iter().flat_map(|place| {
        both.iter()
            .flat_map(move |path| [format!("{place}/{path}.rs"), format!("{place}/{path}/mod.rs")])
    });
    files.collect()
}

/// The lines above a function, up to a blank one or the end of an item.
fn attributes_of(source: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.contains(&format!("fn {name}(")))?;
    let above = lines[..at].iter().rev().take_while(|line| !line.is_empty() && **line != "}");
    Some(above.copied().collect::<Vec<_>>().join("\n"))
}
