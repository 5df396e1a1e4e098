//! The facts that the tests of this aggregate start from.

use super::*;
use crate::{Reach, TokenAccess, TokenScope};

pub const ANN: UserId = UserId::new(1);
pub const FIRST_LINK: LinkNonce = LinkNonce::new(1);

/// Seconds after the registration.
pub fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
}

pub fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.into())
}

pub fn registered() -> Event {
    register::Register {
        user: ANN,
        username: sealed("ann"),
        email: sealed("ann@example.com"),
        first_name: sealed("Ann"),
        last_name: sealed(""),
        password: sealed("hash"),
        nonce: FIRST_LINK,
        lifetime: links::ACTIVATION_LIFETIME,
        at: at(0),
    }
    .into()
}

/// An account that began at an identity provider.
pub fn registered_elsewhere() -> Event {
    let Event::UserRegistered(it) = registered() else { panic!("not a registration") };
    let (nonce, at) = (LinkNonce::new(0), at(1));
    UserRegistered { password: None, nonce, expires_at: at, at, ..it }.into()
}

pub fn identity(number: u128) -> IdentityId {
    IdentityId::new(uuid::Uuid::from_u128(number))
}

pub fn linked(provider: &str, number: u128) -> Event {
    IdentityLinked {
        identity: identity(number),
        provider: crate::ProviderName::parse(provider).unwrap(),
        subject: sealed("subject"),
        claim: format!("identity:{provider}:{number}"),
        address: None,
        at: at(2),
    }
    .into()
}

pub fn activated() -> Event {
    UserActivated { at: at(1) }.into()
}

/// The session that asks for another address.
pub const ASKING: SessionId = SessionId::new(uuid::Uuid::from_u128(7));

pub fn email_asked(seconds: u32) -> Event {
    EmailChangeRequested {
        email: sealed("new@example.com"),
        new_nonce: LinkNonce::new(11),
        old_nonce: LinkNonce::new(12),
        kept: Some(ASKING),
        expires_at: at(seconds) + links::EMAIL_CHANGE_LIFETIME,
        at: at(seconds),
    }
    .into()
}

pub fn email_confirmed(side: MailSide, seconds: u32) -> Event {
    EmailChangeConfirmed { side, at: at(seconds) }.into()
}

pub fn email_changed(seconds: u32) -> Event {
    EmailChanged {
        email: sealed("new@example.com"),
        previous: sealed("ann@example.com"),
        undo_nonce: LinkNonce::new(13),
        undo_until: at(seconds) + links::EMAIL_UNDO_LIFETIME,
        kept: Some(ASKING),
        epoch: 1,
        at: at(seconds),
    }
    .into()
}

/// A token that looks at everything.
pub fn token(id: i64, from: u32, until: u32) -> TokenCreated {
    TokenCreated {
        token: TokenId::new(id),
        name: sealed("ci"),
        scope: TokenScope { access: TokenAccess::Read, reach: Reach::Everywhere },
        ranges: None,
        digest: format!("digest {id}"),
        expires_at: at(until),
        is_two_factor: false,
        at: at(from),
    }
}
