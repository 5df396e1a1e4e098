//! What cryptography costs on one core.

use std::time::Instant;

use keynest_cli::product::Product;
use keynest_crypto::{
    AccessClaims, AccessTokens, Context, HashParams, Password, PasswordHasher, Subject,
};
use keynest_domain::{OrganizationId, StreamName, UserId};
use secrecy::ExposeSecret;

use crate::samples::Samples;

/// Openings that are timed together: one takes less than a look at the clock is worth.
const TOGETHER: u32 = 100;

/// Name and times of each.
pub async fn measure(
    product: &Product,
    turns: usize,
) -> anyhow::Result<Vec<(&'static str, Samples)>> {
    let hasher = PasswordHasher::new(HashParams::default())?;
    let password = Password::parse("correct-Horse-7-battery")?;
    let mut hashes = Samples::default();
    for _ in 0..turns.clamp(5, 50) {
        let began = Instant::now();
        hasher.hash(&password).await?;
        hashes.push(began.elapsed());
    }
    let tokens = AccessTokens::new(product.keyring.clone(), "http://localhost", "bench");
    let claims = AccessClaims {
        user: UserId::new(1),
        session: product.clock.session_id(),
        epoch: 0,
        username: "person000001".to_owned(),
        email: "person000001@example.com".to_owned(),
        full_name: "Person One".to_owned(),
        permissions: Vec::new(),
    };
    let now = product.clock.now();
    let (mut signed, mut checked) = (Samples::default(), Samples::default());
    for _ in 0..turns * 10 {
        let began = Instant::now();
        let token = tokens.mint(&claims, now)?;
        signed.push(began.elapsed());
        let began = Instant::now();
        tokens.verify(token.expose_secret(), now)?;
        checked.push(began.elapsed());
    }
    let opened = openings(product, turns).await?;
    Ok(vec![
        ("Argon2id hash", hashes),
        ("token signed (Ed25519)", signed),
        ("token checked (Ed25519)", checked),
        ("value opened (AES-256-GCM)", opened),
    ])
}

async fn openings(product: &Product, turns: usize) -> anyhow::Result<Samples> {
    let subject = Subject::Organization(OrganizationId::new(1));
    let context = Context::new(subject, StreamName::new("bench", 1), "bench", "value");
    let sealed = product.keyring.seal(&context, &[b'x'; 60]).await?;
    let keys = product.keyring.opening_keys([&sealed]).await?;
    let mut opened = Samples::default();
    for _ in 0..turns * 10 {
        let began = Instant::now();
        for _ in 0..TOGETHER {
            std::hint::black_box(keys.open(&context, &sealed)?);
        }
        opened.push(began.elapsed() / TOGETHER);
    }
    Ok(opened)
}
