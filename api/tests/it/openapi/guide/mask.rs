//! What differs from run to run, replaced by what does not: ids by their order, times and secrets by words.

use std::collections::BTreeMap;

use serde_json::Value;

const TIME: &str = "2026-01-31T12:00:00.000000Z";
/// The same as the log has it; no other number that is shown is above the smallest such time.
const MICROS: i64 = 1_769_860_800_000_000;
const MICROS_MIN: i64 = 1_700_000_000_000_000;
/// A step of a one-time password at that time.
const STEP: i64 = MICROS / 30_000_000;
/// What stands before the seconds that a throttled caller has to wait.
const WAIT: &str = "Try again in ";
/// The first id that the guide shows.
const FIRST_ID: usize = 101;
/// Members whose numbers, or texts of digits, are ids, alone or in an array.
const IDS: [&str; 13] = [
    "id",
    "actor",
    "creator",
    "user",
    "organization",
    "organizations",
    "project",
    "projects",
    "environment",
    "environments",
    "variable",
    "token",
    "target_id",
];
/// No token is shorter, and no other word in its place is longer.
const TOKEN_CHARS_MIN: usize = 20;

/// Remembers what was replaced by what, so that the same id looks the same everywhere.
#[derive(Default)]
pub struct Mask {
    ids: BTreeMap<String, usize>,
    uuids: BTreeMap<String, usize>,
    secrets: Vec<(String, &'static str)>,
}

impl Mask {
    /// A text that is never shown.
    pub fn secret(&mut self, text: impl Into<String>, name: &'static str) {
        let text = text.into();
        if !text.is_empty() && self.secrets.iter().all(|(known, _)| *known != text) {
            self.secrets.push((text, name));
        }
    }

    /// A JSON value, with all that is in it.
    pub fn value(&mut self, name: &str, value: &Value) -> Value {
        let is_id = IDS.contains(&name) || name.ends_with("_id");
        match value {
            Value::Object(_) if ["options", "passkey_options"].contains(&name) => {
                serde_json::json!({ "publicKey": "<as WebAuthn has it>" })
            }
            Value::Object(_) if name == "passkey" => "<what the browser gave, as JSON>".into(),
            Value::String(_) if name == "challenge" => "<challenge>".into(),
            Value::String(_) if name == "secret" => "<secret in base 32>".into(),
            Value::String(_) if name == "otpauth_uri" => "<otpauth://totp/…>".into(),
            Value::String(_) if name == "recovery_codes" => "<recovery code>".into(),
            Value::String(text) if name == "code" && is_number(text) => "123456".into(),
            Value::String(_) if name == "position" => "<position>".into(),
            Value::String(text) if ["subject", "stream"].contains(&name) => {
                match text.split_once('-') {
                    Some((kind, id)) if is_number(id) => format!("{kind}-{}", self.id(id)).into(),
                    _ => self.text(text).into(),
                }
            }
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), self.value(name, value)))
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.value(name, item)).collect(),
            Value::Number(number) if is_id => self.id(&number.to_string()).into(),
            Value::String(text) if name == "uid" || (is_id && is_number(text)) => {
                self.id(text).to_string().into()
            }
            Value::String(text)
                if ["access", "refresh", "x"].contains(&name) && text.len() >= TOKEN_CHARS_MIN =>
            {
                self.secret(text.clone(), secret_name(name));
                secret_name(name).into()
            }
            Value::String(text) if text.starts_with("kn_pat_") => "kn_pat_…".into(),
            Value::String(text) if text.starts_with("kn_svc_") => "kn_svc_…".into(),
            Value::String(text) if ["next", "previous", "instance"].contains(&name) => {
                self.path(text).into()
            }
            Value::String(text) => self.text(text).into(),
            Value::Number(number) if number.as_i64().is_some_and(|micros| micros > MICROS_MIN) => {
                MICROS.into()
            }
            Value::Number(_) if name == "step" => STEP.into(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A path with its query, or a link.
    pub fn path(&mut self, path: &str) -> String {
        let mut masked = String::new();
        let mut part = String::new();
        let mut before = ' ';
        for c in path.chars().chain(['\0']) {
            if c.is_ascii_digit() {
                part.push(c);
                continue;
            }
            if !part.is_empty() {
                let is_id = before == '/'
                    || masked.ends_with("organization=")
                    || masked.ends_with("project=");
                let is_whole = matches!(c, '/' | '?' | '&' | '\0');
                masked +=
                    &if is_id && is_whole { self.id(&part).to_string() } else { part.clone() };
                part.clear();
            }
            masked.push(c);
            before = c;
        }
        self.text(masked.trim_end_matches('\0'))
    }

    /// Any text: secrets, times and UUIDs in it.
    pub fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (secret, name) in &self.secrets {
            text = text.replace(secret, name);
        }
        if let Some((before, seconds)) = text.split_once(WAIT) {
            text = format!(
                "{before}{WAIT}20{}",
                seconds.trim_start_matches(|c: char| c.is_ascii_digit())
            );
        }
        if is_time(&text) {
            return TIME.to_owned();
        }
        let parts: Vec<String> =
            text.split('/').filter(|part| is_uuid(part)).map(str::to_owned).collect();
        for uuid in parts {
            let next = self.uuids.len() + 1;
            let number = *self.uuids.entry(uuid.clone()).or_insert(next);
            text = text.replace(&uuid, &format!("019c0000-0000-7000-8000-{number:012}"));
        }
        text
    }

    fn id(&mut self, id: &str) -> usize {
        let next = FIRST_ID + self.ids.len();
        *self.ids.entry(id.to_owned()).or_insert(next)
    }
}

fn secret_name(name: &str) -> &'static str {
    match name {
        "access" => "<access token>",
        "refresh" => "<refresh token>",
        _ => "<public key>",
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 19
        && bytes.len() < 40
        && bytes[4] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':'
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
