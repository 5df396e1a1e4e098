//! The `keynest` command.

fn main() {}
