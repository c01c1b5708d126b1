//! A client's connection to the server (RFC 6120), from its first octet to the last.
//!
//! [`Session`] takes octets and gives [`Output`]s. It negotiates TLS, SASL and the resource; what comes after is for
//! [`Client`]. A [framed](Session::framed) one takes and gives elements instead, for WebSocket (RFC 7395) and BOSH (XEP-0206).

mod authenticate;
mod bind;
mod bound;
mod ending;
mod entry;
mod features;
mod input;
mod login;
mod negotiation;
mod offer;
mod outbox;
mod output;
mod print;
mod random;
mod settings;
#[cfg(test)]
mod tests;

use crate::action::Reply;
use crate::client::Client;
use crate::stream::{self, StreamCondition, Version};
use crate::time::Now;
use bound::Bound;
use ending::Ending;
use input::Input;
use negotiation::Negotiation;
use outbox::Outbox;
use presence::{Address, Bare, Timestamp};
use std::fmt;
use std::sync::Arc;

pub use offer::Offers;
pub use output::Output;
pub use settings::{Secured, Settings, Way};

/// What every stage of a session works with.
struct Core {
    settings: Arc<Settings>,
    input: Input,
    outbox: Outbox,
}

/// How far a session is.
#[derive(Debug)]
enum Phase {
    Negotiating(Box<Negotiation>),
    Bound(Box<Bound>),
    /// Nothing more is taken or said.
    Over {
        account: Option<Bare>,
        address: Option<Address>,
        error: Option<StreamCondition>,
    },
}

/// One connection of a client. It reads, speaks and keeps time through its driver alone: after every `handle_*` the driver takes all
/// of [`Session::poll_output`] and looks at [`Session::poll_timeout`].
///
/// A framed session gives one element with each [`Output::Send`] and [`Output::Stanza`], as it stands in a stream whose header declares
/// the namespaces of RFC 6120: the driver adds what is [`missing`](crate::stream::framing::missing) when it puts it on its way.
///
/// Every [`Output::Send`] to a bound session is whole elements, so the driver may write stanzas from elsewhere between them: not
/// before the session has an [address](Session::address) and what was said until then is written, and not after it
/// [is over](Session::is_over).
pub struct Session {
    core: Core,
    phase: Phase,
}

impl Session {
    /// A connection that was just made. With `secured` TLS is in place already (XEP-0368). `random` is fresh random data.
    pub fn new(
        settings: Arc<Settings>,
        now: Timestamp,
        secured: Option<Secured>,
        random: [u8; 32],
    ) -> Self {
        let input = Input::stream(settings.strangers());
        Self::begin(settings, input, |core| {
            Negotiation::new(core, now, secured, random)
        })
    }

    /// A framed stream (RFC 7395 §3.3) on a way that was just made. `random` is fresh random data.
    pub fn framed(settings: Arc<Settings>, now: Timestamp, way: Way, random: [u8; 32]) -> Self {
        let input = Input::framed(settings.strangers());
        Self::begin(settings, input, |core| {
            Negotiation::framed(core, now, way, random)
        })
    }

    fn begin(
        settings: Arc<Settings>,
        input: Input,
        negotiation: impl FnOnce(&Core) -> Negotiation,
    ) -> Self {
        let core = Core {
            input,
            settings,
            outbox: Outbox::default(),
        };
        let negotiation = negotiation(&core);
        Self {
            core,
            phase: Phase::Negotiating(Box::new(negotiation)),
        }
    }

    /// Takes one element of the peer on a framed stream: all that one message holds.
    pub fn handle_element(&mut self, now: Now, element: Vec<u8>) {
        match &mut self.phase {
            Phase::Negotiating(negotiation) => {
                if negotiation.admit(&self.core, element.len()) < element.len() {
                    return self.overflow();
                }
            }
            Phase::Bound(bound) => bound.hear(now.at),
            Phase::Over { .. } => return,
        }
        self.core.input.push(element);
        self.read(now);
    }

    /// Takes a sign of life that says nothing: a ping below the stream.
    pub fn handle_life(&mut self, now: Now) {
        if let Phase::Bound(bound) = &mut self.phase {
            bound.hear(now.at);
        }
    }

    /// Most octets that one element of a framed stream may have now.
    pub fn most_octets(&self) -> usize {
        self.core.input.most_octets(&self.core.settings)
    }

