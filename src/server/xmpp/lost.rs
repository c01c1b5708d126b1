//! What becomes of stanzas that a client never acknowledged and whose stream is over (XEP-0198 §4).

use std::sync::Arc;

use model::Model;
use model::messages::Handling;
use presence::delivery::IqKind;
use presence::{Address, Message, Refusal};
use xmpp::answer;

use crate::server::link::{Kept, Lost};

/// A message goes where it would go if the client were not there: to the account's other clients or into the store, and if nowhere, back. A
/// request is answered in the client's place. Everything else meant that client alone.
pub(super) fn give_elsewhere(model: &Arc<Model>, lost: Lost) {
    match lost.kept {
        Some(mut kept) => match kept.arrival.take().map(Arc::into_inner) {
            // Others who were given it have it, or do not know yet.
            Some(None) => {}
            Some(Some(arrival)) if !arrival.failed() => {}
            _ => redirect(model, kept),
        },
        None => {
            if let Some((from, to, error)) = answer::in_its_place(&lost.octets) {
                // When the asker is gone as well, nobody waits for it.
                let _ = model.iq(&from, &to, IqKind::Error, &error);
            }
        }
    }
}

fn redirect(model: &Arc<Model>, kept: Kept) {
    let mut message = Arc::unwrap_or_clone(kept.message);
    let to_account = Address::from(message.to.bare.clone());
    let meant = std::mem::replace(&mut message.to, to_account);
    let handling = Handling {
        // Copies were made when it came, and it was archived.
        copyable: false,
        archivable: false,
        late: true,
        ..kept.handling
    };
    let again = Arc::clone(model);
    model.message(message, handling, move |message, result| {
        if let Err(refusal) = result {
            refuse(&again, message, meant, &refusal);
        }
    });
}

/// Called possibly under an account's lock: the error is left to another thread.
fn refuse(model: &Arc<Model>, message: &Message, meant: Address, refusal: &Refusal) {
    let message = Message {
        to: meant,
        ..message.clone()
    };
    let mut error = Vec::new();
    answer::message_refused(&mut error, &message, refusal);
    let model = Arc::clone(model);
    tokio::spawn(async move {
        crate::server::turn::turn(|| {
            let _ = model.iq(&message.to, &message.from, IqKind::Error, &error);
        });
    });
}
