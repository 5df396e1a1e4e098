//! Sessions.

mod refresh;