    /// Takes octets of the peer, after TLS.
    pub fn handle_bytes(&mut self, now: Now, bytes: &[u8]) {
        let admitted = match &mut self.phase {
            Phase::Negotiating(negotiation) if negotiation.is_in_handshake() => return,
            Phase::Negotiating(negotiation) => negotiation.admit(&self.core, bytes.len()),
            Phase::Bound(bound) => {
                bound.hear(now.at);
                bytes.len()
            }
            Phase::Over { .. } => return,
        };
        let (taken, too_many) = bytes.split_at(admitted);
        self.core.input.feed(taken);
        self.read(now);
        if !too_many.is_empty() {
            self.overflow();
        }
    }

    /// Takes the end of the TLS handshake that [`Output::StartTls`] asked for.
    pub fn handle_secured(&mut self, _now: Now, secured: Secured) {
        if let Phase::Negotiating(negotiation) = &mut self.phase {
            negotiation.handle_secured(secured);
        }
    }

    /// Takes the end of what the peer sends: the connection is closed or broken.
    pub fn handle_eof(&mut self, _now: Now) {
        self.finish(Ending::Closed);
    }

    /// Takes the answer to the action for which the session waits. One that comes when it does not wait any more is dropped.
    pub fn handle_reply(&mut self, now: Now, reply: Reply) {
        let Phase::Negotiating(negotiation) = &mut self.phase else {
            return;
        };
        match negotiation.reply(&mut self.core, now.at, reply) {
            Ok(None) => {}
            Ok(Some(address)) => {
                let service = Arc::clone(&self.core.settings.service);
                let client = Client::new(address, negotiation.lang(), service);
                self.phase = Phase::Bound(Box::new(Bound::new(client, now.at)));
            }
            Err(ending) => self.finish(ending),
        }
        self.read(now);
    }

    /// The time of [`Session::poll_timeout`] has come, or another: what is due is done.
    pub fn handle_timeout(&mut self, now: Now) {
        let done = match &mut self.phase {
            Phase::Negotiating(negotiation) if now.at >= negotiation.deadline => {
                Err(Ending::because(
                    StreamCondition::PolicyViolation,
                    "The negotiation took too long",
                ))
            }
            Phase::Bound(bound) => bound.handle_timeout(&mut self.core, now.at),
            _ => Ok(()),
        };
        if let Err(ending) = done {
            self.finish(ending);
        }
    }

