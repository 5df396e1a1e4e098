//! What a value may be, beyond its type.

use toml::Value;

use super::accounts::Sessions;
use super::error::ConfigError;
use super::sections::{Config, Nats};

const DAY_MS: i64 = 86_400_000;
const KIB: i64 = 1024;
const GIB: i64 = 1024 * 1024 * KIB;

/// Bounds of the keys for which "at least 1 and at most what any machine could mean" is not enough.
const BOUNDS: [(&str, i64, i64); 76] = [
    ("database.store_connections_max", 2, 10_000),
    ("database.read_connections_max", 2, 10_000),
    // Keepalives count in seconds.
    ("database.silence_max_ms", 1_000, 600_000),
    ("http.header_bytes_max", KIB, 1024 * KIB),
    ("http.body_bytes_max", KIB, GIB),
    ("http.import_bytes_max", KIB, GIB),
    ("http.connections_max", 1, 1_000_000),
    ("http.drain_delay_ms", 0, 600_000),
    ("password.memory_kib", 19_456, 4 * 1024 * KIB),
    ("password.iterations", 2, 100),
    ("password.threads", 1, 1_024),
    ("password.length_min", 8, 64),
    ("lists.page_size_max", 1, 10_000),
    ("feed.grpc_connections_max", 1, 100_000),
    ("feed.grpc_streams_max", 1, 10_000),
    ("feed.grpc_message_bytes_max", KIB, 16 * 1024 * KIB),
    ("feed.grpc_keep_alive_seconds", 1, 3_600),
    ("feed.page_size_max", 1, 10_000),
    ("feed.page_bytes_max", KIB, 16 * 1024 * KIB),
    ("feed.scan_max", 100, 10_000),
    ("feed.looks_max", 1, 1_000),
    ("feed.wait_seconds_max", 0, 3_600),
    ("feed.heartbeat_seconds", 1, 3_600),
    ("projections.visible_wait_ms", 0, 60_000),
    ("throttle.register_per_minute", 0, 1_000_000),
    ("throttle.password_reset_per_hour", 0, 1_000_000),
    ("throttle.auth_per_minute", 0, 1_000_000),
    ("throttle.sign_in_per_minute", 0, 1_000_000),
    ("throttle.user_per_hour", 0, 1_000_000),
    ("throttle.token_per_hour", 0, 1_000_000),
    ("throttle.organization_per_hour", 0, 1_000_000),
    ("throttle.anonymous_per_hour", 0, 1_000_000),
    ("throttle.mails_per_hour", 0, 500),
    ("throttle.mails_per_day", 0, 500),
    ("throttle.invitations_per_day", 0, 500),
    ("janitor.interval_seconds", 1, 86_400),
    ("sessions.access_token_minutes", 1, 60),
    ("sessions.idle_hours", 2, 30 * 24),
    ("sessions.absolute_hours", 2, 30 * 24),
    ("sessions.refresh_grace_seconds", 0, 300),
    ("sessions.fresh_seconds", 10, 86_400),
    ("sessions.challenge_seconds", 30, 3_600),
    ("lockout.failures_max", 1, 100),
    ("lockout.cool_off_seconds", 1, 86_400),
    ("lockout.cool_off_max_seconds", 1, 86_400),
    ("lockout.spraying_accounts", 0, 100_000),
    ("lockout.known_network_hours", 1, 365 * 24),
    ("links.activation_hours", 1, 30 * 24),
    ("links.password_reset_minutes", 5, 24 * 60),
    ("links.invitation_hours", 1, 30 * 24),
    ("links.activation_interval_seconds", 1, 86_400),
    ("links.password_reset_interval_seconds", 1, 86_400),
    ("links.repeated_registration_interval_seconds", 1, 86_400),
    ("links.email_change_hours", 1, 7 * 24),
    ("links.email_undo_hours", 1, 30 * 24),
    ("links.email_changes_max", 1, 100),
    ("tokens.lifetime_days", 1, 366),
    ("tokens.lifetime_days_max", 1, 366),
    ("tokens.per_user_max", 1, 1_000),
    ("tokens.per_organization_max", 1, 1_000),
    ("nats.stream_replicas", 1, 5),
    ("nats.stream_bytes_max", 1024 * KIB, 1024 * GIB),
    ("nats.stream_age_hours_max", 1, 10 * 365 * 24),
    ("nats.duplicate_window_seconds", 1, 86_400),
    ("nats.publish_window_max", 1, 4_096),
    ("nats.unacknowledged_max", 16, 100_000),
    ("nats.connect_timeout_ms", 100, 60_000),
    ("nats.request_timeout_ms", 100, 60_000),
    ("nats.ack_wait_ms", 1_000, 3_600_000),
    ("nats.heartbeat_ms", 100, 60_000),
    ("nats.poll_ms", 100, 3_600_000),
    ("store.queue_bytes_max", 32 * 1024 * KIB, GIB),
    ("store.batch_requests_max", 1, 10_000),
    ("store.batch_events_max", 1, 10_000),
    ("store.batch_bytes_max", KIB, 16 * 1024 * KIB),
    ("store.states_max", 16, 10_000_000),
];
/// The one list that is not of texts.
const TABLES: &str = "oauth.providers";
const DEFAULT_BOUNDS: (i64, i64) = (1, i32::MAX as i64);

