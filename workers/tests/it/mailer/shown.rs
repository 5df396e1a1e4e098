//! A mail as a snapshot shows it, with tokens, ids and times masked.

use keynest_workers::StoredMail;

use crate::world::{SITE, World};

impl World {
    /// The newest mail of a kind to an address.
    pub async fn mail(&self, kind: &str, recipient: &str) -> StoredMail {
        let mails = self.mailbox.list(Some(recipient), 100).await.unwrap();
        mails.into_iter().find(|mail| mail.kind == kind).expect("such a mail was sent")
    }
}

/// Subject and text.
pub fn shown(mail: &StoredMail) -> String {
    let both = format!("To: {}\nSubject: {}\n\n{}", mail.recipient, mail.subject, mail.body_text);
    let words = both.split(' ').map(|word| if is_date(word) { "[date]" } else { word });
    let lines = words.collect::<Vec<_>>().join(" ");
    lines.lines().map(masked).collect::<Vec<_>>().join("\n")
}

/// The link of a mail; the same in both parts, and it starts with the configured site.
pub fn link(mail: &StoredMail) -> String {
    let mut links = mail.body_text.lines().filter(|line| line.starts_with(&format!("{SITE}/")));
    let link = links.next().expect("the mail has a link").to_owned();
    assert_eq!(links.next(), None, "one link only");
    let escaped = link.replace('/', "&#x2f;");
    assert_eq!(mail.body_html.matches(&escaped).count(), 2, "as a button and to copy");
    assert_eq!(mail.body_html.matches("href=").count(), 1);
    link
}

/// The parts of a link's path behind the site.
pub fn parts(link: &str) -> Vec<String> {
    let path = link.strip_prefix(SITE).unwrap().strip_prefix('/').unwrap();
    path.strip_suffix('/').unwrap().split('/').map(str::to_owned).collect()
}

fn is_date(word: &str) -> bool {
    word.len() == 10
        && word.split('-').count() == 3
        && word.bytes().all(|b| b == b'-' || b.is_ascii_digit())
}

fn masked(line: &str) -> String {
    if line.starts_with(&format!("{SITE}/")) {
        let mask = |part: &str| match part {
            _ if part.bytes().all(|byte| byte.is_ascii_digit()) => "[id]".to_owned(),
            _ if part.len() > 50 => "[token]".to_owned(),
            _ => part.to_owned(),
        };
        let path: Vec<_> = parts(line).iter().map(|part| mask(part)).collect();
        return format!("{SITE}/{}/", path.join("/"));
    }
    let is_time = |word: &&str| word.len() == 5 && word.as_bytes()[2] == b':';
    line.split(' ')
        .map(|word| if is_time(&word) { "[time]" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}
