//! XML streams (RFC 6120 §4): what both sides say before and around stanzas.

mod condition;
pub mod framing;
mod header;
pub(crate) mod language;
pub mod namespaces;
pub(crate) mod print;
mod version;

pub use condition::StreamCondition;
pub(crate) use header::Header;
pub use print::{end, error};
pub(crate) use version::Version;
