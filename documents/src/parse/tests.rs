//! The reader against another one: minidom over rxml, given what is left when all is taken out that may not be in a tree.

use minidom::Element as Other;
use proptest::prelude::*;

use super::*;
use crate::tree::{Element, Node};

/// The text without what stands outside of elements and character data. There is one root and no text beside it; all else
/// is the parser's to check.
fn elements_alone(text: &str, depth: usize) -> Result<String> {
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

/// The other reader's tree.
fn other(body: &[u8], size: usize, depth: usize) -> Result<Other> {
    if body.len() > size {
        return Err(DocumentError::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| BAD)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    elements_alone(text, depth)?.parse().map_err(|_| BAD)
}

fn assert_same(ours: Element<'_>, others: &Other) {
    assert_eq!(
        (ours.name(), ours.ns()),
        (others.name(), others.ns().as_str())
    );
    let mut attributes: Vec<_> = ours.attributes().collect();
    attributes.sort_unstable();
    let expected: Vec<_> = others
        .attrs()
        .iter()
        .map(|((ns, name), value)| (ns.as_ref(), name.as_ref(), value.as_str()))
        .collect();
    let mut expected = expected;
    expected.sort_unstable();
    assert_eq!(attributes, expected);
    assert_eq!(ours.text(), others.text());
    let ours: Vec<_> = ours.nodes().collect();
    let others: Vec<_> = others.nodes().collect();
    assert_eq!(ours.len(), others.len());
    for pair in ours.into_iter().zip(others) {
        match pair {
            (Node::Element(ours), minidom::Node::Element(others)) => assert_same(ours, others),
            (Node::Text(ours), minidom::Node::Text(others)) => assert_eq!(ours, others),
            _ => panic!("an element against a text"),
        }
    }
}

/// Both take it and mean the same, or both refuse it.
fn check(body: &str) {
    let (ours, others) = (
        parse(body.as_bytes(), 10_000, 8),
        other(body.as_bytes(), 10_000, 8),
    );
    match (ours, others) {
        (Ok(ours), Ok(others)) => assert_same(ours.root(), &others),
        (Err(_), Err(_)) => {}
        (ours, others) => panic!("{body}\n{ours:?}\n{others:?}"),
    }
}

#[test]
fn what_is_no_element_is_passed_over() {
    let body = "\u{feff}<?xml version='1.0' standalone='no'?><!-- <b> --><?pi >?>\n<a xmlns='x' y='>'><![CDATA[<]]><b/></a><!---->";
    let tree = parse(body.as_bytes(), 1000, 3).unwrap();
    assert_eq!(tree.root().text(), "<");
    assert_eq!(tree.root().attr("y"), Some(">"));
    assert!(tree.root().get_child("b", "x").is_some());
}

#[test]
fn limits() {
    let read = |body: &str| parse(body.as_bytes(), 1000, 3).map(|_| ());
    assert_eq!(read("<a xmlns='x'><b><c/></b></a>"), Ok(()));
    assert_eq!(
        read("<a xmlns='x'><b><c><d></d></c></b></a>"),
        Err(DocumentError::TooDeep)
    );
    assert_eq!(read(&" ".repeat(1001)), Err(DocumentError::TooLarge));
    for bad in [
        "<!DOCTYPE a><a xmlns='x'/>",
        "<a xmlns='x'",
        "<!--",
        "<a xmlns='x'/><b xmlns='x'/>",
        "x",
        "<a xmlns='x'></b>",
        "<y:a/>",
    ] {
        assert_eq!(read(bad), Err(BAD), "{bad}");
    }
    let attributes: Vec<String> = (0..300).map(|n| format!(" a{n}=''")).collect();
    let attributes = attributes.concat();
    let body = format!("<a xmlns='x'{attributes}/>");
    assert_eq!(
        parse(body.as_bytes(), 10_000, 3),
        Err(DocumentError::TooLarge)
    );
    let body = format!(
        "<a xmlns='x'{}/>",
        attributes.replace(" a", " xmlns:a").replace("''", "'u'")
    );
    assert_eq!(
        parse(body.as_bytes(), 10_000, 3),
        Err(DocumentError::TooLarge)
    );
}

#[test]
fn corners() {
    for body in [
        "<a/>",
        "<a xmlns=''/>",
        "<a xmlns='x' b='1' b='2'/>",
        "<a xmlns='x' xmlns:p='y' xmlns:q='y' p:b='1' c='0' q:b='2' d='3'/>",
        "<a xmlns='x' b='1'c='2'/>",
        "<a xmlns='x' b = '1' />",
        "<a xmlns='x'>a<!-- -->b<![CDATA[&<]]]>]]>c</a>",
        "<a xmlns='x'>]]></a>",
        "<a xmlns='x'>&#65;&#x41;&amp;&#0;</a>",
        "<a xmlns='x'>&#65;&#x41;&#xe9;&amp;&lt;&apos;</a>",
        "<a xmlns='x' b='&#10;&#x9;\t\n\r\n'/>",
        "<a xmlns='x' b='<'/>",
        "<a xmlns='x'>\r\n\r\t</a>",
        "<a xmlns='x'>&nbsp;</a>",
        "<a xmlns='x'>& </a>",
        "<a xmlns='x'>\u{1}</a>",
        "<a xmlns='x'>\u{fffe}</a>",
        "<a xmlns='x'>\u{ef}\u{fdd0}</a>",
        "<xml:a xmlns='x'/>",
        "<a xmlns='x' xml:lang='en' y:b=''/>",
        "<a xmlns='x'></a >",
        "<a xmlns='x'></ a>",
        "<a xmlns='x'><b xmlns=''/></a>",
        "<p:a xmlns:p='x'><b/></p:a>",
        "<p:a xmlns:p='x'></q:a>",
        "<a:b:c xmlns:a='x'/>",
        "<:a xmlns='x'/>",
        "<a xmlns='x' 1='2'/>",
        "<\u{e9}\u{b7} xmlns='x'/>",
        "<\u{b7} xmlns='x'/>",
        "<a xmlns='x'/>\u{a0}",
        "<a xmlns='x' b=\"'\" c='\"'/>",
        "<a xmlns='x'><![CDATA[]]></a>",
        "<![CDATA[]]><a xmlns='x'/>",
        "<a xmlns='x' b/>",
        "<a xmlns='x' b=1/>",
        "<a xmlns='x'><b></a></b>",
        "<a xmlns='x' xmlns:q='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='x' xmlns:xml='y'/>",
        "<a xmlns='x' xmlns:xmlns='y'/>",
        "<a xmlns='x' xmlns:q=''/>",
        "<a xmlns='x' xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:b='1'/>",
        "<a xmlns='x'>a<!---->&amp;<!---->b<!---->&lt;<![CDATA[c]]><!---->d</a>",
    ] {
        check(body);
    }
}

/// Namespaces in XML 1.0 §3; the other reader lets it pass.
#[test]
fn the_namespace_of_declarations_is_not_declared() {
    for body in [
        "<a xmlns='x' xmlns:q='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
    ] {
        assert_eq!(parse(body.as_bytes(), 1000, 3).map(|_| ()), Err(BAD));
    }
}

#[test]
fn text_in_pieces_takes_no_more_room_than_in_one() {
    for piece in ["b<??>", "&lt;<!---->", "<![CDATA[b]]>", "b<??>&gt;<??>"] {
        let body = format!("<a xmlns='x'>{}{}</a>", "x".repeat(4000), piece.repeat(800));
        let tree = parse(body.as_bytes(), 100_000, 3).unwrap();
        assert!(
            tree.text.len() < 3 * body.len(),
            "{piece}: {}",
            tree.text.len()
        );
    }
}

#[test]
fn declarations_in_force_have_a_limit() {
    let level = |n: usize| {
        let declared: Vec<String> = (0..100).map(|m| format!(" xmlns:p{n}x{m}='u'")).collect();
        format!("<b{}>", declared.concat())
    };
    let body = |levels: usize| {
        let open: Vec<String> = (0..levels).map(level).collect();
        format!(
            "<a xmlns='x'>{}{}</a>",
            open.concat(),
            "</b>".repeat(levels)
        )
    };
    assert!(parse(body(2).as_bytes(), 100_000, 8).is_ok());
    assert_eq!(
        parse(body(3).as_bytes(), 100_000, 8),
        Err(DocumentError::TooLarge)
    );
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "<a xmlns='x'>",
        "</a>",
        "<b/>",
        "<p:c xmlns:p='y' p:d='1' e='&lt;'>",
        "</p:c>",
        "<!-- x -->",
        "<![CDATA[<&]]>",
        "text",
        " ",
        "&amp;",
        "&#x20;",
        "]]>",
        "<?p q?>",
        "\r\n",
        "<d f=\"'\" f='2'>",
        "</d>",
        "<",
        ">",
        "'",
        "&",
        "\u{e9}",
        "<p:d/>",
        "\t",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn both_readers_agree(pieces in prop::collection::vec(piece(), 0..12)) {
        check(&format!("<a xmlns='x'>{}</a>", pieces.concat()));
        check(&pieces.concat());
    }

    #[test]
    fn also_on_what_is_nearly_a_document(cut in 0_usize..700, with in piece()) {
        let sample = include_str!("../../testdata/baresip-1.0.0.xml");
        let mut body = sample.to_owned();
        let mut at = cut.min(body.len());
        while !body.is_char_boundary(at) {
            at -= 1;
        }
        body.insert_str(at, with);
        check(&body);
    }
}
