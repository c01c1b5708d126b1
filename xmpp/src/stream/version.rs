//! The `version` of a stream header (RFC 6120 §4.7.5).

use std::fmt;

/// A version of XMPP; compared by number, not as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version {
    /// Before the dot.
    pub(crate) major: u32,
    /// After it.
    pub(crate) minor: u32,
}

impl Version {
    /// The one that this server speaks.
    pub(crate) const OURS: Self = Self { major: 1, minor: 0 };

    /// Reads `<major>.<minor>`; leading zeros are ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self {
            major: number(major)?,
            minor: number(minor)?,
        })
    }
}

/// Digits alone; what is too large to count is as large as can be counted.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_not_text() {
        let order = ["0.9", "1.0", "2.4", "2.13", "12.3"].map(Version::parse);
        assert!(order.is_sorted() && order.iter().all(Option::is_some));
        assert_eq!(Version::parse("6.01"), Version::parse("06.1"));
        assert_eq!(Version::parse("1.0"), Some(Version::OURS));
        assert!(Version::parse("1.99999999999999999999").is_some());
        for wrong in [
            "", "1", "1.", ".0", "1.0.0", "+1.0", "1.-1", "one.zero", "1 .0",
        ] {
            assert_eq!(Version::parse(wrong), None, "{wrong:?}");
        }
    }
}
