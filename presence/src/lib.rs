//! The rules of presence, pure: no sockets, clocks, storage or XML.
//!
//! | module | is |
//! |---|---|
//! | [`address`] | who: bare and full addresses, prepared by RFC 7622 |
//! | [`archive`] | archives of messages, XEP-0313 |
//! | [`time`] | when: the monotonic clock of timers and the UTC of what is stored |
//! | [`document`] | what a device says about its person |
//! | [`publication`] | one source's document at one presentity, and the view made of all of them |
//! | [`roster`] | contact lists, RFC 6121 §2 |
//! | [`subscription`] | the state tables of RFC 6121 appendix A |
//! | [`blocking`] | whom an account does not hear, XEP-0191, and reports on them, XEP-0377 |
//! | [`decision`] | who may see whom, and why |
//! | [`delivery`] | where a message or IQ goes, RFC 6121 §8.5 |
//! | [`card`] | what an account says about its person, and keeps for its programs |
//! | [`directory`] | whom somebody looks for |
//! | [`message`] | a message between accounts, whatever the protocol |
//! | [`binding`] | a phone's registration, RFC 3261 §10 |
//! | [`watch`] | somebody to be told now |
//! | [`refusal`] | a rule said no |
//! | [`sip_address`] | addresses across protocols, RFC 7247 §6 |
//! | [`mapping`] | presence across protocols, RFC 8048 |
//! | [`errors`] | stanza errors and SIP statuses, RFC 7247 §7 |

pub mod address;
pub mod archive;
pub mod binding;
pub mod blocking;
pub mod card;
pub mod decision;
pub mod delivery;
pub mod directory;
pub mod document;
pub mod errors;
pub mod mapping;
pub mod message;
pub mod publication;
pub mod refusal;
pub mod roster;
pub mod sip_address;
pub mod subscription;
pub mod time;
pub mod watch;

pub use address::{Address, AddressError, Bare, Resource};
pub use archive::{
    ArchiveDefault, ArchiveId, ArchivePage, ArchivePreferences, ArchiveQuery, Archived,
    ArchivedForm,
};
pub use binding::Binding;
pub use blocking::{BlockList, Report, ReportReason, StanzaId};
pub use card::{Card, Facts, Kept};
pub use decision::{Decision, Grant, GrantOrigin, Reason};
pub use document::{Activity, Basic, Document, Note, Priority, Show};
pub use message::{Handling, Message, MessageKind, MessageNative};
pub use publication::{EntityTag, Native, Publication, Source, View};
pub use refusal::Refusal;
pub use roster::{Ask, Item, Items, Label, Roster, SubscriptionState};
pub use time::{Timestamp, Utc};
pub use watch::{WatchId, WatchRecord};
