//! The statements that a request sends, read from what sqlx logs.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// The statements that belong to requests: sent within one, or appended for one by the group committer.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

/// As long as it lives, the statements of this thread are kept.
pub struct Listening {
    _guard: DefaultGuard,
    _other: Dispatch,
}

/// The text of a statement, from the fields of its event.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if matches!(field.name(), "summary" | "db.statement") {
            self.0 += &format!("{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if matches!(field.name(), "summary" | "db.statement") {
            self.0 += value;
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let mut spans = context.event_scope(event).into_iter().flatten();
        if spans.any(|span| span.name() == "request") || is_append(&text.0) {
            self.0.lock().unwrap().push(text.0);
        }
    }
}

/// Whether a statement appends.
pub fn is_append(statement: &str) -> bool {
    statement.contains("append_batch")
}

impl Statements {
    /// Begins to listen. The runtime of a test has one thread, so all tasks of its server log here, and no other test's.
    pub fn listen(&self) -> Listening {
        // With one subscriber in the process, `tracing` asks that of the thread which comes by a place first: other
        // tests' threads have none, and would switch the place off for all. With two it asks both.
        let other = Dispatch::new(tracing_subscriber::registry());
        let subscriber = tracing_subscriber::registry().with(self.clone());
        Listening { _guard: tracing::subscriber::set_default(subscriber), _other: other }
    }

    /// What was sent since the last time, in this order.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
