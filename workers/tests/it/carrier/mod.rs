//! What every carrier of the feed promises to reactors; the store is the one there is (DESIGN 7).

mod gauges;
mod lead;
mod order;
mod poison;
mod probe;
mod retries;
