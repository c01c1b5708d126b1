//! Nodes of an account: PEP (XEP-0163), which is publish-subscribe (XEP-0060) at the address of a person.

mod answer;
mod config;
mod error;
mod event;
mod node;
mod options;
mod request;

pub use answer::{Answer, Discovered, Held, account_features};
pub use config::{Access, Config, MaxItems, PublishModel, SendLast};
pub use error::Error;
pub use event::{Event, Notification};
pub use node::{Affiliation, Asker, Kept, Node, Subscription};
pub use options::{Options, Subscriber};
pub(crate) use request::alone;
pub use request::{Item, Kind, Request, authorization};

/// The namespace of requests by anybody.
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// The namespace of requests by owners.
pub const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// The namespace of notifications.
pub const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// The `FORM_TYPE` of questions whether somebody may subscribe, and of the answers (§8.6).
const SUBSCRIBE_AUTHORIZATION: &str = "http://jabber.org/protocol/pubsub#subscribe_authorization";
/// The namespace of conditions that explain errors.
pub const ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
