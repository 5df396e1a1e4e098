//! Who walks through the guide.

use serde_json::Value;

use super::recorder::Recorder;
use crate::person::link_path;

/// What Ann and Bob hold at the moment.
#[derive(Default)]
pub struct People {
    pub ann: String,
    pub ann_refresh: String,
    pub bob: String,
}

/// The parts of the link in the newest mail to an address, without its first.
pub async fn mailed(guide: &mut Recorder<'_>, address: &str) -> Vec<String> {
    let mail = guide.app.mail_to(address).await;
    let path = link_path(&mail.body_text);
    let parts: Vec<String> = path.trim_matches('/').split('/').skip(1).map(str::to_owned).collect();
    guide.mask.secret(parts.last().unwrap().clone(), "<token of the mail>");
    parts
}

/// A member of an answer, as the text it is.
pub fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap().to_owned()
}
