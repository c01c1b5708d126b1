//! Stanza errors and SIP statuses (RFC 6120 §8.3.3, RFC 7247 §7). What a [`crate::Refusal`] is in either protocol is its face's matter.

/// RFC 6120 §8.3.2: what the sender can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// Try again with credentials.
    Auth,
    /// Do not try again.
    Cancel,
    /// Go on; this was a warning.
    Continue,
    /// Try again with other data.
    Modify,
    /// Try again later.
    Wait,
}

impl ErrorType {
    /// The `type` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }
}

/// The 22 conditions of RFC 6120 §8.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the field's, RFC 6120 §8.3.3")]
pub enum Condition {
    BadRequest,
    Conflict,
    FeatureNotImplemented,
    Forbidden,
    Gone,
    InternalServerError,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    NotAllowed,
    NotAuthorized,
    PolicyViolation,
    RecipientUnavailable,
    Redirect,
    RegistrationRequired,
    RemoteServerNotFound,
    RemoteServerTimeout,
    ResourceConstraint,
    ServiceUnavailable,
    SubscriptionRequired,
    UndefinedCondition,
    UnexpectedRequest,
}

/// Whom an error is about: RFC 7247 table 2 answers differently for one device and for all of them (notes 1 and 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A full address: this device.
    Device,
    /// A bare address: the account.
    Account,
}

impl Condition {
    /// All of them, in the order of the RFC.
    pub const ALL: [Self; 22] = [
        Self::BadRequest,
        Self::Conflict,
        Self::FeatureNotImplemented,
        Self::Forbidden,
        Self::Gone,
        Self::InternalServerError,
        Self::ItemNotFound,
        Self::JidMalformed,
        Self::NotAcceptable,
        Self::NotAllowed,
        Self::NotAuthorized,
        Self::PolicyViolation,
        Self::RecipientUnavailable,
        Self::Redirect,
        Self::RegistrationRequired,
        Self::RemoteServerNotFound,
        Self::RemoteServerTimeout,
        Self::ResourceConstraint,
        Self::ServiceUnavailable,
        Self::SubscriptionRequired,
        Self::UndefinedCondition,
        Self::UnexpectedRequest,
    ];

