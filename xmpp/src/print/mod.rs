//! What the model tells, printed for an XMPP session. Everything appends to a byte buffer and can be called from any thread.

mod blocking;
mod broadcast;
mod error;
mod iq;
mod message;
mod roster;
mod start_tag;
#[cfg(test)]
mod tests;

pub(crate) use blocking::{BLOCKING, item as block_item};
pub use blocking::{BlockPush, block_push};
pub use broadcast::{PresenceParts, Shown, probe, subscription};
pub use error::{Condition, ErrorType, StanzaError, StanzaKind};
pub(crate) use error::{ErrorStanza, error, error_with};
pub use iq::ping;
pub(crate) use iq::{info_request, result};
pub(crate) use message::{DELAY, FORWARD, forwarded_message, forwarded_stanza};
pub use message::{Delayed, announcement, carbon, message};
pub use roster::{Push, roster_push};
pub(crate) use roster::{ROSTER, item};
pub(crate) use start_tag::declares_namespaces;
