//! Whoever gives an event of an account a field says whether its owner is told it in the copy of the own data.

use std::collections::BTreeSet;
use std::path::Path;

use keynest_domain::user::export::{PERSONAL, PLAIN, WITHHELD};
use serde_json::Value;

#[test]
fn every_field_of_an_account_is_told_or_withheld_on_purpose() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut fields = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_str().unwrap().starts_with("user.") {
            let event: Value =
                serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
            fields.extend(event.as_object().unwrap().keys().cloned());
        }
    }
    let lists = [&PERSONAL[..], &PLAIN, &WITHHELD].concat();
    let known: BTreeSet<String> = lists.iter().map(|field| (*field).to_owned()).collect();
    assert_eq!(known.len(), lists.len(), "a field is in two lists");
    assert_eq!(fields, known);
}
