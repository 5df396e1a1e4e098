//! `kurrentdb://user:password@host:2113,other:2113?tls=true`: the connection string of the official clients.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::form_urlencoded::parse;

const SCHEMES: [(&str, bool); 4] =
    [("kurrentdb", false), ("kurrentdb+discover", true), ("esdb", false), ("esdb+discover", true)];
const PORT: u16 = 2113;
/// What the official clients know and what means nothing to this one.
const PASSED_OVER: [&str; 3] = ["connectionname", "maxdiscoverattempts", "discoveryinterval"];

/// Where the servers are and how they are spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct KurrentAddress {
    pub(super) hosts: Vec<String>,
    /// Whether the leader is asked for by gossip.
    pub(super) is_cluster: bool,
    pub(super) credentials: Option<(String, String)>,
    pub(super) is_tls: bool,
    pub(super) ca_file: Option<PathBuf>,
    /// A certificate of ours and its key.
    pub(super) identity: (Option<PathBuf>, Option<PathBuf>),
    /// `None`: never.
    pub(super) keep_alive_interval: Option<Duration>,
    pub(super) keep_alive_timeout: Duration,
    pub(super) gossip_timeout: Duration,
    /// For one call.
    pub(super) deadline: Duration,
}

/// Why a connection string says nothing. Never holds the string, which has a password in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address of the KurrentDB cluster: {0}")]
pub struct AddressError(String);

impl fmt::Debug for KurrentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KurrentAddress").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl std::str::FromStr for KurrentAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refuse = |why: &str| AddressError(why.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(|| refuse("has no scheme"))?;
        let (_, discovers) = SCHEMES
            .into_iter()
            .find(|(known, _)| *known == scheme)
            .ok_or_else(|| refuse("the scheme is kurrentdb:// or kurrentdb+discover://"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        // The last `@`: a password that was not encoded may hold others.
        let (credentials, hosts) = match place.rsplit_once('@') {
            None => (None, place),
            Some((who, hosts)) => {
                let (user, password) =
                    who.split_once(':').ok_or_else(|| refuse("a user has a password"))?;
                (Some((decoded(user), decoded(password))), hosts)
            }
        };
        let hosts = hosts.trim_end_matches('/').split(',').map(host);
        let hosts = hosts.collect::<Result<Vec<String>, AddressError>>()?;
        let mut address = Self {
            is_cluster: discovers || hosts.len() > 1,
            hosts,
            credentials,
            is_tls: true,
            ca_file: None,
            identity: (None, None),
            keep_alive_interval: Some(Duration::from_secs(10)),
            keep_alive_timeout: Duration::from_secs(10),
            gossip_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(10),
        };
        for (name, value) in parse(query.as_bytes()) {
            address.set(&name.to_lowercase(), &value)?;
        }
        match &address.identity {
            (Some(_), None) | (None, Some(_)) => {
                Err(refuse("userCertFile and userKeyFile go together"))
            }
            (Some(_), Some(_)) | (None, None) => Ok(address),
        }
    }
}

impl KurrentAddress {
    fn set(&mut self, name: &str, value: &str) -> Result<(), AddressError> {
        match name {
            "tls" => self.is_tls = truth(name, value)?,
            "tlsverifycert" if !truth(name, value)? => {
                return Err(AddressError(
                    "certificates are always verified: name the authority with tlsCaFile"
                        .to_owned(),
                ));
            }
            "tlsverifycert" => {}
            "tlscafile" => self.ca_file = Some(value.into()),
            "usercertfile" => self.identity.0 = Some(value.into()),
            "userkeyfile" => self.identity.1 = Some(value.into()),
            "keepaliveinterval" if value == "-1" => self.keep_alive_interval = None,
            "keepaliveinterval" => self.keep_alive_interval = Some(millis(name, value)?),
            "keepalivetimeout" => self.keep_alive_timeout = millis(name, value)?,
            "gossiptimeout" => self.gossip_timeout = millis(name, value)?,
            "defaultdeadline" => self.deadline = millis(name, value)?,
            "nodepreference" if value.eq_ignore_ascii_case("leader") => {}
            "nodepreference" => {
                return Err(AddressError("the log is read from the leader alone".to_owned()));
            }
            other if PASSED_OVER.contains(&other) => {}
            other => return Err(AddressError(format!("there is no option {other}"))),
        }
        Ok(())
    }

