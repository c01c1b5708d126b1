//! A request's `<body/>` (XEP-0124 §6): its attributes, and the elements it carries.

use bytes::Bytes;
use smallvec::SmallVec;
use xml::wrapper::Attribute;
use xml::{ReadError, Wrapper};

use crate::{NAMESPACE, XMPP_NAMESPACE};

/// The highest request id (XEP-0124 §14.1): 2^53 - 1.
pub(crate) const HIGHEST: u64 = 9_007_199_254_740_991;
/// What elements are in that leave their namespace to the body.
const CONTENT: &str = "jabber:client";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What a request may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Octets of the whole, depth, elements and attributes of each element.
    pub xml: xml::Limits,
    /// Elements carried.
    pub elements: usize,
}

/// A request, read and checked.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// The id of the request.
    pub rid: u64,
    /// The session it belongs to; `None` asks for a new one.
    pub sid: Option<String>,
    /// `type='terminate'`.
    pub terminate: bool,
    /// The highest id whose answer, and all before, the client has got.
    pub ack: Option<u64>,
    /// How long the client wants to be silent, in seconds.
    pub pause: Option<u64>,
    pub(crate) key: Option<String>,
    pub(crate) new_key: Option<String>,
    /// `xmpp:restart`.
    pub restart: bool,
    /// `to`.
    pub to: Option<String>,
    /// `from`.
    pub from: Option<String>,
    /// `xml:lang`.
    pub lang: Option<String>,
    /// What only a request for a new session has.
    pub opening: Option<Box<Opening>>,
    /// What it carries, each element with all declarations it needs. Elements that leave their namespace to the body, as old clients do
    /// (XEP-0206 §2), are in `jabber:client`.
    pub payloads: SmallVec<[Bytes; 2]>,
}

/// What a client asks for at the beginning (XEP-0124 §7.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// The longest time an answer may be held back, in seconds.
    pub wait: Option<u64>,
    /// How many requests may be held.
    pub hold: Option<u64>,
    /// The highest version of BOSH the client knows: major, minor. Legacy clients give none.
    pub version: Option<(u64, u64)>,
    /// The content type that answers must have.
    pub content: Option<String>,
    /// Where the stream is to lead; not followed.
    pub route: Option<String>,
    /// `secure`, which older clients ask with.
    pub secure: bool,
    /// `xmpp:version`.
    pub xmpp_version: Option<String>,
}

