//! Ids that mean nothing: of subscriptions, and of this process.

use uuid::Uuid;

#[expect(
    clippy::disallowed_methods,
    reason = "names an open call, is not stored and guards nothing"
)]
pub(crate) fn new_id() -> Uuid {
    Uuid::new_v4()
}
