//! From bytes to a tree: what may be in a document but not in a tree is taken out, depth is checked before anything is built.

use minidom::Element;

use crate::error::DocumentError;

/// Reads one document. A byte order mark, the XML declaration, comments and processing instructions are passed over, a
/// document type declaration is refused. Building a tree recurses, so nothing deeper than `depth` is given to it.
pub(crate) fn parse(body: &[u8], size: usize, depth: usize) -> Result<Element, DocumentError> {
    if body.len() > size {
        return Err(DocumentError::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| DocumentError::NotWellFormed)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = elements_alone(text, depth)?;
    text.parse().map_err(|_| DocumentError::NotWellFormed)
}

/// The text without what stands outside of elements and character data. There is one root and no text beside it; all else
/// is the parser's to check.
fn elements_alone(text: &str, depth: usize) -> Result<String, DocumentError> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let mut open = 0_usize;
    while let Some(at) = rest.find('<') {
        let (before, markup) = rest.split_at(at);
        let (length, keep) = markup_length(markup).ok_or(DocumentError::NotWellFormed)?;
        let (item, after) = markup.split_at(length);
        rest = after;
        if open > 0 {
            kept.push_str(before);
        } else if !before.trim().is_empty() || (keep && !kept.is_empty()) {
            return Err(DocumentError::NotWellFormed);
        }
        if !keep {
            continue;
        }
        kept.push_str(item);
        if item.starts_with("</") {
            open = open.saturating_sub(1);
        } else if !item.starts_with("<!") && !item.ends_with("/>") {
            open += 1;
        }
        if open > depth {
            return Err(DocumentError::TooDeep);
        }
    }
    if rest.trim().is_empty() {
        Ok(kept)
    } else {
        Err(DocumentError::NotWellFormed)
    }
}

/// How long the markup at the start is, and whether it belongs to the tree.
fn markup_length(markup: &str) -> Option<(usize, bool)> {
    let until = |end: &str, from: usize| Some(markup.get(from..)?.find(end)? + from + end.len());
    if markup.starts_with("<!--") {
        Some((until("-->", 4)?, false))
    } else if markup.starts_with("<?") {
        Some((until("?>", 2)?, false))
    } else if markup.starts_with("<![CDATA[") {
        Some((until("]]>", 9)?, true))
    } else if markup.starts_with("<!") {
        None
    } else {
        let mut quote = None;
        for (at, byte) in markup.bytes().enumerate() {
            match (quote, byte) {
                (None, b'>') => return Some((at + 1, true)),
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn text(body: &str) -> Result<String, DocumentError> {
        parse(body.as_bytes(), 1000, 3).map(|e| String::from(&e))
    }

    #[test]
    fn what_is_no_element_is_passed_over() {
        let body = "\u{feff}<?xml version='1.0' standalone='no'?><!-- <b> --><?pi >?>\n<a xmlns='x' y='>'><![CDATA[<]]><b/></a><!---->";
        let tree = parse(body.as_bytes(), 1000, 3).unwrap();
        assert_eq!(tree.text(), "<");
        assert_eq!(tree.attr("y"), Some(">"));
        assert!(tree.has_child("b", "x"));
    }

    #[test]
    fn limits() {
        assert!(text("<a xmlns='x'><b><c/></b></a>").is_ok());
        assert_eq!(
            text("<a xmlns='x'><b><c><d></d></c></b></a>"),
            Err(DocumentError::TooDeep)
        );
        assert_eq!(text(&" ".repeat(1001)), Err(DocumentError::TooLarge));
        for bad in [
            "<!DOCTYPE a><a xmlns='x'/>",
            "<a xmlns='x'",
            "<!--",
            "<a xmlns='x'/><b xmlns='x'/>",
            "x",
            "<a xmlns='x'></b>",
            "<y:a/>",
        ] {
            assert_eq!(text(bad), Err(DocumentError::NotWellFormed), "{bad}");
        }
    }
}
