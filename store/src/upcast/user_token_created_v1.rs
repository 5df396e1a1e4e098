//! `user.token_created` 1 to 2: nobody wrote down what the session that made it had shown, so it has shown nothing.

use serde_json::Value;

pub(super) fn is_two_factor(mut old: Value) -> Value {
    if let Some(fields) = old.as_object_mut() {
        fields.insert("is_two_factor".to_owned(), Value::Bool(false));
    }
    old
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_token_counts_as_one_factor() {
        let raised = is_two_factor(json!({ "token": 1 }));
        assert_eq!(raised, json!({ "token": 1, "is_two_factor": false }));
    }
}
