//! Presence documents to and from the types of the presence crate.
//!
//! | module | is |
//! |---|---|
//! | [`pidf`] | PIDF with data model, RPID and the XMPP show: read, normalise, compose |
//! | [`stanza`] | the content of an XMPP presence for somebody who has no XMPP session |
//! | [`error`] | why bytes are not such a document |

mod characters;
pub mod error;
mod namespace;
mod out;
mod parse;
pub mod pidf;
mod qvalue;
mod rpid;
pub mod stanza;
mod tree;

pub use error::DocumentError;
pub use pidf::Published;
