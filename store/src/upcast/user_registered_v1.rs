//! `user.registered` 1 to 2: everybody had a password.

use serde_json::Value;

/// The shape is the same; only a version 2 may say `null`.
pub(super) fn may_lack_a_password(old: Value) -> Value {
    old
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_account_keeps_its_password() {
        assert_eq!(may_lack_a_password(json!({ "password": "x" })), json!({ "password": "x" }));
    }
}
