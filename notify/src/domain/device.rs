//! A browser and a system a person recognises, from what a client says of itself. Only words of our
//! own come out: the sender of a request writes nothing into a mail.

/// Looked for in this order, since most browsers also name those they descend from.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// `Firefox, Linux` for a `User-Agent`; as much of it as is recognised, `None` where that is nothing.
pub(crate) fn device(user_agent: &str) -> Option<String> {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, word)| *word)
    };
    match (first(&BROWSERS), first(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
        (Some(word), None) | (None, Some(word)) => Some(word.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_clients_are_named_and_strangers_are_not_quoted() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0";
        assert_eq!(device(edge).as_deref(), Some("Edge, Windows"));
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                     Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(device(phone).as_deref(), Some("Safari, iPhone"));
        assert_eq!(device("Mozilla/5.0 (X11; Linux x86_64; rv:130.0)").as_deref(), Some("Linux"));
        assert_eq!(device("WIN A PRIZE at http://example.org"), None);
    }
}
