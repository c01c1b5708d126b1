//! Sources that have not shown that they are there. Without authentication anybody may subscribe somebody else's address: no
//! source gets more than one unanswered NOTIFY until it answers.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use presence::WatchId;

/// More sources than this are not kept: the oldest is forgotten.
const MOST: usize = 65_536;

#[derive(Default)]
struct Source {
    proven: bool,
    outstanding: Option<WatchId>,
    waiting: VecDeque<WatchId>,
}

/// What is known of sources; nothing where all are authenticated.
pub(crate) struct Sources {
    everybody_is_known: bool,
    all: HashMap<SocketAddr, Source>,
    order: VecDeque<SocketAddr>,
}

impl Sources {
    pub(crate) fn new(require_auth: bool) -> Self {
        Self {
            everybody_is_known: require_auth,
            all: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Whether a NOTIFY may be sent there now. If not, the subscription is remembered and comes out of [`Sources::answered`] or
    /// [`Sources::failed`] of another.
    pub(crate) fn may_send(&mut self, to: SocketAddr, id: WatchId) -> bool {
        if self.everybody_is_known {
            return true;
        }
        if !self.all.contains_key(&to) {
            if self.order.len() >= MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.all.remove(&oldest);
            }
            self.order.push_back(to);
        }
        let source = self.all.entry(to).or_default();
        if source.proven {
            return true;
        }
        if source.outstanding.is_none_or(|other| other == id) {
            source.outstanding = Some(id);
            return true;
        }
        if !source.waiting.contains(&id) {
            source.waiting.push_back(id);
        }
        false
    }

    /// The source answered: it is there. Those that waited for that may go on.
    pub(crate) fn answered(&mut self, from: SocketAddr) -> Vec<WatchId> {
        match self.all.get_mut(&from) {
            Some(source) => {
                source.proven = true;
                source.outstanding = None;
                source.waiting.drain(..).collect()
            }
            None => Vec::new(),
        }
    }

    /// Nothing came from there for this subscription: the next one may try.
    pub(crate) fn failed(&mut self, to: SocketAddr, id: WatchId) -> Option<WatchId> {
        let source = self.all.get_mut(&to)?;
        source.waiting.retain(|other| *other != id);
        if source.outstanding != Some(id) {
            return None;
        }
        source.outstanding = None;
        source.waiting.pop_front()
    }

    /// The next one that waits there.
    pub(crate) fn next(&mut self, to: SocketAddr) -> Option<WatchId> {
        self.all.get_mut(&to)?.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_until_it_answers() {
        let to = SocketAddr::from(([192, 0, 2, 1], 5060));
        let ids = [WatchId(1), WatchId(2), WatchId(3)];
        let mut sources = Sources::new(false);
        assert!(sources.may_send(to, ids[0]));
        assert!(!sources.may_send(to, ids[1]));
        assert!(!sources.may_send(to, ids[2]));
        assert_eq!(sources.failed(to, ids[0]), Some(ids[1]));
        assert!(sources.may_send(to, ids[1]));
        assert_eq!(sources.answered(to), [ids[2]]);
        assert!(sources.may_send(to, ids[2]));
        assert!(sources.may_send(to, ids[0]));
        assert!(Sources::new(true).may_send(to, ids[0]));
    }
}
