//! The server's side of a stream: header, errors and closing tag (RFC 6120 §4.2, §4.4, §4.9).

use super::condition::StreamCondition;
use super::language;
use super::namespaces::{CLIENT, COMPONENT, STREAM, STREAM_ERRORS};
use super::version::Version;
use presence::Bare;
use xml::Writer;

/// What the server's header says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    /// The domain in whose name the server speaks.
    pub(crate) from: &'a str,
    /// Whom the peer's header named as sender (§4.7.2).
    pub(crate) to: Option<&'a Bare>,
    /// The stream's id (§4.7.3).
    pub(crate) id: &'a str,
    /// The lower of both versions; `None` towards a peer that named none (§4.7.5).
    pub(crate) version: Option<Version>,
}

impl Opening<'_> {
    /// Writes the attributes.
    pub(crate) fn write(&self, to: &mut Writer<'_>) {
        to.attribute("id", self.id);
        to.attribute("from", self.from);
        if let Some(peer) = self.to {
            to.attribute("to", peer.as_str());
        }
        if let Some(version) = self.version {
            to.attribute("version", &version.to_string());
        }
        to.attribute("xml:lang", language::OURS);
    }
}

/// Writes the server's header.
pub(crate) fn header(out: &mut Vec<u8>, opening: &Opening<'_>) {
    out.extend_from_slice(b"<?xml version='1.0'?>");
    let mut to = Writer::new(out);
    to.start("stream:stream");
    to.attribute("xmlns", CLIENT);
    to.attribute("xmlns:stream", STREAM);
    opening.write(&mut to);
    to.leave_open();
}

/// Writes the header for a component (XEP-0114 §3), in the name of its own domain when that could be read.
pub(crate) fn component_header(out: &mut Vec<u8>, domain: Option<&str>, id: &str) {
    out.extend_from_slice(b"<?xml version='1.0'?>");
    let mut to = Writer::new(out);
    to.start("stream:stream");
    to.attribute("xmlns", COMPONENT);
    to.attribute("xmlns:stream", STREAM);
    to.attribute("id", id);
    if let Some(domain) = domain {
        to.attribute("from", domain);
    }
    to.leave_open();
}

/// Writes a stream error. The text is for people, but for `see-other-host` it is the host (§4.9.3.19).
pub fn error(out: &mut Vec<u8>, condition: StreamCondition, text: Option<&str>) {
    let mut to = Writer::new(out);
    to.start("stream:error");
    to.start(condition.name());
    to.attribute("xmlns", STREAM_ERRORS);
    if condition == StreamCondition::SeeOtherHost {
        to.text(text.unwrap_or_default());
        to.end();
        to.end();
        return;
    }
    to.end();
    if let Some(text) = text {
        to.start("text");
        to.attribute("xmlns", STREAM_ERRORS);
        to.attribute("xml:lang", language::OURS);
        to.text(text);
        to.end();
    }
    to.end();
}

/// The last words on a stream that the server ends: an error and the closing tag.
pub fn end(out: &mut Vec<u8>, condition: StreamCondition, text: Option<&str>) {
    error(out, condition, text);
    close(out);
}

/// Writes the closing tag.
pub(crate) fn close(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</stream:stream>");
}
