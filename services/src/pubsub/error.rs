//! What can be wrong with a request, as XEP-0060 names it.

use presence::errors::{Condition, ErrorType};
use xml::Writer;

use super::ERRORS;

const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

macro_rules! errors {
    ($($(#[$doc:meta])* $variant:ident = $kind:ident $condition:ident $specific:expr,)*) => {
        /// Why a request was refused. Nothing was changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Error {
            $($(#[$doc])* $variant,)*
            /// Nobody here does this; the feature that would be needed.
            Unsupported(&'static str),
            /// A limit of the configuration, by its name.
            Limit(&'static str),
        }

        impl Error {
            fn parts(self) -> (ErrorType, Condition, Option<&'static str>) {
                match self {
                    $(Self::$variant => (ErrorType::$kind, Condition::$condition, $specific),)*
                    Self::Unsupported(_) => (ErrorType::Cancel, Condition::FeatureNotImplemented, Some("unsupported")),
                    Self::Limit("pubsub_item_size") => (ErrorType::Modify, Condition::NotAcceptable, Some("payload-too-big")),
                    Self::Limit("pubsub_nodes") => (ErrorType::Wait, Condition::PolicyViolation, Some("max-nodes-exceeded")),
                    Self::Limit("pubsub_subscriptions") => (ErrorType::Wait, Condition::PolicyViolation, Some("too-many-subscriptions")),
                    Self::Limit(_) => (ErrorType::Wait, Condition::PolicyViolation, None),
                }
            }
        }
    };
}

errors! {
    /// It makes no sense.
    BadRequest = Modify BadRequest None,
    /// No node is named (§8.2.3.3).
    NodeRequired = Modify BadRequest Some("nodeid-required"),
    /// No item is named or given (§7.1.3.6, §7.2.3.4).
    ItemRequired = Modify BadRequest Some("item-required"),
    /// An item has to have a payload (§7.1.3.6).
    PayloadRequired = Modify BadRequest Some("payload-required"),
    /// An item has exactly one payload (§7.1.3.5).
    InvalidPayload = Modify BadRequest Some("invalid-payload"),
    /// Nothing can be kept there, so no item can be named (§7.1.3.6).
    ItemForbidden = Modify BadRequest Some("item-forbidden"),
    /// The address is another's (§6.1.3.1).
    InvalidJid = Modify BadRequest Some("invalid-jid"),
    /// No address is given (§6.3.4.3).
    JidRequired = Modify BadRequest Some("jid-required"),
    /// There is no such node or item.
    NotFound = Cancel ItemNotFound None,
    /// Nothing is told to him.
    Unavailable = Cancel ServiceUnavailable None,
    /// A right is missing.
    Forbidden = Auth Forbidden None,
    /// The node exists (§8.1.2).
    Conflict = Cancel Conflict None,
    /// The node is configured otherwise than the publisher wants (§7.1.5).
    PreconditionNotMet = Cancel Conflict Some("precondition-not-met"),
    /// The configuration cannot be (§8.2.5.3).
    NotAcceptable = Modify NotAcceptable None,
    /// There is no such access model (§8.1.3).
    AccessModel = Modify NotAcceptable Some("unsupported-access-model"),
    /// Only those see it who see the owner's presence (§6.1.3.2).
    PresenceRequired = Auth NotAuthorized Some("presence-subscription-required"),
    /// Only certain groups of the owner's roster see it (§6.1.3.3).
    NotInGroup = Auth NotAuthorized Some("not-in-roster-group"),
    /// Only those on a list see it (§6.1.3.4).
    Closed = Cancel NotAllowed Some("closed-node"),
    /// The owner has not answered yet (§6.1.3.7).
    Pending = Auth NotAuthorized Some("pending-subscription"),
    /// Only subscribers see it (§6.5.9.3).
    SubscriptionRequired = Auth NotAuthorized Some("not-subscribed"),
    /// There is no subscription to end (§6.2.3.2).
    NotSubscribed = Cancel UnexpectedRequest Some("not-subscribed"),
    /// There is no subscription to configure (§6.3.4.2).
    NothingToConfigure = Modify UnexpectedRequest Some("not-subscribed"),
    /// A subscription cannot be configured like this (§6.3.7.2).
    InvalidOptions = Modify BadRequest Some("invalid-options"),
    /// Nobody waits for the owner's answer (§8.6).
    NothingPending = Cancel UnexpectedRequest None,
    /// Subscriptions have no numbers here (§6.2.3.5).
    InvalidSubid = Modify NotAcceptable Some("invalid-subid"),
}

impl Error {
    /// Writes `<error/>` into an IQ.
    pub fn write(self, to: &mut Writer<'_>) {
        let (kind, condition, specific) = self.parts();
        to.start("error").attribute("type", kind.as_str());
        if condition == Condition::ItemNotFound {
            // Profanity knows a node that is not there by this alone (XEP-0086).
            to.attribute("code", "404");
        }
        to.start(condition.as_str());
        to.attribute("xmlns", STANZAS).end();
        if let Self::Limit(name) = self {
            to.start("text").attribute("xmlns", STANZAS);
            to.attribute("xml:lang", "en");
            to.text("The limit ").text(name).text(" is reached.").end();
        }
        if let Some(specific) = specific {
            to.start(specific).attribute("xmlns", ERRORS);
            if let Self::Unsupported(feature) = self {
                to.attribute("feature", feature);
            }
            to.end();
        }
        to.end();
    }
}
