//! WebSocket without sockets (RFC 6455), on the side of the server: frames out of octets and back.
//!
//! | module | is |
//! |---|---|
//! | `frame` | how a frame begins, and why a connection closes |
//! | `reader` | octets of a client to messages |

mod frame;
mod reader;

pub(crate) use frame::{Opcode, Status, close, header};
pub(crate) use reader::{Message, Reader, Violation};
