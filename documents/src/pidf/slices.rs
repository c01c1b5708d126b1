//! The parts of a document in normal form, found without parsing it.

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Tuple,
    Note,
    Person,
    /// A device or an extension.
    Other,
}

/// The root's children in order. The input is what [`super::normalise`] wrote: elements alone, without comments, CDATA or
/// declarations. From anything else there come fewer parts, never a panic.
pub(super) fn parts(document: &[u8]) -> Parts<'_> {
    let rest = document
        .iter()
        .position(|&b| b == b'>')
        .and_then(|end| document.get(end + 1..))
        .unwrap_or_default();
    Parts { rest }
}

pub(super) struct Parts<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parts<'a> {
    type Item = (Part, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = element_length(self.rest)?;
        let (element, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some((part(element), element))
    }
}

/// The normal form writes `xmlns` before all other attributes, so these beginnings are of PIDF and of nothing else.
fn part(element: &[u8]) -> Part {
    if element.starts_with(b"<tuple id=") {
        Part::Tuple
    } else if element.starts_with(b"<dm:person ") {
        Part::Person
    } else if element.starts_with(b"<note>")
        || element.starts_with(b"<note xml:lang=")
        || element.starts_with(b"<note/>")
    {
        Part::Note
    } else {
        Part::Other
    }
}

/// How many bytes the element at the start takes. `>` and `<` stand in tags only, the writer escapes them elsewhere.
fn element_length(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'<') {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|&b| b == b'<')?;
        let closing = bytes.get(at + 1) == Some(&b'/');
        at += bytes.get(at..)?.iter().position(|&b| b == b'>')?;
        let empty = bytes.get(at.checked_sub(1)?) == Some(&b'/');
        at += 1;
        if closing {
            depth = depth.checked_sub(1)?;
        } else if !empty {
            depth += 1;
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits() {
        let document = br#"<presence a="b"><tuple id="x"><status/></tuple><note>&gt;</note><note xmlns="y"/><dm:person id="p"/></presence>"#;
        let found: Vec<_> = parts(document).map(|(p, _)| p).collect();
        assert_eq!(found, [Part::Tuple, Part::Note, Part::Other, Part::Person]);
    }

    #[test]
    fn the_unfinished_ends() {
        for text in [
            "",
            "<",
            "<a",
            "<a>",
            "<a><b>",
            "<a></a>",
            "<a>text",
            "<a><b></c",
        ] {
            assert_eq!(parts(text.as_bytes()).count(), 0, "{text}");
        }
    }
}
