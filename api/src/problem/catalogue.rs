//! Every problem code with its status: the one place where status codes are picked. `docs/PROBLEMS.md` mirrors it.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Stable name, for programs.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// For people; also the `detail` where a case adds none.
    pub title: &'static str,
    /// When it is worth trying again, in seconds, where a case does not know better.
    pub retry_after: Option<u32>,
}

const fn entry(code: &'static str, status: u16, title: &'static str) -> Entry {
    Entry { code, status, title, retry_after: None }
}

const fn later(code: &'static str, status: u16, title: &'static str, seconds: u32) -> Entry {
    Entry { code, status, title, retry_after: Some(seconds) }
}

/// What is answered when something failed that should not.
pub const INTERNAL: Entry = entry("internal", 500, "Something went wrong on our side");

/// All kinds, by status and code.
pub const CATALOGUE: &[Entry] = &[
    entry("account_missing", 400, "The invited address has no active account"),
    entry(
        "account_too_large",
        400,
        "The account is known in too many places to be deleted at once",
    ),
    entry("already_member", 400, "This person is already a member"),
    entry("bad_request", 400, "The request is not valid HTTP"),
    entry("challenge_not_valid", 400, "The challenge is invalid, used or expired"),
    entry("code_wrong", 400, "The code is wrong or was used before"),
    entry("exchange_refused", 400, "No rule allows this token"),
    entry("exchange_replayed", 400, "This token was exchanged before"),
    entry("exchange_token_invalid", 400, "The token of the issuer is not valid"),
    entry("idempotency_key_invalid", 400, "The Idempotency-Key is empty or too long"),
    entry("invalid_body", 400, "The body could not be read"),
    entry("invalid_credentials", 400, "Invalid credentials"),
    entry("invalid_file", 400, "The file cannot be read"),
    entry("invalid_json", 400, "The body is not valid JSON"),
    entry("invalid_link", 400, "The link is invalid or has expired"),
    entry("invitation_expired", 400, "This invitation has expired"),
    entry("invitation_for_another", 400, "This invitation was sent to another address"),
    entry("invitation_pending", 400, "A pending invitation for this address already exists"),
    entry("invitation_revoked", 400, "This invitation was revoked"),
    entry("invitation_unknown", 400, "The invitation token is invalid"),
    entry("invitation_used", 400, "This invitation was already accepted"),
    entry("issuer_document_invalid", 400, "The issuer's document is not usable"),
    entry("issuer_mismatch", 400, "The issuer's document names another issuer"),
    entry("issuer_not_allowed", 400, "This issuer's address may not be asked"),
    entry("issuer_unreachable", 400, "The issuer does not answer"),
    entry("last_admin", 400, "The organization needs at least one admin"),
    entry("no_second_factor", 400, "The account has no second factor"),
    entry("oauth_address_unverified", 400, "The provider has not verified your address"),
    entry("oauth_code_invalid", 400, "The code is invalid, used or expired"),
    entry("oauth_denied", 400, "The provider did not sign you in"),
    entry("oauth_proof_invalid", 400, "The provider's proof is not valid here"),
    entry("oauth_state_invalid", 400, "The sign-in was not started in this browser, or is over"),
    entry("organization_full", 400, "The organization has reached its member limit"),
    entry("own_account", 400, "An administrator cannot close the own account"),
    entry("own_lock_out", 400, "This would lock you out"),
    entry("own_membership", 400, "You cannot do this to yourself"),
    entry("parent_is_fixed", 400, "The parent cannot be changed"),
    entry("passkey_refused", 400, "The passkey was refused"),
    entry("passkeys_off", 400, "Passkeys are not available at this address"),
    entry("position_unknown", 400, "The position is not one of this log"),
    entry("refresh_token_not_valid", 400, "The refresh token is invalid or has expired"),
    entry("second_factor_required", 400, "A second factor is required to sign in"),
    entry("too_many_factors", 400, "The account has as many second factors as it may have"),
    entry("too_many_invitations", 400, "The organization has too many pending invitations"),
    entry("too_many_providers", 400, "There are as many providers as there may be"),
    entry("too_many_tokens", 400, "There are as many tokens as there may be"),
    entry("validation", 400, "Some fields are not valid"),
    entry("token_not_valid", 401, "The access token is invalid or has expired"),
    entry("user_inactive", 401, "The account is not active"),
    entry("account_inactive", 403, "The account is not activated yet"),
    entry("address_not_allowed", 403, "The organization does not let your network address in"),
    entry("credentials_missing", 403, "Authentication credentials were not provided"),
    entry("not_administrator", 403, "Only administrators of this instance may do this"),
    entry("role_too_weak", 403, "Your role does not allow this"),
    entry(
        "second_factor_required_by_organization",
        403,
        "This organization requires a second factor",
    ),
    entry("step_up_required", 403, "Confirm that it is you, then try again"),
    entry("token_not_allowed", 403, "This needs somebody who is signed in, not a token"),
    entry("token_scope_too_narrow", 403, "The token's scope does not allow this"),
    entry("not_a_member", 404, "This person is not a member of the organization"),
    entry("not_found", 404, "Not found"),
    entry("oauth_provider_unknown", 404, "There is no such provider, or it is switched off"),
    entry("method_not_allowed", 405, "The method is not allowed here"),
    entry("body_too_slow", 408, "The body arrived too slowly"),
    entry("header_too_slow", 408, "The request head arrived too slowly"),
    entry("conflict", 409, "This conflicts with what is there"),
    entry(
        "email_changed_recently",
        409,
        "The address was changed recently, and can still be taken back",
    ),
    entry("email_taken", 409, "The address belongs to another account"),
    entry("identity_known", 409, "Your account has a sign-in with this provider already"),
    entry("identity_taken", 409, "This identity belongs to another account"),
    entry("last_way_in", 409, "The last way to sign in stays"),
    entry(
        "oauth_link_required",
        409,
        "An account with this address exists: sign in to it and link the provider there",
    ),
    entry("provider_configured", 409, "This provider is the configuration's"),
    entry("provider_in_use", 409, "People sign in by this provider"),
    entry("provider_known", 409, "A provider with this key exists"),
    entry("body_too_large", 413, "The body is too large"),
    entry("too_large", 413, "The change is too large"),
    entry("unsupported_media_type", 415, "The content type is not supported here"),
    entry("idempotency_mismatch", 422, "The Idempotency-Key was used with another body"),
    entry("locked_out", 429, "Too many failed attempts"),
    entry("throttled", 429, "Too many requests"),
    later("too_many_email_changes", 429, "Too many changes of the address were asked for", 3_600),
    later("too_many_readers", 429, "Too many requests of this caller wait for events", 1),
    entry("header_too_large", 431, "The request head is too large"),
    INTERNAL,
    later("audit_unavailable", 503, "The access could not be recorded, so nothing is shown", 1),
    later("busy", 503, "Too much is going on, try again", 1),
    later(
        "format_level_too_low",
        503,
        "The upgrade is not finished, so this is not possible yet",
        30,
    ),
    later("log_damaged", 503, "What the log holds about this cannot be read", 300),
    later("newer_than_this_binary", 503, "The data was written by a newer version", 30),
    later("oauth_provider_unavailable", 503, "The provider does not answer properly, try again", 5),
    later("read_model_behind", 503, "The data is not up to date yet, try again", 1),
    later("timed_out", 503, "The answer took too long", 5),
    later("unavailable", 503, "A part of the service does not answer", 2),
];

