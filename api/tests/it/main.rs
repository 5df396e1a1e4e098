//! The API as its callers see it, over real sockets.

mod app;
mod edge;
mod person;
