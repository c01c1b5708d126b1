//! What a NOTIFY carries, and its fingerprint.

use bytes::Bytes;
use documents::pidf;
use presence::Decision;

use crate::address::aor;
use crate::subscription::{End, Package, Phase, Subscription, Told};

/// The document for a subscription, and what it amounts to. Where nothing may be seen there is none (RFC 8048 §5.3).
pub(crate) fn of(subscription: &Subscription) -> (Told, Option<Bytes>) {
    let shown = match (subscription.phase, subscription.decision) {
        (Phase::Ending(End::Rejected), _) | (_, Decision::Deny) => {
            return (fingerprint(b"rejected"), None);
        }
        (_, Decision::Pending) => return (pending(), None),
        (_, Decision::Allow) => match subscription.package {
            Package::Presence => presence(subscription),
            Package::MessageSummary => summary(subscription),
        },
    };
    (fingerprint(&shown), Some(shown))
}

/// The fingerprint of a subscription that waits for its owner's answer.
pub(crate) fn pending() -> Told {
    fingerprint(b"pending")
}

/// Rendered once a view for all who call the presentity by its own name. Clients look for the name that they used in `entity` and
/// `<contact/>`, so those who use another (an IP address) get their own.
fn presence(subscription: &Subscription) -> Bytes {
    let entity = &*subscription.entity;
    let Some(view) = &subscription.view else {
        return pidf::compose_closed(entity).into();
    };
    if entity == aor(&subscription.presentity) {
        return view
            .pidf
            .get_or_init(|| pidf::compose(view, entity).into())
            .clone();
    }
    pidf::compose(view, entity).into()
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
