//! What addresses of components want, done on the model.

use std::sync::Arc;

use model::Model;
use model::commit::Reply;
use presence::{Address, Refusal};
use xmpp::action::{Action, IqContext};
use xmpp::{answer, component};

use super::{commands, person};
use crate::wiring::xmpp::presented;

/// Does what `from` wants. `send` is given what is to be written to its component, as a client would be sent it; perhaps never, and perhaps
/// after the disk was waited for.
pub fn act(
    model: &Arc<Model>,
    from: &Address,
    action: Action,
    send: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    match action {
        Action::Message { message, handling } => {
            model.message(message, handling, move |message, result| {
                if let Err(refusal) = result {
                    send(printed(|out| {
                        answer::message_refused(out, message, &refusal)
                    }));
                }
            });
        }
        Action::Iq {
            to,
            kind,
            stanza,
            iq,
        } => {
            if let Err(refusal) = model.iq(&iq.from, &to, kind, &stanza) {
                send(refused(&iq, &refusal));
            }
        }
        Action::Directed {
            to,
            presented: shows,
            available,
        } => model.presence_from_outside(from, &to, presented(shows), available),
        Action::Probe { contact } => model.probe_from_outside(from, &contact),
        Action::Subscription {
            kind,
            contact,
            content,
            id,
        } => {
            let (own, to) = (from.clone(), Address::from(contact.clone()));
            let print = move |result: Result<(), Refusal>| {
                if let Err(refusal) = result {
                    send(printed(|out| {
                        answer::presence_refused(out, &own, Some(&to), id.as_deref(), &refusal);
                    }));
                }
            };
            let reply = Reply::new(print);
            model.subscription_from_outside(&from.bare, kind, &contact, content, &reply);
        }
        request => ask(model, from, request, send),
    }
}

fn ask(
    model: &Arc<Model>,
    from: &Address,
    request: Action,
    send: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    match request {
        Action::Person(wanted) if matches!(*wanted, xmpp::person::Person::Card { .. }) => {
            person::act(model, &from.bare, *wanted, send);
        }
        Action::Person(wanted) => send(not_for_components(wanted.iq())),
        Action::Command(request) => send(not_for_components(&request.iq)),
        Action::Pubsub { iq, .. } => send(not_for_components(&iq)),
        Action::Discover(asked) => {
            let none = commands::none();
            send(printed(|out| {
                commands::discover(model, &none, &from.bare, &asked, &[], out);
            }));
        }
        Action::LastActivity { iq, account } => {
            send(match model.last_activity(&iq.from, &account) {
                Ok((ago, status)) => printed(|out| {
                    answer::last_activity(out, &iq, ago.as_secs(), status.as_deref());
                }),
                Err(refusal) => refused(&iq, &refusal),
            });
        }
        // What only accounts here can want is asked of the own account, which no address of a component has.
        other => tracing::debug!(%from, ?other, "a component wants what only accounts can"),
    }
}

fn printed(print: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    print(&mut out);
    out
}

fn refused(iq: &IqContext, refusal: &Refusal) -> Vec<u8> {
    printed(|out| answer::refused(out, iq, refusal))
}

fn not_for_components(iq: &IqContext) -> Vec<u8> {
    printed(|out| component::not_for_components(out, iq))
}
