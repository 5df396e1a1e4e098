//! Unkeyed digests, for comparing contents; never for secrets or personal data.

use aws_lc_rs::digest::{SHA256, digest};

/// SHA-256 (FIPS 180-4).
pub fn sha256(content: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, content).as_ref());
    bytes
}
