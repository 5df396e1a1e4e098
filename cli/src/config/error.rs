//! Why a configuration was refused. Values are not repeated: they may be secrets.

use std::io;
use std::path::PathBuf;

/// A configuration that cannot be used. Every variant names the key, the variable or the file that is to be changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was asked for, or one that is there, cannot be read.
    #[error("cannot read the configuration file {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Not TOML. The message of the parser is left out, since it shows the line and with it perhaps a secret.
    #[error("{path}, line {line}: not valid TOML")]
    Syntax { path: PathBuf, line: usize },
    /// A key of the file that KeyNest does not know.
    #[error("unknown key `{key}` in {path}; did you mean `{nearest}`?")]
    UnknownKey { key: String, path: PathBuf, nearest: String },
    /// A variable `KEYNEST_…` that stands for no key.
    #[error("unknown environment variable {name}; did you mean {nearest}?")]
    UnknownVariable { name: String, nearest: String },
    /// A variable that is not text.
    #[error("the environment variable {name} is not valid UTF-8")]
    VariableNotUtf8 { name: String },
    /// A value of the wrong type or out of its range.
    #[error("`{key}` ({origin}): {expected}")]
    Value { key: String, origin: String, expected: String },
    /// Anybody could reach the instance, and nobody could get a mail from it.
    #[error(
        "`http.listen` is {listen}, which others can reach, but `smtp.url` is not set, so nobody could get a mail; \
         set `smtp.url`, or listen on 127.0.0.1"
    )]
    PublicWithoutMail { listen: std::net::SocketAddr },
}
