//! XML streams (RFC 6120 §4): what both sides say before and around stanzas.

mod condition;
pub mod namespaces;

pub use condition::StreamCondition;
