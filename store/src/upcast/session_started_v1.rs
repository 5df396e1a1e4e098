//! `session.started` 1 to 2: nobody had a second factor.

use serde_json::Value;

pub(super) fn second_factor(mut old: Value) -> Value {
    if let Some(fields) = old.as_object_mut() {
        fields.insert("second_factor".to_owned(), Value::Null);
    }
    old
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_sign_in_had_one_factor() {
        let raised = second_factor(json!({ "method": "password" }));
        assert_eq!(raised, json!({ "method": "password", "second_factor": null }));
    }
}
