//! What a NOTIFY carries, and its fingerprint.

use std::sync::Arc;

use bytes::Bytes;
use documents::pidf;
use presence::{Bare, Decision, View};

use crate::address::aor;
use crate::subscription::{End, Package, Phase, Subscription, Told};

/// The last document that was rendered: a change goes to many watchers one after the other, and they call the presentity by few
/// names.
#[derive(Default)]
pub(crate) struct Rendered {
    last: Option<Last>,
}

struct Last {
    presentity: Bare,
    version: u64,
    entity: Arc<str>,
    told: Told,
    document: Bytes,
}

impl Rendered {
    /// The document for a subscription, and what it amounts to. Where nothing may be seen there is none (RFC 8048 §5.3).
    pub(crate) fn of(&mut self, subscription: &Subscription) -> (Told, Option<Bytes>) {
        match (subscription.phase, subscription.decision) {
            (Phase::Ending(End::Rejected), _) | (_, Decision::Deny) => {
                (fingerprint(b"rejected"), None)
            }
            (_, Decision::Pending) => (pending(), None),
            (_, Decision::Allow) => {
                let (told, document) = match (subscription.package, &subscription.view) {
                    (Package::MessageSummary, _) => with_fingerprint(summary(subscription)),
                    (Package::Presence, None) => {
                        with_fingerprint(pidf::compose_closed(&subscription.entity).into())
                    }
                    (Package::Presence, Some(view)) => self.presence(view, &subscription.entity),
                };
                (told, Some(document))
            }
        }
    }

    fn presence(&mut self, view: &View, entity: &Arc<str>) -> (Told, Bytes) {
        if let Some(last) = &self.last
            && last.version == view.version
            && last.entity == *entity
            && last.presentity == view.presentity
        {
            return (last.told, last.document.clone());
        }
        let (told, document) = with_fingerprint(presence(view, entity));
        self.last = Some(Last {
            presentity: view.presentity.clone(),
            version: view.version,
            entity: Arc::clone(entity),
            told,
            document: document.clone(),
        });
        (told, document)
    }
}

fn with_fingerprint(document: Bytes) -> (Told, Bytes) {
    (fingerprint(&document), document)
}

/// The fingerprint of a subscription that waits for its owner's answer.
pub(crate) fn pending() -> Told {
    fingerprint(b"pending")
}

/// Rendered once a view for all who call the presentity by its own name. Clients look for the name that they used in `entity` and
/// `<contact/>`, so those who use another (an IP address) get their own.
fn presence(view: &View, entity: &str) -> Bytes {
    let compose = || Bytes::from(pidf::compose(view, entity));
    if entity == aor(&view.presentity) {
        return view.pidf.get_or_init(compose).clone();
    }
    compose()
}

/// RFC 3842 §3.5: there is no voice mail here, so nothing is ever waiting.
fn summary(subscription: &Subscription) -> Bytes {
    format!(
        "Messages-Waiting: no\r\nMessage-Account: {}\r\n",
        subscription.entity
    )
    .into()
}

/// FNV-1a, the same in every run and version. Who could make two documents of one fingerprint would hide a change of his own.
fn fingerprint(octets: &[u8]) -> Told {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
}
