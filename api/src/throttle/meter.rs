//! What a handler counts that knows more than its route.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use keynest_domain::Email;

use super::Throttle;
use crate::middleware::{ClientAddress, RequestNotes};
use crate::{App, Problem};

/// The counters, for this caller.
pub struct Meter {
    throttle: Throttle,
    address: IpAddr,
    notes: Option<RequestNotes>,
}

impl FromRequestParts<App> for Meter {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ClientAddress>();
        Ok(Self {
            throttle: app.throttle.clone(),
            address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |known| known.0),
            notes: parts.extensions.get::<RequestNotes>().cloned(),
        })
    }
}

impl Meter {
    /// Counts a try for one account, known or not, from this address. All spellings of an address are one.
    pub async fn account(&self, email: &Email) -> Result<(), Problem> {
        self.throttle.pair(email.as_str(), self.address, self.notes.as_ref()).await
    }
}
