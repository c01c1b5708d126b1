//! Changes to the start tag of a stanza that is kept as bytes.

use xml::escape;

/// The parts of one attribute in a start tag, as written.
struct Attribute<'a> {
    /// With the space before it.
    whole: &'a [u8],
    name: &'a [u8],
}

/// Appends `element`, the bytes of one well-formed element, with these attributes set or replaced. What is not the start tag is
/// copied as it is.
pub(crate) fn set_attributes(out: &mut Vec<u8>, element: &[u8], set: &[(&str, &str)]) {
    let (name, mut rest) = split_name(element);
    out.extend_from_slice(name);
    while let Some((attribute, after)) = next_attribute(rest) {
        if !set.iter().any(|(n, _)| n.as_bytes() == attribute.name) {
            out.extend_from_slice(attribute.whole);
        }
        rest = after;
    }
    for (name, value) in set {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"='");
        escape(out, value);
        out.push(b'\'');
    }
    out.extend_from_slice(rest);
}

/// The start tag has an attribute of this name, prefix included.
pub(crate) fn has_attribute(element: &[u8], name: &str) -> bool {
    let (_, mut rest) = split_name(element);
    while let Some((attribute, after)) = next_attribute(rest) {
        if attribute.name == name.as_bytes() {
            return true;
        }
        rest = after;
    }
    false
}

/// The start tag declares namespaces of its own, on which what stands in it may lean.
pub(crate) fn declares_namespaces(element: &[u8], default: &str) -> bool {
    let (_, mut rest) = split_name(element);
    while let Some((attribute, after)) = next_attribute(rest) {
        let usual = || {
            let value = attribute.whole.rsplit(|b| *b == b'=').next();
            let quoted = value.unwrap_or_default().trim_ascii();
            quoted.get(1..quoted.len().saturating_sub(1)) == Some(default.as_bytes())
        };
        if attribute.name.starts_with(b"xmlns:") || (attribute.name == b"xmlns" && !usual()) {
            return true;
        }
        rest = after;
    }
    false
}

/// Appends `element` with `more` as its last child.
pub(crate) fn append_child(out: &mut Vec<u8>, element: &[u8], more: impl FnOnce(&mut Vec<u8>)) {
    let (name, mut rest) = split_name(element);
    let start = rest.len();
    while let Some((_, after)) = next_attribute(rest) {
        rest = after;
    }
    let attributes = element
        .get(name.len()..name.len() + start - rest.len())
        .unwrap_or_default();
    if rest.trim_ascii() == b"/>" {
        out.extend_from_slice(name);
        out.extend_from_slice(attributes);
        out.push(b'>');
        more(out);
        out.extend_from_slice(b"</");
        out.extend_from_slice(name.get(1..).unwrap_or_default());
        out.push(b'>');
        return;
    }
    let end = element
        .windows(2)
        .rposition(|two| two == b"</")
        .unwrap_or(element.len());
    let (before, end_tag) = element.split_at(end);
    out.extend_from_slice(before);
    more(out);
    out.extend_from_slice(end_tag);
}

/// `<name` and what follows.
fn split_name(element: &[u8]) -> (&[u8], &[u8]) {
    let end = element
        .iter()
        .position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
        .unwrap_or(element.len());
    element.split_at(end)
}

/// The next attribute and what follows; `None` at the end of the tag, or where there is no attribute any more.
fn next_attribute(rest: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let from = rest.iter().position(|b| !b.is_ascii_whitespace())?;
    if matches!(rest.get(from)?, b'>' | b'/') {
        return None;
    }
    let equals = from + rest.get(from..)?.iter().position(|b| *b == b'=')?;
    let open = equals
        + rest
            .get(equals..)?
            .iter()
            .position(|b| matches!(b, b'"' | b'\''))?;
    let quote = *rest.get(open)?;
    let close = open + 1 + rest.get(open + 1..)?.iter().position(|b| *b == quote)?;
    let (whole, after) = rest.split_at(close + 1);
    Some((
        Attribute {
            whole,
            name: rest.get(from..equals)?.trim_ascii_end(),
        },
        after,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(element: &str, attributes: &[(&str, &str)]) -> String {
        let mut out = Vec::new();
        set_attributes(&mut out, element.as_bytes(), attributes);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn append(element: &str) -> String {
        let mut out = Vec::new();
        append_child(&mut out, element.as_bytes(), |out| out.extend(b"<x/>"));
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn sets_and_replaces() {
        assert_eq!(set("<m/>", &[("to", "a")]), "<m to='a'/>");
        assert_eq!(
            set(
                "<m id = \"to='x'\" to='b>' ><a to='c'/></m>",
                &[("to", "a&b")]
            ),
            "<m id = \"to='x'\" to='a&amp;b' ><a to='c'/></m>"
        );
    }

    #[test]
    fn looks_for_names_not_for_text() {
        assert!(has_attribute(b"<m a='1' xmlns='x'>", "xmlns"));
        assert!(!has_attribute(
            b"<m a=' xmlns=' xmlns:b='x'><c xmlns='y'/></m>",
            "xmlns"
        ));
    }

    #[test]
    fn finds_declarations() {
        assert!(!declares_namespaces(
            b"<m a='xmlns:b' xmlns = \"jabber:client\" ><c xmlns:d='e'/></m>",
            "jabber:client"
        ));
        for tag in [
            "<m xmlns:a='b'/>",
            "<c:m xmlns='a'>",
            "<m xmlns='jabber:clients'>",
            "<m a='1' xmlns=''>",
        ] {
            assert!(
                declares_namespaces(tag.as_bytes(), "jabber:client"),
                "{tag}"
            );
        }
    }

    #[test]
    fn appends_to_every_form() {
        assert_eq!(append("<m/>"), "<m><x/></m>");
        assert_eq!(append("<m a='/>' />"), "<m a='/>'><x/></m>");
        assert_eq!(append("<c:m></c:m >"), "<c:m><x/></c:m >");
        assert_eq!(append("<m a='1'><b/></m>"), "<m a='1'><b/><x/></m>");
    }
}
