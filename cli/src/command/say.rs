//! What a subcommand tells on its standard output. Whoever reads may go away early: `keynest status | head -1`.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

/// A line on the standard output, as `println!`, but a reader that has gone is no error, and any other error is one.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::command::say::line(format_args!($($text)*))?
    };
}
pub(super) use say;

/// What was asked for is done to its end, whether or not anybody reads of it.
pub fn line(text: Arguments<'_>) -> io::Result<()> {
    is_read(writeln!(io::stdout(), "{text}")).map(drop)
}

/// Whether somebody took it.
pub fn is_read(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}
