//! Many keys at once: all of them or none.

use std::collections::BTreeSet;

use super::{
    Environment, Event, IMPORT_KEYS_MAX, Rejection, VariableChanged, VariableCreated,
    VariablesImported,
};
use crate::{FileFormat, Sealed, UserId, VariableId, VariableKey};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ImportVariables {
    pub format: FileFormat,
    /// Whether keys that exist get the imported value.
    pub overwrite: bool,
    pub creator: UserId,
    /// In the order of the file.
    pub entries: Vec<Entry>,
}

/// One key of the file, sealed for the place that [`place`] names.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Entry {
    pub key: VariableKey,
    /// The id to use if the key does not exist.
    pub fresh: VariableId,
    pub value: Sealed,
}

/// The variable and version that an imported key becomes.
pub fn place(state: &Environment, key: &VariableKey, fresh: VariableId) -> (VariableId, u32) {
    let known = state.keys.get(key).copied();
    known.and_then(|id| Some((id, state.next_version(id)?))).unwrap_or((fresh, 1))
}

/// Whether these keys may be imported at all; asked before their values are sealed.
pub fn check<'a>(
    state: &Environment,
    keys: impl IntoIterator<Item = &'a VariableKey>,
    overwrite: bool,
) -> Result<(), Rejection> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(Rejection::KeyRepeated(key.clone()));
        }
    }
    if seen.is_empty() {
        return Err(Rejection::ImportEmpty);
    }
    if seen.len() > IMPORT_KEYS_MAX {
        return Err(Rejection::ImportTooLarge);
    }
    let existing: Vec<VariableKey> =
        seen.into_iter().filter(|key| state.keys.contains_key(key)).cloned().collect();
    if overwrite || existing.is_empty() { Ok(()) } else { Err(Rejection::KeysExist(existing)) }
}

/// The summary first, then one event per key.
pub fn decide(state: &Environment, wish: ImportVariables) -> Result<Vec<Event>, Rejection> {
    let ImportVariables { format, overwrite, creator, entries } = wish;
    check(state, entries.iter().map(|entry| &entry.key), overwrite)?;
    let (mut created, mut changed) = (0, 0);
    let mut events = Vec::with_capacity(entries.len() + 1);
    for Entry { key, fresh, value } in entries {
        let (variable, version) = place(state, &key, fresh);
        if version == 1 {
            created += 1;
            events.push(VariableCreated { variable, key, value, creator }.into());
        } else {
            changed += 1;
            events.push(VariableChanged { variable, value, version }.into());
        }
    }
    events.insert(0, VariablesImported { format, created, changed, overwrite }.into());
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    fn entry(name: &str, fresh: VariableId) -> Entry {
        Entry { key: key(name), fresh, value: sealed("new") }
    }

    fn wish(overwrite: bool, entries: Vec<Entry>) -> ImportVariables {
        ImportVariables { format: FileFormat::Env, overwrite, creator: ANN, entries }
    }

    #[test]
    fn with_overwrite_existing_keys_change_and_others_are_created() {
        let third = VariableId::new(13);
        given([created(), with(FIRST, "A")])
            .when(|state| decide(state, wish(true, vec![entry("A", SECOND), entry("B", third)])))
            .then::<Event>([
                VariablesImported {
                    format: FileFormat::Env,
                    created: 1,
                    changed: 1,
                    overwrite: true,
                }
                .into(),
                VariableChanged { variable: FIRST, value: sealed("new"), version: 2 }.into(),
                VariableCreated {
                    variable: third,
                    key: key("B"),
                    value: sealed("new"),
                    creator: ANN,
                }
                .into(),
            ]);
    }

    #[test]
    fn without_overwrite_one_existing_key_stops_all_and_every_one_is_named() {
        given([created(), with(FIRST, "A"), with(SECOND, "C")])
            .when(|state| {
                let entries = ["C", "B", "A"].map(|name| entry(name, VariableId::new(20)));
                decide(state, wish(false, entries.into()))
            })
            .then_rejected(Rejection::KeysExist(vec![key("A"), key("C")]));
    }

    #[test]
    fn imports_have_limits() {
        let many = (0..=IMPORT_KEYS_MAX).map(|n| entry(&format!("K{n}"), SECOND)).collect();
        let rows = [
            (vec![], Rejection::ImportEmpty),
            (vec![entry("A", FIRST), entry("A", SECOND)], Rejection::KeyRepeated(key("A"))),
            (many, Rejection::ImportTooLarge),
        ];
        for (entries, why) in rows {
            given([created()]).when(|state| decide(state, wish(true, entries))).then_rejected(why);
        }
    }
}
