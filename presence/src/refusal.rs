//! A rule said no. Each face has one exhaustive `match` from here to its own protocol's terms.

/// Why a command was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address is not one.
    #[error("the address is malformed")]
    Malformed,
    /// The request makes no sense as written.
    #[error("{0}")]
    BadRequest(&'static str),
    /// No such account, item, session.
    #[error("there is no such entity")]
    NotFound,
    /// A right is missing.
    #[error("not allowed for this user")]
    Forbidden,
    /// The sender blocks the recipient himself (XEP-0191 §3.3).
    #[error("you have blocked this address")]
    Blocked,
    /// The action is never allowed to anybody.
    #[error("this is never allowed")]
    NotAllowed,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The name is taken.
    #[error("the name is in use")]
    Conflict,
    /// Nobody there takes it now.
    #[error("the recipient does not take this now")]
    Unavailable,
    /// RFC 3903: no publication has this entity tag.
    #[error("no publication has this entity tag")]
    TagUnknown,
    /// A limit with its name in the configuration.
    #[error("the limit {0} is reached")]
    Limit(&'static str),
    /// The writer's queue is full: come again.
    #[error("the server is overloaded")]
    Overloaded,
    /// A CSeq not above the last one, within the same Call-ID.
    #[error("out of order")]
    OutOfOrder,
    /// The domain is not ours and nothing leads there.
    #[error("the domain is not served here")]
    ForeignDomain,
    /// A fault of ours: the store failed.
    #[error("internal fault")]
    Fault,
}
