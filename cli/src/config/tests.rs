//! The configuration as a whole: what wins, what is refused, what is shown.

use std::ffi::OsString;
use std::path::PathBuf;

use super::*;

struct Given {
    folder: tempfile::TempDir,
    file: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

fn given() -> Given {
    Given { folder: tempfile::tempdir().unwrap(), file: None, environment: Vec::new() }
}

impl Given {
    fn file(mut self, text: &str) -> Self {
        let path = self.folder.path().join("keynest.toml");
        std::fs::write(&path, text).unwrap();
        self.file = Some(path);
        self
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn read(self) -> Result<Loaded, ConfigError> {
        let environment = self
            .environment
            .into_iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Loaded::read(self.file.as_deref(), environment)
    }

    fn refused(self) -> String {
        self.read().unwrap_err().to_string()
    }
}

#[test]
fn nothing_needs_to_be_configured() {
    let loaded = given().file("").read().unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.config.http.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(loaded.config.root_file(), PathBuf::from(".data/root.key"));
}

#[test]
fn the_file_beats_the_default_and_the_environment_beats_the_file() {
    let loaded = given()
        .file("data_dir = '/srv/a'\n[lists]\npage_size = 7\n[http]\nlisten = '127.0.0.1:9000'")
        .set("KEYNEST_HTTP_LISTEN", "[::1]:9001")
        .read()
        .unwrap();
    assert_eq!(loaded.config.lists.page_size, 7);
    assert_eq!(loaded.config.http.listen.to_string(), "[::1]:9001");
    assert_eq!(loaded.config.data_dir, PathBuf::from("/srv/a"));
    assert_eq!(loaded.origins["http.listen"], Origin::Variable("KEYNEST_HTTP_LISTEN".into()));
    assert!(matches!(loaded.origins["lists.page_size"], Origin::File(_)));
    assert_eq!(loaded.origins["lists.page_size_max"], Origin::Default);
}

#[test]
fn the_file_is_found_by_its_variable_and_in_the_data_directory() {
    let named = given().file("[lists]\npage_size = 7");
    let path = named.file.clone().unwrap();
    let folder = path.parent().unwrap().display().to_string();
    for (name, value) in
        [("KEYNEST_CONFIG", path.display().to_string()), ("KEYNEST_DATA_DIR", folder)]
    {
        assert_eq!(given().set(name, &value).read().unwrap().config.lists.page_size, 7, "{name}");
    }
}

#[test]
fn database_url_is_another_name_that_our_own_beats() {
    let loaded = given().set("DATABASE_URL", "postgres://a").read().unwrap();
    assert_eq!(loaded.config.database.url.reveal(), Some("postgres://a"));
    let loaded = given()
        .set("DATABASE_URL", "postgres://a")
        .set("KEYNEST_DATABASE_URL", "postgres://b")
        .read()
        .unwrap();
    assert_eq!(loaded.config.database.url.reveal(), Some("postgres://b"));
}

#[test]
fn lists_and_booleans_are_read_from_variables() {
    let loaded = given()
        .set("KEYNEST_HTTP_CORS_ORIGINS", "https://a.example, https://b.example/")
        .set("KEYNEST_HTTP_TRUSTED_PROXIES", "10.0.0.0/8,::1/128")
        .set("KEYNEST_MAIL_NOTICES", "false")
        .read()
        .unwrap();
    let origins: Vec<&str> =
        loaded.config.http.cors_origins.iter().map(WebOrigin::as_str).collect();
    assert_eq!(origins, ["https://a.example", "https://b.example"]);
    assert_eq!(loaded.config.http.trusted_proxies.len(), 2);
    assert!(!loaded.config.mail.notices);
}

#[test]
fn what_is_unknown_is_refused_with_the_nearest_name() {
    for (text, nearest) in [
        ("[http]\nlisen = 'x'", "`http.listen`"),
        ("data_dri = 'x'", "`data_dir`"),
        ("[htpp]\nlisten = 'x'", "did you mean"),
        ("[http.listen]\na = 1", "`http.listen`"),
    ] {
        let message = given().file(text).refused();
        assert!(message.contains(nearest), "{text}: {message}");
    }
    let message = given().set("KEYNEST_HTTP_LISTN", "x").refused();
    assert_eq!(
        message,
        "unknown environment variable KEYNEST_HTTP_LISTN; did you mean KEYNEST_HTTP_LISTEN?"
    );
}

#[test]
fn a_bad_value_is_refused_by_its_key_and_origin() {
    for (text, key) in [
        ("http = 3", "`http`"),
        ("[http]\nlisten = 'nowhere'", "`http.listen`"),
        ("[http]\nlisten = 8000", "`http.listen`"),
        ("[http]\nbody_bytes_max = 0", "`http.body_bytes_max`"),
        ("[http]\nbody_bytes_max = -1", "`http.body_bytes_max`"),
        ("[http]\nbody_bytes_max = '1'", "`http.body_bytes_max`"),
        ("[http]\ntrusted_proxies = ['10.0.0.0/33']", "`http.trusted_proxies`"),
        ("[http]\ncors_origins = [1]", "`http.cors_origins`"),
        ("[http]\ncors_origins = ['*']", "`http.cors_origins`"),
        ("[public]\nurl = 'keynest.example'", "`public.url`"),
        ("[frontend]\nurl = 'https://a/b'", "`frontend.url`"),
        ("[log]\nformat = 'xml'", "`log.format`"),
        ("[password]\nmemory_kib = 1024", "`password.memory_kib`"),
        ("[lists]\npage_size = 2000", "`lists.page_size`"),
        ("[lists]\npage_size = 900\npage_size_max = 800", "`lists.page_size`"),
        ("[sessions]\nidle_hours = 100\nabsolute_hours = 99", "`sessions.idle_hours`"),
        ("[sessions]\nabsolute_hours = 721", "`sessions.absolute_hours`"),
        ("[sessions]\naccess_token_minutes = 61", "`sessions.access_token_minutes`"),
        ("[lockout]\ncool_off_max_seconds = 59", "`lockout.cool_off_seconds`"),
        ("[lockout]\nfailures_max = 0", "`lockout.failures_max`"),
        ("[links]\nactivation_hours = 0", "`links.activation_hours`"),
        (
            "[links]\nactivation_hours = 1\nactivation_interval_seconds = 3601",
            "`links.activation_interval_seconds`",
        ),
        (
            "[links]\npassword_reset_minutes = 5\npassword_reset_interval_seconds = 301",
            "`links.password_reset_interval_seconds`",
        ),
        ("[store]\nbatch_requests_max = 0", "`store.batch_requests_max`"),
        ("[nats]\nstream = 'a.b'", "`nats.stream`"),
        ("[nats]\nstream_replicas = 6", "`nats.stream_replicas`"),
        ("[nats]\nclient_key_file = 'k.pem'", "`nats.client_key_file`"),
        (
            "[nats]\nstream_age_hours_max = 1\nduplicate_window_seconds = 3601",
            "`nats.duplicate_window_seconds`",
        ),
        ("[store]\nurl = 'mysql://a'", "`store.url`"),
        ("[store]\nurl = 'kurrentdb://a?wings=2'", "`store.url`"),
        ("[store]\nstream_prefix = 'a/b'", "`store.stream_prefix`"),
    ] {
        let message = given().file(text).refused();
        let is_unknown = message.contains("unknown") && !message.contains("unknown variant");
        assert!(message.contains(key) && !is_unknown, "{text}: {message}");
    }
    let message = given().set("KEYNEST_HTTP_BODY_BYTES_MAX", "many").refused();
    assert_eq!(
        message,
        "`http.body_bytes_max` (environment KEYNEST_HTTP_BODY_BYTES_MAX): expected a whole number"
    );
}

#[test]
fn others_may_reach_it_only_when_it_can_send_mails() {
    let message = given().set("KEYNEST_HTTP_LISTEN", "0.0.0.0:8000").refused();
    assert!(message.contains("`smtp.url`"), "{message}");
    given()
        .set("KEYNEST_HTTP_LISTEN", "0.0.0.0:8000")
        .set("KEYNEST_SMTP_URL", "smtp://mail")
        .read()
        .unwrap();
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let message = given().set("KEYNEST_CONFIG", "/nonexistent/keynest.toml").refused();
    assert_eq!(message, "cannot read the configuration file /nonexistent/keynest.toml");
}

#[test]
fn no_secret_is_shown_in_the_configuration_its_debug_text_or_a_refusal() {
    let secrets =
        "[keys]\nroot_key = 'canary-1'\n[database]\nurl = 'postgres://me:canary-2@db/keynest'\n";
    let loaded =
        given().file(secrets).set("KEYNEST_SMTP_URL", "smtp://me:canary-3@mail").read().unwrap();
    assert_eq!(loaded.config.keys.root_key.reveal(), Some("canary-1"));
    let refused = [
        given().file(&secrets.replace("'canary-1'", "canary-1")).refused(),
        given().file("[keys]\nroot_key = ['canary-1']").refused(),
        given().file("[lists]\npage_size = 'canary-1'").refused(),
    ];
    for text in [loaded.show(), format!("{loaded:?}")].iter().chain(&refused) {
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(loaded.show().contains("url = \"postgres://[HIDDEN]@db/keynest\"  # file "));
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let loaded = given()
        .set("KEYNEST_LISTS_PAGE_SIZE", "7")
        .set("KEYNEST_FRONTEND_URL", "https://a.example")
        .read()
        .unwrap();
    let again = given().file(&loaded.show()).read().unwrap();
    assert_eq!(again.config, loaded.config);
    assert!(loaded.show().contains("page_size = 7  # environment KEYNEST_LISTS_PAGE_SIZE;"));
}
