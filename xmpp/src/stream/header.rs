//! The header with which a client opens a stream (RFC 6120 §4.7, §4.8).

use super::condition::StreamCondition;
use super::language;
use super::namespaces::{CLIENT, STREAM};
use super::version::Version;
use presence::{Address, Bare};
use std::sync::Arc;
use xml::StreamOpen;

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
        let from = open.attribute("from").map(Address::parse);
        let header = Self {
            to: open.attribute("to").map(str::to_owned),
            from: from
                .clone()
                .and_then(Result::ok)
                .map(|address| address.bare),
            lang: open
                .lang()
                .filter(|text| language::is_tag(text))
                .map(Arc::from),
            version: open.attribute("version").and_then(Version::parse),
        };
        let verdict = check_names(open)
            .and_then(|()| header.check_version())
            .and(match from {
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
