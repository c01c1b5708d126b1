//! Whom an account does not want to hear from (XEP-0191), and what it tells the administrator of them (XEP-0377).

use crate::address::{Address, Bare};
use crate::time::Utc;

/// The addresses that an account blocks, each once, in their order. An address is a pattern (XEP-0191 §5):
///
/// | address | who matches |
/// |---|---|
/// | `user@domain/resource` | that resource |
/// | `user@domain` | the account with all its resources |
/// | `domain/resource` | that resource of the domain itself |
/// | `domain` | the domain itself and everybody there |
///
/// The account itself and the server that it is at are never blocked, whatever the list says: no session of an account is cut off from
/// another (XEP-0191 §4), and the server answers for the account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockList(Vec<Address>);

impl BlockList {
    fn place(&self, bare: &str, resource: Option<&str>) -> Result<usize, usize> {
        self.0.binary_search_by(|address| {
            let own = (address.bare.as_str(), address.resource_text());
            own.cmp(&(bare, resource))
        })
    }

    fn has(&self, bare: &str, resource: Option<&str>) -> bool {
        self.place(bare, resource).is_ok()
    }

    /// Adds a pattern; false when it was there.
    pub fn insert(&mut self, pattern: Address) -> bool {
        let place = self.place(pattern.bare.as_str(), pattern.resource_text());
        if let Err(place) = place {
            self.0.insert(place, pattern);
        }
        place.is_err()
    }

    /// Takes a pattern away; false when it was not there.
    pub fn remove(&mut self, pattern: &Address) -> bool {
        let place = self.place(pattern.bare.as_str(), pattern.resource_text());
        if let Ok(place) = place {
            self.0.remove(place);
        }
        place.is_ok()
    }

    /// It has this very pattern.
    pub fn contains(&self, pattern: &Address) -> bool {
        self.has(pattern.bare.as_str(), pattern.resource_text())
    }

    /// Does `owner`, whose list this is, block that address? One without a resource is blocked when the whole account is.
    pub fn blocks(&self, owner: &Bare, other: &Address) -> bool {
        if self.0.is_empty() || exempt(owner, &other.bare) {
            return false;
        }
        let (bare, resource) = (other.bare.as_str(), other.resource_text());
        self.has(bare, None)
            || (resource.is_some() && self.has(bare, resource))
            || (!other.bare.is_domain() && self.has(other.bare.domain(), None))
    }

    /// Does `owner` block something of that account: all of it, or one of its resources?
    pub fn touches(&self, owner: &Bare, other: &Bare) -> bool {
        if self.0.is_empty() || exempt(owner, other) {
            return false;
        }
        // The account alone comes before its resources.
        let bare = other.as_str();
        let first = self.place(bare, None).unwrap_or_else(|place| place);
        let some = self.0.get(first).is_some_and(|a| a.bare.as_str() == bare);
        some || (!other.is_domain() && self.has(other.domain(), None))
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Address> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn exempt(owner: &Bare, other: &Bare) -> bool {
    owner == other || other.as_str() == owner.domain()
}

impl FromIterator<Address> for BlockList {
    fn from_iter<T: IntoIterator<Item = Address>>(patterns: T) -> Self {
        let mut list: Vec<Address> = patterns.into_iter().collect();
        list.sort();
        list.dedup();
        list.shrink_to_fit();
        Self(list)
    }
}

impl<'a> IntoIterator for &'a BlockList {
    type Item = &'a Address;
    type IntoIter = std::slice::Iter<'a, Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What somebody who was blocked is reported for (XEP-0377 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportReason {
    /// Messages that nobody wanted.
    Spam,
    /// Abuse of any other kind.
    Abuse,
    /// A reason of another specification, by its URN.
    Other(String),
}

impl ReportReason {
    /// From the `reason` attribute.
    pub fn of(urn: &str) -> Self {
        match urn {
            "urn:xmpp:reporting:spam" => Self::Spam,
            "urn:xmpp:reporting:abuse" => Self::Abuse,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The word for people, or the URN.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Spam => "spam",
            Self::Abuse => "abuse",
            Self::Other(urn) => urn,
        }
    }
}

/// A message that a report is about, as the archive names it (XEP-0359).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StanzaId {
    /// Who gave the name.
    pub by: String,
    /// The name.
    pub id: String,
}

/// A report that came with a block (XEP-0377 §4), for the administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Who was blocked.
    pub about: Address,
    /// What for.
    pub reason: ReportReason,
    /// What the user says of it.
    pub text: Option<String>,
    /// The messages it is about.
    pub stanzas: Vec<StanzaId>,
    /// When it came.
    pub at: Utc,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn list(patterns: &[&str]) -> BlockList {
        patterns.iter().map(|p| address(p)).collect()
    }

