//! Whole documents (PIDF and the like) to trees.
//!
//! Documents may hold what streams may not: a byte order mark, an XML declaration, comments, processing instructions. They are left out. A
//! document type and entities are refused all the same.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::chars;
use crate::element::Element;
use crate::error::{ReadError, Which};
use crate::scope::Scope;
use crate::stream::{Limits, check_declaration};

/// What a document may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLimits {
    /// Octets.
    pub max_bytes: usize,
    /// Nesting.
    pub max_depth: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            max_bytes: 256 * 1024,
            max_depth: 32,
        }
    }
}

/// Reads a document.
pub fn parse_document(
    octets: &[u8],
    limits: DocumentLimits,
) -> Result<minidom::Element, ReadError> {
    if octets.len() > limits.max_bytes {
        return Err(ReadError::Limit(Which::Bytes));
    }
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    if octets.starts_with(b"\xFE\xFF") || octets.starts_with(b"\xFF\xFE") {
        return Err(ReadError::Encoding);
    }
    chars::text(octets)?;
    let bare = without_asides(after_declaration(octets)?)?;
    let bare = bare.trim_ascii();
    let limits = Limits {
        max_bytes: limits.max_bytes,
        max_depth: limits.max_depth,
        ..Limits::generous()
    };
    let none = Arc::from("");
    let checked = Element::check(
        Bytes::copy_from_slice(bare),
        &none,
        Scope::default(),
        limits,
    )?;
    Ok(checked.element.to_tree())
}

/// What follows the XML declaration, which may stand at the very start only.
pub(crate) fn after_declaration(octets: &[u8]) -> Result<&[u8], ReadError> {
    let Some(inside) = octets
        .strip_prefix(b"<?xml")
        .filter(|rest| rest.first().is_some_and(|b| chars::is_space(*b)))
    else {
        return Ok(octets);
    };
    let end = memchr::memmem::find(inside, b"?>")
        .ok_or(ReadError::NotWellFormed("the XML declaration"))?;
    check_declaration(chars::text(&inside[..end])?)?;
    Ok(&inside[end + 2..])
}

/// The target of a processing instruction is a name, and not `xml` (XML 1.0 §2.6).
fn check_target(inside: &[u8]) -> Result<(), ReadError> {
    let end = inside
        .iter()
        .position(|b| chars::is_space(*b))
        .unwrap_or(inside.len());
    let target = chars::text(&inside[..end])?;
    match chars::split_name(target)? {
        ("", _) if !target.eq_ignore_ascii_case("xml") => Ok(()),
        _ => Err(ReadError::NotWellFormed("a processing instruction")),
    }
}

/// The document without comments and processing instructions.
fn without_asides(octets: &[u8]) -> Result<Cow<'_, [u8]>, ReadError> {
    let mut out = Vec::new();
    let mut rest = octets;
    let mut changed = false;
    while let Some(at) = memchr::memchr(b'<', rest) {
        let (before, markup) = rest.split_at(at);
        let aside = if markup.starts_with(b"<!--") {
            let end = memchr::memmem::find(&markup[4..], b"--")
                .ok_or(ReadError::NotWellFormed("a comment"))?;
            if markup.get(4 + end + 2) != Some(&b'>') {
                return Err(ReadError::NotWellFormed("-- in a comment"));
            }
            4 + end + 3
        } else if markup.starts_with(b"<?") {
            let end = memchr::memmem::find(markup, b"?>")
                .ok_or(ReadError::NotWellFormed("a processing instruction"))?;
            check_target(markup.get(2..end).unwrap_or_default())?;
            end + 2
        } else {
            0
        };
        let kept = if aside == 0 { keep(markup)? } else { 0 };
        changed |= aside > 0;
        out.extend_from_slice(before);
        out.extend_from_slice(&markup[..kept]);
        rest = &markup[aside + kept..];
    }
    if !changed {
        return Ok(Cow::Borrowed(octets));
    }
    out.extend_from_slice(rest);
    Ok(Cow::Owned(out))
}

/// How much of this markup is passed over in one go: a CDATA section, or a tag with its quoted values.
fn keep(markup: &[u8]) -> Result<usize, ReadError> {
    if markup.starts_with(b"<![CDATA[") {
        return memchr::memmem::find(markup, b"]]>")
            .map(|at| at + 3)
            .ok_or(ReadError::NotWellFormed("a CDATA section"));
    }
    let mut at = 1;
    loop {
        let rest = markup.get(at..).unwrap_or_default();
        let next =
            memchr::memchr3(b'>', b'"', b'\'', rest).ok_or(ReadError::NotWellFormed("a tag"))?;
        if rest[next] == b'>' {
            return Ok(at + next + 1);
        }
        let value = &rest[next + 1..];
        let end =
            memchr::memchr(rest[next], value).ok_or(ReadError::NotWellFormed("an attribute"))?;
        at += next + 1 + end + 1;
    }
}
