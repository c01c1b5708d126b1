//! How a session ends, but for its client's silence.

use super::{Event, LINGER, Session, State};
use crate::answer::Ticket;
use crate::condition::Condition;
use crate::time::Time;

impl Session {
    /// The stream has ended, after these last elements: an error of the stream among them, with
    /// [`Condition::RemoteStreamError`], or for another reason, or in peace. The client is told with the oldest held request, or the next that comes.
    pub fn handle_terminate(&mut self, now: Time, condition: Option<Condition>, elements: &[u8]) {
        match self.state {
            // What it would be told of the session is of no use to the client any more.
            State::Opening(_) => self.attributes.clear(),
            State::Open => {}
            State::Ending(_) | State::Ended(_) | State::Over => return,
        }
        self.pending.extend_from_slice(elements);
        self.state = State::Ending(condition);
        self.settle(now);
    }

    /// Tells the client that the stream has ended, if any request is there to be answered: the oldest gets all there is.
    pub(super) fn say_end(&mut self, now: Time, condition: Option<Condition>) {
        let Some(live) = self.order.first_live() else {
            // Those behind a gap need not wait for what may never come.
            self.leave_early(condition.unwrap_or(Condition::OtherRequest));
            return;
        };
        for _ in 0..live {
            self.give(now, None, &[]);
        }
        while !self.order.held.is_empty() {
            let elements = std::mem::take(&mut self.pending);
            self.give(now, Some(condition), &elements);
        }
        self.leave_early(condition.unwrap_or(Condition::OtherRequest));
        self.state = State::Ended(now.plus(LINGER));
    }

    /// Acknowledges that the client has ended the session: with the oldest request that can be answered; all others get nothing.
    pub(super) fn say_parting(&mut self, now: Time) {
        let mut said = false;
        while let Some(first) = self.order.held.front() {
            let tells = !said && (first.ticket.is_some() || self.order.held.len() == 1);
            let elements = if tells {
                std::mem::take(&mut self.pending)
            } else {
                Vec::new()
            };
            said |= tells;
            self.give(now, tells.then_some(None), &elements);
        }
        self.leave_early(Condition::OtherRequest);
    }

    /// Ends the session because of a request, which is told why. Others that wait are told that it was not them (§17.2).
    pub(super) fn fail(&mut self, ticket: Option<Ticket>, condition: Condition) {
        if let Some(ticket) = ticket {
            self.refuse(ticket, condition);
        }
        self.dismiss(ticket);
        if !matches!(self.state, State::Ending(_)) {
            self.events.push_back(Event::Lost(Some(condition)));
        }
        self.state = State::Over;
    }

    /// Tells all that wait, but for one, that another request has ended the session.
    pub(super) fn dismiss(&mut self, but: Option<Ticket>) {
        let others: Vec<_> = self.order.all().filter_map(|w| w.ticket.take()).collect();
        for other in others.into_iter().filter(|other| Some(*other) != but) {
            self.refuse(other, Condition::OtherRequest);
        }
    }

    /// Answers what waits behind a gap that will not be filled.
    fn leave_early(&mut self, condition: Condition) {
        let early: Vec<_> = self
            .order
            .behind_gap()
            .filter_map(|w| w.ticket.take())
            .collect();
        for ticket in early {
            self.refuse(ticket, condition);
        }
    }
}
