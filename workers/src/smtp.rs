//! The SMTP server: how it is reached, and what its answers mean.

use std::time::Duration;

use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use crate::transport::Unsent;

/// Refusals that are about our account and not about a letter: "authentication required", "mechanism too weak",
/// "credentials invalid", "encryption required" (RFC 4954 6). An operator repairs them.
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];
/// The server closes the connection (RFC 5321 4.2.3).
const CLOSING: u16 = 421;

/// How the SMTP server is used.
#[derive(Clone, Copy, Debug)]
pub struct SmtpLimits {
    /// How long connecting may take. The greeting, encryption, the envelope and the content may take as long each.
    pub timeout: Duration,
    /// Connections kept at most.
    pub connections_max: u32,
}

/// Why the SMTP configuration is not usable.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// Not `smtp://` or `smtps://` with a host.
    #[error("read the SMTP address")]
    Url(#[source] lettre::transport::smtp::Error),
    /// A choice of encryption other than `none` and `required`: there is no "if possible", which anybody on the way
    /// can turn into "no".
    #[error("read the SMTP address: tls is none or required")]
    Encryption,
    /// No certificate in PEM form, or a damaged one.
    #[error("read the certificates to trust")]
    Roots(#[source] Option<lettre::transport::smtp::Error>),
    /// Not an address such as `KeyNest <keynest@example.com>`.
    #[error("read the sender's address")]
    From(#[source] lettre::address::AddressError),
}

/// The library sends `smtp://` in clear unless told; here STARTTLS is the rule and clear text the exception.
pub(crate) fn server(
    url: &str,
    limits: SmtpLimits,
    roots: Option<&[u8]>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, SmtpError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let is_wrapped = base.starts_with("smtps://");
    let full = match query {
        "tls=none" if is_wrapped => return Err(SmtpError::Encryption),
        "tls=none" => base.to_owned(),
        "" | "tls=required" if is_wrapped => base.to_owned(),
        "" | "tls=required" => format!("{base}?tls=required"),
        _ => return Err(SmtpError::Encryption),
    };
    let mut builder =
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&full).map_err(SmtpError::Url)?;
    if let Some(pem) = roots.filter(|_| query != "tls=none") {
        let trusting = trusting(host(base), pem)?;
        builder =
            builder.tls(if is_wrapped { Tls::Wrapper(trusting) } else { Tls::Required(trusting) });
    }
    let pool = PoolConfig::new().max_size(limits.connections_max);
    Ok(builder.timeout(Some(limits.timeout)).pool_config(pool).build())
}

fn trusting(host: &str, pem: &[u8]) -> Result<TlsParameters, SmtpError> {
    // The library takes a text without any certificate for an empty list.
    if !pem.windows(11).any(|part| part == b"CERTIFICATE") {
        return Err(SmtpError::Roots(None));
    }
    let roots = Certificate::from_pem(pem).map_err(|error| SmtpError::Roots(Some(error)))?;
    TlsParameters::builder(host.to_owned())
        .add_root_certificate(roots)
        .build_rustls()
        .map_err(|error| SmtpError::Roots(Some(error)))
}

/// The host that the certificate must name.
fn host(base: &str) -> &str {
    let authority = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => place.split(':').next().unwrap_or_default(),
    }
}

/// Temporary refusals are tried again, permanent ones are not (RFC 5321 4.2.1). The server's own words may hold the
/// address, so only the status code is kept.
pub(crate) fn outcome(error: &lettre::transport::smtp::Error, is_ascii: bool) -> Unsent {
    let Some(code) = error.status() else {
        if error.is_client() && !is_ascii {
            return Unsent::Refused("the mail server takes no such address".to_owned());
        }
        return Unsent::Unreachable(format!("the mail server is not usable: {}", cause(error)));
    };
    let number = u16::from(code);
    if error.is_permanent() && !ABOUT_US.contains(&number) {
        Unsent::Refused(format!("the mail server refused for good ({number})"))
    } else if error.is_permanent() || number == CLOSING {
        Unsent::Unreachable(format!("the mail server takes no mails from here ({number})"))
    } else {
        Unsent::Later(format!("the mail server does not take the mail now ({number})"))
    }
}

/// The innermost error: an operator needs to know whether it is the network or the certificate.
fn cause(error: &lettre::transport::smtp::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // What could not be read are the server's own words.
    if error.is_response() { "it answers nonsense".to_owned() } else { cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SmtpLimits = SmtpLimits { timeout: Duration::from_secs(1), connections_max: 1 };

    fn made(url: &str) -> Result<(), SmtpError> {
        server(url, LIMITS, None).map(drop)
    }

    #[tokio::test]
    async fn encryption_is_required_or_waived_and_never_left_to_chance() {
        for url in
            ["smtp://mail.example", "smtps://u:p@mail.example:465", "smtp://localhost?tls=none"]
        {
            made(url).unwrap();
        }
        for url in
            ["smtp://mail.example?tls=opportunistic", "smtps://mail.example?tls=none", "smtp://m?x"]
        {
            assert!(matches!(made(url), Err(SmtpError::Encryption)), "{url}");
        }
        assert!(matches!(made("http://mail.example"), Err(SmtpError::Url(_))));
    }

    #[test]
    fn the_host_is_what_is_left_of_an_address() {
        for (base, expected) in [
            ("smtp://mail.example", "mail.example"),
            ("smtps://user:p%40ss@mail.example:465/hello", "mail.example"),
            ("smtp://[::1]:587", "::1"),
        ] {
            assert_eq!(host(base), expected);
        }
    }

    #[test]
    fn a_text_without_a_certificate_is_no_root() {
        assert!(matches!(trusting("mail.example", b"hello"), Err(SmtpError::Roots(None))));
    }
}
