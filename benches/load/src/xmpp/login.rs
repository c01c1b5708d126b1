//! From nothing to a bound session.

use std::net::IpAddr;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client::Client;
use super::scram::{self, Mechanism};
use super::site::Site;
use super::socket::Socket;
use super::tls::Tls;
use super::way::Way;
use super::{bosh, websocket};
use crate::failure::{Failure, Result, peer};

/// Connects, from a given address of this machine where one is named, and reads the features.
async fn connect(site: &Rc<Site>, from: Option<IpAddr>) -> Result<Client> {
    let mut client = match (site.way, site.tls) {
        (Way::Bosh, _) => Client::bosh(bosh::Session::new(site)),
        (Way::Websocket, _) => {
            let mut socket = site.dial(from).await?;
            websocket::upgrade(&mut socket, site).await?;
            Client::new(socket, true)
        }
        (Way::Tcp, Some(Tls::Starttls)) => starttls(site, from).await?,
        (Way::Tcp, _) => Client::new(site.dial(from).await?, false),
    };
    client.open(&site.domain).await?;
    Ok(client)
}

/// Asks for TLS on a plaintext stream (RFC 6120 §5.4).
async fn starttls(site: &Site, from: Option<IpAddr>) -> Result<Client> {
    let stream = site.connect(from).await?;
    let mut client = Client::new(Socket::Plain(stream), false);
    client.open(&site.domain).await?;
    client
        .send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        .await?;
    client.expect("<proceed").await?;
    let secured = site.secure(client.into_socket()?).await?;
    Ok(Client::new(secured, false))
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
    client.open(&site.domain).await?;
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
    site: &Rc<Site>,
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
    let mut keys = site.take_keys(&name);
    let last = scram::answer(
        mechanism,
        &site.password,
        &first_bare,
        &challenge,
        &mut keys,
    )?;
    if let Some(keys) = keys {
        site.keep_keys(name, keys);
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