    /// What a host is called to speak to it.
    pub(super) fn url(&self, host: &str) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{host}")
    }
}

fn host(text: &str) -> Result<String, AddressError> {
    let (name, port) = match text.rsplit_once(':') {
        // Brackets around an address of IPv6, which has colons itself.
        Some((name, port)) if !port.ends_with(']') => {
            let refused = |_| AddressError("a port is a number".to_owned());
            (name, port.parse::<u16>().map_err(refused)?)
        }
        Some(_) | None => (text, PORT),
    };
    match name {
        "" => Err(AddressError("has no host".to_owned())),
        name => Ok(format!("{name}:{port}")),
    }
}

fn truth(name: &str, value: &str) -> Result<bool, AddressError> {
    value.to_lowercase().parse().map_err(|_| AddressError(format!("{name} is true or false")))
}

fn millis(name: &str, value: &str) -> Result<Duration, AddressError> {
    match value.parse() {
        Ok(millis @ 1..) => Ok(Duration::from_millis(millis)),
        Ok(0) | Err(_) => Err(AddressError(format!("{name} is a number of milliseconds"))),
    }
}

/// Percent-encoding, and nothing else that forms have.
fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> KurrentAddress {
        text.parse().unwrap()
    }

    #[test]
    fn one_host_is_spoken_to_and_several_are_a_cluster() {
        let one = address("kurrentdb://db.example");
        assert_eq!((&one.hosts[..], one.is_cluster), (&["db.example:2113".to_owned()][..], false));
        assert_eq!(one.url("db.example:2113"), "https://db.example:2113");
        assert!(address("kurrentdb+discover://db.example:1").is_cluster);
        let many = address("esdb://a:1,b:2,[::1]:3,[::1]/?tls=false");
        assert_eq!(many.hosts, ["a:1", "b:2", "[::1]:3", "[::1]:2113"]);
        assert!(many.is_cluster && !many.is_tls);
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let known = address("kurrentdb://keynest:p%40ss+%3a:&=@db?tls=false");
        assert_eq!(known.credentials, Some(("keynest".to_owned(), "p@ss+::&=".to_owned())));
        assert!(!format!("{known:?}").contains("p@ss"));
    }

    #[test]
    fn options_are_those_of_the_official_clients() {
        let text = "kurrentdb://db?keepAliveInterval=-1&KEEPALIVETIMEOUT=7&defaultDeadline=9&tlsCaFile=/ca%20file&nodePreference=leader";
        let set = address(text);
        assert_eq!(set.keep_alive_interval, None);
        assert_eq!(set.keep_alive_timeout, Duration::from_millis(7));
        assert_eq!(set.deadline, Duration::from_millis(9));
        assert_eq!(set.ca_file, Some("/ca file".into()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_repeating_it() {
        for bad in [
            "db:2113",
            "postgres://secret@db",
            "kurrentdb://",
            "kurrentdb://secret@db",
            "kurrentdb://db:port",
            "kurrentdb://u:secret@db?tls=perhaps",
            "kurrentdb://u:secret@db?tlsVerifyCert=false",
            "kurrentdb://u:secret@db?nodePreference=follower",
            "kurrentdb://u:secret@db?keepAliveInterval=soon",
            "kurrentdb://u:secret@db?userCertFile=/it",
            "kurrentdb://u:secret@db?wings=2",
        ] {
            let refused = bad.parse::<KurrentAddress>().unwrap_err().to_string();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
