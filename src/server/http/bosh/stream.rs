//! What a session of BOSH and the framed stream that it carries say to each other (XEP-0206).

use std::sync::LazyLock;

use bosh::{Body, Condition, Session, Time};
use memchr::memmem::Finder;
use xml::{Element, Limits, Writer, first_element};
use xmpp::stream::framing;
use xmpp::stream::namespaces::FRAMING;

/// `<open/>` for a session that begins.
pub(super) fn open(body: &Body) -> Vec<u8> {
    let version = body
        .opening
        .as_ref()
        .and_then(|o| o.xmpp_version.as_deref());
    header(
        body.to.as_deref(),
        body.from.as_deref(),
        body.lang.as_deref(),
        // Who gives none is old, and still wants features (XEP-0206 §3).
        version.unwrap_or("1.0"),
    )
}

/// `<open/>` for a stream that begins anew.
pub(super) fn reopen(to: Option<String>, from: Option<String>, lang: Option<String>) -> Vec<u8> {
    header(to.as_deref(), from.as_deref(), lang.as_deref(), "1.0")
}

fn header(to: Option<&str>, from: Option<&str>, lang: Option<&str>, version: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let mut writer = Writer::new(&mut out);
    writer.start("open").attribute("xmlns", FRAMING);
    for (name, value) in [("to", to), ("from", from), ("xml:lang", lang)] {
        if let Some(value) = value {
            writer.attribute(name, value);
        }
    }
    writer.attribute("version", version).end();
    out
}

/// `<close/>`.
pub(super) fn close() -> Vec<u8> {
    let mut out = Vec::new();
    framing::close(&mut out, None);
    out
}

/// Finds what tells a beginning or an end from all else. To make a finder costs more than to use it.
static FRAMED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(FRAMING));

/// What a stream said where it began or ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Attributes that describe the stream.
    opening: Vec<(&'static str, String)>,
    /// Elements for the client.
    pub(super) elements: Vec<u8>,
    /// It has ended: an error, or in peace.
    pub(super) end: Option<Option<Condition>>,
}

impl Said {
    /// Reads what a stream said. `None` when all of it is for the client, as almost always.
    pub(super) fn read(elements: &[u8]) -> Option<Self> {
        FRAMED.find(elements)?;
        let mut said = Self::default();
        let mut rest = elements;
        let mut error = None;
        while !rest.is_empty() {
            let element;
            (element, rest) = rest.split_at(first_element(rest));
            if element.starts_with(b"<open ") {
                said.opening = described(element);
            } else if element.starts_with(b"<close ") {
                said.end = Some(error);
                said.elsewhere(element);
            } else if element.starts_with(b"<stream:error") {
                let condition = condition(element);
                if condition == Condition::RemoteStreamError {
                    said.elements.extend_from_slice(element);
                }
                error = Some(condition);
            } else {
                said.elements.extend_from_slice(element);
            }
        }
        Some(said)
    }

    /// The client may go on elsewhere (RFC 7395 §3.6.1), which BOSH says in its own way.
    fn elsewhere(&mut self, close: &[u8]) {
        let Some(element) = parse(close) else {
            return;
        };
        if let Some(uri) = element.attribute("see-other-uri") {
            let mut writer = Writer::new(&mut self.elements);
            // It inherits the namespace of the body.
            writer.start("uri").text(&uri).end();
            self.end = Some(Some(Condition::SeeOtherUri));
        }
    }

    /// Hands it on to the client's session.
    pub(super) fn hand_on(self, session: &mut Session, now: Time, described: &mut bool) {
        // A stream that begins anew is the same to the client.
        if !self.opening.is_empty() && !std::mem::replace(described, true) {
            let opening: Vec<(&str, &str)> = self
                .opening
                .iter()
                .map(|(name, value)| (*name, &**value))
                .collect();
            session.describe(&opening);
        }
        match self.end {
            Some(condition) => session.handle_terminate(now, condition, &self.elements),
            None if self.elements.is_empty() => {}
            None => session.handle_output(now, &self.elements),
        }
    }
}

fn parse(element: &[u8]) -> Option<Element> {
    Element::parse(element, "", Limits::generous()).ok()
}

