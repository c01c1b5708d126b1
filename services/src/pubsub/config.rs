//! How a node is configured (XEP-0060 §8.2, §16.4.4), with the defaults of XEP-0163.

use xml::Writer;

use super::error::Error;
use crate::form::{self, Field, Form, Purpose};

/// The `FORM_TYPE` of configurations.
pub(super) const NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";
/// The `FORM_TYPE` of preconditions.
const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All values in forms.
            pub const ALL: &[&str] = &[$($text),*];

            /// Its value in a form.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// Read from its value in a form.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(super) const fn number(self) -> u8 {
                match self {
                    $(Self::$variant => $number,)*
                }
            }

            pub(super) const fn of_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use choices;

choices! {
    /// Who may subscribe and read (§4.5).
    Access {
        /// Everybody.
        Open = "open" 1,
        /// Who may see the owner's presence.
        Presence = "presence" 2,
        /// Who of these stands in certain groups of the owner's roster.
        Roster = "roster" 3,
        /// Whom the owner has admitted when he asked.
        Authorize = "authorize" 4,
        /// Whom the owner has put on a list.
        Whitelist = "whitelist" 5,
    }
}

choices! {
    /// Who may publish beside the owner (§8.2.1).
    PublishModel {
        /// Publishers by affiliation.
        Publishers = "publishers" 1,
        /// Subscribers too.
        Subscribers = "subscribers" 2,
        /// Everybody.
        Open = "open" 3,
    }
}

choices! {
    /// When the last item is sent without being asked for (§6.1.7).
    SendLast {
        /// Never.
        Never = "never" 1,
        /// To a new subscriber.
        OnSub = "on_sub" 2,
        /// To a subscriber who comes online, too.
        OnSubAndPresence = "on_sub_and_presence" 3,
    }
}

/// How many items are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MaxItems {
    /// So many, one at least.
    Count(u32),
    /// As many as the server allows.
    Max,
}

impl MaxItems {
    /// As a number, where the server allows so many.
    pub fn within(self, limit: usize) -> usize {
        match self {
            Self::Count(count) => (count as usize).min(limit),
            Self::Max => limit,
        }
    }
}

/// The configuration of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Who may subscribe and read.
    pub access: Access,
    /// The groups that [`Access::Roster`] means.
    pub groups: Vec<String>,
    /// Who may publish.
    pub publish: PublishModel,
    /// When the last item is sent.
    pub send_last: SendLast,
    /// How many items are kept.
    pub max_items: MaxItems,
    /// For how many seconds they are kept; `None`: for ever.
    pub lifetime: Option<u32>,
    /// Items are kept at all.
    pub persist: bool,
    /// Anybody is notified at all.
    pub notifications: bool,
    /// Notifications hold payloads.
    pub payloads: bool,
    /// A change of the configuration is told.
    pub notify_config: bool,
    /// The deletion of the node is told.
    pub notify_delete: bool,
    /// The retraction of items is told.
    pub notify_retract: bool,
    /// Notifications are headlines, which are kept nowhere.
    pub headline: bool,
    /// A name for people.
    pub title: String,
    /// More about it.
    pub description: String,
    /// What its payloads mean.
    pub kind: String,
    /// Its language.
    pub language: String,
}

impl Default for Config {
    /// XEP-0163 §9.
    fn default() -> Self {
        Self {
            access: Access::Presence,
            groups: Vec::new(),
            publish: PublishModel::Publishers,
            send_last: SendLast::OnSubAndPresence,
            max_items: MaxItems::Count(1),
            lifetime: None,
            persist: true,
            notifications: true,
            payloads: true,
            notify_config: false,
            notify_delete: true,
            notify_retract: true,
            headline: true,
            title: String::new(),
            description: String::new(),
            kind: String::new(),
            language: String::new(),
        }
    }
}

/// Longest text of a configuration, and most groups.
const TEXT: usize = 1024;
const GROUPS: usize = 100;

/// What became of a field.
enum Taken {
    Taken,
    Unknown,
}

impl Config {
    /// Changes what the fields say. A field that is not known is left alone.
    ///
    /// # Errors
    /// `not-acceptable` for a value that cannot be.
    pub fn change(&mut self, form: &Form) -> Result<(), Error> {
        if form.kind.as_deref().is_some_and(|kind| kind != NODE_CONFIG) {
            return Err(Error::NotAcceptable);
        }
        let mut changed = self.clone();
        for field in &form.fields {
            changed.take(field)?;
        }
        *self = changed;
        Ok(())
    }

    /// What a node is made with where publishing has these options (§7.1.5): the defaults in all other respects.
    ///
    /// # Errors
    /// `precondition-not-met` for what is not known or cannot be.
    pub fn of_options(form: &Form) -> Result<Self, Error> {
        let mut config = Self::default();
        config.require(form)?;
        Ok(config)
    }

