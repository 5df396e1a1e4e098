//! Every limit of the configuration reaches the part that it limits, and no other.

use std::collections::BTreeMap;

use keynest_api::middleware::Metrics;
use keynest_domain::limits::Policy;

use super::*;
use crate::edge::{self, server_options};
use crate::feed::nats_settings;
use crate::feed_grpc;

/// Read where the part is opened that it belongs to, not on the way there.
const READ_ELSEWHERE: [&str; 10] = [
    "http.drain_delay_ms",
    "janitor.batch_max",
    "janitor.interval_seconds",
    "log.files_max",
    "mail.mailbox_messages_max",
    "oauth.timeout_ms",
    "smtp.connections_max",
    "smtp.timeout_ms",
    "store.appends_in_flight_max",
    "store.connect_wait_ms",
];

/// Every number another one than its default, and no two the same; and which key has which.
fn odd() -> (Config, BTreeMap<String, u64>) {
    let mut table = toml::Table::try_from(Config::default()).unwrap();
    let mut numbers = BTreeMap::new();
    let mut number = 1_000_u32;
    for (section, keys) in &mut table {
        for (key, value) in keys.as_table_mut().into_iter().flatten() {
            if value.is_integer() {
                number += 1;
                *value = i64::from(number).into();
                numbers.insert(format!("{section}.{key}"), u64::from(number));
            }
        }
    }
    // Without it nobody is told of the carrier.
    table["nats"]["url"] = "nats://carrier".into();
    (table.try_into().unwrap(), numbers)
}

fn seconds(span: Lifetime) -> u64 {
    span.secs().into()
}

fn minutes(span: Lifetime) -> u64 {
    seconds(span) / 60
}

fn hours(span: Lifetime) -> u64 {
    minutes(span) / 60
}

fn millis(span: Duration) -> u64 {
    span.as_millis().try_into().unwrap()
}

fn told_to_commands(config: &Config) -> Vec<(&'static str, u64)> {
    let told = command_settings(config);
    let (sessions, lockout, links) = (told.sessions, told.lockout, told.links);
    vec![
        ("sessions.idle_hours", hours(sessions.idle)),
        ("sessions.absolute_hours", hours(sessions.absolute)),
        ("sessions.refresh_grace_seconds", seconds(sessions.grace)),
        ("sessions.fresh_seconds", seconds(told.fresh_for)),
        ("sessions.challenge_seconds", seconds(told.challenge_for)),
        ("lockout.failures_max", lockout.failures_max.into()),
        ("lockout.cool_off_seconds", seconds(lockout.cool_off_first)),
        ("lockout.cool_off_max_seconds", seconds(lockout.cool_off_max)),
        ("lockout.spraying_accounts", told.spraying_accounts.into()),
        ("lockout.known_network_hours", hours(told.known_network)),
        ("links.activation_hours", hours(links.activation)),
        ("links.password_reset_minutes", minutes(links.password_reset)),
        ("links.invitation_hours", hours(told.invitation)),
        ("links.activation_interval_seconds", seconds(links.activation_interval)),
        ("links.password_reset_interval_seconds", seconds(links.password_reset_interval)),
        ("links.repeated_registration_interval_seconds", seconds(links.repeated_interval)),
        ("links.email_change_hours", hours(links.email_change)),
        ("links.email_undo_hours", hours(links.email_undo)),
        ("links.email_changes_max", links.email_changes_max.into()),
        ("tokens.per_user_max", told.tokens_per_user_max as u64),
        ("tokens.per_organization_max", told.services_per_organization_max as u64),
        ("store.states_max", told.states_max),
        ("password.length_min", told.password_chars_min as u64),
    ]
}

