//! A chat client: the streams and stanzas of tokio-xmpp, with what a scene needs, to log in, to send and to wait for what comes.
//!
//! The ready-made `Client` of tokio-xmpp 6.0 is not used: it tries for ever to connect and does not say why it fails, and
//! now and then, on a busy machine, it never hands out a stanza that has come.

use std::borrow::Cow;
use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt as _};
use minidom::Element;
use sasl::common::Credentials;
use tokio::io::BufStream;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_xmpp::connect::ServerConnector as _;
use tokio_xmpp::jid::Jid;
use tokio_xmpp::xmlstream::{
    FallibleStreamElement, ReadError, StreamHeader, Timeouts, XmppStream, XmppStreamElement,
};
use tokio_xmpp::{Stanza, client_login};
use xmpp_parsers::bind::{BindQuery, BindResponse};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::ns;
use xmpp_parsers::presence::Presence;
use xmpp_parsers::roster::Roster;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

use super::trust::Trust;

const OVER: &str = "the connection is over";

/// A client that is logged in.
pub struct Chat {
    stream: XmppStream<BufStream<TlsStream<TcpStream>>>,
    address: Jid,
    requests: u64,
    /// What came while an answer was waited for.
    seen: VecDeque<Stanza>,
}

impl Chat {
    /// Connects and logs in (RFC 6120 §4 to §7).
    ///
    /// # Errors
    /// A sentence, when that comes to nothing.
    pub async fn log_in(account: Jid, password: &str, server: &Trust) -> Result<Self, String> {
        let user = account.node().ok_or("the account is written user@domain")?;
        let timeouts = Timeouts::default();
        let connected = server.connect(&account, ns::JABBER_CLIENT, timeouts).await;
        let (stream, binding) = connected.map_err(|error| error.to_string())?;
        let (features, stream) = stream.recv_features().await.map_err(|e| e.to_string())?;
        let credentials = Credentials::default()
            .with_username(user.as_str())
            .with_password(password)
            .with_channel_binding(binding);
        let stream = client_login(stream, features.sasl_mechanisms, credentials)
            .await
            .map_err(|error| error.to_string())?;
        let header = StreamHeader {
            to: Some(Cow::Borrowed(account.domain().as_str())),
            from: None,
            id: None,
        };
        let stream = stream.send_header(header).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let (_, stream) = stream.recv_features().await.map_err(|e| e.to_string())?;
        let resource = account.resource().map(ToString::to_string);
        let mut chat = Self {
            stream,
            address: account,
            requests: 0,
            seen: VecDeque::new(),
        };
        let bound = chat
            .ask(|id| Iq::from_set(id, BindQuery::new(resource)))
            .await?;
        let bound = BindResponse::try_from(bound).map_err(|error| error.to_string())?;
        chat.address = bound.jid.into();
        Ok(chat)
    }

    /// The full address that the server gave.
    pub fn address(&self) -> &Jid {
        &self.address
    }

    /// Asks for the contact list; from then on its changes come too (RFC 6121 §2.1.6).
    ///
    /// # Errors
    /// A sentence, when it is refused or the connection is over.
    pub async fn contacts(&mut self) -> Result<Roster, String> {
        let empty = Roster {
            ver: None,
            items: Vec::new(),
        };
        let list = self.ask(|id| Iq::from_get(id, empty)).await?;
        Roster::try_from(list).map_err(|error| error.to_string())
    }

    /// Sends a request and waits for what answers it; what else comes is kept.
    async fn ask(&mut self, request: impl FnOnce(String) -> Iq) -> Result<Element, String> {
        self.requests += 1;
        let id = format!("ask-{}", self.requests);
        self.send(request(id.clone())).await?;
        loop {
            match self.receive().await? {
                Stanza::Iq(Iq::Result {
                    id: of, payload, ..
                }) if of == id => {
                    return payload.ok_or_else(|| "the answer is empty".to_owned());
                }
                Stanza::Iq(Iq::Error { id: of, error, .. }) if of == id => {
                    return Err(format!("it was refused: {:?}", error.defined_condition));
                }
                other => self.seen.push_back(other),
            }
        }
    }