    /// The node is configured as a publisher wants (§7.1.5).
    ///
    /// # Errors
    /// `precondition-not-met` where it is not, or a field is not known.
    pub fn check(&self, form: &Form) -> Result<(), Error> {
        let mut wanted = self.clone();
        wanted.require(form)?;
        if wanted == *self {
            Ok(())
        } else {
            Err(Error::PreconditionNotMet)
        }
    }

    fn require(&mut self, form: &Form) -> Result<(), Error> {
        let kind = form.kind.as_deref();
        if kind.is_some_and(|kind| kind != PUBLISH_OPTIONS) {
            return Err(Error::PreconditionNotMet);
        }
        for field in &form.fields {
            match self.take(field) {
                Ok(Taken::Taken) => {}
                Ok(Taken::Unknown) | Err(_) => return Err(Error::PreconditionNotMet),
            }
        }
        Ok(())
    }

    fn take(&mut self, field: &Field) -> Result<Taken, Error> {
        let Some(name) = field.var.strip_prefix("pubsub#") else {
            return Ok(Taken::Unknown);
        };
        let text = field.value().unwrap_or_default();
        let wrong = Error::NotAcceptable;
        match name {
            "access_model" => self.access = Access::parse(text).ok_or(Error::AccessModel)?,
            "roster_groups_allowed" => self.groups = groups(field)?,
            "publish_model" => self.publish = PublishModel::parse(text).ok_or(wrong)?,
            "send_last_published_item" => self.send_last = SendLast::parse(text).ok_or(wrong)?,
            "max_items" => self.max_items = max_items(text).ok_or(wrong)?,
            "item_expire" => self.lifetime = lifetime(text).ok_or(wrong)?,
            "notification_type" => match text {
                "headline" => self.headline = true,
                "normal" => self.headline = false,
                _ => return Err(wrong),
            },
            "title" => self.title = short(text)?,
            "description" => self.description = short(text)?,
            "type" => self.kind = short(text)?,
            "language" => self.language = short(text)?,
            _ => {
                let Some(flag) = self.flag(name) else {
                    return fixed(name, text);
                };
                *flag = form::boolean(text).ok_or(wrong)?;
            }
        }
        Ok(Taken::Taken)
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "persist_items" => &mut self.persist,
            "deliver_notifications" => &mut self.notifications,
            "deliver_payloads" => &mut self.payloads,
            "notify_config" => &mut self.notify_config,
            "notify_delete" => &mut self.notify_delete,
            "notify_retract" => &mut self.notify_retract,
            _ => return None,
        })
    }

    /// Writes it as a form: to be filled in, or as it is.
    pub fn write(&self, to: &mut Writer<'_>, purpose: Purpose) {
        form::begin(to, purpose, NODE_CONFIG);
        let filled = purpose == Purpose::Form;
        let count;
        let max = match self.max_items {
            MaxItems::Max => "max",
            MaxItems::Count(n) => {
                count = n.to_string();
                &count
            }
        };
        let lifetime = self.lifetime.map(|seconds| seconds.to_string());
        let kind = if self.headline { "headline" } else { "normal" };
        let mut field = |name: &str, kind: &str, options: &[&str], values: &[&str]| {
            let options = if filled { options } else { &[] };
            form::field(to, name, filled.then_some(kind), options, values);
        };
        let list = "list-single";
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        field("pubsub#title", "text-single", &[], &[&self.title]);
        field(
            "pubsub#description",
            "text-single",
            &[],
            &[&self.description],
        );
        field("pubsub#type", "text-single", &[], &[&self.kind]);
        field("pubsub#language", "text-single", &[], &[&self.language]);
        field(
            "pubsub#access_model",
            list,
            Access::ALL,
            &[self.access.as_str()],
        );
        field("pubsub#roster_groups_allowed", "text-multi", &[], &groups);
        field(
            "pubsub#publish_model",
            list,
            PublishModel::ALL,
            &[self.publish.as_str()],
        );
        field(
            "pubsub#send_last_published_item",
            list,
            SendLast::ALL,
            &[self.send_last.as_str()],
        );
        field("pubsub#max_items", "text-single", &[], &[max]);
        let lifetime = lifetime.as_deref().unwrap_or("max");
        field("pubsub#item_expire", "text-single", &[], &[lifetime]);
        field(
            "pubsub#notification_type",
            list,
            &["headline", "normal"],
            &[kind],
        );
        for (name, value) in [
            ("pubsub#persist_items", self.persist),
            ("pubsub#deliver_notifications", self.notifications),
            ("pubsub#deliver_payloads", self.payloads),
            ("pubsub#notify_config", self.notify_config),
            ("pubsub#notify_delete", self.notify_delete),
            ("pubsub#notify_retract", self.notify_retract),
        ] {
            field(name, "boolean", &[], &[if value { "1" } else { "0" }]);
        }
        for (name, value) in FIXED {
            field(name, "fixed", &[], &[value]);
        }
        to.end();
    }
}

