//! Scheme, host and port: what may be asked, as configured and as a URL has it.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// `https://host` or `https://host:port`, in the one spelling that URL parsers agree on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

/// Not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an origin is http:// or https:// with a host and perhaps a port, and nothing behind it")]
pub struct OriginInvalid;

impl Origin {
    /// The origin of a web address; `None` for other schemes and for addresses with a user's name in them.
    pub fn of(url: &Url) -> Option<Self> {
        let is_web = matches!(url.scheme(), "http" | "https");
        let is_plain = url.username().is_empty() && url.password().is_none();
        (is_web && is_plain && url.has_host()).then(|| Self(url.origin().ascii_serialization()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginInvalid;

    fn from_str(text: &str) -> Result<Self, OriginInvalid> {
        let url = Url::parse(text).map_err(|_| OriginInvalid)?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        Self::of(&url).filter(|_| is_bare).ok_or(OriginInvalid)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        let origin: Origin = "HTTPS://Login.Example.com:443/".parse().unwrap();
        assert_eq!(origin.as_str(), "https://login.example.com");
        let decimal: Origin = "http://2130706433:8080".parse().unwrap();
        assert_eq!(decimal.as_str(), "http://127.0.0.1:8080");
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in ["", "example.com", "https://a/b", "https://a?b", "ftp://a", "https://u@a"] {
            assert_eq!(text.parse::<Origin>(), Err(OriginInvalid), "{text}");
        }
    }
}
