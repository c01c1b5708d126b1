//! Streams as peers send them: well, in pieces, and with malice. rxml is the second opinion on what is XML.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use xml::{
    Condition, DocumentLimits, Element, Limits, ReadError, StreamReader, Token, parse_document,
};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='x' version='1.0'>";
const LIMITS: Limits = Limits {
    max_bytes: 65_536,
    max_depth: 64,
    max_elements: None,
    max_attributes: 64,
};

/// Everything a reader says about pieces of a stream: tokens as text, then perhaps an error.
fn read(pieces: &[&[u8]]) -> (Vec<String>, Option<ReadError>) {
    let mut reader = StreamReader::new(LIMITS);
    let mut seen = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(Token::Element(e))) => seen.push(format!(
                    "{}|{}|{}",
                    e.namespace(),
                    e.name(),
                    String::from_utf8_lossy(e.raw())
                )),
                Ok(Some(Token::Open(o))) => {
                    seen.push(format!("open {} {:?}", o.name(), o.attribute("to")))
                }
                Ok(Some(Token::Close)) => seen.push("close".into()),
                Ok(None) => break,
                Err(error) => return (seen, Some(error)),
            }
        }
    }
    (seen, None)
}

fn condition(body: &[u8]) -> Option<Condition> {
    read(&[HEADER.as_bytes(), body]).1.map(|e| e.condition())
}

/// The tree that rxml's strict parser sees; `None`: it refuses.
fn oracle(document: &[u8]) -> Option<minidom::Element> {
    use rxml::{Event, Parse, Parser};
    let mut parser = Parser::new();
    let mut rest = document;
    let mut open: Vec<minidom::Element> = Vec::new();
    let mut root = None;
    while let Some(event) = parser.parse(&mut rest, true).ok()? {
        match event {
            Event::XmlDeclaration(..) => {}
            Event::StartElement(_, (namespace, name), attributes) => {
                let mut element = minidom::Element::bare(name.to_string(), namespace.to_string());
                *element.attrs_mut() = attributes;
                open.push(element);
            }
            Event::Text(_, text) => {
                if let Some(parent) = open.last_mut() {
                    parent.append_text(text);
                }
            }
            Event::EndElement(_) => {
                let element = open.pop()?;
                match open.last_mut() {
                    Some(parent) => {
                        parent.append_child(element);
                    }
                    None => root = Some(element),
                }
            }
        }
    }
    root
}

