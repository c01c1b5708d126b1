//! What goes wrong inside SCRAM: the error values of RFC 5802 §7.

use super::failure::Failure;
use thiserror::Error;

/// A `server-error-value` of RFC 5802 §7. XMPP tells it as a [`Failure`]; the precise value is for logs and for clients
/// of servers that send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum ServerError {
    /// The message breaks the grammar.
    #[error("invalid-encoding")]
    InvalidEncoding,
    /// A mandatory extension (`m=`) that is not known; none is.
    #[error("extensions-not-supported")]
    ExtensionsNotSupported,
    /// The proof does not fit: wrong password.
    #[error("invalid-proof")]
    InvalidProof,
    /// The client is bound to another channel: somebody is in between.
    #[error("channel-bindings-dont-match")]
    ChannelBindingsDontMatch,
    /// The client believes that there is no channel binding here, but it was offered: a downgrade (RFC 5802 §6).
    #[error("server-does-support-channel-binding")]
    ServerDoesSupportChannelBinding,
    /// The client binds the channel with a mechanism that does not.
    #[error("channel-binding-not-supported")]
    ChannelBindingNotSupported,
    /// A type of channel binding that is not available.
    #[error("unsupported-channel-binding-type")]
    UnsupportedChannelBindingType,
    /// There is no such user; never sent by this server.
    #[error("unknown-user")]
    UnknownUser,
    /// A user name with a bad escape.
    #[error("invalid-username-encoding")]
    InvalidUsernameEncoding,
    /// The server is out of something.
    #[error("no-resources")]
    NoResources,
    /// Anything else.
    #[error("other-error")]
    OtherError,
}

impl ServerError {
    /// All values of RFC 5802 §7.
    pub const ALL: [Self; 11] = [
        Self::InvalidEncoding,
        Self::ExtensionsNotSupported,
        Self::InvalidProof,
        Self::ChannelBindingsDontMatch,
        Self::ServerDoesSupportChannelBinding,
        Self::ChannelBindingNotSupported,
        Self::UnsupportedChannelBindingType,
        Self::UnknownUser,
        Self::InvalidUsernameEncoding,
        Self::NoResources,
        Self::OtherError,
    ];

    /// Reads the value of `e=`; an unknown one counts as `other-error` (RFC 5802 §7).
    pub fn from_value(value: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|error| error.to_string() == value)
            .unwrap_or(Self::OtherError)
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::InvalidEncoding
            | ServerError::ExtensionsNotSupported
            | ServerError::InvalidUsernameEncoding => Self::MalformedRequest,
            ServerError::NoResources => Self::TemporaryAuthFailure,
            ServerError::InvalidProof
            | ServerError::ChannelBindingsDontMatch
            | ServerError::ServerDoesSupportChannelBinding
            | ServerError::ChannelBindingNotSupported
            | ServerError::UnsupportedChannelBindingType
            | ServerError::UnknownUser
            | ServerError::OtherError => Self::NotAuthorized,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_both_ways() {
        for error in ServerError::ALL {
            assert_eq!(ServerError::from_value(&error.to_string()), error);
        }
        assert_eq!(ServerError::from_value("made-up"), ServerError::OtherError);
    }
}
