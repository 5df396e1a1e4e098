//! How many connections one caller may hold open.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;

use super::address_block::AddressBlock;

/// Open connections by address block.
pub struct Caps {
    per_block_max: usize,
    uncounted: Vec<IpNet>,
    open: Mutex<HashMap<AddressBlock, usize>>,
}

/// One open connection; dropped with it.
pub struct Seat {
    caps: Arc<Caps>,
    block: Option<AddressBlock>,
}

impl Caps {
    pub fn new(per_block_max: usize, uncounted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { per_block_max, uncounted, open: Mutex::default() })
    }

    /// `None`: the caller holds as many as it may.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let address = address.to_canonical();
        if self.uncounted.iter().any(|network| network.contains(&address)) {
            return Some(Seat { caps: Arc::clone(self), block: None });
        }
        let block = AddressBlock::of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(block).or_default();
        if *count >= self.per_block_max {
            return None;
        }
        *count += 1;
        Some(Seat { caps: Arc::clone(self), block: Some(block) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(block) = self.block else { return };
        let mut open = self.caps.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&block) {
            *count -= 1;
            if *count == 0 {
                open.remove(&block);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_per_block_and_given_back() {
        let caps = Caps::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let take = |text: &str| caps.take(text.parse().unwrap());
        let first = take("2001:db8::1").unwrap();
        let _second = take("2001:db8::2").unwrap();
        assert!(take("2001:db8::3").is_none());
        assert!(take("2001:db8:0:1::3").is_some());
        drop(first);
        assert!(take("2001:db8::3").is_some());
        let proxied: Vec<_> = (0..9).map(|_| take("::ffff:10.0.0.1").unwrap()).collect();
        assert_eq!((proxied.len(), caps.open.lock().unwrap().len()), (9, 1));
    }
}