/// The kind with this code.
pub fn find(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn the_catalogue_is_sorted_and_has_no_code_twice() {
        let keys: Vec<_> = CATALOGUE.iter().map(|entry| (entry.status, entry.code)).collect();
        assert!(keys.is_sorted(), "sort by status and code");
        let codes: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), CATALOGUE.len());
    }

    #[test]
    fn the_document_lists_the_catalogue() {
        let text = std::fs::read_to_string(api_folder().join("../docs/PROBLEMS.md")).unwrap();
        let rows: BTreeSet<String> =
            text.lines().filter(|line| line.starts_with("| `")).map(row).collect();
        let codes = CATALOGUE
            .iter()
            .map(|it| row(&format!("| `{}` | {} | {} |", it.code, it.status, it.title)));
        assert_eq!(rows, codes.collect(), "docs/PROBLEMS.md differs from the catalogue");
    }

    #[test]
    fn every_code_in_the_source_is_in_the_catalogue() {
        let mut files = vec![api_folder().join("src")];
        let mut found = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split(concat!("Problem::new", "(\"")).skip(1) {
                let code = rest.split('"').next().unwrap();
                assert!(find(code).is_some(), "{}: {code} is not in the catalogue", path.display());
                found += 1;
            }
        }
        assert!(found > 5, "the search finds the codes");
    }

    /// The first three columns, so that the document may add a fourth for people.
    fn row(line: &str) -> String {
        line.split('|').skip(1).take(3).map(str::trim).collect::<Vec<_>>().join(" | ")
    }

    fn api_folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
    }
}
