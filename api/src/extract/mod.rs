//! Who calls, and with what: every refusal is a problem.

mod caller;
mod fields;
mod json;
mod path;
mod principal;
mod query;
mod stand_in;
mod strict_json;
mod text;

pub use caller::{Anyone, Caller, MaybeCaller, TOKEN_PREFIX, origin};
pub use json::{Json, MaybeJson, decode};
pub use path::Path;
pub use principal::Principal;
pub use query::Query;
pub use text::Text;
