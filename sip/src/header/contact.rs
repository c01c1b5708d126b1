//! Contact (RFC 3261 §20.10, RFC 3840, RFC 5626).

use std::{borrow::Cow, fmt};

use super::{NameAddr, name_addr::split};
use crate::{
    Malformed,
    message::{HeaderName, Headers},
    params::{self, Params},
    syntax::saturating_u32,
    uri::Uri,
};

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Address with the parameters of the contact.
    pub address: NameAddr,
}

/// All contacts of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: every binding (RFC 3261 §10.2.2).
    All,
    /// Those that are listed; empty if there is no Contact.
    Listed(Vec<Contact>),
}

const WHAT: &str = "Contact";

impl Contact {
    /// A contact without parameters.
    pub fn new(uri: Uri) -> Self {
        Self {
            address: NameAddr::new(uri),
        }
    }

    /// Reads one member of the list, not `*`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let address = NameAddr::parse(text, WHAT)?;
        check_params(address.params.as_str())?;
        Ok(Self { address })
    }

    /// The URI.
    pub fn uri(&self) -> &Uri {
        &self.address.uri
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.address.params
    }

    /// `expires` in seconds; a malformed one counts as 3600 (RFC 3261 §20.10), one that is too big as 2^32-1.
    pub fn expires(&self) -> Option<u32> {
        let text = self.params().get("expires")?;
        Some(saturating_u32(text, WHAT).unwrap_or(3600))
    }

    /// `q` in thousandths, 1000 if there is none.
    pub fn q(&self) -> u16 {
        self.params().get("q").and_then(read_q).unwrap_or(1000)
    }

    /// `+sip.instance` without quotes and angle brackets, e.g. `urn:uuid:…` (RFC 5626 §4.1).
    pub fn instance(&self) -> Option<String> {
        let text = self.params().unquoted("+sip.instance")?;
        let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
        Some(inner.unwrap_or(&text).to_owned())
    }

    /// `reg-id` (RFC 5626 §4.2).
    pub fn reg_id(&self) -> Option<u32> {
        self.params().get("reg-id")?.parse().ok()
    }

    /// `methods`: what the contact takes, as a comma list (RFC 3840 §9).
    pub fn methods(&self) -> Option<Cow<'_, str>> {
        self.params().unquoted("methods")
    }

    /// Whether the contact takes `method`: it says so, or says nothing.
    pub fn takes(&self, method: &str) -> bool {
        self.methods()
            .is_none_or(|list| list.split(',').any(|item| item.trim() == method))
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Contacts {
    /// Reads the contacts of a message. `*` must be alone.
    pub fn parse(headers: &Headers) -> Result<Self, Malformed> {
        let mut listed = Vec::new();
        let mut star = false;
        for text in headers.list(&HeaderName::Contact) {
            if text == "*" {
                star = true;
            } else {
                listed.push(Contact::parse(text)?);
            }
        }
        match (star, listed.is_empty()) {
            (true, true) => Ok(Self::All),
            (true, false) => Err(Malformed { what: WHAT }),
            (false, _) => Ok(Self::Listed(listed)),
        }
    }

    /// Checks like [`Contacts::parse`].
    pub(crate) fn check(headers: &Headers) -> Result<(), Malformed> {
        let (mut star, mut others) = (false, false);
        for text in headers.list(&HeaderName::Contact) {
            if text == "*" {
                star = true;
                continue;
            }
            others = true;
            let parts = split(text, WHAT)?;
            params::check(parts.params, WHAT)?;
            Uri::check(parts.uri).map_err(|_| Malformed { what: WHAT })?;
            check_params(parts.params)?;
        }
        if star && others {
            return Err(Malformed { what: WHAT });
        }
        Ok(())
    }

    /// The listed ones; none for `*`.
    pub fn listed(&self) -> &[Contact] {
        match self {
            Self::All => &[],
            Self::Listed(list) => list,
        }
    }
}

fn check_params(text: &str) -> Result<(), Malformed> {
    match params::lookup(text, "q") {
        Some(q) if read_q(q).is_none() => Err(Malformed { what: WHAT }),
        _ => Ok(()),
    }
}

/// A `qvalue` in thousandths (RFC 3261 §25.1).
pub(super) fn read_q(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{part:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        "" if !part.is_empty() => Some(thousandths),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Contacts, Malformed> {
        let mut headers = Headers::new();
        for value in values {
            headers.push(HeaderName::Contact, (*value).to_owned());
        }
        let read = Contacts::parse(&headers);
        assert_eq!(Contacts::check(&headers), read.clone().map(|_| ()));
        read
    }

    #[test]
    fn lists_parameters_and_the_star_are_read() {
        let contacts = read(&[
            "\"Ann, \\\"B\\\"\" <sip:a@b.example;ob?x=y,z>;q=0.7;expires=60, sip:c@d.example;expires=x",
            "<sip:e@f.example>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;methods=\"MESSAGE, OPTIONS\";\
             expires=99999999999",
        ])
        .unwrap();
        let [first, second, third] = contacts.listed() else {
            panic!("three were written: {contacts:?}")
        };
        assert_eq!(first.address.display_name.as_deref(), Some("Ann, \"B\""));
        assert_eq!((first.q(), first.expires()), (700, Some(60)));
        assert!(first.uri().is_ob() && first.takes("MESSAGE"));
        assert_eq!(
            (second.expires(), second.uri().as_str()),
            (Some(3600), "sip:c@d.example")
        );
        assert_eq!(third.instance().as_deref(), Some("urn:uuid:1"));
        assert_eq!((third.reg_id(), third.expires()), (Some(1), Some(u32::MAX)));
        assert!(third.takes("MESSAGE") && !third.takes("INVITE"));
        assert_eq!(read(&["*"]), Ok(Contacts::All));
        assert_eq!(read(&[]), Ok(Contacts::Listed(Vec::new())));
    }

    #[test]
    fn faults_are_seen() {
        for value in [
            "*, <sip:a@b>",
            "<sip:a@b",
            "sip:a@b?x=y",
            "<sip:a@b>;q=2",
            "\"a <sip:a@b>",
            "<sip:>",
        ] {
            assert!(read(&[value]).is_err(), "{value}");
        }
    }
}
