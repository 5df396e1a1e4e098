//! How often callers may try: named policies, true counters, bounded memory (CONTRACT 2.5, THREATS 1.8).

mod layer;
mod limiter;
mod limits;
mod standing;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;

pub use layer::{ThrottleLayer, Throttled};
pub use limits::{Rate, ThrottleLimits};
pub use standing::{Standing, set_headers};

use crate::Problem;
use crate::middleware::RequestNotes;
use crate::server::AddressBlock;
use limiter::Limiter;

/// All policies of a process, cheap to clone. Each request counts before it is worked on, so that attempts that
/// fail count as well.
#[derive(Clone)]
pub struct Throttle(Arc<Policies>);

struct Policies {
    register: Limiter<(AddressBlock, u64)>,
    password_reset: Limiter<(AddressBlock, u64)>,
    auth: Limiter<(AddressBlock, u64)>,
    anonymous: Limiter<AddressBlock>,
    user: Limiter<i64>,
}

/// The policies that count addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Register,
    PasswordReset,
    Auth,
    Anonymous,
}

impl Throttle {
    /// With these limits, and nothing counted yet.
    pub fn new(limits: &ThrottleLimits) -> Self {
        let keys_max = limits.keys_max;
        Self(Arc::new(Policies {
            register: Limiter::new("register", limits.register, keys_max),
            password_reset: Limiter::new("password_reset", limits.password_reset, keys_max),
            auth: Limiter::new("auth", limits.auth, keys_max),
            anonymous: Limiter::new("anonymous", limits.anonymous, keys_max),
            user: Limiter::new("user", limits.user, keys_max),
        }))
    }

    /// For `route_layer`: registrations, per address and route.
    pub fn register(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::Register)
    }

    /// For `route_layer`: wishes for a password reset, per address and route.
    pub fn password_reset(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::PasswordReset)
    }

    /// For `route_layer`: sign-in and the like, per address and route (D33: routes do not share).
    pub fn auth(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::Auth)
    }

    /// For `route_layer`: other public routes, per address.
    pub fn anonymous(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::Anonymous)
    }

    /// For the extractor of the signed-in caller: counts a request of this user, and notes the counters for the
    /// answer's headers.
    pub fn user(&self, parts: &Parts, id: i64) -> Result<(), Problem> {
        self.0.user.take(&id, parts.extensions.get::<RequestNotes>())
    }

    fn address(
        &self,
        policy: Policy,
        address: IpAddr,
        route: u64,
        notes: Option<&RequestNotes>,
    ) -> Result<(), Problem> {
        let block = AddressBlock::of(address);
        let limiter = match policy {
            Policy::Register => &self.0.register,
            Policy::PasswordReset => &self.0.password_reset,
            Policy::Auth => &self.0.auth,
            Policy::Anonymous => return self.0.anonymous.take(&block, notes),
        };
        limiter.take(&(block, route), notes)
    }
}