/// What cannot be chosen.
const FIXED: [(&str, &str); 3] = [
    ("pubsub#node_type", "leaf"),
    ("pubsub#presence_based_delivery", "1"),
    ("pubsub#purge_offline", "0"),
];

/// A field that has one value here.
fn fixed(name: &str, text: &str) -> Result<Taken, Error> {
    let right = match name {
        // XEP-0248 is not done.
        "node_type" if text == "collection" => return Err(Error::Unsupported("collections")),
        "collection" if !text.is_empty() => return Err(Error::Unsupported("collections")),
        "node_type" => text == "leaf",
        "collection" => true,
        "presence_based_delivery" | "subscribe" => form::boolean(text) == Some(true),
        "purge_offline" | "tempsub" | "notify_sub" => form::boolean(text) == Some(false),
        "itemreply" => matches!(text, "publisher" | "owner"),
        _ => return Ok(Taken::Unknown),
    };
    if right {
        Ok(Taken::Taken)
    } else {
        Err(Error::NotAcceptable)
    }
}

fn max_items(text: &str) -> Option<MaxItems> {
    match text {
        "max" => Some(MaxItems::Max),
        _ => text.parse().ok().filter(|n| *n > 0).map(MaxItems::Count),
    }
}

/// XEP-0060 §8.2: seconds, or as long as the server allows, which is for ever.
fn lifetime(text: &str) -> Option<Option<u32>> {
    match text {
        "max" => Some(None),
        _ => text.parse().ok().filter(|n| *n > 0).map(Some),
    }
}

fn short(text: &str) -> Result<String, Error> {
    if text.len() > TEXT {
        return Err(Error::NotAcceptable);
    }
    Ok(text.to_owned())
}

fn groups(field: &Field) -> Result<Vec<String>, Error> {
    if field.values.len() > GROUPS {
        return Err(Error::NotAcceptable);
    }
    field.values.iter().map(|group| short(group)).collect()
}

/// The form that is kept now, and the one before, which had no lifetimes.
const FORM: u8 = 2;
const WITHOUT_LIFETIME: u8 = 1;

impl Config {
    /// In octets, as they are stored.
    pub fn encode(&self) -> Vec<u8> {
        let max = match self.max_items {
            MaxItems::Max => 0,
            MaxItems::Count(count) => count,
        };
        let flags = [
            self.persist,
            self.notifications,
            self.payloads,
            self.notify_config,
            self.notify_delete,
            self.notify_retract,
            self.headline,
        ];
        let bits = flags.iter().enumerate();
        let bits = bits.fold(0_u8, |bits, (n, set)| bits | u8::from(*set) << n);
        let mut octets = vec![
            FORM,
            self.access.number(),
            self.publish.number(),
            self.send_last.number(),
            bits,
        ];
        octets.extend_from_slice(&max.to_le_bytes());
        octets.extend_from_slice(&self.lifetime.unwrap_or(0).to_le_bytes());
        let texts = [&self.title, &self.description, &self.kind, &self.language];
        for text in texts.into_iter().chain(&self.groups) {
            octets.extend_from_slice(&(text.len() as u16).to_le_bytes());
            octets.extend_from_slice(text.as_bytes());
        }
        octets
    }

    /// From stored octets; `None` when they are none.
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let [form, access, publish, send_last, bits, rest @ ..] = octets else {
            return None;
        };
        let (max, rest) = rest.split_first_chunk::<4>()?;
        let (lifetime, mut rest) = match *form {
            FORM => rest.split_first_chunk::<4>()?,
            WITHOUT_LIFETIME => (&[0; 4], rest),
            _ => return None,
        };
        let mut texts = Vec::new();
        while let Some((len, after)) = rest.split_first_chunk::<2>() {
            let (text, after) = after.split_at_checked(u16::from_le_bytes(*len).into())?;
            texts.push(std::str::from_utf8(text).ok()?.to_owned());
            rest = after;
        }
        if !rest.is_empty() || texts.len() < 4 {
            return None;
        }
        let groups = texts.split_off(4);
        let mut texts = texts.into_iter();
        let bit = |n: u8| bits >> n & 1 == 1;
        Some(Self {
            access: Access::of_number(*access)?,
            groups,
            publish: PublishModel::of_number(*publish)?,
            send_last: SendLast::of_number(*send_last)?,
            max_items: match u32::from_le_bytes(*max) {
                0 => MaxItems::Max,
                count => MaxItems::Count(count),
            },
            lifetime: Some(u32::from_le_bytes(*lifetime)).filter(|seconds| *seconds > 0),
            persist: bit(0),
            notifications: bit(1),
            payloads: bit(2),
            notify_config: bit(3),
            notify_delete: bit(4),
            notify_retract: bit(5),
            headline: bit(6),
            title: texts.next()?,
            description: texts.next()?,
            kind: texts.next()?,
            language: texts.next()?,
        })
    }
}

#[cfg(test)]
mod tests;
