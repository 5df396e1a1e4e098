//! What a sealed value belongs to: whose key it is under, and the one place where it may be opened.

use std::borrow::Cow;

use keynest_domain::StreamName;
pub use keynest_domain::Subject;

/// The place of a sealed value. A ciphertext opens in the place it was sealed for and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub subject: Subject,
    pub stream: StreamName,
    /// The stored name of the event, `user.registered`.
    pub event: Cow<'static, str>,
    /// The name of the field, `email`.
    pub field: Cow<'static, str>,
}

impl Context {
    pub fn new(
        subject: Subject,
        stream: StreamName,
        event: impl Into<Cow<'static, str>>,
        field: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { subject, stream, event: event.into(), field: field.into() }
    }

    /// The associated data of the encryption.
    pub(crate) fn associated_data(&self) -> Vec<u8> {
        joined(&[
            self.subject.to_string().as_bytes(),
            self.stream.as_str().as_bytes(),
            self.event.as_bytes(),
            self.field.as_bytes(),
        ])
    }
}

/// Parts behind each other, each after its length in four bytes, so that two lists never look alike.
pub(crate) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        let length = u32::try_from(part.len()).expect("names and tokens are far below 4 GiB");
        all.extend_from_slice(&length.to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_letter_between_two_parts_changes_the_encoding() {
        assert_ne!(joined(&[b"ab", b"c"]), joined(&[b"a", b"bc"]));
        assert_ne!(joined(&[b"ab"]), joined(&[b"ab", b""]));
    }
}
