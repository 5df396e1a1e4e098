//! Which client addresses an organization lets in: ranges that are allowed, ranges that are denied.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use super::Invalid;

/// Ranges of one organization at most, allowed and denied together.
pub const ADDRESS_RANGES_MAX: usize = 100;
/// Leading bits of an IPv4 address written as IPv6 (`::ffff:192.0.2.1`).
const MAPPED_BITS: u8 = 96;

/// What rules do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressMode {
    /// They only tell what they would refuse.
    #[default]
    DryRun,
    /// They refuse.
    Enforced,
}

/// What rules say of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressVerdict {
    /// Come in.
    LetIn,
    /// Come in; enforced rules would refuse.
    WouldRefuse,
    /// Stay out.
    Refused,
}

/// The ranges. A denied address is never let in; without allowed ranges every other one is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct AddressRules {
    pub allow: Vec<IpNet>,
    pub deny: Vec<IpNet>,
}

impl AddressMode {
    /// The name in answers and rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::Enforced => "enforced",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::DryRun, Self::Enforced].into_iter().find(|mode| mode.name() == text)
    }
}

impl AddressRules {
    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// What these rules say of a client. A client whose address is not known is nowhere.
    pub fn verdict(&self, mode: AddressMode, client: Option<IpAddr>) -> AddressVerdict {
        if self.lets_in(client) {
            return AddressVerdict::LetIn;
        }
        match mode {
            AddressMode::DryRun => AddressVerdict::WouldRefuse,
            AddressMode::Enforced => AddressVerdict::Refused,
        }
    }

    fn lets_in(&self, client: Option<IpAddr>) -> bool {
        let Some(client) = client.map(|client| client.to_canonical()) else {
            return self.is_empty();
        };
        let is_in = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&client));
        !is_in(&self.deny) && (self.allow.is_empty() || is_in(&self.allow))
    }
}

/// A range, `192.0.2.0/24` or `2001:db8::/32`, or one address. Bits behind the prefix are cleared, and IPv4 written as
/// IPv6 becomes IPv4, since clients are compared that way.
pub fn parse_range(text: &str) -> Result<IpNet, Invalid> {
    let text = text.trim();
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let net = net.map_err(|_| {
        Invalid::new("invalid", "Enter an address range such as 192.0.2.0/24 or 2001:db8::/32.")
    })?;
    Ok(unmapped(net).trunc())
}

fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped = v6.addr().to_ipv4_mapped();
    let bits = v6.prefix_len().checked_sub(MAPPED_BITS);
    let v4 = mapped.zip(bits).and_then(|(address, bits)| Ipv4Net::new(address, bits).ok());
    v4.map_or(net, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str], deny: &[&str]) -> AddressRules {
        let ranges = |texts: &[&str]| texts.iter().map(|text| parse_range(text).unwrap()).collect();
        AddressRules { allow: ranges(allow), deny: ranges(deny) }
    }

    #[test]
    fn denied_beats_allowed_and_no_list_lets_everybody_in() {
        let office = &["192.0.2.0/24", "2001:db8::/32"][..];
        for (allow, deny, client, is_let_in) in [
            (&[][..], &[][..], "198.51.100.7", true),
            (office, &[], "192.0.2.200", true),
            (office, &[], "::ffff:192.0.2.200", true),
            (office, &[], "2001:db8:1::1", true),
            (office, &[], "2001:db9::1", false),
            (office, &[], "198.51.100.7", false),
            (office, &["192.0.2.7"], "192.0.2.7", false),
            (office, &["192.0.2.7"], "192.0.2.8", true),
            (&[], &["::ffff:192.0.2.0/120"], "192.0.2.7", false),
            (&[], &["192.0.2.0/24"], "198.51.100.7", true),
        ] {
            let verdict =
                rules(allow, deny).verdict(AddressMode::Enforced, Some(client.parse().unwrap()));
            let expected = if is_let_in { AddressVerdict::LetIn } else { AddressVerdict::Refused };
            assert_eq!(verdict, expected, "{allow:?} {deny:?} {client}");
        }
    }

    #[test]
    fn a_dry_run_refuses_nobody_and_a_client_without_an_address_is_nowhere() {
        let office = rules(&["192.0.2.0/24"], &[]);
        let away = Some("198.51.100.7".parse().unwrap());
        assert_eq!(office.verdict(AddressMode::DryRun, away), AddressVerdict::WouldRefuse);
        assert_eq!(office.verdict(AddressMode::Enforced, None), AddressVerdict::Refused);
        assert_eq!(rules(&[], &[]).verdict(AddressMode::Enforced, None), AddressVerdict::LetIn);
    }

    #[test]
    fn ranges_are_normalised() {
        for (text, expected) in [
            ("192.0.2.77/24", "192.0.2.0/24"),
            (" 192.0.2.77 ", "192.0.2.77/32"),
            ("::ffff:192.0.2.77", "192.0.2.77/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("2001:DB8::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(parse_range(text).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "everybody", "192.0.2.0/33", "192.0.2/24", "1.2.3.4-1.2.3.9"] {
            assert!(parse_range(text).is_err(), "{text}");
        }
    }
}
