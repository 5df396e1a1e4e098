//! The caller's address: the socket's, or what a listed proxy says of it (THREATS A25).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Longest chain of proxies that is followed; a longer one counts as malformed.
const HOPS_MAX: usize = 32;

/// The caller's address, an extension of every request. IPv4 in IPv6 is unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The header in which the proxies tell of the caller. Only this one is read: a proxy replaces or extends the
/// one that it knows and passes the other on as the caller wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedBy {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Their networks; none by default.
    pub trusted: Vec<IpNet>,
    /// Their header.
    pub forwarded_by: ForwardedBy,
}

impl Proxies {
    /// The first untrusted address from the right, the peer included; the peer where the header is malformed.
    pub fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        if !self.is_trusted(peer) {
            return ClientAddress(peer);
        }
        let Some(hops) = self.hops(headers) else { return ClientAddress(peer) };
        let client = hops.iter().rev().find(|hop| !self.is_trusted(**hop)).or(hops.first());
        ClientAddress(client.copied().unwrap_or(peer))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// From the farthest to the nearest. `None`: malformed.
    fn hops(&self, headers: &HeaderMap) -> Option<Vec<IpAddr>> {
        let (name, parse): (_, fn(&str) -> Option<IpAddr>) = match self.forwarded_by {
            ForwardedBy::XForwardedFor => (X_FORWARDED_FOR, address),
            ForwardedBy::Forwarded => (FORWARDED, forwarded_for),
        };
        let mut hops = Vec::new();
        for value in headers.get_all(name) {
            for hop in value.to_str().ok()?.split(',') {
                hops.push(parse(hop.trim())?);
            }
        }
        (hops.len() <= HOPS_MAX).then_some(hops)
    }
}

/// The `for` parameter of one element. Quoted commas and semicolons are not addresses, so splitting first is safe.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = element.split(';').filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    });
    let (value, None) = (found.next()?, found.next()) else { return None };
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    address(unquoted.unwrap_or(value))
}

/// An address, with or without brackets and a port.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let bare = bracketed.unwrap_or(text).parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    Some(bare.or_else(with_port)?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded_by: ForwardedBy, lines: &[(&'static str, &str)]) -> String {
        let trusted = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let headers = lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        Proxies { trusted, forwarded_by }.client(Some(peer), &headers).0.to_string()
    }

    #[test]
    fn only_a_listed_proxy_is_believed_and_only_as_far_as_it_is_listed() {
        const XFF: &str = "x-forwarded-for";
        for (peer, lines, expected) in [
            ("192.0.2.9", &[(XFF, "1.1.1.1")][..], "192.0.2.9"),
            ("10.0.0.1", &[(XFF, "1.1.1.1")], "1.1.1.1"),
            ("::ffff:10.0.0.1", &[(XFF, "1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[(XFF, "6.6.6.6, 1.1.1.1, 10.0.0.2")], "1.1.1.1"),
            ("10.0.0.1", &[(XFF, "6.6.6.6"), (XFF, "1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1", &[(XFF, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[(XFF, "[2001:db8::1]:443")], "2001:db8::1"),
            ("10.0.0.1", &[(XFF, "1.1.1.1:443")], "1.1.1.1"),
            ("10.0.0.1", &[(XFF, "evil, 1.1.1.1")], "10.0.0.1"),
            ("10.0.0.1", &[(XFF, "1.1.1.1,,")], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6"), ("x-real-ip", "6.6.6.6")], "10.0.0.1"),
        ] {
            assert_eq!(
                client(peer, ForwardedBy::XForwardedFor, lines),
                expected,
                "{peer} {lines:?}"
            );
        }
    }

    #[test]
    fn the_standard_header_is_read_where_it_is_configured() {
        for (value, expected) in [
            ("for=1.1.1.1", "1.1.1.1"),
            ("by=x;For=\"[2001:db8::1]:80\";proto=https, for=10.0.0.2", "2001:db8::1"),
            ("for=_hidden", "10.0.0.1"),
            ("for=1.1.1.1;for=2.2.2.2", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(
                client("10.0.0.1", ForwardedBy::Forwarded, &[("forwarded", value)]),
                expected,
                "{value}"
            );
        }
    }
}
