//! Answers about archives of messages (XEP-0313, XEP-0441).

use presence::{
    Address, ArchiveDefault, ArchiveId, ArchivePage, ArchivePreferences, Archived, ArchivedForm,
};
use xml::Writer;

use crate::action::IqContext;
use crate::archive::Page;
use crate::form::DATA;
use crate::print::{self, DELAY, FORWARD};
use crate::stream::namespaces::{ARCHIVE, PAGES};

/// Answers with a page: its messages, then the end of them (XEP-0313 §4.2, §4.3). Each is a stanza of its own.
pub fn page(iq: &IqContext, asked: &Page, page: &ArchivePage) -> Vec<Vec<u8>> {
    let messages = page.messages.iter();
    let mut stanzas: Vec<_> = messages.map(|m| result(iq, asked, m)).collect();
    if asked.flip {
        stanzas.reverse();
    }
    let mut fin = Vec::new();
    print::result(&mut fin, iq, |to| {
        to.start("fin").attribute("xmlns", ARCHIVE);
        if page.complete {
            to.attribute("complete", "true");
        }
        to.start("set").attribute("xmlns", PAGES);
        if let (Some(first), Some(last)) = (page.messages.first(), page.messages.last()) {
            to.start("first").text(&first.id.to_string()).end();
            to.start("last").text(&last.id.to_string()).end();
        }
        if let Some(count) = page.count {
            to.start("count").text(&count.to_string()).end();
        }
        to.end();
        to.end();
    });
    stanzas.push(fin);
    stanzas
}

fn result(iq: &IqContext, asked: &Page, message: &Archived) -> Vec<u8> {
    let mut stanza = Vec::new();
    let mut w = Writer::new(&mut stanza);
    w.start("message");
    w.attribute("from", iq.from.bare.as_str());
    w.attribute("to", &iq.from.to_string());
    w.start("result").attribute("xmlns", ARCHIVE);
    if let Some(id) = &asked.id {
        w.attribute("queryid", id);
    }
    w.attribute("id", &message.id.to_string());
    w.start("forwarded").attribute("xmlns", FORWARD);
    w.start("delay").attribute("xmlns", DELAY);
    w.attribute("stamp", &message.id.moment().to_rfc3339());
    w.end();
    match &message.form {
        ArchivedForm::Stanza(stanza) => print::forwarded_stanza(&mut w, stanza, None),
        ArchivedForm::Other(message) => print::forwarded_message(&mut w, message, None),
    }
    w.end();
    w.end();
    w.end();
    stanza
}

/// Answers what a query may ask for (XEP-0313 §4.1.5).
pub(crate) fn fields(out: &mut Vec<u8>, iq: &IqContext) {
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", ARCHIVE);
        to.start("x").attribute("xmlns", DATA);
        to.attribute("type", "form");
        field(to, "FORM_TYPE", "hidden", |to| {
            to.start("value").text(ARCHIVE).end();
        });
        for (var, kind) in [
            ("with", "jid-single"),
            ("start", "text-single"),
            ("end", "text-single"),
            ("before-id", "text-single"),
            ("after-id", "text-single"),
            ("include-groupchat", "boolean"),
        ] {
            field(to, var, kind, |_| {});
        }
        // Which there are is not told (XEP-0122: the list is open).
        field(to, "ids", "list-multi", |to| {
            to.start("validate");
            to.attribute("xmlns", "http://jabber.org/protocol/xdata-validate");
            to.attribute("datatype", "xs:string");
            to.start("open").end();
            to.end();
        });
        to.end();
        to.end();
    });
}

fn field(to: &mut Writer<'_>, var: &str, kind: &str, more: impl FnOnce(&mut Writer<'_>)) {
    to.start("field").attribute("var", var);
    to.attribute("type", kind);
    more(to);
    to.end();
}

/// Answers with the first and the last message (XEP-0313 §5).
pub fn ends(out: &mut Vec<u8>, iq: &IqContext, ends: Option<(ArchiveId, ArchiveId)>) {
    print::result(out, iq, |to| metadata(to, ends));
}

/// The first and the last message of an archive.
pub(crate) fn metadata(to: &mut Writer<'_>, ends: Option<(ArchiveId, ArchiveId)>) {
    to.start("metadata").attribute("xmlns", ARCHIVE);
    if let Some((first, last)) = ends {
        for (name, id) in [("start", first), ("end", last)] {
            to.start(name).attribute("id", &id.to_string());
            to.attribute("timestamp", &id.moment().to_rfc3339());
            to.end();
        }
    }
    to.end();
}

/// Answers with what the account wants archived (XEP-0441).
pub fn preferences(out: &mut Vec<u8>, iq: &IqContext, wants: &ArchivePreferences) {
    print::result(out, iq, |to| {
        to.start("prefs").attribute("xmlns", ARCHIVE);
        to.attribute(
            "default",
            match wants.default {
                ArchiveDefault::Always => "always",
                ArchiveDefault::Never => "never",
                ArchiveDefault::Roster => "roster",
            },
        );
        list(to, "always", &wants.always);
        list(to, "never", &wants.never);
        to.end();
    });
}

fn list(to: &mut Writer<'_>, name: &str, addresses: &[Address]) {
    to.start(name);
    for address in addresses {
        to.start("jid").text(&address.to_string()).end();
    }
    to.end();
}
