//! What waits to be taken by the driver, in the order in which it arose.

use super::output::Output;
use crate::action::Action;
use crate::client::Handled;
use std::collections::VecDeque;

/// What comes after everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    StartTls,
    Lost,
    Close,
}

/// Octets and actions. Octets are coalesced as far as the order allows.
#[derive(Debug)]
pub(super) struct Outbox {
    /// What was written and is to be done; every action has its mark as soon as [`Outbox::settle`] has seen it.
    pub(super) handled: Handled,
    /// For each action, how many octets were written before it.
    marks: VecDeque<usize>,
    /// How many of these octets are taken.
    taken: u32,
    /// From here on every action follows at most one stanza; [`NOT_MANAGED`] unless the stream is managed. Most sessions are idle, and
    /// small.
    managed: u32,
    last: Option<Last>,
}

const NOT_MANAGED: u32 = u32::MAX;

impl Default for Outbox {
    fn default() -> Self {
        Self {
            handled: Handled::default(),
            marks: VecDeque::new(),
            taken: 0,
            managed: NOT_MANAGED,
            last: None,
        }
    }
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
        let written = self.written();
        self.marks.resize(self.handled.actions.len(), written);
    }

    /// From here on what is said before an action is one stanza, and what is said after the last is none.
    pub(super) fn manage(&mut self) {
        self.managed = self.written() as u32;
    }

    /// How many octets were written, those that are taken among them.
    fn written(&self) -> usize {
        self.taken as usize + self.handled.bytes.len()
    }

    pub(super) fn is_managed(&self) -> bool {
        self.managed != NOT_MANAGED
    }

    pub(super) fn lose(&mut self) {
        self.last = Some(Last::Lost);
    }

    pub(super) fn start_tls(&mut self) {
        self.last = Some(Last::StartTls);
    }

    pub(super) fn close(&mut self) {
        self.last = Some(Last::Close);
    }

    /// What is next; no more than one element at a time on a framed stream.
    pub(super) fn poll(&mut self, framed: bool) -> Option<Output> {
        if let Some(&mark) = self.marks.front() {
            let before = mark.saturating_sub(self.taken as usize);
            if before > 0 {
                let managed = self.managed <= self.taken;
                let said = self.say(before, framed);
                return Some(if managed {
                    Output::Stanza(said)
                } else {
                    Output::Send(said)
                });
            }
            self.marks.pop_front();
            if let Some(action) = self.handled.actions.pop_front() {
                return Some(Output::Act(action));
            }
        }
        if !self.handled.bytes.is_empty() {
            return Some(Output::Send(self.say(self.handled.bytes.len(), framed)));
        }
        // Nothing is kept for the next time: most sessions are idle.
        *self = Self {
            last: self.last,
            managed: if self.is_managed() { 0 } else { NOT_MANAGED },
            ..Self::default()
        };
        self.last.take().map(|last| match last {
            Last::StartTls => Output::StartTls,
            Last::Lost => Output::Lost,
            Last::Close => Output::Close,
        })
    }

    fn say(&mut self, count: usize, framed: bool) -> Vec<u8> {
        if framed {
            let octets = self.handled.bytes.get(..count).unwrap_or_default();
            return self.take(xml::first_element(octets));
        }
        self.take(count)
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        self.taken += count as u32;
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

    fn action() -> Action {
        Action::Bind {
            account: Bare::from_prepared("ann@office.example"),
            resource: None,
            client: None,
        }
    }

    fn seen(outbox: &mut Outbox) -> Vec<String> {
        let outputs = std::iter::from_fn(|| outbox.poll(false));
        outputs
            .map(|output| match output {
                Output::Send(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Output::Stanza(bytes) => format!("[{}]", String::from_utf8_lossy(&bytes)),
                Output::Act(_) => "act".to_owned(),
                Output::StartTls => "tls".to_owned(),
                Output::Lost => "lost".to_owned(),
                Output::Close => "close".to_owned(),
            })
            .collect()
    }

    #[test]
    fn stanzas_are_told_from_words_once_the_stream_is_managed() {
        let mut outbox = Outbox::default();
        outbox.bytes().extend_from_slice(b"one");
        outbox.bytes().extend_from_slice(b"two");
        outbox.act(action());
        outbox.manage();
        outbox.bytes().extend_from_slice(b"three");
        outbox.act(action());
        outbox.act(action());
        outbox.bytes().extend_from_slice(b"four");
        outbox.act(action());
        outbox.bytes().extend_from_slice(b"words");
        assert_eq!(
            seen(&mut outbox),
            [
                "onetwo", "act", "[three]", "act", "act", "[four]", "act", "words"
            ]
        );
        outbox.bytes().extend_from_slice(b"five");
        outbox.act(action());
        outbox.lose();
        assert_eq!(seen(&mut outbox), ["[five]", "act", "lost"]);
    }

    #[test]
    fn elements_go_one_by_one_where_they_are_framed() {
        let mut outbox = Outbox::default();
        outbox.bytes().extend_from_slice(b"<a x='/>'><b/></a><c/>");
        outbox.act(action());
        outbox.bytes().extend_from_slice(b"<d/><e/>");
        let mut said = Vec::new();
        while let Some(output) = outbox.poll(true) {
            said.push(match output {
                Output::Send(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                _ => "act".to_owned(),
            });
        }
        assert_eq!(said, ["<a x='/>'><b/></a>", "<c/>", "act", "<d/>", "<e/>"]);
    }

    #[test]
    fn order_is_kept_and_octets_are_coalesced() {
        let mut outbox = Outbox::default();
        outbox.bytes().extend_from_slice(b"one");
        outbox.bytes().extend_from_slice(b"two");
        outbox.act(action());
        outbox.bytes().extend_from_slice(b"three");
        outbox.handled.actions.push_back(action());
        outbox.handled.actions.push_back(action());
        outbox.settle();
        outbox.bytes().extend_from_slice(b"four");
        outbox.close();
        assert_eq!(
            seen(&mut outbox),
            ["onetwo", "act", "three", "act", "act", "four", "close"]
        );
        outbox.bytes().extend_from_slice(b"five");
        assert!(matches!(outbox.poll(false), Some(Output::Send(bytes)) if bytes == b"five"));
        assert!(outbox.poll(false).is_none());
    }
}
