//! Tests of mailed links.

use secrecy::ExposeSecret;

use super::*;
use crate::Purpose;
use crate::random::link_nonce;
use crate::testing::{every_damage, keyring};

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const LATER: Timestamp = Timestamp::from_micros(1_800_000_001_000_001);
const TARGETS: [LinkTarget; 6] = [
    LinkTarget::Activation(UserId::new(1)),
    LinkTarget::PasswordReset(UserId::new(1)),
    LinkTarget::PasswordReset(UserId::new(2)),
    LinkTarget::Invitation(OrganizationId::new(1), InvitationId::new(Uuid::from_u128(1))),
    LinkTarget::Invitation(OrganizationId::new(2), InvitationId::new(Uuid::from_u128(1))),
    LinkTarget::Invitation(OrganizationId::new(1), InvitationId::new(Uuid::from_u128(2))),
];

fn link(target: LinkTarget, nonce: LinkNonce) -> Link {
    Link { target, nonce, expires_at: LATER }
}

#[tokio::test]
async fn a_link_is_good_for_its_own_target_only() {
    let links = Links::new(keyring().await);
    let nonce = link_nonce();
    for made_for in TARGETS {
        let text = links.issue(&link(made_for, nonce));
        for used_for in TARGETS {
            let is_good = links.verify(text.expose_secret(), used_for, nonce, NOW);
            assert_eq!(is_good, made_for == used_for, "{made_for:?} used for {used_for:?}");
        }
        assert_eq!(Links::read(text.expose_secret()).unwrap().target, made_for);
    }
}

#[tokio::test]
async fn a_link_expires_and_dies_with_its_nonce() {
    let links = Links::new(keyring().await);
    let (nonce, target) = (link_nonce(), TARGETS[1]);
    let text = links.issue(&link(target, nonce));
    let before = Timestamp::from_micros(LATER.micros() - 1);
    assert!(links.verify(text.expose_secret(), target, nonce, before));
    assert!(!links.verify(text.expose_secret(), target, nonce, LATER));
    assert!(!links.verify(text.expose_secret(), target, link_nonce(), NOW));
}

#[tokio::test]
async fn a_link_is_good_after_a_rotation_and_worthless_elsewhere() {
    let links = Links::new(keyring().await);
    let (nonce, target) = (link_nonce(), TARGETS[3]);
    let made = link(target, nonce);
    let text = links.issue(&made);
    assert_eq!(links.issue(&made).expose_secret(), text.expose_secret());
    links.0.rotate(Purpose::Link).await.unwrap();
    let again = links.issue(&made);
    assert_ne!(again.expose_secret(), text.expose_secret());
    for text in [text.expose_secret(), again.expose_secret()] {
        assert!(links.verify(text, target, nonce, NOW));
    }
    let elsewhere = Links::new(keyring().await);
    assert!(!elsewhere.verify(text.expose_secret(), target, nonce, NOW));
}

#[tokio::test]
async fn a_damaged_link_is_refused_and_every_link_fits_a_path() {
    let links = Links::new(keyring().await);
    let nonce = link_nonce();
    for target in TARGETS {
        let text = links.issue(&link(target, nonce));
        let is_path_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(text.expose_secret().chars().all(is_path_safe));
        for damaged in every_damage(text.expose_secret()) {
            assert!(!links.verify(&damaged, target, nonce, NOW), "{damaged}");
        }
    }
}
