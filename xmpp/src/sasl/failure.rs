//! Why a negotiation failed: the conditions of RFC 6120 §6.5.

use thiserror::Error;

/// A SASL failure as XMPP names it; printed inside `<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>` (RFC 6120 §6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Failure {
    /// The client took the negotiation back (§6.5.1).
    #[error("aborted")]
    Aborted,
    /// The account is switched off (§6.5.2).
    #[error("account-disabled")]
    AccountDisabled,
    /// The credentials were good once and are no longer (§6.5.3).
    #[error("credentials-expired")]
    CredentialsExpired,
    /// The mechanism needs a protected stream (§6.5.4).
    #[error("encryption-required")]
    EncryptionRequired,
    /// The payload is not base64 (§6.5.5).
    #[error("incorrect-encoding")]
    IncorrectEncoding,
    /// The identity asked for is ill-formed or belongs to somebody else (§6.5.6).
    #[error("invalid-authzid")]
    InvalidAuthzid,
    /// The mechanism is unknown or not offered here (§6.5.7).
    #[error("invalid-mechanism")]
    InvalidMechanism,
    /// The payload breaks the syntax of the mechanism, or came out of order (§6.5.8).
    #[error("malformed-request")]
    MalformedRequest,
    /// Policy asks for a stronger mechanism (§6.5.9).
    #[error("mechanism-too-weak")]
    MechanismTooWeak,
    /// Wrong credentials or unknown account, never told apart (§6.5.10).
    #[error("not-authorized")]
    NotAuthorized,
    /// The server cannot check credentials at the moment (§6.5.11).
    #[error("temporary-auth-failure")]
    TemporaryAuthFailure,
}

impl Failure {
    /// All conditions, in the order of RFC 6120 §6.5.
    pub const ALL: [Self; 11] = [
        Self::Aborted,
        Self::AccountDisabled,
        Self::CredentialsExpired,
        Self::EncryptionRequired,
        Self::IncorrectEncoding,
        Self::InvalidAuthzid,
        Self::InvalidMechanism,
        Self::MalformedRequest,
        Self::MechanismTooWeak,
        Self::NotAuthorized,
        Self::TemporaryAuthFailure,
    ];

    /// The name of the condition's element.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::MechanismTooWeak => "mechanism-too-weak",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }

    /// Reads a condition; an unknown one counts as `not-authorized` (RFC 6120 §6.5).
    pub fn from_condition(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|failure| failure.condition() == name)
            .unwrap_or(Self::NotAuthorized)
    }

    /// Whether this may have been a guess at a password, which counts towards `[limits] auth_failures`.
    pub const fn counts_as_guess(self) -> bool {
        matches!(self, Self::NotAuthorized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for failure in Failure::ALL {
            assert_eq!(Failure::from_condition(failure.condition()), failure);
            assert_eq!(failure.to_string(), failure.condition());
        }
        assert_eq!(Failure::from_condition("made-up"), Failure::NotAuthorized);
    }

    #[test]
    fn only_wrong_credentials_are_guesses() {
        let guesses: Vec<_> = Failure::ALL
            .into_iter()
            .filter(|f| f.counts_as_guess())
            .collect();
        assert_eq!(guesses, [Failure::NotAuthorized]);
    }
}
