//! XMPP without sockets: streams, SASL, sessions, stanza routing.
//!
//! | module | is |
//! |---|---|
//! | [`action`] | what a session wants done outside |
//! | [`adhoc`] | commands by forms, and those of administrators |
//! | [`answer`] | answers to those actions, printed |
//! | [`archive`] | what a session wants of its archive |
//! | [`client`] | what a bound session sends, and what becomes of it |
//! | [`component`] | streams of external components |
//! | [`discovery`] | what the server has, as far as it depends on who asks |
//! | [`features`] | what is implemented, as a page for people |
//! | [`form`] | data forms |
//! | [`person`] | cards and private storage |
//! | [`management`] | stream management (XEP-0198) |
//! | [`print`] | what the model tells, printed for a session |
//! | [`sasl`] | who is it: SCRAM and PLAIN, from the offer to the verdict |
//! | [`session`] | a connection, from its first octet to the last |
//! | [`stream`] | headers, features and errors of XML streams |
//! | [`time`] | both clocks at once |

pub mod action;
pub mod adhoc;
pub mod answer;
pub mod archive;
pub mod client;
pub mod component;
pub mod discovery;
pub mod features;
pub mod form;
pub mod management;
pub mod person;
pub mod print;
pub mod sasl;
pub mod session;
pub mod stream;
pub mod time;

pub use action::{Action, AttemptOutcome, Reply};
pub use session::{Output, Session};
pub use stream::StreamCondition;
pub use time::Now;
