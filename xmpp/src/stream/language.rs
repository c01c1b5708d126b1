//! `xml:lang` (RFC 6120 §4.7.4).

/// The language in which this server speaks to people.
pub(crate) const OURS: &str = "en";

/// Whether this is a language tag as BCP 47 writes it: subtags of one to eight letters and digits, the first of letters.
pub(crate) fn is_tag(text: &str) -> bool {
    let is_subtag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let first = text.split('-').next().unwrap_or_default();
    first.bytes().all(|byte| byte.is_ascii_alphabetic()) && text.split('-').all(is_subtag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        for tag in ["en", "de-CH", "zh-Hans-CN", "x-klingon", "sl-rozaj-1994"] {
            assert!(is_tag(tag), "{tag}");
        }
        for wrong in [
            "",
            "-",
            "en-",
            "en--us",
            "e n",
            "1en",
            "toolonglanguage",
            "en'/>",
        ] {
            assert!(!is_tag(wrong), "{wrong:?}");
        }
    }
}
