//! Why a session ends.

use crate::stream::StreamCondition;

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a stream error of ours, and maybe a word about it.
    Error(StreamCondition, Option<&'static str>),
    /// Because the peer closes its stream, or has told an error of its own (RFC 6120 §4.4, §4.9.1.1).
    Closed,
    /// Because the peer has to come another way, which it is told (RFC 7395 §3.6.1).
    Elsewhere,
}

impl Ending {
    pub(super) const fn because(condition: StreamCondition, text: &'static str) -> Self {
        Self::Error(condition, Some(text))
    }
}

impl From<StreamCondition> for Ending {
    fn from(condition: StreamCondition) -> Self {
        Self::Error(condition, None)
    }
}
