//! Whether a client asks too often (XEP-0124 §11, §12, §14.3).

use crate::terms::Terms;
use crate::time::Time;

/// How often requests may be repeated before a new one comes.
const MOST_REPEATS: u32 = 64;

/// The client asks too often.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooOften;

/// What is remembered of requests for it.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Option<Last>,
    repeats: u32,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    at: Time,
    empty: bool,
}

/// A new request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) at: Time,
    /// It carries nothing.
    pub(crate) empty: bool,
    /// How many are not answered, this one counted.
    pub(crate) unanswered: usize,
    /// The request before it was answered with nothing.
    pub(crate) answered_bare: bool,
}

impl Pace {
    /// Takes a request that is not a repetition.
    pub(crate) fn check(&mut self, terms: &Terms, asked: Asked) -> Result<(), TooOften> {
        self.repeats = 0;
        let before = self.last.replace(Last {
            at: asked.at,
            empty: asked.empty,
        });
        let Some(before) = before.filter(|_| asked.empty) else {
            return Ok(());
        };
        // Those who poll may not ask for nothing twice in a row; others not fill up what they may have under way with nothing.
        let counts = if terms.polls() {
            before.empty && asked.answered_bare
        } else {
            asked.unanswered >= terms.requests
        };
        // A little less than was announced: what is sent in time may come nearer together.
        if counts && asked.at.since(before.at) < terms.polling * 3 / 4 {
            return Err(TooOften);
        }
        Ok(())
    }

    /// Takes a repetition.
    pub(crate) fn repeat(&mut self) -> Result<(), TooOften> {
        self.repeats += 1;
        if self.repeats > MOST_REPEATS {
            return Err(TooOften);
        }
        Ok(())
    }
}