    /// When to call [`Session::handle_timeout`], if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Negotiating(negotiation) => Some(negotiation.deadline),
            Phase::Bound(bound) => bound.timeout(&self.core.settings),
            Phase::Over { .. } => None,
        }
    }

    /// What the driver has to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outbox.poll(self.core.input.is_framed())
    }

    /// Whether more octets are of use now. While an action waits for its answer they are not, and the driver had better not read.
    pub fn wants_bytes(&self) -> bool {
        match &self.phase {
            Phase::Negotiating(negotiation) => negotiation.reads(),
            Phase::Bound(_) => true,
            Phase::Over { .. } => false,
        }
    }

    /// Whether the session has ended: all that remains is in [`Session::poll_output`].
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over { .. })
    }

    /// The peer need not come back on this connection: a lost one is told with [`Output::Lost`] and is not the end.
    pub fn allow_resumption(&mut self) {
        if let Phase::Bound(bound) = &mut self.phase {
            bound.resumable = true;
        }
    }

    /// When the peer last sent anything; `None` unless a resource is bound.
    pub fn heard(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Bound(bound) => Some(bound.heard()),
            _ => None,
        }
    }

    /// Goes on over another connection (XEP-0198 §5): that of `fresh`, which asked for it. What it read and has not looked at is
    /// looked at here. The driver has said `<resumed/>` before it takes what comes of that.
    pub fn resume(&mut self, now: Now, fresh: &mut Self) {
        let Phase::Bound(bound) = &mut self.phase else {
            return;
        };
        bound.hear(now.at);
        std::mem::swap(&mut self.core.input, &mut fresh.core.input);
        self.read(now);
    }

    /// Says that an earlier stream goes on over this connection, which has asked for it: with the address and the name of that stream, and
    /// how many stanzas were handled on it (XEP-0198 §5, §9).
    pub fn go_on(&mut self, out: &mut Vec<u8>, address: &Address, id: &str, handled: u32) {
        if let Phase::Negotiating(negotiation) = &mut self.phase {
            negotiation.go_on(out, (address, id, handled));
        }
    }

    /// The error that ended the stream, where one of ours did.
    pub fn error(&self) -> Option<StreamCondition> {
        match &self.phase {
            Phase::Over { error, .. } => *error,
            _ => None,
        }
    }

    /// Ends the stream with an error that says more than its condition (RFC 6120 §4.9.4): `undefined-condition`.
    pub fn end_with(&mut self, error: impl FnOnce(&mut Vec<u8>)) {
        self.close(Some((StreamCondition::UndefinedCondition, error)));
    }

    /// Ends the stream with an error of the server's (RFC 6120 §4.9). The text is English, for people; for `see-other-host` it is
    /// that host (§4.9.3.19).
    pub fn end(&mut self, condition: StreamCondition, text: Option<&str>) {
        let say = |out: &mut _| stream::print::error(out, condition, text);
        self.close(Some((condition, say)));
    }

    /// The account, once authenticated; kept after the end.
    pub fn account(&self) -> Option<&Bare> {
        match &self.phase {
            Phase::Negotiating(negotiation) => negotiation.account(),
            Phase::Bound(bound) => Some(bound.client.account()),
            Phase::Over { account, .. } => account.as_ref(),
        }
    }

    /// The full address, once bound; kept after the end.
    pub fn address(&self) -> Option<&Address> {
        match &self.phase {
            Phase::Negotiating(_) => None,
            Phase::Bound(bound) => Some(bound.client.address()),
            Phase::Over { address, .. } => address.as_ref(),
        }
    }

    /// What comes after the negotiation, while it lasts.
    pub fn client(&mut self) -> Option<&mut Client> {
        match &mut self.phase {
            Phase::Bound(bound) => Some(&mut bound.client),
            _ => None,
        }
    }

    /// Reads on until there is nothing to read or an answer has to be waited for.
    fn read(&mut self, now: Now) {
        loop {
            let done = match &mut self.phase {
                Phase::Negotiating(negotiation) if negotiation.reads() => {
                    let found = self.core.input.next();
                    negotiation.is_addressed |= !matches!(found, Ok(None));
                    match found {
                        Ok(None) => return,
                        Ok(Some(token)) => negotiation.handle(&mut self.core, now.at, token),
                        Err(ending) => Err(ending),
                    }
                }
                Phase::Bound(bound) => match self.core.input.next() {
                    Ok(None) => return,
                    Ok(Some(token)) => bound.handle(&mut self.core, now, &token),
                    Err(ending) => Err(ending),
                },
                _ => return,
            };
            if let Err(ending) = done {
                return self.finish(ending);
            }
        }
    }

    /// More octets came than may wait.
    fn overflow(&mut self) {
        if let Phase::Negotiating(negotiation) = &self.phase
            && !negotiation.is_in_handshake()
        {
            self.finish(Ending::because(
                StreamCondition::PolicyViolation,
                "Too much data before the negotiation has ended",
            ));
        }
    }

    fn finish(&mut self, ending: Ending) {
        match ending {
            Ending::Closed => self.close(None::<(_, fn(&mut Vec<u8>))>),
            Ending::Elsewhere => {
                let uri = match &mut self.phase {
                    Phase::Negotiating(negotiation) => negotiation.elsewhere.take(),
                    _ => None,
                };
                stream::framing::close(self.core.outbox.bytes(), uri.as_deref());
                self.over(None);
            }
            Ending::Error(condition, text) => self.end(condition, text),
        }
    }

    /// Says the last words in a well-formed stream, and no more after them. During a TLS handshake nothing can be said (§5.4.3.2), nor on a
    /// framed stream before the peer has begun it (RFC 7395 §3.4).
    fn close(&mut self, error: Option<(StreamCondition, impl FnOnce(&mut Vec<u8>))>) {
        let condition = error.as_ref().map(|(condition, _)| *condition);
        let framed = self.core.input.is_framed();
        let mut speaks = true;
        match &mut self.phase {
            Phase::Over { .. } => return,
            Phase::Bound(_) => {}
            Phase::Negotiating(negotiation) => {
                speaks = !negotiation.is_in_handshake() && (negotiation.is_addressed || !framed);
                negotiation.abandon(&mut self.core);
                if speaks && (error.is_some() || !framed) {
                    negotiation.begin(&mut self.core, Some(Version::OURS));
                }
            }
        }
        if speaks {
            let out = self.core.outbox.bytes();
            if let Some((_, say)) = error {
                say(out);
            }
            if framed {
                stream::framing::close(out, None);
            } else {
                stream::print::close(out);
            }
        }
        self.over(condition);
    }

    /// Nothing more is taken.
    fn over(&mut self, error: Option<StreamCondition>) {
        self.core.outbox.close();
        self.phase = Phase::Over {
            account: self.account().cloned(),
            address: self.address().cloned(),
            error,
        };
        self.core.input.end(self.core.settings.strangers());
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
