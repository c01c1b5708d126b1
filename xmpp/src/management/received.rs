//! How many stanzas of a client are handled (XEP-0198 §4).

/// Counts what a client sent since management was enabled. A stanza is handled when the server has taken it over for good: what is
/// stored, when that is on the disk; what is delivered, when it stands in the recipient's queue. That need not be in the order in which
/// the stanzas came, but what is acknowledged is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Stanzas that came, modulo 2³².
    taken: u32,
    /// The numbers of those that are not handled yet, in order; each once for everything in it that is not.
    open: Vec<u32>,
    /// The client has asked when so many had come, and is answered when they are handled.
    asked: Option<u32>,
}

/// Something in a stanza that is not handled yet.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Ticket(u32);

impl Received {
    /// A stanza is taken in; what of it is not handled yet has a ticket.
    pub fn take(&mut self) {
        self.taken = self.taken.wrapping_add(1);
    }

    /// The stanza that is being taken in has something that is handled later.
    pub fn later(&mut self) -> Ticket {
        let number = self.taken.wrapping_add(1);
        self.open.push(number);
        Ticket(number)
    }

    /// It is handled. The number to acknowledge, when the client waits for it and that was the last that stood against it.
    pub fn done(&mut self, ticket: Ticket) -> Option<u32> {
        if let Some(index) = self.open.iter().position(|&n| n == ticket.0) {
            self.open.remove(index);
        }
        if self.open.is_empty() {
            // Most streams have nothing open most of the time.
            self.open = Vec::new();
        }
        self.answer()
    }

    /// The client asks. The number to acknowledge, unless that has to wait.
    pub fn ask(&mut self) -> Option<u32> {
        self.asked = Some(self.taken);
        self.answer()
    }

    /// It has waited for long enough: it gets what there is. Nothing when it does not wait.
    pub fn answer_now(&mut self) -> Option<u32> {
        self.asked.take().map(|_| self.handled())
    }

    /// Whether all that came is handled.
    pub fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether the client waits for an answer.
    pub fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// How many are handled without a gap: `h`.
    pub fn handled(&self) -> u32 {
        self.open
            .first()
            .map_or(self.taken, |first| first.wrapping_sub(1))
    }

    fn answer(&mut self) -> Option<u32> {
        let asked = self.asked?;
        let handled = self.handled();
        // What came after the question does not hold up its answer.
        if asked.wrapping_sub(handled).cast_signed() > 0 {
            return None;
        }
        self.asked = None;
        Some(handled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handled_at_once_is_acknowledged_at_once() {
        let mut received = Received::default();
        assert_eq!(received.ask(), Some(0));
        received.take();
        received.take();
        assert_eq!(received.ask(), Some(2));
        assert!(!received.is_asked());
        assert_eq!(received.answer_now(), None);
    }

    #[test]
    fn a_gap_holds_the_number_and_the_answer() {
        let mut received = Received::default();
        received.take();
        let second = received.later();
        received.take();
        let third = received.later();
        received.take();
        assert_eq!(received.handled(), 1);
        assert_eq!(received.ask(), None);
        let fourth = received.later();
        received.take();
        assert_eq!(received.done(third), None);
        assert_eq!(received.handled(), 1);
        // The fourth came after the question.
        assert_eq!(received.done(second), Some(3));
        assert_eq!(received.done(fourth), None);
        assert_eq!(received.handled(), 4);
    }

    #[test]
    fn who_waits_too_long_gets_what_there_is() {
        let mut received = Received::default();
        received.take();
        let open = received.later();
        received.take();
        assert_eq!(received.ask(), None);
        assert_eq!(received.answer_now(), Some(1));
        assert_eq!(received.done(open), None);
        assert_eq!(received.ask(), Some(2));
    }

    #[test]
    fn numbers_go_round() {
        let mut received = Received {
            taken: u32::MAX - 1,
            ..Received::default()
        };
        let last = received.later();
        received.take();
        received.take();
        assert_eq!((received.ask(), received.handled()), (None, u32::MAX - 1));
        assert_eq!(received.done(last), Some(0));
    }
}
