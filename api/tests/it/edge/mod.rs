//! The accept loop and everything around the routes, over real sockets.

mod bodies;
mod connections;
mod damaged;
mod deadlines;
mod headers;
mod lab;
mod log;
mod routes;
mod smuggling;
mod stopping;
mod throttles;
