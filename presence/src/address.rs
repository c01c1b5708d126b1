//! Who: addresses by RFC 7622. `user@domain` is one account whatever the protocol.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

mod prepare;

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
        let domain = prepare::domain(domain)?;
        let Some(local) = local else {
            return Ok(Self(domain.into()));
        };
        let local = prepare::local(local)?;
        Ok(Self::join(&local, &domain))
    }

    /// Two prepared parts.
    fn join(local: &str, domain: &str) -> Self {
        let mut whole = String::with_capacity(local.len() + 1 + domain.len());
        whole.push_str(local);
        whole.push('@');
        whole.push_str(domain);
        Self(whole.into())
    }

    /// Text without a resource. What is prepared already, as nearly all is, costs one allocation.
    fn read(text: &str) -> Result<Self, AddressError> {
        let Some((local, domain)) = text.split_once('@') else {
            return Self::new(None, text);
        };
        let prepared_domain = prepare::domain(domain)?;
        let prepared_local = prepare::local(local)?;
        if *prepared_local == *local && *prepared_domain == *domain {
            return Ok(Self(text.into()));
        }
        Ok(Self::join(&prepared_local, &prepared_domain))
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

    /// It names a domain, not an account.
    pub fn is_domain(&self) -> bool {
        !self.0.contains('@')
    }

    /// The other is equal and takes no memory of its own.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The address of the domain itself.
    pub fn domain_bare(&self) -> Self {
        if self.is_domain() {
            self.clone()
        } else {
            Self(self.domain().into())
        }
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
        Ok(Self(prepare::resource(text)?.into()))
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
    /// Reads `[local@]domain[/resource]` by RFC 7622 §3: the resource begins at the first `/`, the domain after the first `@`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        match text.split_once('/') {
            Some((bare, resource)) => Ok(Self {
                bare: Bare::read(bare)?,
                resource: Some(Resource::parse(resource)?),
            }),
            None => Ok(Self {
                bare: Bare::read(text)?,
                resource: None,
            }),
        }
    }

    /// It has no resource.
    pub fn is_bare(&self) -> bool {
        self.resource.is_none()
    }

    /// It has a resource.
    pub fn is_full(&self) -> bool {
        self.resource.is_some()
    }

    /// The name of the resource.
    pub(crate) fn resource_text(&self) -> Option<&str> {
        self.resource.as_ref().map(Resource::as_str)
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

/// A local part alone, prepared.
pub(crate) fn prepare_local(text: &str) -> Result<String, AddressError> {
    prepare::local(text).map(std::borrow::Cow::into_owned)
}

/// The text borrowed hashes, compares and sorts as the address does, so maps are searched without making one. The text must be
/// prepared.
macro_rules! borrows_text {
    ($($name:ty),*) => {$(
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}
borrows_text!(Bare, Resource);

macro_rules! parses {
    ($($name:ty),*) => {$(
        impl FromStr for $name {
            type Err = AddressError;

            fn from_str(text: &str) -> Result<Self, AddressError> {
                Self::parse(text)
            }
        }
    )*};
}
parses!(Bare, Resource, Address);

#[cfg(test)]
mod tests;
