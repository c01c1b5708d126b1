//! Answers about cards and private storage.

use bytes::Bytes;
use presence::card::Label;
use presence::directory::Entry;

use crate::action::IqContext;
use crate::form::{Field, FieldType, Form, Purpose, write_table};
use crate::person::VCARD;
use crate::print::{self, Condition};

/// The namespace of XEP-0055.
pub(crate) const SEARCH: &str = "jabber:iq:search";

const HOW: &str = "Fill in what you know of a person. What you leave empty does not matter.";

/// Answers with a card. Who has none has an empty one for himself. To others that is the same as if there were no such account, so that
/// nobody learns who exists (XEP-0054 §3.1, RFC 6121 §8.5.1).
pub fn card(out: &mut Vec<u8>, iq: &IqContext, own: bool, card: Option<&Bytes>) {
    match card {
        Some(card) => print::result(out, iq, |to| {
            to.raw(card);
        }),
        None if own => print::result(out, iq, |to| {
            to.start("vCard").attribute("xmlns", VCARD).end();
        }),
        None => super::iq_error(out, iq, &Condition::ItemNotFound.into()),
    }
}

/// Answers with what is kept under each name, an empty element where there is nothing (XEP-0049).
pub fn private(out: &mut Vec<u8>, iq: &IqContext, labels: &[Label], kept: &[Option<Bytes>]) {
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", "jabber:iq:private");
        for (label, kept) in labels.iter().zip(kept) {
            match kept {
                Some(xml) => to.raw(xml),
                None => to
                    .start(&label.name)
                    .attribute("xmlns", &label.namespace)
                    .end(),
            };
        }
        to.end();
    });
}

fn columns() -> [Field; 4] {
    let text = |var, label| Field::new(var, FieldType::TextSingle, label);
    [
        text("first", "Given Name"),
        text("last", "Family Name"),
        text("nick", "Nickname"),
        text("email", "Email Address"),
    ]
}

/// Answers with what can be searched by (XEP-0055 §2.1, §3).
pub(crate) fn search_fields(out: &mut Vec<u8>, iq: &IqContext) {
    let mut fields = vec![Field::new(
        "search",
        FieldType::TextSingle,
        "Name or address",
    )];
    fields.extend(columns());
    let form = Form {
        purpose: Purpose::Ask,
        kind: SEARCH,
        title: "Office directory",
        instructions: HOW,
        fields,
    };
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", SEARCH);
        to.start("instructions").text(HOW).end();
        for field in columns() {
            to.start(field.var).end();
        }
        form.write(to);
        to.end();
    });
}

/// Answers with the people found.
pub fn found(out: &mut Vec<u8>, iq: &IqContext, by_form: bool, found: &[Entry]) {
    print::result(out, iq, |to| {
        to.start("query").attribute("xmlns", SEARCH);
        if by_form {
            let text = |var, label| Field::new(var, FieldType::TextSingle, label);
            let jid = Field::new("jid", FieldType::JidSingle, "Address");
            let [first, last, nick, email] = columns();
            let columns = [jid, text("name", "Name"), first, last, nick, email];
            let rows = found.iter().map(|entry| {
                let facts = &entry.facts;
                vec![
                    entry.account.as_str(),
                    &facts.name,
                    &facts.first,
                    &facts.last,
                    &facts.nick,
                    &facts.email,
                ]
            });
            write_table(to, SEARCH, &columns, rows);
        } else {
            for entry in found {
                to.start("item").attribute("jid", entry.account.as_str());
                let facts = &entry.facts;
                for (name, fact) in [
                    ("first", &facts.first),
                    ("last", &facts.last),
                    ("nick", &facts.nick),
                    ("email", &facts.email),
                ] {
                    to.start(name).text(fact).end();
                }
                to.end();
            }
        }
        to.end();
    });
}
