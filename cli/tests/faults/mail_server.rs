//! The mail server is away or refuses; whatever it does, every mail comes in the end.

use async_trait::async_trait;

use crate::fault::{self, Fault};
use crate::sink::Mood;
use crate::world::World;

/// The sink in one of its moods.
pub struct MailServer {
    pub name: &'static str,
    pub mood: Mood,
}

#[async_trait]
impl Fault for MailServer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn requests(&self) -> u64 {
        4
    }

    async fn inject(&mut self, world: &mut World) {
        world.disturb();
        world.sink.feel(self.mood);
        fault::mail_fails(world).await;
    }

    async fn heal(&mut self, world: &mut World) {
        world.sink.feel(Mood::Well);
    }
}
