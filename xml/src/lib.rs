//! Strict, limited reading of XML streams into verbatim slices, and the writer.
//!
//! A stanza is read once: its bounds are found while it arrives, then one pass checks it (well-formedness, namespaces, RFC 6120 §11.1) and
//! notes where its parts are. The octets stay as the peer wrote them and are passed on as they are; a tree is built only for who asks, after
//! the depth was checked.
//!
//! | module | is |
//! |---|---|
//! | [`stream`] | [`StreamReader`]: a stream in pieces of any size to its header and first-level elements |
//! | [`element`] | [`Element`]: one first-level element, verbatim, with its parts |
//! | [`child`] | the children of an element |
//! | `framed` | elements that come each by itself, not in a stream |
//! | [`document`] | whole documents (PIDF and the like) to trees |
//! | [`wrapper`] | [`Wrapper`]: an element that only carries others, each of them made to stand by itself |
//! | [`writer`] | [`Writer`] and escaping |
//! | [`error`] | what is wrong with the peer's octets |
//! | `frame` | where an element ends |
//! | `token` | the strict tokenizer of complete elements |
//! | `scope` | namespace declarations in force |
//! | `chars` | which characters may stand where |

mod chars;
pub mod child;
pub mod document;
pub mod element;
pub mod error;
mod frame;
mod framed;
mod scope;
pub mod stream;
mod token;
mod tree;
pub mod wrapper;
pub mod writer;

pub use child::{Child, Children};
pub use document::{DocumentLimits, parse_document};
pub use element::Element;
pub use error::{Condition, ReadError, Which};
pub use framed::first_element;
pub use stream::{Limits, StreamOpen, StreamReader, Token};
pub use wrapper::{Wrapped, Wrapper};
pub use writer::{Writer, escape};
