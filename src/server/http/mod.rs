//! What is answered over HTTP.
//!
//! | module | is |
//! |---|---|
//! | `connection` | one connection: TLS, HTTP/1.1 and HTTP/2, how long it may be idle, its end |
//! | `context` | what a handler knows of a request beside the request |
//! | `trusted` | whose word on where a request comes from is believed |
//! | `routes` | which path is answered by whom, and how |
//! | `dispatch` | from a request to its answer: what is the same for every path |
//! | `answer` | answers, and pieces of answers |
//! | `quick` | the short way of BOSH, past hyper |
//! | `rewound` | a socket of which something was read already |
//! | `upgraded` | a connection that speaks something else from now on |
//! | `host` | the host that a request names |
//! | `body` | the body of a request, within limits |
//! | `compress` | gzip of answers |
//! | `cors` | which pages of other servers may call |
//! | `host_meta` | where browsers find BOSH and WebSocket |
//! | `files`, `file` | the web app of `[http] app` |
//! | `hashed` | names of files that never change |
//! | `board` | the page where there is no web app |
//! | `page` | what browsers are told about pages |
//! | `bosh` | BOSH: requests that are held, and the sessions that they belong to |
//! | `websocket` | the handshake of WebSocket |
//! | `own` | health, metrics, the authority |
//!
//! A handler is an `async fn answer(context: &Context, request: Request<Incoming>) -> Answer` in a file of its own, with a line in `routes`.

mod answer;
mod board;
mod body;
pub(crate) mod bosh;
mod compress;
mod connection;
mod context;
mod cors;
mod dispatch;
mod file;
mod files;
mod hashed;
mod host;
mod host_meta;
mod own;
mod page;
mod quick;
mod rewound;
mod routes;
mod trusted;
mod upgraded;
mod websocket;

pub(crate) use connection::serve;
pub(crate) use context::Side;
pub(crate) use files::{Kept, problems};
pub(crate) use host_meta::Ports;
