//! I10: a stranger guesses the password of somebody until the account is locked. Then the right password opens nothing from
//! there, on any replica; whoever it belongs to goes on signing in from where they are known.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{Actor, PASSWORD};
use crate::withdrawn::Withdrawn;

const LOG_IN: &str = "/api/auth/login/";
/// Guesses, on all replicas together, after which an account is locked for certain.
const GUESSES_MAX: usize = 12;

impl Actor {
    /// Once in a life. Where nobody answers long enough, the next time goes on with it.
    pub async fn be_locked_out(&mut self) {
        if self.is_locked_out {
            return;
        }
        let mut stranger = self.caller.at(self.far_away());
        stranger.token = None;
        let wrong = self.guess("not-the-Password-7");
        for number in 0..GUESSES_MAX {
            let replicas = stranger.balancer().all();
            let Some(address) = replicas.get(number % replicas.len().max(1)) else { return };
            match stranger.knock_with(*address, &Method::POST, LOG_IN, Some(&wrong)).await {
                Some(400) => {}
                Some(429) => {
                    self.is_locked_out = true;
                    break;
                }
                Some(_) | None => return,
            }
        }
        if !self.is_locked_out {
            return;
        }
        let out = Withdrawn {
            what: "an account that was locked",
            caller: stranger,
            method: Method::POST,
            path: LOG_IN.to_owned(),
            body: Some(self.guess(PASSWORD)),
            since: Instant::now(),
            is_over: Arc::default(),
        };
        self.looking.spawn(out.watch());
    }

    fn guess(&self, password: &str) -> Value {
        json!({"email": self.email, "password": password})
    }

    /// An address in a network of its own, where nobody has ever signed in.
    fn far_away(&self) -> IpAddr {
        let number = self.email.bytes().filter(u8::is_ascii_digit);
        let number =
            number.fold(0_u8, |sum, digit| sum.wrapping_mul(10).wrapping_add(digit - b'0'));
        Ipv4Addr::new(127, 66, number, 1).into()
    }
}
