//! The connection to NATS: credentials, TLS, which servers will do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{Context, ContextBuilder};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;

use super::error::NatsError;
use super::settings::NatsSettings;

/// The oldest server that keeps what KeyNest relies on (2.9 ignores parts of a consumer's configuration).
const VERSION_NEEDED: (i64, i64, i64) = (2, 10, 0);
const VERSION_NEEDED_TEXT: &str = "2.10";
/// Between two tries to connect again.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(2);
const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(50);

/// A connection that heals by itself, and what is to be made over it.
#[derive(Clone, Debug)]
pub struct JetStream {
    pub(super) context: Context,
    pub(super) settings: Arc<NatsSettings>,
}

impl JetStream {
    /// Connects. A server that does not answer is tried again and again in the background: nothing but the carrier waits
    /// for it. A server that answers and is too old is an error, as is what can only be wrong in the configuration.
    pub async fn connect(settings: NatsSettings) -> Result<Self, NatsError> {
        let (addresses, login) =
            addresses(settings.url.expose_secret()).map_err(NatsError::Address)?;
        let login = login.as_ref();
        let client = match options(&settings, login).await?.connect(addresses.clone()).await {
            Ok(client) => client,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "NATS cannot be reached yet; trying in the background"
                );
                let patient = options(&settings, login).await?.retry_on_initial_connect();
                let connected = patient.connect(addresses).await;
                connected.map_err(|error| NatsError::Options(Box::new(error)))?
            }
        };
        let context = ContextBuilder::new()
            .timeout(settings.request_timeout)
            .ack_timeout(settings.request_timeout)
            .build(client);
        let nats = Self { context, settings: Arc::new(settings) };
        match nats.usable() {
            Err(error @ NatsError::TooOld { .. }) => Err(error),
            _ => Ok(nats),
        }
    }

    /// Whether there is a connection now, to a server that will do.
    pub(super) fn usable(&self) -> Result<(), NatsError> {
        let client: Client = self.context.client();
        if client.connection_state() != State::Connected {
            return Err(NatsError::NotConnected);
        }
        let (major, minor, patch) = VERSION_NEEDED;
        if client.is_server_compatible(major, minor, patch) {
            return Ok(());
        }
        let found = client.server_info().version;
        Err(NatsError::TooOld { found, needed: VERSION_NEEDED_TEXT })
    }
}

/// Who KeyNest is to the server.
enum Login {
    UserAndPassword(String, String),
    Token(String),
}

/// The addresses without the login that the first of them that has any names: the client neither uses it there nor keeps it
/// out of its log.
fn addresses(list: &str) -> Result<(Vec<ServerAddr>, Option<Login>), std::io::Error> {
    let (mut bare, mut login) = (Vec::new(), None);
    for text in list.split(',') {
        let address: ServerAddr = text.trim().parse()?;
        login = login.or_else(|| self::login(&address));
        let (scheme, host, port) = (address.scheme(), address.host(), address.port());
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        bare.push(format!("{scheme}://{host}:{port}").parse()?);
    }
    Ok((bare, login))
}

fn login(address: &ServerAddr) -> Option<Login> {
    let text = |encoded| percent_decode_str(encoded).decode_utf8_lossy().into_owned();
    let user = address.username().map(text)?;
    Some(match address.password().map(text) {
        Some(password) => Login::UserAndPassword(user, password),
        None => Login::Token(user),
    })
}

async fn options(
    settings: &NatsSettings,
    login: Option<&Login>,
) -> Result<ConnectOptions, NatsError> {
    let mut options = ConnectOptions::new()
        .name("keynest")
        .connection_timeout(settings.connect_timeout)
        .request_timeout(Some(settings.request_timeout))
        .reconnect_delay_callback(|attempts| {
            let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).min(16);
            (RECONNECT_PAUSE_MIN * 2_u32.pow(doublings)).min(RECONNECT_PAUSE_MAX)
        })
        .event_callback(|event| async move { tell(&event) });
    options = match login {
        Some(Login::UserAndPassword(user, password)) => {
            options.user_and_password(user.clone(), password.clone())
        }
        Some(Login::Token(token)) => options.token(token.clone()),
        None => options,
    };
    if let Some(file) = &settings.credentials_file {
        let read = options.credentials_file(file).await;
        options = read.map_err(|source| in_file(file, source))?;
    }
    if let Some(file) = &settings.ca_file {
        must_be_there(file)?;
        options = options.add_root_certificates(file.clone()).require_tls(true);
    }
    if let Some((certificate, key)) = &settings.client_certificate {
        must_be_there(certificate)?;
        must_be_there(key)?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

/// The client would notice at its first connection only, and try for ever.
fn must_be_there(file: &Path) -> Result<(), NatsError> {
    std::fs::File::open(file).map(drop).map_err(|source| in_file(file, source))
}

fn in_file(file: &Path, source: std::io::Error) -> NatsError {
    NatsError::File { file: file.display().to_string(), source }
}

fn tell(event: &Event) {
    let connected = metrics::gauge!("keynest_nats_connected");
    match event {
        Event::Connected => {
            connected.set(1.0);
            tracing::info!("NATS is connected");
        }
        Event::Disconnected | Event::Closed => {
            connected.set(0.0);
            tracing::warn!("NATS is not connected");
        }
        Event::LameDuckMode
        | Event::Draining
        | Event::SlowConsumer(_)
        | Event::ServerError(_)
        | Event::ClientError(_) => tracing::warn!(%event, "NATS reports"),
    }
}