/// Why a body cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is no XML, or none that may stand here.
    #[error("{0}")]
    Xml(#[from] ReadError),
    /// The root is another element.
    #[error("the root is no <body/> of {NAMESPACE}")]
    Root,
    /// An attribute does not say what it must.
    #[error("the attribute {0} is missing or wrong")]
    Attribute(&'static str),
}

impl Body {
    /// Reads the content of an HTTP request.
    pub fn parse(octets: &[u8], limits: Limits) -> Result<Self, BodyError> {
        if octets.len() <= limits.xml.max_bytes
            && let Some(body) = crate::poll::read(octets)
        {
            return Ok(body);
        }
        // What it carries are pieces of this.
        let octets = Bytes::copy_from_slice(octets);
        Self::of(&Wrapper::parse(&octets, limits.xml, limits.elements)?)
    }

    /// Reads what was read as XML.
    pub(crate) fn of(wrapper: &Wrapper) -> Result<Self, BodyError> {
        if !wrapper.is("body", NAMESPACE) {
            return Err(BodyError::Root);
        }
        let mut body = Self::default();
        let mut opening = Opening::default();
        for attribute in wrapper.attributes() {
            match attribute.namespace() {
                "" => body.take(attribute, &mut opening)?,
                XML if attribute.name() == "lang" => body.lang = Some(attribute.value().to_owned()),
                XMPP_NAMESPACE => match attribute.name() {
                    "restart" => body.restart = truth(attribute, "xmpp:restart")?,
                    "version" => opening.xmpp_version = Some(attribute.value().to_owned()),
                    _ => {}
                },
                _ => {}
            }
        }
        if body.rid == 0 {
            return Err(BodyError::Attribute("rid"));
        }
        if body.sid.is_none() {
            body.opening = Some(Box::new(opening));
        }
        body.payloads = wrapper
            .children()
            .iter()
            .map(|child| child.standing_alone(NAMESPACE, CONTENT))
            .collect();
        Ok(body)
    }

    fn take(&mut self, attribute: &Attribute, opening: &mut Opening) -> Result<(), BodyError> {
        let value = || Some(attribute.value().to_owned());
        match attribute.name() {
            "rid" => {
                let rid = number(attribute, "rid")?;
                if !(1..=HIGHEST).contains(&rid) {
                    return Err(BodyError::Attribute("rid"));
                }
                self.rid = rid;
            }
            "sid" => self.sid = value(),
            "type" => self.terminate = attribute.value() == "terminate",
            "ack" => self.ack = Some(number(attribute, "ack")?),
            "pause" => self.pause = Some(number(attribute, "pause")?),
            "key" => self.key = value(),
            "newkey" => self.new_key = value(),
            "to" => self.to = value(),
            "from" => self.from = value(),
            "wait" => opening.wait = Some(number(attribute, "wait")?),
            "hold" => opening.hold = Some(number(attribute, "hold")?),
            "ver" => opening.version = Some(version(attribute.value())?),
            "content" => opening.content = Some(content(attribute.value())?),
            "route" => opening.route = value(),
            "secure" => opening.secure = truth(attribute, "secure")?,
            _ => {}
        }
        Ok(())
    }

    /// It asks for a new session.
    pub fn opens(&self) -> bool {
        self.opening.is_some()
    }

    /// It carries nothing and asks for nothing but an answer.
    pub(crate) fn is_empty(&self) -> bool {
        self.payloads.is_empty() && !self.restart && !self.is_last_word()
    }

    /// One that may be sent above the number of simultaneous requests (XEP-0124 §11).
    pub(crate) fn is_last_word(&self) -> bool {
        self.terminate || self.pause.is_some()
    }
}

fn number(attribute: &Attribute, name: &'static str) -> Result<u64, BodyError> {
    let text = attribute.value().trim_matches([' ', '\t', '\n', '\r']);
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BodyError::Attribute(name));
    }
    digits.parse().map_err(|_| BodyError::Attribute(name))
}

fn truth(attribute: &Attribute, name: &'static str) -> Result<bool, BodyError> {
    match attribute.value().trim() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(BodyError::Attribute(name)),
    }
}

/// Two numbers: 1.10 is more than 1.9 (XEP-0124 §7.1).
fn version(text: &str) -> Result<(u64, u64), BodyError> {
    let wrong = BodyError::Attribute("ver");
    let (major, minor) = text.trim().split_once('.').ok_or(wrong.clone())?;
    let read = |part: &str| {
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|_| digits)
    };
    read(major).zip(read(minor)).ok_or(wrong)
}

