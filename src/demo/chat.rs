//! A chat client: tokio-xmpp with what a scene needs, to log in, to send and to wait for what comes.

use futures_util::StreamExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_xmpp::jid::Jid;
use tokio_xmpp::parsers::iq::Iq;
use tokio_xmpp::parsers::message::Message;
use tokio_xmpp::parsers::presence::Presence;
use tokio_xmpp::parsers::roster::Roster;
use tokio_xmpp::xmlstream::Timeouts;
use tokio_xmpp::{Client, Event, IqRequest, IqResponse, IqResponseToken, Stanza};

use super::trust::Trust;

const OVER: &str = "the connection is over";

/// A client that is logged in. Dropping it ends the session.
pub struct Chat {
    wishes: mpsc::UnboundedSender<Wished>,
    seen: mpsc::UnboundedReceiver<Stanza>,
    task: JoinHandle<Result<(), String>>,
    address: Jid,
}

/// What the client is to send.
enum Wished {
    Stanza(Box<Stanza>),
    Contacts(oneshot::Sender<IqResponseToken>),
}

impl Chat {
    /// Logs in. tokio-xmpp tries again for ever, so the caller sets the deadline; [`Trust::trouble`] then says what went wrong.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub async fn log_in(account: Jid, password: &str, server: Trust) -> Result<Self, String> {
        let client = Client::new_with_connector(account, password, server, Timeouts::default());
        let (wishes, wished) = mpsc::unbounded_channel();
        let (see, seen) = mpsc::unbounded_channel();
        let (online, address) = oneshot::channel();
        // A task owns the client, because one that is dropped and not ended panics.
        let task = tokio::spawn(run(client, wished, see, online));
        match address.await {
            Ok(address) => Ok(Self {
                wishes,
                seen,
                task,
                address,
            }),
            Err(_) => Err(match task.await {
                Ok(Err(error)) => error,
                _ => OVER.to_owned(),
            }),
        }
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
        let (send, token) = oneshot::channel();
        let _ = self.wishes.send(Wished::Contacts(send));
        let answer = token.await.map_err(|_| OVER)?.await;
        match answer.map_err(|error| error.to_string())? {
            IqResponse::Result(Some(list)) => Roster::try_from(list).map_err(|e| e.to_string()),
            IqResponse::Result(None) => Err("the contact list came empty".to_owned()),
            IqResponse::Error(error) => Err(format!("{:?}", error.defined_condition)),
        }
    }

    /// Sends a stanza.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub fn send(&mut self, stanza: impl Into<Stanza>) -> Result<(), String> {
        let sent = self.wishes.send(Wished::Stanza(Box::new(stanza.into())));
        sent.map_err(|_| OVER.to_owned())
    }

    /// The next stanza. Requests that this client knows nothing of are left unanswered; a client for every day answers them.
    ///
    /// # Errors
    /// A sentence, when the connection is over.
    pub async fn next(&mut self) -> Result<Stanza, String> {
        self.seen.recv().await.ok_or_else(|| OVER.to_owned())
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
    pub async fn leave(self) -> Result<(), String> {
        drop(self.wishes);
        self.task.await.map_err(|error| error.to_string())?
    }
}

/// Serves the client until it is not wanted any longer, then ends it.
async fn run(
    mut client: Client,
    mut wished: mpsc::UnboundedReceiver<Wished>,
    see: mpsc::UnboundedSender<Stanza>,
    online: oneshot::Sender<Jid>,
) -> Result<(), String> {
    let mut online = Some(online);
    let done = loop {
        tokio::select! {
            wish = wished.recv() => match wish {
                Some(Wished::Stanza(stanza)) => {
                    if let Err(error) = client.send_stanza(*stanza).await {
                        break Err(error.to_string());
                    }
                }
                Some(Wished::Contacts(to)) => {
                    let empty = Roster { ver: None, items: Vec::new() };
                    let _ = to.send(client.send_iq(None, IqRequest::Get(empty.into())).await);
                }
                None => break Ok(()),
            },
            event = client.next() => match event {
                Some(Event::Stanza(stanza)) => { let _ = see.send(stanza); }
                Some(Event::Online { bound_jid, .. }) => {
                    if let Some(online) = online.take() {
                        let _ = online.send(bound_jid);
                    }
                }
                Some(Event::Disconnected(error)) => break Err(error.to_string()),
                None => break Err(OVER.to_owned()),
            },
        }
    };
    let ended = client.send_end().await.map_err(|error| error.to_string());
    done.and(ended)
}
