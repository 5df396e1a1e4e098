//! `docs/OPERATIONS.md` lists every key of the configuration with its default, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use keynest_cli::config::Config;

#[test]
fn the_page_lists_every_key_with_its_default() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/OPERATIONS.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table = page.split_once("| key | default | meaning |\n").unwrap().1;
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`'));
        let [key, default] = [cells.next()?, cells.next()?].map(str::to_owned);
        assert!(cells.next().is_some_and(|meaning| !meaning.is_empty()), "no meaning: {line}");
        Some((key, default))
    };
    let rows = table.lines().skip(1).take_while(|line| !line.is_empty());
    let on_page: BTreeMap<String, String> = rows.filter_map(row).collect();

    let defaults = toml::Table::try_from(Config::default()).unwrap();
    let mut in_code = BTreeMap::new();
    for (name, value) in &defaults {
        match value.as_table() {
            Some(section) => in_code.extend(
                section.iter().map(|(key, value)| (format!("{name}.{key}"), value.to_string())),
            ),
            None => drop(in_code.insert(name.clone(), value.to_string())),
        }
    }
    assert_eq!(on_page, in_code, "docs/OPERATIONS.md (left) differs from the code (right)");
}