/// A media type that can stand in a header.
fn content(text: &str) -> Result<String, BodyError> {
    let fits = text.len() <= 128
        && text.bytes().all(|b| (b' '..=b'~').contains(&b))
        && text.split_once('/').is_some_and(|(kind, rest)| {
            let token = |t: &str| !t.is_empty() && !t.contains([' ', ';', ',', '/']);
            token(kind) && token(rest.split(';').next().unwrap_or_default().trim_end())
        });
    fits.then(|| text.to_owned())
        .ok_or(BodyError::Attribute("content"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::tests::LIMITS;

    fn parse(inside: &str) -> Result<Body, BodyError> {
        let text = format!("<body xmlns='{NAMESPACE}' {inside}");
        Body::parse(text.as_bytes(), LIMITS)
    }

    #[test]
    fn a_request_for_a_session() {
        let body = parse(
            "rid='17' to='office.example' from='ann@office.example' route='xmpp:office.example:5222' ver='1.10' wait='60' hold='1' \
             ack='1' content='text/xml; charset=utf-8' xml:lang='de' secure='true' newkey='k' xmlns:x='urn:xmpp:xbosh' x:version='1.0'/>",
        )
        .unwrap();
        assert!(body.opens() && body.is_empty());
        assert_eq!(
            (body.rid, body.ack, body.to.as_deref(), body.lang.as_deref()),
            (17, Some(1), Some("office.example"), Some("de"))
        );
        assert_eq!(
            *body.opening.unwrap(),
            Opening {
                wait: Some(60),
                hold: Some(1),
                version: Some((1, 10)),
                content: Some("text/xml; charset=utf-8".into()),
                route: Some("xmpp:office.example:5222".into()),
                secure: true,
                xmpp_version: Some("1.0".into()),
            }
        );
    }

    #[test]
    fn payloads_stand_alone_and_old_ones_are_of_clients() {
        let body = parse(
            "rid='1' sid='s'><presence/><iq xmlns='jabber:client' id='1'/><message xmlns='http://jabber.org/protocol/httpbind'/></body>",
        )
        .unwrap();
        assert!(!body.opens() && !body.is_empty());
        let texts: Vec<_> = body
            .payloads
            .iter()
            .map(|p| std::str::from_utf8(p).unwrap())
            .collect();
        assert_eq!(
            texts,
            [
                "<presence xmlns='jabber:client'/>",
                "<iq xmlns='jabber:client' id='1'/>",
                "<message xmlns='jabber:client'/>"
            ]
        );
    }

    #[test]
    fn a_restart_is_known_by_its_namespace() {
        let body = parse("rid='1' sid='s' xmlns:q='urn:xmpp:xbosh' q:restart='1'/>").unwrap();
        assert!(body.restart && !body.is_empty());
        assert!(
            !parse("rid='1' sid='s' xmlns:q='urn:x' q:restart='1'/>")
                .unwrap()
                .restart
        );
        assert!(!parse("rid='1' sid='s' restart='1'/>").unwrap().restart);
    }

    #[test]
    fn what_must_be_right_is_checked() {
        for (inside, wrong) in [
            ("/>", "rid"),
            ("rid='0'/>", "rid"),
            ("rid='-1'/>", "rid"),
            ("rid='x'/>", "rid"),
            ("rid='9007199254740992'/>", "rid"),
            ("rid='99999999999999999999'/>", "rid"),
            ("rid='1' wait='soon'/>", "wait"),
            ("rid='1' hold=''/>", "hold"),
            ("rid='1' ver='1'/>", "ver"),
            ("rid='1' ver='1.x'/>", "ver"),
            ("rid='1' sid='s' ack='-'/>", "ack"),
            ("rid='1' sid='s' pause='1.5'/>", "pause"),
            ("rid='1' content='text/xml&#13;&#10;X: y'/>", "content"),
            ("rid='1' content='text'/>", "content"),
            (
                "rid='1' sid='s' xmlns:q='urn:xmpp:xbosh' q:restart='yes'/>",
                "xmpp:restart",
            ),
        ] {
            assert_eq!(
                parse(inside).unwrap_err(),
                BodyError::Attribute(wrong),
                "{inside}"
            );
        }
        assert!(parse("rid='9007199254740991'/>").is_ok());
        assert!(parse("rid='1' content='text/html'/>").is_ok());
        for root in [
            "<body rid='1'/>",
            "<stream xmlns='http://jabber.org/protocol/httpbind' rid='1'/>",
            "<body xmlns='jabber:client' rid='1'/>",
        ] {
            assert_eq!(
                Body::parse(&Bytes::copy_from_slice(root.as_bytes()), LIMITS).unwrap_err(),
                BodyError::Root
            );
        }
        assert!(matches!(
            parse("rid='1'>text</body>"),
            Err(BodyError::Xml(ReadError::Format))
        ));
    }
}
