//! Answers about the nodes of accounts (XEP-0060, XEP-0163).

use presence::Address;
use services::pubsub::{Answer, Error};
use xml::Writer;

use crate::action::IqContext;
use crate::client::{self, Service};
use crate::print;

/// Answers a request.
pub fn answer(out: &mut Vec<u8>, iq: &IqContext, answer: &Answer, service: &Service) {
    match answer {
        Answer::Account => client::account_info(out, iq, service),
        Answer::Unchanged { error, .. } => failed(out, iq, *error, |to| answer.write(to)),
        other => print::result(out, iq, |to| other.write(to)),
    }
}

/// Answers a request that was refused.
pub fn refused(out: &mut Vec<u8>, iq: &IqContext, error: Error) {
    failed(out, iq, error, |_| {});
}

/// Answers a message of the owner that was refused.
pub fn message_refused(out: &mut Vec<u8>, owner: &Address, id: Option<&str>, error: Error) {
    let mut to = Writer::new(out);
    to.start("message").attribute("type", "error");
    if let Some(id) = id {
        to.attribute("id", id);
    }
    to.attribute("from", owner.bare.as_str());
    to.attribute("to", &owner.to_string());
    error.write(&mut to);
    to.end();
}

fn failed(out: &mut Vec<u8>, iq: &IqContext, error: Error, content: impl FnOnce(&mut Writer<'_>)) {
    let mut to = Writer::new(out);
    to.start("iq").attribute("type", "error");
    to.attribute("id", &iq.id);
    if let Some(from) = &iq.to {
        to.attribute("from", &from.to_string());
    }
    to.attribute("to", &iq.from.to_string());
    content(&mut to);
    error.write(&mut to);
    to.end();
}
