//! From nothing to a bound session.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::client::Client;
use super::scram::{self, Keys, Mechanism};
use super::tls::{self, Tls};
use crate::failure::{Doing, Failure, Result, peer};

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
    tls: Option<Tls>,
    connector: RefCell<Option<TlsConnector>>,
    keys: RefCell<HashMap<(Mechanism, String), Keys>>,
}

impl Site {
    /// A server on this machine.
    pub(crate) fn new(
        address: SocketAddr,
        domain: &str,
        prefix: &str,
        password: &str,
        tls: Option<Tls>,
    ) -> Rc<Self> {
        Rc::new(Self {
            address,
            domain: domain.to_owned(),
            prefix: prefix.to_owned(),
            password: password.to_owned(),
            tls,
            connector: RefCell::default(),
            keys: RefCell::default(),
        })
    }

    /// The name of account number `index`.
    pub(crate) fn user(&self, index: usize) -> String {
        format!("{}{index}", self.prefix)
    }

    /// A handshake on a socket.
    async fn secure(&self, stream: TcpStream) -> Result<Client> {
        stream.set_nodelay(true).doing("TCP_NODELAY")?;
        let known = self.connector.borrow().clone();
        let connector = match known {
            Some(connector) => connector,
            None => tls::connector(self.tls.unwrap_or(Tls::Direct))?,
        };
        *self.connector.borrow_mut() = Some(connector.clone());
        let secured = connector.connect(tls::name(&self.domain)?, stream).await;
        Ok(Client::secured(secured.doing("the handshake of TLS")?))
    }

    fn header(&self) -> String {
        format!(
            "<?xml version='1.0'?><stream:stream to='{}' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
            self.domain
        )
    }
}

/// Connects, from a given address of this machine where one is named, and reads the features.
async fn connect(site: &Site, from: Option<IpAddr>) -> Result<Client> {
    let socket = TcpSocket::new_v4().doing("making a socket")?;
    if let Some(from) = from {
        socket
            .bind(SocketAddr::new(from, 0))
            .doing("binding a socket")?;
    }
    let stream = socket.connect(site.address).await;
    let stream = stream.doing("connecting to the server")?;
    let mut client = match site.tls {
        None => Client::new(stream)?,
        Some(Tls::Direct) => site.secure(stream).await?,
        Some(Tls::Starttls) => starttls(site, stream).await?,
    };
    client.send(&site.header()).await?;
    client.expect("<stream:features").await?;
    Ok(client)
}

/// Asks for TLS on a plaintext stream (RFC 6120 §5.4).
async fn starttls(site: &Site, stream: TcpStream) -> Result<Client> {
    let mut client = Client::new(stream)?;
    client.send(&site.header()).await?;
    client.expect("<stream:features").await?;
    client
        .send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        .await?;
    client.expect("<proceed").await?;
    site.secure(client.into_socket()?).await
}

/// Logs an account in and binds `resource`.
pub(crate) async fn login(
    site: Rc<Site>,
    index: usize,
    resource: &str,
    mechanism: Mechanism,
) -> Result<Client> {
    let mut client = connect(&site, None).await?;
    let user = site.user(index);
    if mechanism == Mechanism::Plain {
        send_plain(&mut client, &user, &site.password).await?;
        client.expect("<success").await?;
    } else {
        scram_login(&mut client, &site, &user, mechanism).await?;
    }
    client.send(&site.header()).await?;
    client.expect("<stream:features").await?;
    let bind = format!(
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"
    );
    client.send(&bind).await?;
    let bound = client.expect("<iq").await?;
    between(&bound, "<jid>", "</jid>")
        .ok_or_else(|| peer("no address was bound", &bound))?
        .clone_into(&mut client.jid);
    Ok(client)
}

/// Tries a password by PLAIN from an address; whether it was right.
pub(crate) async fn try_password(
    site: &Site,
    index: usize,
    password: &str,
    from: IpAddr,
) -> Result<bool> {
    let mut client = connect(site, Some(from)).await?;
    send_plain(&mut client, &site.user(index), password).await?;
    let answer = client.reader.next().await?;
    Ok(answer.starts_with(b"<success"))
}

async fn send_plain(client: &mut Client, user: &str, password: &str) -> Result<()> {
    let text = STANDARD.encode(format!("\0{user}\0{password}"));
    let auth = auth(Mechanism::Plain, &text);
    client.send(&auth).await
}

fn auth(mechanism: Mechanism, text: &str) -> String {
    format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{}'>{text}</auth>",
        mechanism.name()
    )
}

async fn scram_login(
    client: &mut Client,
    site: &Site,
    user: &str,
    mechanism: Mechanism,
) -> Result<()> {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let first_bare = format!("n={user},r={nonce}");
    let first = STANDARD.encode(format!("n,,{first_bare}"));
    client.send(&auth(mechanism, &first)).await?;
    let challenge = decoded(&client.expect("<challenge").await?)?;
    let name = (mechanism, user.to_owned());
    let mut keys = site.keys.borrow_mut().remove(&name);
    let last = scram::answer(
        mechanism,
        &site.password,
        &first_bare,
        &challenge,
        &mut keys,
    )?;
    if let Some(keys) = keys {
        site.keys.borrow_mut().insert(name, keys);
    }
    let response = format!(
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</response>",
        STANDARD.encode(&last.message)
    );
    client.send(&response).await?;
    let proof = decoded(&client.expect("<success").await?)?;
    if proof == last.proof {
        Ok(())
    } else {
        Err(Failure::Peer("the server's signature is wrong".to_owned()))
    }
}

/// The base64 content of an element as text.
fn decoded(element: &[u8]) -> Result<String> {
    between(element, ">", "</")
        .and_then(|content| STANDARD.decode(content).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| peer("not base64", element))
}

/// What stands between two strings.
fn between<'a>(bytes: &'a [u8], start: &str, end: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}
