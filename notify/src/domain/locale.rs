//! Which languages to try for a person, in order.

/// The language everything is written in.
pub(crate) const LAST_RESORT: &str = "en";

/// `vi-VN` → `vi-vn`, `vi`, `en`: the tag itself, then without its last part, and so on (RFC 4647,
/// 3.4), at last English. Tags come in lower case; `_` is read as `-`.
pub(crate) fn fallbacks(tag: &str) -> Vec<String> {
    let tag = tag.trim().to_ascii_lowercase().replace('_', "-");
    let mut tags = Vec::new();
    let mut rest = tag.as_str();
    while !rest.is_empty() {
        tags.push(rest.to_owned());
        rest = rest.rsplit_once('-').map_or("", |(shorter, _)| shorter);
    }
    if !tags.iter().any(|tag| tag == LAST_RESORT) {
        tags.push(LAST_RESORT.to_owned());
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_falls_back_to_its_stem_and_then_to_english() {
        assert_eq!(fallbacks("vi-VN"), ["vi-vn", "vi", "en"]);
        assert_eq!(fallbacks("zh_Hant-TW"), ["zh-hant-tw", "zh-hant", "zh", "en"]);
        assert_eq!(fallbacks("en-GB"), ["en-gb", "en"]);
        assert_eq!(fallbacks(""), ["en"]);
    }
}
