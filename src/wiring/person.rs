//! Cards and private storage.

use std::sync::Arc;

use model::Model;
use model::commit::Reply;
use presence::{Bare, Refusal};
use xmpp::action::IqContext;
use xmpp::answer;
use xmpp::person::Person;

/// Does what a session of `account` wants. `answer` is given the stanza that answers it, once, possibly after the disk was waited for.
pub fn act(
    model: &Arc<Model>,
    account: &Bare,
    wanted: Person,
    answer: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    match wanted {
        Person::Card { iq, of } => {
            let own = of == *account;
            let card = match model.vcard(&iq.from, &of) {
                Err(Refusal::NotFound) => Ok(None),
                other => other,
            };
            answer(printed(&iq, card, |out, card| {
                answer::person::card(out, &iq, own, card.as_ref());
            }));
        }
        Person::SetCard { iq, card } => model.set_vcard(account, card, &done(iq, answer)),
        Person::Private { iq, labels } => {
            let kept = model.private(account, &labels);
            answer(printed(&iq, kept, |out, kept| {
                answer::person::private(out, &iq, &labels, kept);
            }));
        }
        Person::Search {
            iq,
            domain,
            wanted,
            by_form,
        } => {
            let found = model.directory(&domain, &wanted);
            answer(printed(&iq, found, |out, found| {
                answer::person::found(out, &iq, by_form, found);
            }));
        }
        Person::SetPrivate { iq, kept } => model.set_private(account, kept, &done(iq, answer)),
    }
}

fn printed<T>(
    iq: &IqContext,
    result: Result<T, Refusal>,
    print: impl FnOnce(&mut Vec<u8>, &T),
) -> Vec<u8> {
    let mut out = Vec::new();
    match result {
        Ok(value) => print(&mut out, &value),
        Err(refusal) => answer::refused(&mut out, iq, &refusal),
    }
    out
}

fn done(iq: IqContext, answer: impl FnOnce(Vec<u8>) + Send + 'static) -> Reply<()> {
    Reply::new(move |result| answer(printed(&iq, result, |out, ()| answer::done(out, &iq))))
}