#[test]
fn refusals_have_their_condition() {
    use Condition::{
        BadFormat, NotWellFormed, PolicyViolation, RestrictedXml, UnsupportedEncoding,
    };
    let deep = "<a>".repeat(100_000);
    let endless = format!("<a b='{}", "x".repeat(70_000));
    let many: String = (0..65).fold("<a".into(), |s, i| format!("{s} a{i}=''"));
    let cases: Vec<(&[u8], Condition)> = vec![
        (b"<a><!-- c --></a>", RestrictedXml),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>", RestrictedXml),
        (b"<a><?p?></a>", RestrictedXml),
        (b"<a>&lol;</a>", RestrictedXml),
        (b"<a>&#xD800;</a>", NotWellFormed),
        (b"<a>&#0;</a>", NotWellFormed),
        (b"<a>\0</a>", NotWellFormed),
        ("<a>\u{fffe}</a>".as_bytes(), NotWellFormed),
        (b"<a b='<'/>", NotWellFormed),
        (b"<a>]]></a>", NotWellFormed),
        (b"<a></b>", NotWellFormed),
        (b"<a b='' b=''/>", NotWellFormed),
        (b"<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", NotWellFormed),
        (b"<1/>", NotWellFormed),
        (b"<a:b:c xmlns:a='u'/>", NotWellFormed),
        (b"text", BadFormat),
        (b"<![CDATA[x]]>", BadFormat),
        (deep.as_bytes(), PolicyViolation),
        (endless.as_bytes(), PolicyViolation),
        // RFC 6120 §4.9.3.13 shows an undeclared prefix, §4.9.3.22 names bytes that are not UTF-8.
        (b"<message><foo:body>x</foo:body></message>", NotWellFormed),
        (b"<a xmlns:xml='u'/>", NotWellFormed),
        (
            b"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            NotWellFormed,
        ),
        (b"<a xmlns:p=''/>", NotWellFormed),
        (b"<a>\xC0\x80</a>", UnsupportedEncoding),
        (b"<a>\xED\xA0\x80</a>", UnsupportedEncoding),
    ];
    let many = format!("{many}/>");
    let prefixes: String = (0..40)
        .map(|d| (0..40).fold(String::from("<a"), |s, i| format!("{s} xmlns:p{d}x{i}='u'")) + ">")
        .collect::<String>()
        + &"</a>".repeat(40);
    let wrong: Vec<String> = cases
        .iter()
        .copied()
        .chain([
            (many.as_bytes(), PolicyViolation),
            (prefixes.as_bytes(), PolicyViolation),
        ])
        .filter_map(|(body, want)| {
            let got = condition(body);
            (got != Some(want)).then(|| {
                format!(
                    "{:.60}: {got:?}, want {want:?}",
                    String::from_utf8_lossy(body)
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn declarations_are_checked() {
    let first = |text: &str| {
        read(&[text.as_bytes(), HEADER.as_bytes()])
            .1
            .map(|e| e.condition())
    };
    assert_eq!(first("<?xml version='1.0' encoding='UTF-8'?>"), None);
    assert_eq!(
        first("<?xml version='1.0' encoding='UTF-16'?>"),
        Some(Condition::UnsupportedEncoding)
    );
    assert!(
        first("<?xml version='1.0'/>junk?>").is_some(),
        "junk in the declaration"
    );
    assert!(first("<?xml version='1.0'?><?xml version='1.0'?>").is_some());
    assert!(
        first("\u{feff}").is_some(),
        "RFC 6120 §11.6: U+FEFF is a character, not a byte order mark"
    );
}

#[test]
fn an_empty_stream_is_closed() {
    assert_eq!(
        read(&[b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>"])
            .0
            .last()
            .unwrap(),
        "close"
    );
}

#[test]
fn headers_are_namespace_well_formed() {
    let (_, error) = read(&[b"<s:stream xmlns:s='u' xmlns:t='u' s:a='' t:a=''>"]);
    assert_eq!(error.map(|e| e.condition()), Some(Condition::NotWellFormed));
}

#[test]
fn slices_are_self_contained() {
    let header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='urn:p'>";
    let cases = [
        "<stream:features><p:x/></stream:features>",
        "<message><p:x p:a='1'/></message>",
        "<c:message xmlns:c='jabber:client'><c:body>x</c:body></c:message>",
        "<message xmlns='jabber:client'><body/></message>",
    ];
    for case in cases {
        let mut reader = StreamReader::new(LIMITS);
        reader.feed(header.as_bytes());
        reader.feed(case.as_bytes());
        reader.next().unwrap();
        let Some(Token::Element(element)) = reader.next().unwrap() else {
            panic!("{case}")
        };
        let alone = oracle(
            &[
                b"<r xmlns='jabber:client'>",
                element.raw().as_ref(),
                b"</r>",
            ]
            .concat(),
        )
        .unwrap();
        let within =
            oracle(&[header.as_bytes(), case.as_bytes(), b"</stream:stream>"].concat()).unwrap();
        assert_eq!(alone.children().next(), within.children().next(), "{case}");
        if case.contains("message") {
            let other = oracle(
                &[
                    b"<r xmlns='jabber:server'>",
                    element.raw().as_ref(),
                    b"</r>",
                ]
                .concat(),
            )
            .unwrap();
            assert_eq!(
                other.children().next().unwrap().ns(),
                "jabber:server",
                "{case} cannot cross into another content namespace"
            );
        }
    }
}

#[test]
fn keep_alives_are_swallowed_and_told() {
    let mut reader = StreamReader::new(LIMITS);
    reader.feed(HEADER.as_bytes());
    reader.next().unwrap();
    reader.feed(b"  ");
    assert!(reader.next().unwrap().is_none());
    assert!(reader.saw_whitespace());
    assert_eq!(reader.buffered(), 0);
}

#[test]
fn documents_are_checked() {
    let parse = |text: &[u8]| parse_document(text, DocumentLimits::default());
    assert!(
        parse(b"\xEF\xBB\xBF<?xml version='1.0'?><!-- c --><a><?p i?><b/></a><!-- d -->").is_ok()
    );
    assert!(parse(b"<!DOCTYPE a [<!ENTITY a 'b'>]><a>&a;</a>").is_err());
    assert!(parse(&[b"<a>".repeat(33), b"</a>".repeat(33)].concat()).is_err());
    let wrong: Vec<&str> = [
        "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        "<?xml version='2.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "<a/><?xml version='1.0'?>",
        "<a><!-- \u{1} --></a>",
        "<a><!-- x ---></a>",
        "<a><? ?></a>",
    ]
    .into_iter()
    .filter(|text| parse(text.as_bytes()).is_ok())
    .collect();
    assert!(wrong.is_empty(), "accepted: {wrong:#?}");
    assert!(
        parse(b"<a><!-- \xFF --></a>").is_err(),
        "bytes in comments must be UTF-8"
    );
}

fn fragment() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<a>",
        "</a>",
        "<b xmlns='u'>",
        "</b>",
        "<p:c xmlns:p='v' p:d='1' d='2'/>",
        "<e f='&lt;&#x41;\n'/>",
        "text",
        "&amp;",
        "<![CDATA[<x>]]>",
        "]]>",
        "\u{e9}",
        "\u{1F600}",
        "&#xD800;",
        " ",
        "<",
        ">",
        "'",
        "\"",
        "&",
        "\r\n",
        "<a b='c' b='d'/>",
        "<q:z/>",
        "<!-- -->",
        "<?p?>",
        "\u{fffe}",
        "xml:lang='en'",
        "<a xml:lang='de'>",
    ]);
    prop::collection::vec(piece, 0..14)
        .prop_map(|pieces| format!("<m xmlns='d'>{}</m>", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn what_is_accepted_is_xml_and_means_the_same(text in fragment()) {
        if let Ok(element) = Element::parse(text.as_bytes(), "", LIMITS) {
            let theirs = oracle(text.as_bytes());
            prop_assert!(theirs.is_some(), "rxml refuses {}", text);
            prop_assert_eq!(element.to_tree(), theirs.unwrap());
        }
    }

    #[test]
    fn what_rxml_accepts_is_accepted(text in fragment()) {
        if oracle(text.as_bytes()).is_some() {
            prop_assert!(Element::parse(text.as_bytes(), "", LIMITS).is_ok(), "{}", text);
        }
    }

    #[test]
    fn pieces_do_not_matter(texts in prop::collection::vec(fragment(), 1..3), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let stream = format!("<?xml version='1.0'?>{HEADER}{}</stream:stream>", texts.join(" "));
        let bytes = stream.as_bytes();
        let whole = read(&[bytes]);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        places.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for place in places {
            pieces.push(&bytes[from..place]);
            from = place;
        }
        pieces.push(&bytes[from..]);
        prop_assert_eq!(&read(&pieces), &whole);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&read(&single), &whole);
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in fragment(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let _ = read(&[&bytes]);
        let _ = read(&[HEADER.as_bytes(), &bytes]);
        let _ = parse_document(&bytes, DocumentLimits::default());
        let mut mutated = text.into_bytes();
        let at = at.index(mutated.len());
        mutated[at] = byte;
        let _ = read(&[HEADER.as_bytes(), &mutated]);
        let _ = parse_document(&mutated, DocumentLimits::default());
    }
}

#[test]
fn a_wrong_end_tag_is_told_when_it_comes() {
    let found = condition(b"<message><body>No closing tag!</message>");
    assert_eq!(found, Some(Condition::NotWellFormed));
}
