//! Content-Type and Accept (RFC 3261 §20.1, §20.15).

use std::fmt;

use super::contact::read_q;
use crate::{
    Malformed,
    params::{self, Params},
    syntax::{is_token, split_byte, trim},
};

/// A media type with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// Type, lower case, e.g. `application`.
    pub kind: String,
    /// Subtype, lower case, e.g. `pidf+xml`.
    pub subtype: String,
    /// Parameters, e.g. `charset`, `boundary`.
    pub params: Params,
}

impl MediaType {
    /// Reads `type/subtype;params`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (kind, subtype, params) = split(text)?;
        Ok(Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            params: Params::from_checked(trim(params)),
        })
    }

    /// Whether the type that `text` names is one of `essences`, whatever the parameters.
    pub(crate) fn is_among(text: &str, essences: &[&str]) -> Result<bool, Malformed> {
        let (kind, subtype, _) = split(text)?;
        Ok(essences.iter().any(|essence| same(kind, subtype, essence)))
    }

    /// Whether this is `essence`, e.g. `application/pidf+xml`, whatever the parameters.
    pub fn is(&self, essence: &str) -> bool {
        same(&self.kind, &self.subtype, essence)
    }

    /// `type/subtype` without parameters.
    pub fn essence(&self) -> String {
        format!("{}/{}", self.kind, self.subtype)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.params)
    }
}

fn same(kind: &str, subtype: &str, essence: &str) -> bool {
    essence
        .split_once('/')
        .is_some_and(|(k, s)| k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype))
}

/// Type, subtype and checked parameters.
fn split(text: &str) -> Result<(&str, &str, &str), Malformed> {
    const WHAT: &str = "Content-Type";
    let end = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
    let (essence, params) = text.split_at(end);
    let (kind, subtype) = split_byte(essence, b'/').ok_or(Malformed { what: WHAT })?;
    let (kind, subtype) = (trim(kind), trim(subtype));
    if !is_token(kind.as_bytes()) || !is_token(subtype.as_bytes()) {
        return Err(Malformed { what: WHAT });
    }
    params::check(params, WHAT)?;
    Ok((kind, subtype, params))
}

/// One member of Accept: a media type, `type/*` or `*/*`, and how welcome it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptRange {
    /// The range; `*` stands for any.
    pub range: MediaType,
    /// In thousandths; 0 means not at all.
    pub q: u16,
}

impl AcceptRange {
    /// Reads one member of the list.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let range = MediaType::parse(text).map_err(|_| Malformed { what: "Accept" })?;
        let q = match range.params.get("q") {
            Some(text) => read_q(text).ok_or(Malformed { what: "Accept" })?,
            None => 1000,
        };
        Ok(Self { range, q })
    }

    /// How exactly the range names `essence`: 0 not at all, 3 exactly.
    fn rank(&self, kind: &str, subtype: &str) -> u8 {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        match (self.range.kind.as_str(), self.range.subtype.as_str()) {
            ("*", "*") => 1,
            (k, "*") if same(k, kind) => 2,
            (k, s) if same(k, kind) && same(s, subtype) => 3,
            _ => 0,
        }
    }
}

/// How welcome `essence` is, in thousandths: the most exact range decides (RFC 3261 §20.1).
pub fn accepts(ranges: &[AcceptRange], essence: &str) -> u16 {
    let (kind, subtype) = essence.split_once('/').unwrap_or((essence, ""));
    ranges
        .iter()
        .map(|range| (range.rank(kind, subtype), range.q))
        .filter(|(rank, _)| *rank > 0)
        .max()
        .map_or(0, |(_, q)| q)
}

/// The most welcome of `offered`, earlier ones first among equals; `None` if none is.
pub fn best_accepted<'a>(ranges: &[AcceptRange], offered: &[&'a str]) -> Option<&'a str> {
    let mut best = None;
    let mut most = 0;
    for essence in offered {
        let q = accepts(ranges, essence);
        if q > most {
            most = q;
            best = Some(*essence);
        }
    }
    best
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_range_decides() {
        let ranges: Vec<_> = [
            "application/*;q=0.5",
            "Application/PIDF+xml",
            "text/plain;q=0",
            "*/*;q=0.1",
        ]
        .iter()
        .map(|text| AcceptRange::parse(text).unwrap())
        .collect();
        assert_eq!(accepts(&ranges, "application/pidf+xml"), 1000);
        assert_eq!(accepts(&ranges, "application/sdp"), 500);
        assert_eq!(accepts(&ranges, "text/plain"), 0);
        assert_eq!(accepts(&ranges, "image/png"), 100);
        let offered = ["text/plain", "application/sdp", "application/pidf+xml"];
        assert_eq!(
            best_accepted(&ranges, &offered),
            Some("application/pidf+xml")
        );
        assert_eq!(best_accepted(&[], &offered), None);
        assert!(AcceptRange::parse("a/b;q=2").is_err());
        assert!(MediaType::parse("text").is_err());
        let media = MediaType::parse("Multipart/Related; boundary=\"a;b\"").unwrap();
        assert!(media.is("multipart/related"));
        assert_eq!(media.params.unquoted("boundary").unwrap(), "a;b");
    }
}
