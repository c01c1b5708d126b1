//! An XMPP client that costs next to nothing.

mod client;
mod frame;
mod login;
mod scram;
mod tls;

pub(crate) use client::{Client, Reader, Writer, attribute};
pub(crate) use login::{Site, login, try_password};
pub(crate) use scram::Mechanism;
pub(crate) use tls::Tls;
