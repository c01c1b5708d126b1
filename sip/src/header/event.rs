//! Event and Subscription-State (RFC 6665 §8.2.1, §8.2.3).

use std::fmt;

use bytes::Bytes;

use crate::{
    Malformed,
    params::Params,
    syntax::{is_token, push_number, saturating_u32, trim},
};

/// An event package with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The package with its templates, e.g. `presence.winfo`; compared with regard to case.
    pub package: String,
    /// Parameters, `id` among them.
    pub params: Params,
}

impl Event {
    /// An event without parameters.
    pub fn new(package: &str) -> Self {
        Self {
            package: package.to_owned(),
            params: Params::new(),
        }
    }

    /// Reads the value of the field.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (package, params) = split(text, "Event")?;
        Ok(Self {
            package: package.to_owned(),
            params,
        })
    }

    /// The `id` parameter.
    pub fn id(&self) -> Option<&str> {
        self.params.get("id")
    }

    /// Whether both name the same subscription of a dialog: package and `id` agree, other parameters do
    /// not matter (RFC 6665 §8.2.1).
    pub fn same(&self, other: &Self) -> bool {
        self.package == other.package && self.id() == other.id()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}

/// The state of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// Accepted.
    Active,
    /// Waiting for a decision.
    Pending,
    /// Over.
    Terminated,
    /// Any other; it counts as active (RFC 6665 §4.1.3).
    Other(String),
}

impl SubscriptionStatus {
    /// The token.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Terminated => "terminated",
            Self::Other(text) => text,
        }
    }
}

/// What a NOTIFY says about its subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// The state.
    pub status: SubscriptionStatus,
    /// Parameters: `expires`, `reason`, `retry-after`.
    pub params: Params,
}

impl SubscriptionState {
    /// `active` with the seconds left.
    pub fn active(expires: u32) -> Self {
        Self::with_expires(SubscriptionStatus::Active, expires)
    }

    /// `pending` with the seconds left.
    pub fn pending(expires: u32) -> Self {
        Self::with_expires(SubscriptionStatus::Pending, expires)
    }

    /// `terminated` with a reason such as `timeout` or `rejected` (RFC 6665 §4.1.3).
    pub fn terminated(reason: &str) -> Self {
        Self {
            status: SubscriptionStatus::Terminated,
            params: Params::new().with("reason", Some(reason)),
        }
    }

    /// The value of the field for a state with the seconds left, at once.
    pub fn value(status: &SubscriptionStatus, expires: u32) -> Bytes {
        let mut out = Vec::with_capacity(32);
        out.extend_from_slice(status.as_str().as_bytes());
        out.extend_from_slice(b";expires=");
        push_number(&mut out, expires.into());
        out.into()
    }

    fn with_expires(status: SubscriptionStatus, expires: u32) -> Self {
        Self {
            status,
            params: Params::new().with("expires", Some(&expires.to_string())),
        }
    }

    /// Reads the value of the field.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (state, params) = split(text, "Subscription-State")?;
        let status = match state.to_ascii_lowercase().as_str() {
            "active" => SubscriptionStatus::Active,
            "pending" => SubscriptionStatus::Pending,
            "terminated" => SubscriptionStatus::Terminated,
            _ => SubscriptionStatus::Other(state.to_owned()),
        };
        Ok(Self { status, params })
    }

    /// Seconds left.
    pub fn expires(&self) -> Option<u32> {
        saturating_u32(self.params.get("expires")?, "expires").ok()
    }

    /// Why it is over.
    pub fn reason(&self) -> Option<&str> {
        self.params.get("reason")
    }

    /// Seconds to wait before the next try.
    pub fn retry_after(&self) -> Option<u32> {
        saturating_u32(self.params.get("retry-after")?, "retry-after").ok()
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.status.as_str(), self.params)
    }
}

fn split<'a>(text: &'a str, what: &'static str) -> Result<(&'a str, Params), Malformed> {
    let end = text.find(';').unwrap_or(text.len());
    let token = trim(&text[..end]);
    if !is_token(token.as_bytes()) {
        return Err(Malformed { what });
    }
    Ok((token, Params::parse(&text[end..], what)?))
}
