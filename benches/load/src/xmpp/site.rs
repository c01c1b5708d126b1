//! A server: where it is, how its accounts are called, how it is reached.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::scram::{Keys, Mechanism};
use super::socket::Socket;
use super::tls::{self, Tls};
use super::way::Way;
use crate::failure::{Doing, Result};

/// A server and how its accounts are called.
pub(crate) struct Site {
    /// Where it takes clients.
    pub(crate) address: SocketAddr,
    /// The domain of the accounts.
    pub(crate) domain: String,
    /// What the accounts' names start with; a number follows.
    pub(crate) prefix: String,
    /// The password of them all.
    pub(crate) password: String,
    /// How stanzas travel.
    pub(crate) way: Way,
    /// Where on its HTTP listener, for ways that go there.
    pub(crate) path: String,
    /// Whether and how TLS is spoken.
    pub(crate) tls: Option<Tls>,
    connector: RefCell<Option<TlsConnector>>,
    keys: RefCell<HashMap<(Mechanism, String), Keys>>,
}

impl Site {
    /// A server that takes streams over TCP in the clear.
    pub(crate) fn new(address: SocketAddr, domain: &str, prefix: &str, password: &str) -> Self {
        Self {
            address,
            domain: domain.to_owned(),
            prefix: prefix.to_owned(),
            password: password.to_owned(),
            way: Way::Tcp,
            path: String::new(),
            tls: None,
            connector: RefCell::default(),
            keys: RefCell::default(),
        }
    }

    /// The same over TLS, where named.
    pub(crate) fn with_tls(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// The same on another way, at this path or the usual one.
    pub(crate) fn with_way(mut self, way: Way, path: Option<&str>) -> Self {
        self.way = way;
        path.unwrap_or(way.path()).clone_into(&mut self.path);
        self
    }

    /// The name of account number `index`.
    pub(crate) fn user(&self, index: usize) -> String {
        format!("{}{index}", self.prefix)
    }

    /// Takes out what the password of this account gave, where it is known.
    pub(crate) fn take_keys(&self, name: &(Mechanism, String)) -> Option<Keys> {
        self.keys.borrow_mut().remove(name)
    }

    /// Remembers what the password of this account gave.
    pub(crate) fn keep_keys(&self, name: (Mechanism, String), keys: Keys) {
        self.keys.borrow_mut().insert(name, keys);
    }

    /// Connects, from a given address of this machine where one is named; nothing is said yet, not even of TLS.
    pub(crate) async fn connect(&self, from: Option<IpAddr>) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4().doing("making a socket")?;
        if let Some(from) = from {
            socket
                .bind(SocketAddr::new(from, 0))
                .doing("binding a socket")?;
        }
        let stream = socket.connect(self.address).await;
        let stream = stream.doing("connecting to the server")?;
        stream.set_nodelay(true).doing("TCP_NODELAY")?;
        Ok(stream)
    }

    /// Connects, over TLS where that is spoken from the first byte.
    pub(crate) async fn dial(&self, from: Option<IpAddr>) -> Result<Socket> {
        let stream = self.connect(from).await?;
        match self.tls {
            Some(Tls::Direct) => self.secure(stream).await,
            Some(Tls::Starttls) | None => Ok(Socket::Plain(stream)),
        }
    }

    /// A handshake on a connection.
    pub(crate) async fn secure(&self, stream: TcpStream) -> Result<Socket> {
        let known = self.connector.borrow().clone();
        let connector = match known {
            Some(connector) => connector,
            None => tls::connector(self.tls.unwrap_or(Tls::Direct), self.way.alpn())?,
        };
        *self.connector.borrow_mut() = Some(connector.clone());
        let secured = connector.connect(tls::name(&self.domain)?, stream).await;
        let secured = secured.doing("the handshake of TLS")?;
        Ok(Socket::Tls(Box::new(secured)))
    }

    /// The site as scenarios share it.
    pub(crate) fn shared(self) -> Rc<Self> {
        Rc::new(self)
    }
}