    /// The name of the element.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Conflict => "conflict",
            Self::FeatureNotImplemented => "feature-not-implemented",
            Self::Forbidden => "forbidden",
            Self::Gone => "gone",
            Self::InternalServerError => "internal-server-error",
            Self::ItemNotFound => "item-not-found",
            Self::JidMalformed => "jid-malformed",
            Self::NotAcceptable => "not-acceptable",
            Self::NotAllowed => "not-allowed",
            Self::NotAuthorized => "not-authorized",
            Self::PolicyViolation => "policy-violation",
            Self::RecipientUnavailable => "recipient-unavailable",
            Self::Redirect => "redirect",
            Self::RegistrationRequired => "registration-required",
            Self::RemoteServerNotFound => "remote-server-not-found",
            Self::RemoteServerTimeout => "remote-server-timeout",
            Self::ResourceConstraint => "resource-constraint",
            Self::ServiceUnavailable => "service-unavailable",
            Self::SubscriptionRequired => "subscription-required",
            Self::UndefinedCondition => "undefined-condition",
            Self::UnexpectedRequest => "unexpected-request",
        }
    }

    /// Read from the name of the element.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == name)
    }

    /// The type that RFC 6120 §8.3.3 says the condition SHOULD have; where it names two or leaves it open, the one that fits a
    /// request which will fail again as it is.
    pub fn error_type(self) -> ErrorType {
        match self {
            Self::Forbidden
            | Self::NotAuthorized
            | Self::RegistrationRequired
            | Self::SubscriptionRequired => ErrorType::Auth,
            Self::BadRequest
            | Self::JidMalformed
            | Self::NotAcceptable
            | Self::PolicyViolation
            | Self::Redirect
            | Self::UnexpectedRequest => ErrorType::Modify,
            Self::RecipientUnavailable | Self::RemoteServerTimeout | Self::ResourceConstraint => {
                ErrorType::Wait
            }
            Self::Conflict
            | Self::FeatureNotImplemented
            | Self::Gone
            | Self::InternalServerError
            | Self::ItemNotFound
            | Self::NotAllowed
            | Self::RemoteServerNotFound
            | Self::ServiceUnavailable
            | Self::UndefinedCondition => ErrorType::Cancel,
        }
    }

    /// The SIP status for a stanza error (RFC 7247 table 2). `has_address`: `<gone/>` names the new address (note 3).
    ///
    /// Of two that the RFC offers, `remote-server-not-found` is 404, `unexpected-request` is 491, and `service-unavailable` is 403:
    /// never 503, which would make a phone avoid the whole server (note 5). 401 and 407 need a challenge and 405 an `Allow`
    /// field, which whoever answers adds.
    pub fn to_sip(self, scope: Scope, has_address: bool) -> u16 {
        let by_scope = |device, account| {
            if scope == Scope::Device {
                device
            } else {
                account
            }
        };
        match self {
            Self::BadRequest
            | Self::Conflict
            | Self::JidMalformed
            | Self::SubscriptionRequired
            | Self::UndefinedCondition => 400,
            Self::FeatureNotImplemented => by_scope(405, 501),
            Self::Forbidden => by_scope(403, 603),
            Self::Gone if has_address => 301,
            Self::Gone => 410,
            Self::InternalServerError | Self::ResourceConstraint => 500,
            Self::ItemNotFound => by_scope(404, 604),
            Self::NotAcceptable => by_scope(406, 606),
            Self::NotAllowed | Self::PolicyViolation | Self::ServiceUnavailable => 403,
            Self::NotAuthorized => 401,
            Self::RecipientUnavailable => by_scope(480, 600),
            Self::Redirect => 302,
            Self::RegistrationRequired => 407,
            Self::RemoteServerNotFound => 404,
            Self::RemoteServerTimeout => 408,
            Self::UnexpectedRequest => 491,
        }
    }

    /// The stanza error for a SIP status (RFC 7247 table 3; unlisted ones by their class). `None` when the status is no failure.
    /// For 301 the `<gone/>` must name the new address, for 410 it must not (note 1).
    #[expect(
        clippy::match_same_arms,
        reason = "the classes stand apart from the statuses that are listed"
    )]
    pub fn from_sip(status: u16) -> Option<Self> {
        Some(match status {
            301 | 410 => Self::Gone,
            380 | 406 | 415 | 416 | 421 | 482 | 483 | 488 | 505 | 606 => Self::NotAcceptable,
            401 => Self::NotAuthorized,
            403 => Self::Forbidden,
            404 | 481 | 484 | 485 | 604 => Self::ItemNotFound,
            405 | 420 | 439 | 501 => Self::FeatureNotImplemented,
            407 => Self::RegistrationRequired,
            408 | 504 => Self::RemoteServerTimeout,
            413 | 414 | 440 | 489 | 513 => Self::PolicyViolation,
            423 => Self::ResourceConstraint,
            430 | 480 | 486 | 487 => Self::RecipientUnavailable,
            491 => Self::UnexpectedRequest,
            502 => Self::RemoteServerNotFound,
            300..400 => Self::Redirect,
            400..500 => Self::BadRequest,
            500..600 => Self::InternalServerError,
            600..700 => Self::RecipientUnavailable,
            _ => return None,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The rows of a table of RFC 7247, as (first, second) column.
    fn table(caption: &str) -> Vec<(String, String)> {
        let all: Value =
            serde_json::from_str(include_str!("../testdata/stox-mapping-tables.json")).unwrap();
        let tables = all.get("RFC 7247").and_then(Value::as_array).unwrap();
        let found = tables
            .iter()
            .find(|t| {
                t.get("caption")
                    .and_then(Value::as_str)
                    .unwrap()
                    .starts_with(caption)
            })
            .unwrap();
        let cell = |row: &Value, n: usize| row.get(n).and_then(Value::as_str).unwrap().to_owned();
        found
            .get("rows")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .map(|r| (cell(r, 0), cell(r, 1)))
            .collect()
    }

    fn condition(cell: &str) -> Condition {
        let name = cell.trim_start_matches('<').split('/').next().unwrap();
        Condition::parse(name).unwrap()
    }

    #[test]
    fn rfc7247_table_2() {
        let rows = table("Table 2");
        assert_eq!(rows.len(), Condition::ALL.len());
        for (name, codes) in rows {
            let c = condition(&name);
            let mut got: Vec<u16> = [
                (Scope::Device, false),
                (Scope::Account, false),
                (Scope::Device, true),
            ]
            .into_iter()
            .map(|(scope, address)| c.to_sip(scope, address))
            .collect();
            if c == Condition::ServiceUnavailable {
                assert_eq!(got, [403, 403, 403]);
                continue;
            }
            got.sort_unstable();
            got.dedup();
            let allowed: Vec<u16> = codes
                .split_whitespace()
                .filter_map(|w| w.parse().ok())
                .collect();
            assert!(
                got.iter().all(|g| allowed.contains(g)),
                "{name}: {got:?} of {allowed:?}"
            );
            let chosen = matches!(
                c,
                Condition::RemoteServerNotFound | Condition::UnexpectedRequest
            );
            assert!(
                chosen || got.len() == allowed.len(),
                "{name}: all of {allowed:?} are used"
            );
        }
    }

    #[test]
    fn rfc7247_table_2_notes() {
        for (c, device, account) in [
            (Condition::FeatureNotImplemented, 405, 501),
            (Condition::Forbidden, 403, 603),
            (Condition::ItemNotFound, 404, 604),
            (Condition::NotAcceptable, 406, 606),
            (Condition::RecipientUnavailable, 480, 600),
        ] {
            assert_eq!(
                (
                    c.to_sip(Scope::Device, false),
                    c.to_sip(Scope::Account, false)
                ),
                (device, account)
            );
        }
        assert_eq!(Condition::Gone.to_sip(Scope::Account, true), 301);
        assert_eq!(Condition::Gone.to_sip(Scope::Account, false), 410);
        assert!(
            Condition::ALL
                .iter()
                .all(|c| c.to_sip(Scope::Account, false) != 503)
        );
    }

    #[test]
    fn rfc7247_table_3() {
        let rows = table("Table 3");
        assert_eq!(rows.len(), 52);
        for (code, name) in rows {
            // A class is tried with a number that nobody has registered.
            let status: u16 = code.replace("xx", "99").parse().unwrap();
            assert_eq!(
                Condition::from_sip(status),
                Some(condition(&name)),
                "{code}"
            );
        }
        for no_failure in [0, 100, 200, 202, 299, 700] {
            assert_eq!(Condition::from_sip(no_failure), None);
        }
    }

    #[test]
    fn names_and_types() {
        for c in Condition::ALL {
            assert_eq!(Condition::parse(c.as_str()), Some(c));
        }
        assert_eq!(Condition::parse("payment-required"), None);
        assert_eq!(
            Condition::ServiceUnavailable.error_type().as_str(),
            "cancel"
        );
        assert_eq!(Condition::JidMalformed.error_type().as_str(), "modify");
        assert_eq!(Condition::NotAuthorized.error_type().as_str(), "auth");
        assert_eq!(Condition::ResourceConstraint.error_type().as_str(), "wait");
    }
}