/// What is wrong with a value for a key whose default is `default`; `None`: nothing.
pub(super) fn problem(key: &str, value: &Value, default: &Value) -> Option<String> {
    match (value, default) {
        (Value::Integer(number), Value::Integer(_)) => {
            let (low, high) = range(key);
            (!(low..=high).contains(number))
                .then(|| format!("expected a number from {low} to {high}"))
        }
        (Value::Array(items), Value::Array(_)) if key == TABLES => {
            let are_tables = items.iter().all(Value::is_table);
            (!are_tables).then(|| "expected tables, in the file only".to_owned())
        }
        (Value::Array(items), Value::Array(_)) => {
            let is_texts = items.iter().all(Value::is_str);
            (!is_texts).then(|| "expected a list of texts".to_owned())
        }
        _ if value.same_type(default) => None,
        _ => Some(format!("expected {}", described(default))),
    }
}

pub(super) fn described(default: &Value) -> &'static str {
    match default {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list of texts",
        Value::Table(_) => "a section",
        Value::Float(_) | Value::Datetime(_) => "a value of another type",
    }
}

fn range(key: &str) -> (i64, i64) {
    let named = BOUNDS.iter().find(|(name, ..)| *name == key).map(|(_, low, high)| (*low, *high));
    let is_time = key.ends_with("_ms");
    named.unwrap_or(if is_time { (1, DAY_MS) } else { DEFAULT_BOUNDS })
}

/// Longest beginning of the names of streams.
const STREAM_PREFIX_MAX: usize = 40;

fn check_store(config: &Config) -> Result<(), ConfigError> {
    if let Some(url) = config.store.url.reveal()
        && let Err(refused) = url.parse::<keynest_store::kurrentdb::KurrentAddress>()
    {
        let (key, origin) = ("store.url".into(), "together".into());
        return Err(ConfigError::Value { key, origin, expected: refused.to_string() });
    }
    let prefix = &config.store.stream_prefix;
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if prefix.is_empty() || prefix.len() > STREAM_PREFIX_MAX || !prefix.chars().all(is_plain) {
        return Err(ConfigError::Value {
            key: "store.stream_prefix".into(),
            origin: "together".into(),
            expected: format!("expected 1 to {STREAM_PREFIX_MAX} small letters and digits"),
        });
    }
    Ok(())
}

/// What single values cannot show.
pub(super) fn check_together(config: &Config) -> Result<(), ConfigError> {
    check_store(config)?;
    if !config.http.listen.ip().is_loopback() && !config.smtp.url.is_set() {
        return Err(ConfigError::PublicWithoutMail { listen: config.http.listen });
    }
    let not_above = |key: &str, value: u64, other: &str, most: u64| {
        let expected = format!("expected at most `{other}`, which is {most}");
        (value <= most).then_some(()).ok_or(ConfigError::Value {
            key: key.into(),
            origin: "together".into(),
            expected,
        })
    };
    let Sessions { idle_hours, absolute_hours, .. } = config.sessions;
    not_above(
        "sessions.idle_hours",
        idle_hours.into(),
        "sessions.absolute_hours",
        absolute_hours.into(),
    )?;
    not_above(
        "lockout.cool_off_seconds",
        config.lockout.cool_off_seconds.into(),
        "lockout.cool_off_max_seconds",
        config.lockout.cool_off_max_seconds.into(),
    )?;
    check_nats(&config.nats)?;
    let minutes = |hours: u32| u64::from(hours) * 60;
    let links = &config.links;
    let seconds = |minutes: u64| minutes * 60;
    not_above(
        "links.activation_interval_seconds",
        links.activation_interval_seconds.into(),
        "links.activation_hours",
        seconds(minutes(links.activation_hours)),
    )?;
    not_above(
        "links.password_reset_interval_seconds",
        links.password_reset_interval_seconds.into(),
        "links.password_reset_minutes",
        seconds(links.password_reset_minutes.into()),
    )?;
    not_above(
        "lists.page_size",
        config.lists.page_size.into(),
        "lists.page_size_max",
        config.lists.page_size_max.into(),
    )?;
    not_above(
        "feed.page_size",
        config.feed.page_size.into(),
        "feed.page_size_max",
        config.feed.page_size_max.into(),
    )?;
    not_above(
        "feed.wait_seconds_max",
        u64::from(config.feed.wait_seconds_max) * 1_000,
        "http.request_timeout_ms",
        config.http.request_timeout_ms,
    )
}

fn check_nats(nats: &Nats) -> Result<(), ConfigError> {
    let refused = |key: &str, expected: &str| {
        Err(ConfigError::Value {
            key: key.into(),
            origin: "together".into(),
            expected: expected.into(),
        })
    };
    let is_of_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    if nats.stream.is_empty() || !nats.stream.chars().all(is_of_name) {
        return refused("nats.stream", "expected letters, digits, `-` and `_`");
    }
    let is_blank = |path: &std::path::Path| path.as_os_str().is_empty();
    if is_blank(&nats.client_certificate_file) != is_blank(&nats.client_key_file) {
        return refused("nats.client_key_file", "expected it with `nats.client_certificate_file`");
    }
    if u64::from(nats.duplicate_window_seconds) > u64::from(nats.stream_age_hours_max) * 3_600 {
        return refused(
            "nats.duplicate_window_seconds",
            "expected at most `nats.stream_age_hours_max`",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_belongs_to_a_key_and_admits_its_default() {
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        for (name, low, high) in BOUNDS {
            let (section, key) = name.split_once('.').unwrap();
            let default = defaults[section][key].as_integer().unwrap();
            assert!((low..=high).contains(&default), "{name}");
        }
    }
}
