//! A link whose stream is managed (XEP-0198): what was sent is kept until it is acknowledged, and the stream may go on on another
//! connection.

use std::sync::Arc;

use model::Arrival;
use model::messages::Handling;
use presence::Message;
use xmpp::management::{self, Sent, TooHigh, Unacknowledged};

use super::framing::Framing;
use super::{Link, Sink, turn};

/// A message as it is to be delivered again when its recipient never acknowledges it.
pub(crate) struct Kept {
    pub(crate) message: Arc<Message>,
    pub(crate) handling: Handling,
    /// What it shares with others that were given it.
    pub(crate) arrival: Option<Arc<Arrival>>,
}

/// A stanza that was sent and never acknowledged.
pub(crate) type Lost = Unacknowledged<Kept>;

impl Link {
    /// From here on stanzas are counted and kept, behind what `say` writes.
    /// False when the connection is lost already.
    pub(crate) fn manage(
        self: &Arc<Self>,
        sent: Sent<Kept>,
        say: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        // In one go: nothing may come between.
        let mut io = self.io.lock();
        if io.is_lost() {
            return false;
        }
        io.put(say);
        io.managed = Some(Box::new(sent));
        if !io.marked && !io.blocked {
            io.marked = true;
            turn::mark(self);
        }
        true
    }

    /// Whether the peer may have got so many stanzas.
    pub(crate) fn check(&self, handled: u32) -> Result<(), TooHigh> {
        let io = self.io.lock();
        io.managed
            .as_ref()
            .map_or(Ok(()), |sent| sent.check(handled))
    }

    /// There is no connection at present.
    pub(crate) fn is_detached(&self) -> bool {
        matches!(self.io.lock().sink, Sink::Lost)
    }

    /// The peer has got so many stanzas.
    pub(crate) fn acknowledged(self: &Arc<Self>, handled: u32) -> Result<(), TooHigh> {
        if let Some(sent) = &mut self.io.lock().managed {
            for kept in sent.acknowledge(handled)? {
                if let Some(arrival) = kept.arrival {
                    arrival.arrived();
                }
            }
        }
        // What is still open is asked about.
        self.append(|_| ());
        Ok(())
    }

    /// Asks the peer how many it has got, whether it is time for that or not.
    pub(crate) fn ask(self: &Arc<Self>) {
        self.append_last(management::print::ask);
    }

    /// How many stanzas were sent and how many were acknowledged on a managed stream.
    pub(crate) fn progress(&self) -> Option<(u32, u32)> {
        let io = self.io.lock();
        let sent = io.managed.as_ref()?;
        Some((sent.count(), sent.acknowledged()))
    }

    /// Lets the socket go. What is added from now on is kept for another.
    pub(crate) fn detach(&self) {
        let mut io = self.io.lock();
        let sink = std::mem::replace(&mut io.sink, Sink::Lost);
        let tls = io.tls.take();
        (io.blocked, io.broken) = (false, None);
        io.forget_queue();
        if let Some(sent) = &mut io.managed {
            sent.forget_question();
        }
        drop(io);
        drop((sink, tls));
    }

    /// Goes on with the connection of another link, of whatever kind, which is left without. What the peer has not acknowledged is said
    /// again, behind what `say` writes.
    pub(crate) fn adopt(self: &Arc<Self>, other: &Self, say: impl FnOnce(&mut Vec<u8>)) {
        let mut theirs = other.io.lock();
        let mut io = self.io.lock();
        io.sink = std::mem::replace(&mut theirs.sink, Sink::Lost);
        (io.framing, io.shut, io.status) = (theirs.framing, theirs.shut, theirs.status);
        (io.tls, io.unheard) = (theirs.tls.take(), theirs.unheard.take());
        (io.peer, io.blocked, io.broken) = (theirs.peer, theirs.blocked, theirs.broken.take());
        io.plain = std::mem::take(&mut theirs.plain);
        io.written = std::mem::take(&mut theirs.written);
        drop(theirs);
        let io = &mut *io;
        io.put(say);
        if let Some(mut sent) = io.managed.take() {
            if io.framing == Framing::Stream {
                io.plain.extend_from_slice(sent.octets());
            } else {
                for stanza in sent.stanzas() {
                    io.put(|out| out.extend_from_slice(stanza));
                }
            }
            // What was kept for the peer is not held against it.
            io.granted = io.plain.len();
            sent.forget_question();
            if sent.ask() {
                io.put(management::print::ask);
            }
            io.managed = Some(sent);
        }
        io.marked = true;
        turn::mark(self);
    }

    /// The stream is over for good: takes out what the peer has never acknowledged.
    pub(crate) fn take_lost(&self) -> Vec<Lost> {
        let mut io = self.io.lock();
        let io = &mut *io;
        let mut lost = Vec::new();
        if let Some(mut unheard) = io.unheard.take() {
            if let Sink::Carried(carrier) = &io.sink {
                unheard.delivered(carrier.delivered());
            }
            lost.extend(unheard.take());
        }
        if let Some(mut sent) = io.managed.take() {
            lost.extend(sent.take());
        }
        lost
    }
}
