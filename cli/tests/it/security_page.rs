//! `docs/SECURITY.md` states every lifetime and limit; this compares its table with the sources and the configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keynest_cli::config::Config;

/// Sections of the configuration that are about lifetimes and limits of accounts: each of their numbers has a row.
const SECTIONS: [&str; 6] = ["lockout", "links", "password", "sessions", "throttle", "tokens"];
/// Layers whose public limits have a row each.
const LAYERS: [&str; 2] = ["crypto/", "domain/"];
/// Units at the end of a key, as the page writes them.
const UNITS: [(&str, &str); 6] = [
    ("_days", "d"),
    ("_hours", "h"),
    ("_minutes", "min"),
    ("_seconds", "s"),
    ("_ms", "ms"),
    ("_kib", "KiB"),
];
/// Constants that are the default of a setting: the setting has the row, and both say the same.
const DEFAULTS: [(&str, &str); 21] = [
    ("crypto/access_token::ACCESS_TOKEN_LIFETIME", "sessions.access_token_minutes"),
    ("crypto/password::PASSWORD_CHARS_MIN", "password.length_min"),
    ("domain/challenge::LIFETIME", "sessions.challenge_seconds"),
    ("domain/login::COOL_OFF_FIRST", "lockout.cool_off_seconds"),
    ("domain/login::COOL_OFF_MAX", "lockout.cool_off_max_seconds"),
    ("domain/login::FAILURES_MAX", "lockout.failures_max"),
    ("domain/organization/invite_member::LIFETIME", "links.invitation_hours"),
    ("domain/session/mod::ABSOLUTE", "sessions.absolute_hours"),
    ("domain/session/mod::GRACE", "sessions.refresh_grace_seconds"),
    ("domain/session/mod::IDLE", "sessions.idle_hours"),
    ("domain/session/reauthenticate::FRESH", "sessions.fresh_seconds"),
    ("domain/user/links::ACTIVATION_LIFETIME", "links.activation_hours"),
    ("domain/user/links::EMAIL_CHANGES_MAX", "links.email_changes_max"),
    ("domain/user/links::EMAIL_CHANGE_LIFETIME", "links.email_change_hours"),
    ("domain/user/links::EMAIL_UNDO_LIFETIME", "links.email_undo_hours"),
    ("domain/user/links::REPEATED_INTERVAL", "links.repeated_registration_interval_seconds"),
    ("domain/user/links::RESEND_INTERVAL", "links.activation_interval_seconds"),
    ("domain/user/links::RESET_INTERVAL", "links.password_reset_interval_seconds"),
    ("domain/user/links::RESET_LIFETIME", "links.password_reset_minutes"),
    ("api/outgoing/mod::TIMEOUT_DEFAULT", "oauth.timeout_ms"),
    ("store/postgres/silence::SILENCE_MAX", "database.silence_max_ms"),
];

#[test]
fn the_page_states_every_lifetime_and_limit_as_the_code_has_it() {
    let page = std::fs::read_to_string(root().join("docs/SECURITY.md")).unwrap();
    let table = page.split_once("| what | value | where |\n").unwrap().1;
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|')).map(row);
    let on_page: BTreeMap<String, String> = rows.collect();

    let in_code: BTreeMap<String, String> = constants()
        .into_iter()
        .filter(|(place, _)| DEFAULTS.iter().all(|(constant, _)| constant != place))
        .chain(settings())
        .filter(|(place, value)| on_page.contains_key(place) || must_be_stated(place, value))
        .collect();
    assert_eq!(on_page, in_code, "docs/SECURITY.md (left) differs from the code (right)");
}

#[test]
fn the_defaults_of_the_settings_are_the_constants_of_the_rules() {
    let (constants, settings) = (constants(), settings());
    for (constant, setting) in DEFAULTS {
        let constant = constants.get(constant).unwrap_or_else(|| panic!("no {constant}"));
        let setting = settings.get(setting).unwrap_or_else(|| panic!("no {setting}"));
        assert_eq!(in_base_units(constant), in_base_units(setting), "{constant} {setting}");
    }
}

/// A row's place in the code and its value.
fn row(line: &str) -> (String, String) {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [what, value, place] = cells[..] else { panic!("not three cells: {line}") };
    assert!(!what.is_empty(), "says nothing: {line}");
    (place.trim_matches('`').to_owned(), value.to_owned())
}

/// Every lifetime, every limit of the rules and of cryptography, every number of the sections about limits.
fn must_be_stated(place: &str, value: &str) -> bool {
    let Some((_, name)) = place.split_once("::") else {
        return SECTIONS.contains(&place.split('.').next().unwrap());
    };
    let is_lifetime = value.contains(' ');
    let is_limit = name.ends_with("_MAX") || name.ends_with("_MIN");
    is_lifetime || is_limit && LAYERS.iter().any(|layer| place.starts_with(layer))
}

/// `5 min` as 300 000, so that `300 s` is the same.
fn in_base_units(value: &str) -> u64 {
    let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
    let number: u64 = number.parse().unwrap();
    number
        * match unit {
            "d" => 86_400_000,
            "h" => 3_600_000,
            "min" => 60_000,
            "s" => 1_000,
            _ => 1,
        }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Numbers of the configuration, as `section.key` with the unit that the key ends in.
fn settings() -> BTreeMap<String, String> {
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    let sections = defaults.iter().filter_map(|(name, value)| Some((name, value.as_table()?)));
    let keys = sections.flat_map(|(name, section)| section.iter().map(move |it| (name, it)));
    keys.filter_map(|(name, (key, value))| {
        Some((format!("{name}.{key}"), with_unit(key, value.as_integer()?)))
    })
    .collect()
}

fn with_unit(key: &str, number: i64) -> String {
    let unit = UNITS.iter().find(|(end, _)| key.ends_with(end)).map_or("", |(_, unit)| unit);
    format!("{number} {unit}").trim_end().to_owned()
}

/// Public constants that are lifetimes or whole numbers, as `crate/path/of/file::NAME`.
fn constants() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for layer in ["domain", "crypto", "store", "commands", "projections", "workers", "api"] {
        collect(&root().join(layer).join("src"), &mut found);
    }
    found
}

fn collect(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let file = path.strip_prefix(root()).unwrap().with_extension("");
        let file = file.to_str().unwrap().replace("/src/", "/");
        found.extend(
            source
                .lines()
                .filter_map(constant)
                .map(|(name, value)| (format!("{file}::{name}"), value)),
        );
    }
}

/// `pub const NAME: Lifetime = Lifetime::from_minutes(5);` as `("NAME", "5 min")`; whole numbers, also products, as they are.
fn constant(line: &str) -> Option<(&str, String)> {
    let (name, rest) = line.strip_prefix("pub const ")?.split_once(": ")?;
    let (kind, value) = rest.strip_suffix(';')?.split_once(" = ")?;
    if ["Lifetime", "crate::Lifetime", "Duration"].contains(&kind) {
        let (unit, number) = value.strip_suffix(')')?.split_once("::from_")?.1.split_once('(')?;
        let unit = match unit {
            "days" => "d",
            "hours" => "h",
            "minutes" => "min",
            "secs" => "s",
            "millis" => "ms",
            other => panic!("a unit that this test does not know: {other}"),
        };
        return Some((name, format!("{number} {unit}")));
    }
    let factors = value.split(" * ").map(|factor| factor.replace('_', "").parse::<u64>().ok());
    let number = factors.product::<Option<u64>>()?;
    Some((name, number.to_string()))
}
