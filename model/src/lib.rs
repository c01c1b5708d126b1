//! The one presence model at run time: who is connected, what is published, who watches whom, over the store.
//!
//! Every protocol is a face: it turns its wire into calls on [`Model`] and hands in a [`Route`] for each of its connections, onto
//! which the model puts [`Event`]s. The model knows no protocol, no socket and no clock.
//!
//! | module | is |
//! |---|---|
//! | [`clock`] | the two times and the randomness that every call is given |
//! | [`route`] | where events go, and the events |
//! | [`shards`] | where accounts are kept: locks, loading, eviction |
//! | [`entity`] | one account in memory |
//! | [`commit`] | durable changes and what follows from them |
//! | [`sessions`] | XMPP sessions: connect, presence, directed presence, disconnect |
//! | `interests` | of which nodes each session wants to be notified |
//! | [`contacts`] | roster get, set, remove |
//! | [`blocking`] | whom an account does not hear |
//! | [`groups`] | shared groups of the office |
//! | [`subscriptions`] | subscription stanzas |
//! | [`messages`] | messages and IQs on their way |
//! | `offline` | messages that wait |
//! | [`archive`] | archives of messages |
//! | [`pubsub`] | nodes of accounts |
//! | [`publish`] | publications by entity tag |
//! | [`status`] | a status set by hand |
//! | [`bindings`] | registrations of phones |
//! | [`watches`] | watches that outlive their connection |
//! | [`person`] | cards, and what accounts keep for their programs |
//! | [`announcements`] | what everybody is told, and who is there to hear it |
//! | [`accounts`] | accounts and aliases |
//! | `login_tokens` | what clients log in with instead of a password |
//! | `late` | what waits for room in the writer's queue and must not be lost |
//! | `watchers` | who is told of whom |
//! | `watching` | the list of those who are told |
//! | [`outside`] | other domains that programs speak for |
//! | `outbox` | what one account owes another |
//! | `reload` | memory brought back to what the disk says |
//! | [`timers`] | what ends by itself |
//! | [`restart`] | the state after a start, clean or not |
//! | [`query`] | what is known, for people and programs |
//!
//! # What makes it correct
//!
//! An account's lock is held while its events are appended to routes; a route's queue is a leaf lock. Two account locks are never
//! held at once and nothing waits for the disk under one, but for the reading in of an account that is not in memory. What one account
//! owes another goes through the outbox, written with the change that causes it, delivered after the commit.
//!
//! A command changes memory at once; its answer and what follows from it elsewhere wait for the commit. Who loses the right to see
//! an account is shut out with the command, under its lock, so that nothing said later reaches him. What one session is told of an
//! account stands in two places, its owner's roster and `watchers` at the account: whoever changes the first brings the second into
//! line and looks again (`watchers`). Completions are run in the order of commits, by one thread.

pub mod accounts;
pub mod announcements;
pub mod archive;
pub mod bindings;
pub mod blocking;
pub mod clock;
pub mod commit;
pub mod contacts;
pub mod entity;
pub mod groups;
mod interests;
mod late;
mod login_tokens;
pub mod messages;
mod offline;
mod outbox;
pub mod outside;
pub mod person;
pub mod publish;
pub mod pubsub;
pub mod query;
mod reload;
pub mod restart;
pub mod route;
pub mod sessions;
pub mod shards;
pub mod status;
pub mod subscriptions;
pub mod timers;
mod watchers;
pub mod watches;
mod watching;

pub use clock::{Now, Randomness};
pub use route::{
    Arrival, BlockChange, Delivery, Ended, Event, Notice, RosterChange, Route, SessionId,
};
pub use shards::{Model, Rules};
