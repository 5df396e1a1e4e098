//! Sessions.

mod chains;
mod refresh;
