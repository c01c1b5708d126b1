//! Who: addresses by RFC 7622. `user@domain` is one account whatever the protocol.

use std::fmt;
use std::sync::Arc;

/// Why text is not an address (RFC 7622 §3; XMPP tells it as `jid-malformed`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no domain, or it is not one.
    #[error("the domain part is missing or not a domain")]
    Domain,
    /// The local part is empty, too long or holds what RFC 7622 §3.3.1 forbids.
    #[error("the local part is empty, too long or holds forbidden characters")]
    Local,
    /// The resource is empty, too long or holds what the OpaqueString profile forbids.
    #[error("the resource is empty, too long or holds forbidden characters")]
    Resource,
}

/// A bare address: `user@domain`, or a domain alone. Prepared: equal addresses are equal bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bare(Arc<str>);

impl Bare {
    /// Reads and prepares `user@domain` or `domain`; a resource is an error.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        match Address::parse(text)? {
            Address {
                bare,
                resource: None,
            } => Ok(bare),
            _ => Err(AddressError::Resource),
        }
    }

    /// Prepares the two parts.
    pub fn new(local: Option<&str>, domain: &str) -> Result<Self, AddressError> {
        let domain = prepare_domain(domain)?;
        let Some(local) = local else {
            return Ok(Self(domain.into()));
        };
        let local = prepare_local(local)?;
        Ok(Self(format!("{local}@{domain}").into()))
    }

    /// For text that was prepared before (read back from our own storage): nothing is checked.
    pub fn from_prepared(text: &str) -> Self {
        Self(text.into())
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before `@`, when there is one.
    pub fn local(&self) -> Option<&str> {
        self.0.split_once('@').map(|(l, _)| l)
    }

    /// The part after `@`, or the whole when there is none.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or(&self.0, |(_, d)| d)
    }

    /// This address with a resource.
    pub fn with(&self, resource: Resource) -> Address {
        Address {
            bare: self.clone(),
            resource: Some(resource),
        }
    }
}

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The name of one device of an account (RFC 7622 §3.4). Prepared. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource(Arc<str>);

impl Resource {
    /// Prepares by the OpaqueString profile.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Ok(Self(prepare_resource(text)?.into()))
    }

    /// For text that was prepared before: nothing is checked.
    pub fn from_prepared(text: &str) -> Self {
        Self(text.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A bare or full address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The account or domain.
    pub bare: Bare,
    /// The device, when the address is full.
    pub resource: Option<Resource>,
}

impl Address {
    /// Reads `[local@]domain[/resource]` by RFC 7622 §3.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (bare, resource) = match text.split_once('/') {
            Some((b, r)) => (b, Some(Resource::parse(r)?)),
            None => (text, None),
        };
        let bare = match bare.split_once('@') {
            Some((l, d)) => Bare::new(Some(l), d)?,
            None => Bare::new(None, bare)?,
        };
        Ok(Self { bare, resource })
    }
}

impl From<Bare> for Address {
    fn from(bare: Bare) -> Self {
        Self {
            bare,
            resource: None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.bare.as_str())?;
        if let Some(r) = &self.resource {
            write!(f, "/{r}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn prepare_domain(text: &str) -> Result<String, AddressError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() || text.len() > 1023 {
        return Err(AddressError::Domain);
    }
    Ok(text.to_ascii_lowercase())
}

fn prepare_local(text: &str) -> Result<String, AddressError> {
    if text.is_empty() || text.len() > 1023 {
        return Err(AddressError::Local);
    }
    Ok(text.to_lowercase())
}

fn prepare_resource(text: &str) -> Result<String, AddressError> {
    if text.is_empty() || text.len() > 1023 {
        return Err(AddressError::Resource);
    }
    Ok(text.to_owned())
}
