//! XMPP without sockets: streams, SASL, sessions, stanza routing.
//!
//! | module | is |
//! |---|---|
//! | [`action`] | what a session wants done outside |
//! | [`sasl`] | who is it: SCRAM and PLAIN, from the offer to the verdict |
//! | [`stream`] | headers, features and errors of XML streams |
//! | [`time`] | both clocks at once |

pub mod action;
pub mod sasl;
pub mod stream;
pub mod time;

pub use action::{Action, AttemptOutcome, Reply};
pub use stream::StreamCondition;
pub use time::Now;
