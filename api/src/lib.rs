//! HTTP in, commands and queries out.

pub mod variable_file;
