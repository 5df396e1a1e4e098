//! Unkeyed digests, for comparing contents; never for secrets or personal data.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// SHA-256 (FIPS 180-4).
pub fn sha256(content: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, content).as_ref());
    bytes
}

/// SHA-256 of something that comes in parts.
pub struct Sha256(Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    /// The next part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// Of all parts, in hexadecimal.
    pub fn finish(self) -> String {
        self.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_give_the_digest_of_the_whole() {
        // FIPS 180-4, the example of one block.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut parts = Sha256::default();
        parts.update(b"a");
        parts.update(b"");
        parts.update(b"bc");
        assert_eq!(parts.finish(), known);
        let whole: String = sha256(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(whole, known);
    }
}
