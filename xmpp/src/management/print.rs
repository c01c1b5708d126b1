//! The server's words of stream management (XEP-0198 §3 to §6).

use std::time::Duration;

use xml::Writer;

use super::{MANAGEMENT, TooHigh};
use crate::print::Condition;
use crate::stream::StreamCondition;
use crate::stream::namespaces::{STANZA_ERRORS, STREAM_ERRORS};

/// Management is on; with the identifier and the time for which the stream can be resumed.
pub fn enabled(out: &mut Vec<u8>, resume: Option<(&str, Duration)>) {
    let mut to = begin(out, "enabled");
    if let Some((id, most)) = resume {
        to.attribute("id", id);
        to.attribute("resume", "true");
        to.attribute("max", &most.as_secs().to_string());
    }
    to.end();
}

/// It is not, or the stream is not resumed; with the number of stanzas handled on it, where that is known.
pub fn failed(out: &mut Vec<u8>, condition: Condition, handled: Option<u32>) {
    let mut to = begin(out, "failed");
    if let Some(handled) = handled {
        to.attribute("h", &handled.to_string());
    }
    to.start(condition.name());
    to.attribute("xmlns", STANZA_ERRORS);
    to.end();
    to.end();
}

/// The stream goes on.
pub fn resumed(out: &mut Vec<u8>, id: &str, handled: u32) {
    let mut to = begin(out, "resumed");
    to.attribute("previd", id);
    to.attribute("h", &handled.to_string());
    to.end();
}

/// How many of mine are handled?
pub fn ask(out: &mut Vec<u8>) {
    begin(out, "r").end();
}

/// So many of yours are.
pub fn acknowledge(out: &mut Vec<u8>, handled: u32) {
    let mut to = begin(out, "a");
    to.attribute("h", &handled.to_string());
    to.end();
}

/// The stream error for who acknowledges what was never sent (§6).
pub fn too_high(out: &mut Vec<u8>, wrong: TooHigh) {
    let mut to = Writer::new(out);
    to.start("stream:error");
    to.start(StreamCondition::UndefinedCondition.name());
    to.attribute("xmlns", STREAM_ERRORS);
    to.end();
    to.start("handled-count-too-high");
    to.attribute("xmlns", MANAGEMENT);
    to.attribute("h", &wrong.handled.to_string());
    to.attribute("send-count", &wrong.sent.to_string());
    to.end();
    to.start("text");
    to.attribute("xmlns", STREAM_ERRORS);
    to.attribute("xml:lang", "en");
    to.text(&format!(
        "You acknowledged {} stanzas, but only {} were sent",
        wrong.handled, wrong.sent
    ));
    to.end();
    to.end();
}

fn begin<'a>(out: &'a mut Vec<u8>, name: &str) -> Writer<'a> {
    let mut to = Writer::new(out);
    to.start(name);
    to.attribute("xmlns", MANAGEMENT);
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(print: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        print(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn words() {
        assert_eq!(
            said(|out| enabled(out, None)),
            "<enabled xmlns='urn:xmpp:sm:3'/>"
        );
        assert_eq!(
            said(|out| enabled(out, Some(("x&y", Duration::from_secs(600))))),
            "<enabled xmlns='urn:xmpp:sm:3' id='x&amp;y' resume='true' max='600'/>"
        );
        assert_eq!(
            said(|out| failed(out, Condition::ItemNotFound, Some(3))),
            "<failed xmlns='urn:xmpp:sm:3' h='3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
        );
        assert_eq!(
            said(|out| resumed(out, "i", 5)),
            "<resumed xmlns='urn:xmpp:sm:3' previd='i' h='5'/>"
        );
        assert_eq!(said(ask), "<r xmlns='urn:xmpp:sm:3'/>");
        assert_eq!(
            said(|out| acknowledge(out, 9)),
            "<a xmlns='urn:xmpp:sm:3' h='9'/>"
        );
        let wrong = TooHigh {
            handled: 10,
            sent: 8,
        };
        let error = said(|out| too_high(out, wrong));
        assert!(
            error.contains("<handled-count-too-high xmlns='urn:xmpp:sm:3' h='10' send-count='8'/>")
        );
    }
}
