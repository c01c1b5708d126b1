//! Why a session ends (XEP-0124 §17.2).

/// A terminal binding condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The request cannot be read.
    BadRequest,
    /// The domain is not served any more.
    HostGone,
    /// The domain is not served.
    HostUnknown,
    /// The request names no domain.
    ImproperAddressing,
    /// The fault is the server's.
    InternalServerError,
    /// No such session, a request id out of order, an answer that is not kept any more, or a wrong key.
    ItemNotFound,
    /// Another request that was under way has ended the session.
    OtherRequest,
    /// The client broke the rules of the session.
    PolicyViolation,
    /// The stream behind it broke or could not be made.
    RemoteConnectionFailed,
    /// The stream behind it ended with an error, which the body holds.
    RemoteStreamError,
    /// This is the wrong place; the body says which is right.
    SeeOtherUri,
    /// The server stops.
    SystemShutdown,
    /// None of these.
    UndefinedCondition,
}

impl Condition {
    /// As the `condition` attribute says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::HostGone => "host-gone",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::InternalServerError => "internal-server-error",
            Self::ItemNotFound => "item-not-found",
            Self::OtherRequest => "other-request",
            Self::PolicyViolation => "policy-violation",
            Self::RemoteConnectionFailed => "remote-connection-failed",
            Self::RemoteStreamError => "remote-stream-error",
            Self::SeeOtherUri => "see-other-uri",
            Self::SystemShutdown => "system-shutdown",
            Self::UndefinedCondition => "undefined-condition",
        }
    }

    /// The HTTP status that a client which gave no `ver` understands instead (§17.1); 200 where there is none.
    pub fn legacy_status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::PolicyViolation => 403,
            Self::ItemNotFound => 404,
            _ => 200,
        }
    }
}