    /// Who of these is blocked by juliet@capulet.example.
    fn blocked(patterns: &[&str]) -> Vec<&'static str> {
        let owner = Bare::parse("juliet@capulet.example").unwrap();
        let all = [
            "romeo@montague.example/garden",
            "romeo@montague.example/hall",
            "romeo@montague.example",
            "benvolio@montague.example/garden",
            "montague.example/garden",
            "montague.example",
            "romeo@sub.montague.example/garden",
            "nurse@capulet.example/garden",
            "juliet@capulet.example/garden",
            "juliet@capulet.example",
            "capulet.example",
        ];
        let list = list(patterns);
        let mut found: Vec<&str> = all.into();
        found.retain(|a| list.blocks(&owner, &address(a)));
        found
    }

    #[test]
    fn patterns() {
        assert_eq!(
            blocked(&["romeo@montague.example/garden"]),
            ["romeo@montague.example/garden"]
        );
        assert_eq!(
            blocked(&["romeo@montague.example"]),
            [
                "romeo@montague.example/garden",
                "romeo@montague.example/hall",
                "romeo@montague.example"
            ]
        );
        assert_eq!(
            blocked(&["montague.example/garden"]),
            ["montague.example/garden"]
        );
        assert_eq!(
            blocked(&["montague.example"]),
            [
                "romeo@montague.example/garden",
                "romeo@montague.example/hall",
                "romeo@montague.example",
                "benvolio@montague.example/garden",
                "montague.example/garden",
                "montague.example"
            ]
        );
        assert!(blocked(&[]).is_empty());
    }

    #[test]
    fn nobody_locks_himself_out() {
        assert_eq!(
            blocked(&["capulet.example", "juliet@capulet.example"]),
            ["nurse@capulet.example/garden"]
        );
        assert!(blocked(&["juliet@capulet.example/garden"]).is_empty());
    }

    #[test]
    fn touched_by_a_part() {
        let owner = Bare::parse("juliet@capulet.example").unwrap();
        let touches = |patterns: &[&str], other: &str| {
            list(patterns).touches(&owner, &Bare::parse(other).unwrap())
        };
        let romeo = "romeo@montague.example";
        assert!(touches(&["romeo@montague.example/garden", "a@b"], romeo));
        assert!(touches(&["romeo@montague.example", "z@z"], romeo));
        assert!(touches(&["montague.example", "z@z"], romeo));
        assert!(!touches(&["montague.example/garden"], romeo));
        assert!(!touches(&["romeo@montague.examples/garden"], romeo));
        assert!(!touches(&["capulet.example"], "juliet@capulet.example"));
    }

    proptest! {
        /// As a set would do it.
        #[test]
        fn like_a_set(steps in proptest::collection::vec(("[ab]@[ab](/[ab])?", any::<bool>()), 0..30)) {
            let (mut list, mut set) = (BlockList::default(), std::collections::BTreeSet::new());
            for (text, put) in steps {
                let pattern = address(&text);
                prop_assert_eq!(list.contains(&pattern), set.contains(&pattern));
                if put {
                    prop_assert_eq!(list.insert(pattern.clone()), set.insert(pattern));
                } else {
                    prop_assert_eq!(list.remove(&pattern), set.remove(&pattern));
                }
                prop_assert!(list.iter().eq(&set));
            }
            prop_assert_eq!(set.into_iter().collect::<BlockList>(), list);
        }
    }

    #[test]
    fn reasons() {
        for urn in [
            "urn:xmpp:reporting:spam",
            "urn:xmpp:reporting:abuse",
            "urn:x",
        ] {
            assert!(urn.ends_with(ReportReason::of(urn).as_str()));
        }
        assert_eq!(
            ReportReason::of("urn:x"),
            ReportReason::Other("urn:x".into())
        );
    }
}
