//! A mail as it goes over the wire.

use lettre::Message;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox as Address, MultiPart};

use crate::letter::Recipient;
use crate::render::Rendered;
use crate::transport::Unsent;

/// Keeps holiday notices and other machines from answering (RFC 3834 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The library composes and encodes all headers, so that no name can add one (DESIGN 11).
pub(crate) fn compose(
    from: &Address,
    to: &Recipient,
    mail: Rendered,
    message_id: &str,
) -> Result<Message, Unsent> {
    let unusable = |what: &str| Unsent::Refused(format!("{what} is not usable"));
    let address = to.address.parse().map_err(|_| unusable("the address"))?;
    Message::builder()
        .from(from.clone())
        .to(Address::new(Some(one_line(&to.name)), address))
        .subject(one_line(&mail.subject))
        .message_id(Some(message_id.to_owned()))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(lines(&mail.text), lines(&mail.html)))
        .map_err(|_| unusable("the mail"))
}

/// No name has control characters (DESIGN 11); should one have them all the same, they are blanks here.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The same for bodies, whose line ends the library writes: a bare CR is a line end to some servers and not to others.
fn lines(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADERS: [&str; 8] = [
        "From",
        "To",
        "Subject",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Date",
        "Content-Type",
    ];

    fn headers(name: &str, subject: &str, text: &str) -> Vec<String> {
        let from = "KeyNest <keynest@example.com>".parse().unwrap();
        let to =
            Recipient { user: None, address: "ann@example.com".to_owned(), name: name.to_owned() };
        let mail = Rendered {
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: format!("<p>{text}</p>"),
        };
        let message = compose(&from, &to, mail, "<1@example.com>").unwrap().formatted();
        let message = String::from_utf8(message).unwrap();
        assert!(!message.replace("\r\n", "").contains(['\r', '\n']), "only whole line ends");
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        let starts = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        starts.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    fn sorted(mut names: Vec<String>) -> Vec<String> {
        names.sort();
        names
    }

    fn expected() -> Vec<String> {
        sorted(HEADERS.map(str::to_owned).to_vec())
    }

    #[test]
    fn a_name_with_line_ends_adds_no_header() {
        for evil in [
            "a\r\nBcc: evil@example.com",
            "a\nBcc: e@example.com",
            "a\r\n\r\nhello",
            "\0",
            "\r\n.\r\n",
        ] {
            assert_eq!(sorted(headers(evil, evil, evil)), expected(), "{evil:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_mail_says_its_headers_are_the_same(
            name in "(.|\r|\n|\0|\u{202e}|:|<|>|@|\"){0,300}",
            subject in "(.|\r|\n|\0|\u{202e}|:|=\\?){0,300}",
            text in "(.|\r|\n|\\.){0,300}",
        ) {
            prop_assert_eq!(sorted(headers(&name, &subject, &text)), expected());
        }
    }
}
