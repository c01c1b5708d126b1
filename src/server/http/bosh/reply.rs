//! Where the answer to a request goes.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::answer::Answer;
use super::super::quick::Wire;
use super::turns::Turn;
use super::{not_found, said};

/// Where an answer goes.
pub(in super::super) enum Reply {
    /// To the task of the request.
    Task(oneshot::Sender<(Answer, Turn)>),
    /// To its connection.
    Wire(OnWire),
}

/// A connection that is told where there will be no answer.
pub(in super::super) struct OnWire(Option<Arc<Wire>>);

impl Reply {
    /// To a connection that is written to by whoever has the answer.
    pub(in super::super) fn wire(wire: Arc<Wire>) -> Self {
        Self::Wire(OnWire(Some(wire)))
    }

    /// To the task of a request.
    pub(super) fn task() -> (Self, oneshot::Receiver<(Answer, Turn)>) {
        let (sender, receiver) = oneshot::channel();
        (Self::Task(sender), receiver)
    }

    /// The answer, of such a type. It is not out before its turn.
    pub(super) fn give(self, answer: bosh::Answer, content: &str, turn: Turn) {
        match self {
            Self::Task(sender) => {
                // One that has gone meanwhile asks again.
                let _ = sender.send((said(answer.status, answer.body, content), turn));
            }
            Self::Wire(mut wire) => {
                let Some(wire) = wire.0.take() else {
                    return;
                };
                if answer.status == 200 && content == bosh::terms::CONTENT {
                    wire.say_body(answer.body, turn);
                } else {
                    wire.say(said(answer.status, answer.body, content), Some(turn));
                }
            }
        }
    }

    /// There will be no answer: the session is over.
    pub(super) fn abandon(self, legacy: bool) {
        match self {
            // Its task finds out.
            Self::Task(_) => {}
            Self::Wire(mut wire) => {
                if let Some(wire) = wire.0.take() {
                    wire.say(not_found(legacy).into(), None);
                }
            }
        }
    }
}

impl Drop for OnWire {
    fn drop(&mut self) {
        if let Some(wire) = self.0.take() {
            wire.say(not_found(false).into(), None);
        }
    }
}