fn told_to_the_store(config: &Config) -> Vec<(&'static str, u64)> {
    let told = store_options(config);
    vec![
        ("database.store_connections_max", told.pool_connections.into()),
        ("database.acquire_timeout_ms", millis(told.acquire_timeout)),
        ("database.lock_timeout_ms", millis(told.lock_timeout)),
        ("database.statement_timeout_ms", millis(told.statement_timeout)),
        ("database.idle_in_transaction_timeout_ms", millis(told.idle_in_transaction_timeout)),
        ("database.silence_max_ms", millis(told.silence_max)),
        ("store.queue_max", told.queue_requests as u64),
        ("store.queue_bytes_max", told.queue_bytes.into()),
        ("store.batch_requests_max", told.batch_requests as u64),
        ("store.batch_events_max", told.batch_events as u64),
        ("store.batch_bytes_max", told.batch_bytes as u64),
        ("store.handover_events_max", told.handover_events as u64),
        ("store.handover_bytes_max", told.handover_bytes as u64),
    ]
}

/// Those that both sides of the database have are told to both.
fn told_to_the_read_side(config: &Config) -> Vec<(&'static str, u64)> {
    let (told, store) = (read_options(config), store_options(config));
    assert_eq!(told.acquire_timeout, store.acquire_timeout);
    assert_eq!(told.silence_max, store.silence_max);
    vec![("database.read_connections_max", told.connections_max.into())]
}

fn told_to_the_hasher(config: &Config) -> Vec<(&'static str, u64)> {
    let told = hash_params(config);
    vec![
        ("password.memory_kib", told.memory_kib.into()),
        ("password.iterations", told.passes.into()),
        ("password.threads", told.threads as u64),
        ("password.queue_max", told.queue as u64),
    ]
}

fn told_to_the_api(config: &Config) -> Vec<(&'static str, u64)> {
    let told = edge::settings(config);
    vec![
        ("sessions.access_token_minutes", minutes(told.access_token)),
        ("tokens.lifetime_days", told.tokens.lifetime_days.into()),
        ("tokens.lifetime_days_max", told.tokens.lifetime_days_max.into()),
        ("lists.page_size", told.page_size.into()),
        ("lists.page_size_max", told.page_size_max.into()),
        ("projections.visible_wait_ms", millis(told.visible_wait)),
        ("feed.readers_max", told.feed.readers_max as u64),
        ("feed.readers_per_caller_max", told.feed.readers_per_caller_max as u64),
        ("feed.page_size", told.feed.page_size.into()),
        ("feed.page_size_max", told.feed.page_size_max.into()),
        ("feed.page_bytes_max", told.feed.page_bytes_max as u64),
        ("feed.scan_max", told.feed.scan_max.into()),
        ("feed.looks_max", told.feed.looks_max as u64),
        ("feed.wait_seconds_max", told.feed.wait_max.as_secs()),
        ("feed.heartbeat_seconds", told.feed.heartbeat.as_secs()),
        ("feed.retry_ms", millis(told.feed.retry)),
        ("http.import_bytes_max", told.import_bytes_max as u64),
    ]
}

fn told_to_the_listener(config: &Config) -> Vec<(&'static str, u64)> {
    let told = server_options(config).limits;
    vec![
        ("http.first_byte_timeout_ms", millis(told.first_byte)),
        ("http.header_timeout_ms", millis(told.header)),
        ("http.body_timeout_ms", millis(told.body_stall)),
        ("http.idle_timeout_ms", millis(told.idle)),
        ("http.header_bytes_max", told.head_bytes_max as u64),
        ("http.body_bytes_max", told.body_bytes_max),
        ("http.connections_max", told.connections_max as u64),
        ("http.connections_per_address_max", told.connections_per_address_max as u64),
        ("http.drain_timeout_ms", millis(told.drain)),
    ]
}

fn told_to_the_grpc_feed(config: &Config) -> Vec<(&'static str, u64)> {
    let told = feed_grpc::options(config).unwrap();
    vec![
        ("feed.grpc_connections_max", told.connections_max as u64),
        ("feed.grpc_streams_max", told.streams_max.into()),
        ("feed.grpc_message_bytes_max", told.message_bytes_max as u64),
        ("feed.grpc_keep_alive_seconds", told.keep_alive.as_secs()),
    ]
}

