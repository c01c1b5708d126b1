//! Answers about the nodes of accounts (XEP-0060, XEP-0163).

use services::pubsub::{Answer, Error};
use xml::Writer;

use crate::action::IqContext;
use crate::client::{self, Service};
use crate::print;

/// Answers a request.
pub fn answer(out: &mut Vec<u8>, iq: &IqContext, answer: &Answer, service: &Service) {
    match answer {
        Answer::Account => client::account_info(out, iq, service),
        other => print::result(out, iq, |to| other.write(to)),
    }
}

/// Answers a request that was refused.
pub fn refused(out: &mut Vec<u8>, iq: &IqContext, error: Error) {
    let mut to = Writer::new(out);
    to.start("iq").attribute("type", "error");
    to.attribute("id", &iq.id);
    if let Some(from) = &iq.to {
        to.attribute("from", &from.to_string());
    }
    to.attribute("to", &iq.from.to_string());
    error.write(&mut to);
    to.end();
}
