//! The server: sockets, tasks, clocks, and the wiring of the machines to the model.
//!
//! | module | is |
//! |---|---|
//! | `start` | from a configuration to a running server, and its end |
//! | `configured` | what each part is told of the configuration |
//! | `listen` | listeners and what serves their connections |
//! | `status` | what it tells of itself |
//! | [`shared`] | what every connection needs |
//! | `bind`, `accept` | listeners |
//! | `link` | one connection: socket, TLS, WebSocket, queue |
//! | `websocket` | frames of WebSocket |
//! | `turn` | when queues are written out |
//! | `xmpp` | XMPP client connections |
//! | `sip` | the SIP face |
//! | `http`, `metrics` | what is answered over HTTP |
//! | [`admin`] | commands, with a running server and without |
//! | [`backup`] | copies of the data |
//! | `aliases` | one form for aliases |

mod accept;
pub mod admin;
pub(crate) mod aliases;
pub mod backup;
mod bind;
mod component;
mod configured;
mod http;
mod link;
mod listen;
mod metrics;
pub mod shared;
mod sip;
mod start;
mod status;
mod turn;
mod websocket;
mod xmpp;

pub(crate) use http::problems as web_problems;
pub use shared::Shared;
pub use start::{Offline, Server, StartError, offline};
