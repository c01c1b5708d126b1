//! What becomes of stanzas that a client never acknowledged and whose stream is over (XEP-0198 §4).

use std::sync::Arc;

use model::Model;
use model::messages::Handling;
use presence::delivery::IqKind;
use presence::{Address, Bare, Message, Refusal};
use xmpp::answer;

use crate::server::link::{Kept, Link};

/// Ends a link for good. A message goes where it would go if the client were not there, before all that comes later: to the account's other
/// clients or into the store, and if nowhere, back. A request is answered in the client's place. Everything else meant that client alone.
pub(super) fn end(model: &Arc<Model>, account: &Bare, link: &Arc<Link>) {
    let mut asked = Vec::new();
    let close = || {
        link.close();
        let mut messages = Vec::new();
        for lost in link.take_lost() {
            match lost.kept {
                Some(kept) => messages.extend(elsewhere(kept)),
                None => asked.push(lost.octets),
            }
        }
        messages
    };
    let refused = {
        let model = Arc::clone(model);
        move |meant: &Address, message: &Message, result: Result<_, Refusal>| {
            if let Err(refusal) = result {
                refuse(&model, message, meant, &refusal);
            }
        }
    };
    model.give_elsewhere(account, close, refused);
    for stanza in asked {
        if let Some((from, to, error)) = answer::in_its_place(&stanza) {
            // When the asker is gone as well, nobody waits for it.
            let _ = model.iq(&from, &to, IqKind::Error, &error);
        }
    }
}

/// A message that nobody has, and how it is to be treated.
fn elsewhere(kept: Kept) -> Option<(Arc<Message>, Handling)> {
    if let Some(arrival) = kept.arrival {
        // Others who were given it have it, or do not know yet.
        Arc::into_inner(arrival).filter(model::Arrival::failed)?;
    }
    let handling = Handling {
        // Copies were made when it came, and it was archived.
        copyable: false,
        archivable: false,
        late: true,
        ..kept.handling
    };
    Some((kept.message, handling))
}

/// Called possibly under an account's lock: the error is left to another task.
fn refuse(model: &Arc<Model>, message: &Message, meant: &Address, refusal: &Refusal) {
    let message = Message {
        to: meant.clone(),
        ..message.clone()
    };
    let mut error = Vec::new();
    answer::message_refused(&mut error, &message, refusal);
    let model = Arc::clone(model);
    // Without a runtime the server has ended.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        crate::server::turn::turn(|| {
            let _ = model.iq(&message.to, &message.from, IqKind::Error, &error);
        });
    });
}
