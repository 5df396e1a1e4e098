//! The addresses that count as one caller: an IPv4 address, or an IPv6 /64, which is what one customer gets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Leading bits of an IPv6 address that count.
const V6_BITS: u32 = 64;
/// Leading bits that count when memory is short.
const COARSE_V4_BITS: u32 = 16;
const COARSE_V6_BITS: u32 = 32;

/// A key for counting callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressBlock(IpAddr);

impl AddressBlock {
    /// The block of an address. IPv4 written as IPv6 counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        Self(masked(address, 32, V6_BITS))
    }

    /// A much larger block, for when there are too many blocks to count.
    #[must_use]
    pub fn coarse(self) -> Self {
        Self(masked(self.0, COARSE_V4_BITS, COARSE_V6_BITS))
    }
}

/// For a counter's name; never for a log.
impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn masked(address: IpAddr, v4_bits: u32, v6_bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - v4_bits))).into()
        }
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - v6_bits))).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    #[test]
    fn one_caller_is_an_ipv4_address_or_an_ipv6_64() {
        for (one, other, is_same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            assert_eq!(block(one) == block(other), is_same, "{one} {other}");
        }
        assert_eq!(block("192.0.2.1").coarse(), block("192.0.77.1").coarse());
    }
}
