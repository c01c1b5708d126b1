//! What waits to be taken by the driver, in the order in which it arose.

use super::output::Output;
use crate::action::Action;
use crate::client::Handled;
use std::collections::VecDeque;

/// What comes after everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    StartTls,
    Close,
}

/// Octets and actions. Octets are coalesced as far as the order allows.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What was written and is to be done; every action has its mark as soon as [`Outbox::settle`] has seen it.
    pub(super) handled: Handled,
    /// For each action, how many octets were written before it.
    marks: VecDeque<usize>,
    /// How many of these octets are taken.
    taken: usize,
    last: Option<Last>,
}

impl Outbox {
    /// Where octets are written to.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.handled.bytes
    }

    /// Puts an action after all octets written so far.
    pub(super) fn act(&mut self, action: Action) {
        self.handled.actions.push_back(action);
        self.settle();
    }

    /// Marks the actions that were put into `handled`: they come after what is written there by now.
    pub(super) fn settle(&mut self) {
        let written = self.taken + self.handled.bytes.len();
        self.marks.resize(self.handled.actions.len(), written);
    }

    pub(super) fn start_tls(&mut self) {
        self.last = Some(Last::StartTls);
    }

    pub(super) fn close(&mut self) {
        self.last = Some(Last::Close);
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        if let Some(&mark) = self.marks.front() {
            if mark > self.taken {
                return Some(Output::Send(self.take(mark - self.taken)));
            }
            self.marks.pop_front();
            if let Some(action) = self.handled.actions.pop_front() {
                return Some(Output::Act(action));
            }
        }
        if !self.handled.bytes.is_empty() {
            return Some(Output::Send(self.take(self.handled.bytes.len())));
        }
        // Nothing is kept for the next time: most sessions are idle.
        *self = Self {
            last: self.last,
            ..Self::default()
        };
        self.last.take().map(|last| match last {
            Last::StartTls => Output::StartTls,
            Last::Close => Output::Close,
        })
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        self.taken += count;
        let rest = if count < self.handled.bytes.len() {
            self.handled.bytes.split_off(count)
        } else {
            Vec::new()
        };
        std::mem::replace(&mut self.handled.bytes, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence::Bare;

    #[test]
    fn order_is_kept_and_octets_are_coalesced() {
        let mut outbox = Outbox::default();
        let action = || Action::Bind {
            account: Bare::from_prepared("ann@office.example"),
            resource: None,
        };
        outbox.bytes().extend_from_slice(b"one");
        outbox.bytes().extend_from_slice(b"two");
        outbox.act(action());
        outbox.bytes().extend_from_slice(b"three");
        outbox.handled.actions.push_back(action());
        outbox.handled.actions.push_back(action());
        outbox.settle();
        outbox.bytes().extend_from_slice(b"four");
        outbox.close();
        let mut seen = Vec::new();
        while let Some(output) = outbox.poll() {
            seen.push(match output {
                Output::Send(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Output::Act(_) => "act".to_owned(),
                Output::StartTls => "tls".to_owned(),
                Output::Close => "close".to_owned(),
            });
        }
        assert_eq!(
            seen,
            ["onetwo", "act", "three", "act", "act", "four", "close"]
        );
        outbox.bytes().extend_from_slice(b"five");
        assert!(matches!(outbox.poll(), Some(Output::Send(bytes)) if bytes == b"five"));
        assert!(outbox.poll().is_none());
    }
}
