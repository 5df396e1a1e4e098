//! The description, its page, and whether what is served is what is described.

mod agreement;
mod completeness;
mod document;
mod frontend_guide;
mod guide;
mod page;
mod schemathesis;
