//! What is wrong with the fields of a request, all of it at once.

use keynest_domain::Invalid;

use crate::Problem;

/// Collects what is wrong while a request is parsed.
#[derive(Default)]
pub struct Faults(Vec<(&'static str, String)>);

impl Faults {
    /// The value, or a fault of the field.
    pub fn take<T>(&mut self, field: &'static str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|why| self.0.push((field, why.message))).ok()
    }

    /// A fault of the field, unless the condition holds.
    pub fn require(&mut self, holds: bool, field: &'static str, message: &str) {
        if !holds {
            self.0.push((field, message.to_owned()));
        }
    }

    /// All faults as one problem. Callers have a value for every field that is not among them.
    pub fn problem(self) -> Problem {
        Problem::validation(self.0)
    }

    /// Whether anything is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
