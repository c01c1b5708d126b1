//! One source's document at one presentity, and the view composed of all of them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::address::{Bare, Resource};
use crate::document::Document;
use crate::time::Utc;

/// RFC 3903 entity tag: names one state of one publication. Opaque, unguessable, cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityTag(pub Arc<str>);

impl fmt::Debug for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Who published: the kind decides the lifetime.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// An XMPP session; lives as long as its route.
    Session,
    /// A SIP PUBLISH; lives until its expiry. The key names the device across re-publications.
    Sip {
        /// What is known of the device (instance id, or sent-by and first tuple id).
        device: Arc<str>,
    },
    /// A phone that registers and publishes nothing (`registered_is_open`); lives with its binding.
    Registration {
        /// The device key of the binding.
        device: Arc<str>,
    },
    /// Set by hand; stored, lives until its end or until it is taken back.
    Manual,
}

/// What the common document cannot express, passed on unchanged within the same protocol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Native {
    /// Nothing more.
    #[default]
    None,
    /// The content of an XMPP `<presence/>` (what stands between its tags, `jabber:client` as default namespace).
    Xmpp(Bytes),
    /// The whole PIDF document as published.
    Pidf(Bytes),
}

/// One source's presence at one presentity. An XMPP resource, a SIP PUBLISH and a registration are all this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// As which resource XMPP contacts see it; unique within the presentity.
    pub resource: Resource,
    /// Who published.
    pub source: Source,
    /// SIP entity tag, for publications that have one.
    pub etag: Option<EntityTag>,
    /// When it ends by itself; `None`: with its route, or never.
    pub expires: Option<Utc>,
    /// The common part.
    pub document: Document,
    /// The rest, in the publisher's own protocol. `xml:lang` of an XMPP stanza is in `lang`.
    pub native: Native,
    /// `xml:lang` of the stanza or document.
    pub lang: Option<Arc<str>>,
    /// When it last changed.
    pub changed: Utc,
}

/// All that is published at a presentity at one moment: what a watcher with full rights may see. Shared by all of them.
#[derive(Debug)]
pub struct View {
    /// Whose.
    pub presentity: Bare,
    /// Grows with every change; never the same for two different views of one presentity in one run of the server.
    pub version: u64,
    /// In the order in which the sources first appeared.
    pub publications: Vec<Arc<Publication>>,
    /// The PIDF document, rendered once by the first who needs it and shared.
    pub pidf: OnceLock<Bytes>,
}
