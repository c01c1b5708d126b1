//! The sessions of BOSH, by their ids.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use bosh::{Body, Condition, Session, Ticket, Time};
use parking_lot::Mutex;
use rand::TryRngCore as _;
use rand::rngs::OsRng;

use super::carried::{Carried, Whose};
use super::reply::Reply;
use super::timers::Timers;
use crate::server::accept::Census;
use crate::server::http::Side;
use crate::server::http::context::Context;

/// What session ids of clients end with that know no version: they are told of unknown sessions by HTTP status.
const LEGACY: char = 'l';

/// The sessions of BOSH.
#[derive(Default)]
pub(crate) struct Registry {
    sessions: Mutex<HashMap<Box<str>, Arc<Carried>>>,
    census: Arc<Census>,
    pub(super) timers: Timers,
}

impl Registry {
    /// The session of this id, if it was begun on this side: who knows an id from the one may not use it on the other (XEP-0124 §18.1).
    pub(super) fn find(&self, sid: &str, side: Side, confidential: bool) -> Option<Arc<Carried>> {
        let sessions = self.sessions.lock();
        sessions
            .get(sid)
            .filter(|carried| carried.may_go_on(side, confidential))
            .cloned()
    }

    /// Begins a session, whose first request waits for its answer.
    pub(super) fn begin(
        self: &Arc<Self>,
        context: &Context,
        body: &Body,
        legacy: bool,
        reply: impl FnOnce() -> Reply,
    ) -> Result<(Arc<Carried>, Ticket), Condition> {
        let shared = context.shared();
        let limits = &shared.config.limits;
        let counting = self
            .census
            .admit(
                context.client,
                limits.connections,
                limits.connections_per_address,
            )
            .ok_or(Condition::PolicyViolation)?;
        let sid = new_id(legacy).ok_or(Condition::InternalServerError)?;
        let now = Time(shared.now().at.0);
        let ticket = Ticket(0);
        let session = Session::open(now, &super::bounds(limits), &sid, ticket, body)?;
        let whose = Whose {
            registry: Arc::downgrade(self),
            clock: shared.clock,
            stop: shared.stop.clone(),
            side: context.connected.side,
            confidential: context.confidential,
            peer: SocketAddr::new(context.client, context.connected.peer.port()),
            counting,
        };
        let carried = Arc::new(Carried::new(whose, session));
        self.sessions
            .lock()
            .insert(sid.into(), Arc::clone(&carried));
        carried.begin(ticket, body, reply());
        Ok((carried, ticket))
    }

    /// Forgets a session.
    pub(super) fn remove(&self, sid: &str) {
        let removed = self.sessions.lock().remove(sid);
        // Not while it is locked: the last of it may go with it.
        drop(removed);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.lock().len()
    }
}

/// The session of this id was begun by a client that knows no version.
pub(super) fn is_legacy(sid: &str) -> bool {
    sid.ends_with(LEGACY)
}

/// 192 bits of the system's random source (XEP-0124 §18.3).
fn new_id(legacy: bool) -> Option<String> {
    let mut octets = [0; 24];
    OsRng.try_fill_bytes(&mut octets).ok()?;
    let mut id = String::with_capacity(2 * octets.len() + 1);
    for octet in octets {
        let _ = write!(id, "{octet:02x}");
    }
    if legacy {
        id.push(LEGACY);
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn ids_differ_and_say_how_their_clients_are_told() {
        let (one, other) = (new_id(false).unwrap(), new_id(false).unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 48 && one.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(!is_legacy(&one) && is_legacy(&new_id(true).unwrap()));
    }
}
