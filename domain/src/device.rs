//! What people call the device behind a `User-Agent` field: from a closed list of words, so that nothing a stranger
//! wrote is ever shown or mailed.

/// Words in the field and the name of the program; the first that fits counts, since most claim to be others as well.
const PROGRAMS: [(&str, &str); 16] = [
    ("keynest", "KeyNest command line"),
    ("curl/", "curl"),
    ("wget/", "Wget"),
    ("httpie/", "HTTPie"),
    ("postmanruntime/", "Postman"),
    ("python", "a Python program"),
    ("go-http-client", "a Go program"),
    ("node", "a Node.js program"),
    ("reqwest", "a Rust program"),
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser/", "Samsung Internet"),
    ("firefox/", "Firefox"),
    ("fxios/", "Firefox"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
];

/// Words in the field and the name of the system; phones first, since they claim to be computers as well.
const SYSTEMS: [(&str, &str); 8] = [
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("android", "Android"),
    ("windows", "Windows"),
    ("mac os x", "macOS"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
    ("freebsd", "FreeBSD"),
];

/// The device in words: `Firefox on Linux`, `curl`, `an unknown device`.
pub fn describe(agent: Option<&str>) -> String {
    let agent = agent.unwrap_or_default().to_lowercase();
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name)
    };
    match (named(&PROGRAMS), named(&SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("an unknown program on {system}"),
        (None, None) => "an unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_devices_have_usual_names() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("", "an unknown device"),
            ("<script>alert(1)</script>\r\nBcc: x", "an unknown device"),
        ] {
            assert_eq!(describe(Some(agent)), name, "{agent}");
        }
        assert_eq!(describe(None), "an unknown device");
    }
}
