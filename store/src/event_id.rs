//! Ids of events follow from the command, so that a repeated append names the same events.

use keynest_domain::{CommandId, EventId};
use uuid::Uuid;

/// The id of the event at `index`, counted from zero over all streams of the append: UUIDv5 with the
/// command id as name space and the index as four big-endian bytes (RFC 9562 section 5.5).
pub fn event_id(command: CommandId, index: u32) -> EventId {
    EventId::new(Uuid::new_v5(&command.get(), &index.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_follows_from_command_and_index_for_ever() {
        let command = CommandId::new(Uuid::from_u128(7));
        assert_eq!(event_id(command, 0).to_string(), "1352c9d5-0ca5-5a6b-831e-291d2c769cb9");
        assert_ne!(event_id(command, 0), event_id(command, 1));
    }
}
