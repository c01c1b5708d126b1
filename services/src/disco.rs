//! Answers of service discovery (XEP-0030) with their forms (XEP-0128), read.

use xml::Child;

use crate::form::{FORMS, Form};

/// The namespace of what something is and can.
pub const INFO: &str = "http://jabber.org/protocol/disco#info";
/// The namespace of what belongs to something.
pub const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// What something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Its category.
    pub category: String,
    /// Its type within that.
    pub kind: String,
    /// Its own `xml:lang`.
    pub lang: Option<String>,
    /// Its name.
    pub name: String,
}

/// What something is and can.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Info {
    /// What it is.
    pub identities: Vec<Identity>,
    /// What it can.
    pub features: Vec<String>,
    /// More.
    pub forms: Vec<Form>,
    /// Something stood in it that none of the three is: XEP-0390 §4.1 has no hash for that.
    pub has_more: bool,
}

impl Info {
    /// Reads `<query xmlns='http://jabber.org/protocol/disco#info'/>`.
    pub fn read(query: &Child<'_>) -> Self {
        let mut info = Self::default();
        let text = |c: &Child<'_>, name: &str| {
            c.attribute(name)
                .map(std::borrow::Cow::into_owned)
                .unwrap_or_default()
        };
        for child in query.children() {
            if child.is("identity", INFO) {
                info.identities.push(Identity {
                    category: text(&child, "category"),
                    kind: text(&child, "type"),
                    lang: child.lang().map(std::borrow::Cow::into_owned),
                    name: text(&child, "name"),
                });
            } else if child.is("feature", INFO) {
                info.features.push(text(&child, "var"));
            } else if child.is("x", FORMS) {
                let odd = child
                    .children()
                    .any(|c| c.is("reported", FORMS) || c.is("item", FORMS));
                info.has_more |= odd;
                info.forms.extend(Form::read(&child));
            } else {
                info.has_more = true;
            }
        }
        info
    }
}
