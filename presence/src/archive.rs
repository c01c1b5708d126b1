//! Archives of messages (XEP-0313): the numbers of messages, what may be asked for, what an account wants kept.

use std::fmt;

use bytes::Bytes;

use crate::address::{Address, Bare};
use crate::message::Message;
use crate::time::Utc;

/// Numbers within one millisecond.
const BITS: u32 = 20;

/// The number of a message in an archive. A later message has a higher one, in every archive of this server, and the moment is in it: the
/// milliseconds since 1970, and below them a count. Outside it is 16 digits that mean nothing to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ArchiveId(pub u64);

impl ArchiveId {
    /// The lowest number of a moment.
    pub fn first_at(moment: Utc) -> Self {
        let millis = u64::try_from(moment.0).unwrap_or(0);
        Self(millis.min(u64::MAX >> (BITS + 1)) << BITS)
    }

    /// When the message was taken.
    pub fn moment(self) -> Utc {
        Utc(i64::try_from(self.0 >> BITS).unwrap_or(i64::MAX))
    }

    /// Reads what is printed, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 16 || !text.bytes().all(digits) {
            return None;
        }
        u64::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What is asked of an archive (XEP-0313 §4.1), and which page of it (XEP-0059).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArchiveQuery {
    /// Only messages from or to this address; all of its resources when it is bare. The account itself: only what it sent to itself.
    pub with: Option<Address>,
    /// Only messages taken then or later.
    pub start: Option<Utc>,
    /// Only messages taken then or before.
    pub end: Option<Utc>,
    /// Only messages after this one.
    pub after_id: Option<ArchiveId>,
    /// Only messages before this one.
    pub before_id: Option<ArchiveId>,
    /// Only these.
    pub ids: Option<Vec<ArchiveId>>,
    /// So many at most; none: only how many there are.
    pub max: Option<usize>,
    /// The page that follows this message.
    pub after: Option<ArchiveId>,
    /// The page that ends before this message, or at the end.
    pub before: Option<Option<ArchiveId>>,
}

/// A message as it was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchivedForm {
    /// The complete `<message/>`, as in [`MessageNative::Xmpp`](crate::MessageNative::Xmpp).
    Stanza(Bytes),
    /// One of another protocol.
    Other(Box<Message>),
}

/// A message of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its number.
    pub id: ArchiveId,
    /// What it says.
    pub form: ArchivedForm,
}

/// A page of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArchivePage {
    /// In the order of time.
    pub messages: Vec<Archived>,
    /// Nothing that was asked for lies beyond it, in the direction of paging.
    pub complete: bool,
    /// How many there are in all, where that was asked for or is known.
    pub count: Option<u64>,
}

/// What is archived of those who are on neither list (XEP-0441).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArchiveDefault {
    /// All.
    #[default]
    Always,
    /// Nothing.
    Never,
    /// What is exchanged with contacts of the roster.
    Roster,
}

/// What an account wants archived (XEP-0441).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArchivePreferences {
    /// Of all others.
    pub default: ArchiveDefault,
    /// Of them everything.
    pub always: Vec<Address>,
    /// Of them nothing.
    pub never: Vec<Address>,
}

impl ArchivePreferences {
    /// Is a message from or to `peer` archived? What names the resource counts before what names the account, and `never` before
    /// `always`.
    pub fn keeps(&self, peer: &Address, in_roster: impl FnOnce(&Bare) -> bool) -> bool {
        let whole = |a: &Address| a == peer;
        let account = |a: &Address| a.is_bare() && a.bare == peer.bare;
        if self.never.iter().any(whole) {
            false
        } else if self.always.iter().any(whole) {
            true
        } else if self.never.iter().any(account) {
            false
        } else if self.always.iter().any(account) {
            true
        } else {
            match self.default {
                ArchiveDefault::Always => true,
                ArchiveDefault::Never => false,
                ArchiveDefault::Roster => in_roster(&peer.bare),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_printed_and_know_their_moment() {
        let id = ArchiveId(ArchiveId::first_at(Utc(1_700_000_000_123)).0 + 7);
        assert_eq!(id.moment(), Utc(1_700_000_000_123));
        assert_eq!(ArchiveId::parse(&id.to_string()), Some(id));
        assert!(ArchiveId::first_at(Utc(1_700_000_000_124)) > id);
        assert_eq!(ArchiveId::first_at(Utc(-5)), ArchiveId(0));
        assert!(i64::try_from(ArchiveId::first_at(Utc(i64::MAX)).0).is_ok());
        for text in [
            "",
            "7",
            "00000000000000G0",
            "+000000000000001",
            "000000000000000A",
        ] {
            assert_eq!(ArchiveId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn preferences_decide() {
        let address = |text: &str| Address::parse(text).unwrap();
        let mut wants = ArchivePreferences {
            default: ArchiveDefault::Roster,
            always: vec![address("ann@x.example"), address("bob@x.example/desk")],
            never: vec![address("bob@x.example"), address("ann@x.example/bot")],
        };
        let friend = Bare::parse("friend@x.example").unwrap();
        for (peer, kept) in [
            ("ann@x.example", true),
            ("ann@x.example/desk", true),
            ("ann@x.example/bot", false),
            ("bob@x.example", false),
            ("bob@x.example/lap", false),
            ("bob@x.example/desk", true),
            ("friend@x.example/desk", true),
            ("eve@x.example", false),
        ] {
            assert_eq!(
                wants.keeps(&address(peer), |a| *a == friend),
                kept,
                "{peer}"
            );
        }
        wants.default = ArchiveDefault::Never;
        assert!(!wants.keeps(&friend.clone().into(), |_| true));
        wants.default = ArchiveDefault::Always;
        assert!(wants.keeps(&friend.into(), |_| false));
    }
}