/// The attributes that tell of `<open/>` (XEP-0206 §4).
fn described(open: &[u8]) -> Vec<(&'static str, String)> {
    let Some(open) = parse(open) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if let Some(from) = open.attribute("from") {
        all.push(("from", from.into_owned()));
    }
    if let Some(lang) = open.lang() {
        all.push(("xml:lang", lang.into_owned()));
    }
    if let Some(version) = open.attribute("version") {
        all.push(("xmpp:version", version.into_owned()));
    }
    all.push(("xmpp:restartlogic", "true".to_owned()));
    all
}

/// What an error of the stream is to BOSH: some have conditions of their own there.
fn condition(error: &[u8]) -> Condition {
    let has = |name: &[u8]| memchr::memmem::find(error, name).is_some();
    if has(b"<system-shutdown ") {
        Condition::SystemShutdown
    } else if has(b"<host-unknown ") {
        Condition::HostUnknown
    } else if has(b"<host-gone ") {
        Condition::HostGone
    } else if has(b"<improper-addressing ") {
        Condition::ImproperAddressing
    } else {
        Condition::RemoteStreamError
    }
}

#[cfg(test)]
mod tests {
    use bosh::body::Opening;

    use super::*;

    const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='office.example' id='x' xml:lang='en' version='1.0'/>";
    const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

    fn read(text: &str) -> Option<Said> {
        Said::read(text.as_bytes())
    }

    fn error(condition: &str) -> String {
        format!(
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        )
    }

    #[test]
    fn what_a_stream_says_at_its_beginning() {
        let features = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>";
        let said = read(&format!("{OPEN}{features}")).unwrap_or_default();
        let opening: Vec<_> = said.opening.iter().map(|(n, v)| (*n, &**v)).collect();
        assert_eq!(
            opening,
            [
                ("from", "office.example"),
                ("xml:lang", "en"),
                ("xmpp:version", "1.0"),
                ("xmpp:restartlogic", "true")
            ]
        );
        assert_eq!(said.elements, features.as_bytes());
        assert_eq!(said.end, None);
        assert_eq!(read(features), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn how_a_stream_ends() {
        let message = "<message xmlns='jabber:client'/>";
        let end = |text: &str| {
            let said = read(text).unwrap_or_default();
            let elements = String::from_utf8_lossy(&said.elements).into_owned();
            (said.end, elements)
        };
        assert_eq!(
            end(&format!("{message}{CLOSE}")),
            (Some(None), message.into())
        );
        let conflict = error("conflict");
        assert_eq!(
            end(&format!("{message}{conflict}{CLOSE}")),
            (
                Some(Some(Condition::RemoteStreamError)),
                format!("{message}{conflict}")
            )
        );
        for (name, condition) in [
            ("system-shutdown", Condition::SystemShutdown),
            ("host-unknown", Condition::HostUnknown),
            ("host-gone", Condition::HostGone),
            ("improper-addressing", Condition::ImproperAddressing),
        ] {
            let text = format!("{OPEN}{}{CLOSE}", error(name));
            assert_eq!(end(&text), (Some(Some(condition)), String::new()));
        }
        let elsewhere = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='https://a.example/b?c&amp;d'/>";
        assert_eq!(
            end(elsewhere),
            (
                Some(Some(Condition::SeeOtherUri)),
                "<uri>https://a.example/b?c&amp;d</uri>".into()
            )
        );
    }

    #[test]
    fn headers_are_written_with_what_there_is() {
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        let mut asked = Body::default();
        asked.to = Some("a.example".into());
        asked.from = Some("b@a.example".into());
        asked.lang = Some("de".into());
        let opened = |version| {
            format!(
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' from='b@a.example' xml:lang='de' version='{version}'/>"
            )
        };
        assert_eq!(text(open(&asked)), opened("1.0"));
        asked.opening = Some(Box::new(Opening {
            xmpp_version: Some("1.1".into()),
            ..Opening::default()
        }));
        assert_eq!(text(open(&asked)), opened("1.1"));
        assert_eq!(
            text(reopen(Some("a&b".into()), None, Some("de".into()))),
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a&amp;b' xml:lang='de' version='1.0'/>"
        );
        assert_eq!(text(close()), CLOSE);
    }
}