    /// Sends a stanza.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub async fn send(&mut self, stanza: impl Into<Stanza>) -> Result<(), String> {
        let sent = self.stream.send(&stanza.into()).await;
        sent.map_err(|error| error.to_string())
    }

    /// The next stanza.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub async fn next(&mut self) -> Result<Stanza, String> {
        match self.seen.pop_front() {
            Some(stanza) => Ok(stanza),
            None => self.receive().await,
        }
    }

    /// Reads the next stanza; requests are answered (RFC 6120 §8.2.3): changes of the contact list and pings with an empty result,
    /// others with an error.
    async fn receive(&mut self) -> Result<Stanza, String> {
        loop {
            let item = self.stream.next().await.ok_or(OVER)?;
            match item.and_then(FallibleStreamElement::into_read_error) {
                Ok(XmppStreamElement::Stanza(stanza)) => {
                    if let Stanza::Iq(iq) = &stanza
                        && let Some(answer) = answer(iq)
                    {
                        self.send(answer).await?;
                    }
                    return Ok(stanza);
                }
                Ok(XmppStreamElement::StreamError(error)) => return Err(error.to_string()),
                Ok(_) | Err(ReadError::SoftTimeout) => {}
                Err(ReadError::HardError(error)) => return Err(error.to_string()),
                Err(ReadError::ParseError(error)) => return Err(error.to_string()),
                Err(ReadError::StreamFooterReceived) => return Err(OVER.to_owned()),
            }
        }
    }

    /// Waits for a presence that fits; what comes before it is passed over.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub async fn presence(&mut self, fits: impl Fn(&Presence) -> bool) -> Result<Presence, String> {
        loop {
            match self.next().await? {
                Stanza::Presence(presence) if fits(&presence) => return Ok(presence),
                _ => {}
            }
        }
    }

    /// Waits for a message with a text.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub async fn message(&mut self) -> Result<(Message, String), String> {
        loop {
            if let Stanza::Message(message) = self.next().await?
                && let Some((_, text)) = message.get_best_body_cloned(Vec::new())
            {
                return Ok((message, text));
            }
        }
    }

    /// Waits for a change of the contact list that fits.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub async fn contact_changed(&mut self, fits: impl Fn(&Roster) -> bool) -> Result<(), String> {
        loop {
            if let Stanza::Iq(Iq::Set { payload, .. }) = self.next().await?
                && Roster::try_from(payload).is_ok_and(|list| fits(&list))
            {
                return Ok(());
            }
        }
    }

    /// Ends the session.
    ///
    /// # Errors
    /// A sentence, when that cannot be done properly.
    pub async fn leave(mut self) -> Result<(), String> {
        let closed = SinkExt::<&Stanza>::close(&mut self.stream).await;
        closed.map_err(|error| error.to_string())
    }
}

/// What answers a request; nothing for what is none.
fn answer(iq: &Iq) -> Option<Iq> {
    let (Iq::Get {
        from, id, payload, ..
    }
    | Iq::Set {
        from, id, payload, ..
    }) = iq
    else {
        return None;
    };
    let known = [("query", ns::ROSTER), ("ping", ns::PING)];
    let (to, id) = (from.clone(), id.clone());
    if known.iter().any(|(name, space)| payload.is(*name, *space)) {
        return Some(Iq::Result {
            from: None,
            to,
            id,
            payload: None,
        });
    }
    let error = StanzaError::new(
        ErrorType::Cancel,
        DefinedCondition::ServiceUnavailable,
        "en",
        "",
    );
    Some(Iq::Error {
        from: None,
        to,
        id,
        error,
        payload: None,
    })
}
