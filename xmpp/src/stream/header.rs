//! The header with which a client opens a stream (RFC 6120 §4.7, §4.8).

use super::condition::StreamCondition;
use super::language;
use super::namespaces::{CLIENT, FRAMING, STREAM};
use super::version::Version;
use presence::{Address, Bare};
use std::borrow::Cow;
use std::sync::Arc;
use xml::{Element, StreamOpen};

/// What a header says, as far as it can be read; also of a header that is refused, for our own answers it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The domain that is asked for, as written.
    pub(crate) to: Option<String>,
    /// Who asks: the bare address.
    pub(crate) from: Option<Bare>,
    /// The default language of what will be sent.
    pub(crate) lang: Option<Arc<str>>,
    /// The version of XMPP; `None` where there is none, or none that can be read.
    pub(crate) version: Option<Version>,
}

impl Header {
    /// Reads a header and tells what is wrong with it, if anything is.
    pub(crate) fn read(open: &StreamOpen) -> (Self, Result<(), StreamCondition>) {
        let attribute = |name: &str| open.attribute(name).map(Cow::Borrowed);
        Self::of(attribute, open.lang(), check_names(open))
    }

    /// The same for the header of a framed stream (RFC 7395 §3.4).
    pub(crate) fn read_framed(open: &Element) -> (Self, Result<(), StreamCondition>) {
        let lang = open.lang();
        Self::of(
            |name| open.attribute(name),
            lang.as_deref(),
            check_framed(open),
        )
    }

    fn of<'a>(
        attribute: impl Fn(&str) -> Option<Cow<'a, str>>,
        lang: Option<&str>,
        names: Result<(), StreamCondition>,
    ) -> (Self, Result<(), StreamCondition>) {
        let from = attribute("from").map(|from| Address::parse(&from));
        let header = Self {
            to: attribute("to").map(Cow::into_owned),
            from: from
                .clone()
                .and_then(Result::ok)
                .map(|address| address.bare),
            lang: lang.filter(|text| language::is_tag(text)).map(Arc::from),
            version: attribute("version").and_then(|version| Version::parse(&version)),
        };
        let verdict = names.and_then(|()| header.check_version()).and(match from {
            Some(Err(_)) => Err(StreamCondition::ImproperAddressing),
            Some(Ok(_)) | None => Ok(()),
        });
        (header, verdict)
    }

    /// A missing version is 0.9 (§4.7.5), whose way of logging in is not supported. A higher one than ours is answered with ours.
    fn check_version(&self) -> Result<(), StreamCondition> {
        match self.version {
            Some(version) if version >= Version::OURS => Ok(()),
            _ => Err(StreamCondition::UnsupportedVersion),
        }
    }
}

/// Whether this is `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`.
fn check_names(open: &StreamOpen) -> Result<(), StreamCondition> {
    if open.namespace() != STREAM {
        return Err(StreamCondition::InvalidNamespace);
    }
    if open.name() != "stream" {
        return Err(StreamCondition::BadFormat);
    }
    // §4.8.5 lets a server bear no other.
    if open.prefix() != Some("stream") {
        return Err(StreamCondition::BadNamespacePrefix);
    }
    if open.default_namespace() != Some(CLIENT) {
        return Err(StreamCondition::InvalidNamespace);
    }
    Ok(())
}

/// Whether this is `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>` (RFC 7395 §3.3.2, §3.4).
fn check_framed(open: &Element) -> Result<(), StreamCondition> {
    if open.namespace() != FRAMING {
        return Err(StreamCondition::InvalidNamespace);
    }
    if open.name() != "open" || open.children().next().is_some() || !open.text().trim().is_empty() {
        return Err(StreamCondition::BadFormat);
    }
    Ok(())
}