fn told_to_the_carrier(config: &Config) -> Vec<(&'static str, u64)> {
    let told = nats_settings(config).unwrap();
    vec![
        ("nats.stream_replicas", told.stream_replicas as u64),
        ("nats.stream_bytes_max", told.stream_bytes_max.unsigned_abs()),
        ("nats.stream_age_hours_max", told.stream_age_max.as_secs() / 3_600),
        ("nats.duplicate_window_seconds", told.duplicate_window.as_secs()),
        ("nats.connect_timeout_ms", millis(told.connect_timeout)),
        ("nats.request_timeout_ms", millis(told.request_timeout)),
        ("nats.publish_window_max", told.publish_window as u64),
        ("nats.unacknowledged_max", told.unacknowledged_max as u64),
        ("nats.ack_wait_ms", millis(told.ack_wait)),
        ("nats.heartbeat_ms", millis(told.heartbeat)),
        ("nats.poll_ms", millis(told.poll)),
    ]
}

fn told_to_the_throttle(config: &Config) -> Vec<(&'static str, u64)> {
    let quotas = command_settings(config).quotas;
    let throttles = edge::settings(config).throttles;
    assert_eq!(throttles.quotas, quotas);
    let callers = ("throttle.callers_max", throttles.keys_max as u64);
    let policies = [
        ("throttle.register_per_minute", Policy::Register),
        ("throttle.password_reset_per_hour", Policy::PasswordReset),
        ("throttle.auth_per_minute", Policy::Auth),
        ("throttle.sign_in_per_minute", Policy::SignIn),
        ("throttle.user_per_hour", Policy::User),
        ("throttle.token_per_hour", Policy::Token),
        ("throttle.organization_per_hour", Policy::Organization),
        ("throttle.anonymous_per_hour", Policy::Anonymous),
        ("throttle.mails_per_hour", Policy::MailsHourly),
        ("throttle.mails_per_day", Policy::MailsDaily),
        ("throttle.invitations_per_day", Policy::Invitations),
    ];
    policies
        .map(|(key, policy)| (key, quotas.of(policy).quota.into()))
        .into_iter()
        .chain([callers])
        .collect()
}

#[test]
fn every_limit_reaches_the_part_that_it_limits() {
    let (config, mut numbers) = odd();
    for part in [
        told_to_commands,
        told_to_the_store,
        told_to_the_read_side,
        told_to_the_hasher,
        told_to_the_api,
        told_to_the_listener,
        told_to_the_throttle,
        told_to_the_carrier,
        told_to_the_grpc_feed,
    ] {
        for (key, told) in part(&config) {
            assert_eq!(Some(told), numbers.remove(key), "{key}");
        }
    }
    let told = edge::edge_settings(&config, Metrics::install().unwrap()).unwrap();
    let deadline = told.request_timeout;
    assert_eq!(Some(millis(deadline)), numbers.remove("http.request_timeout_ms"));
    assert_eq!(numbers.into_keys().collect::<Vec<_>>(), READ_ELSEWHERE, "nobody is told of these");
}

#[test]
fn the_defaults_of_the_configuration_are_those_of_the_rules() {
    let config = Config::default();
    assert_eq!(command_settings(&config), keynest_commands::Settings::default());
    let [ours, theirs] = [store_options(&config), StoreOptions::default()];
    let batch = |it: &StoreOptions| (it.batch_requests, it.batch_events, it.batch_bytes);
    assert_eq!(batch(&ours), batch(&theirs));
    assert_eq!(ours.queue_bytes, theirs.queue_bytes);
    assert_eq!(ours.silence_max, theirs.silence_max);
    let [ours, theirs] = [read_options(&config), ReadOptions::default()];
    let limits = |it: &ReadOptions| (it.connections_max, it.acquire_timeout, it.silence_max);
    assert_eq!(limits(&ours), limits(&theirs));
}
