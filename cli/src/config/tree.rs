//! The keys of the configuration as one flat list, taken from the default configuration itself.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::sections::Config;

pub(super) const PREFIX: &str = "KEYNEST_";

/// `section.key` (or `data_dir`) to value.
pub(super) type Flat = BTreeMap<String, Value>;

/// Every key with its default.
pub(super) fn defaults() -> Flat {
    flatten(
        &Table::try_from(Config::default())
            .expect("the default configuration is plain data; a test does the same"),
    )
}

/// `http.listen` for the value at that place. What is no section at the top level keeps its own name.
pub(super) fn flatten(table: &Table) -> Flat {
    let mut flat = Flat::new();
    for (name, value) in table {
        match value {
            Value::Table(section) => {
                flat.extend(
                    section.iter().map(|(key, value)| (format!("{name}.{key}"), value.clone())),
                );
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                flat.insert(name.clone(), value.clone());
            }
        }
    }
    flat
}

/// The way back.
pub(super) fn unflatten(flat: Flat) -> Table {
    let mut table = Table::new();
    for (name, value) in flat {
        match name.split_once('.') {
            None => drop(table.insert(name, value)),
            Some((section, key)) => {
                let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(section) = section {
                    section.insert(key.to_owned(), value);
                }
            }
        }
    }
    table
}

/// `http.listen` is set by `KEYNEST_HTTP_LISTEN`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// The name that a person most likely meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known.min_by_key(|candidate| distance(name, candidate)).unwrap_or_default().to_owned()
}

/// Levenshtein: insertions, deletions and replacements between two names.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_keys_share_a_variable() {
        let keys = defaults();
        let variables: BTreeSet<String> = keys.keys().map(|key| variable(key)).collect();
        assert_eq!(variables.len(), keys.len());
        assert!(
            variables.contains("KEYNEST_HTTP_LISTEN") && variables.contains("KEYNEST_DATA_DIR")
        );
    }

    #[test]
    fn flattening_loses_nothing() {
        assert_eq!(unflatten(defaults()), Table::try_from(Config::default()).unwrap());
    }

    #[test]
    fn the_nearest_name_is_the_one_with_the_fewest_changes() {
        assert_eq!(
            nearest("http.lisen", ["http.listen", "lists.page_size"].into_iter()),
            "http.listen"
        );
        assert_eq!(
            (distance("kitten", "sitting"), distance("", "abc"), distance("abc", "")),
            (3, 3, 3)
        );
    }
}
