//! An XMPP client that costs next to nothing.

mod answer;
mod bosh;
mod client;
mod frame;
mod login;
mod qualify;
mod scram;
mod site;
mod socket;
mod tls;
mod way;
mod websocket;

pub(crate) use client::{Client, Reader, Writer, attribute};
pub(crate) use login::{login, try_password};
pub(crate) use scram::Mechanism;
pub(crate) use site::Site;
pub(crate) use tls::Tls;
pub(crate) use way::Way;
