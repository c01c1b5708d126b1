//! Answers about cards and private storage.

use bytes::Bytes;
use presence::card::Label;

use crate::action::IqContext;
use crate::person::VCARD;
use crate::print::{self, Condition};

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
