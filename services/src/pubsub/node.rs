//! One node: who may do what, and which items it holds (XEP-0060 §4).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use presence::{Address, Bare, Utc};

use super::config::{Access, Config, PublishModel, choices};
use super::error::Error;
use super::options::Subscriber;

choices! {
    /// What somebody is to a node (§4.1). Owner is its account alone.
    Affiliation {
        /// May all.
        Owner = "owner" 1,
        /// May publish, retract, subscribe and read.
        Publisher = "publisher" 2,
        /// May publish, and nothing else.
        PublishOnly = "publish-only" 3,
        /// May subscribe and read.
        Member = "member" 4,
        /// May nothing.
        Outcast = "outcast" 5,
    }
}

choices! {
    /// How far a subscription is (§4.2).
    Subscription {
        /// The owner has to answer.
        Pending = "pending" 1,
        /// It stands.
        Subscribed = "subscribed" 2,
    }
}

impl Affiliation {
    /// As it is stored.
    pub const fn code(self) -> u8 {
        self.number()
    }

    /// From what is stored.
    pub const fn of_code(code: u8) -> Option<Self> {
        Self::of_number(code)
    }
}

impl Subscription {
    /// As it is stored.
    pub const fn code(self) -> u8 {
        self.number()
    }

    /// From what is stored.
    pub const fn of_code(code: u8) -> Option<Self> {
        Self::of_number(code)
    }
}

/// Who wants something, and what he is to the account.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Who.
    pub bare: &'a Bare,
    /// It is the account itself.
    pub owner: bool,
    /// He may see its presence.
    pub sees: bool,
    /// The groups of its roster in which he stands.
    pub groups: &'a [&'a str],
}

/// An item that a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number: later ones have greater ones.
    pub seq: u64,
    /// Its name.
    pub id: Arc<str>,
    /// When it was published.
    pub at: Utc,
    /// Its payload in octets.
    pub size: u32,
}

/// A node, without the payloads of its items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Its configuration.
    pub config: Arc<Config>,
    /// What others than the owner are to it.
    pub affiliations: BTreeMap<Bare, Affiliation>,
    /// Who subscribed explicitly.
    pub subscriptions: BTreeMap<Address, Subscriber>,
    /// What it holds, the oldest first.
    pub items: Vec<Kept>,
}

impl Node {
    /// What somebody is to it.
    pub fn affiliation(&self, asker: &Asker<'_>) -> Option<Affiliation> {
        if asker.owner {
            return Some(Affiliation::Owner);
        }
        self.affiliations.get(asker.bare).copied()
    }

    /// How far one of somebody's subscriptions is: the farthest.
    pub fn subscription(&self, of: &Bare) -> Option<Subscription> {
        self.subscribed(of)
            .map(|(_, s)| s.state)
            .max_by_key(|s| s.code())
    }

    /// Somebody's subscriptions, of his bare and full addresses.
    pub fn subscribed(&self, of: &Bare) -> impl Iterator<Item = (&Address, &Subscriber)> {
        let all = self.subscriptions.range(Address::from(of.clone())..);
        all.take_while(move |(who, _)| who.bare == *of)
    }

    /// All subscriptions, for the owner.
    pub fn all_subscriptions(&self) -> Vec<(Address, Option<Subscription>)> {
        let all = self.subscriptions.iter();
        all.map(|(who, s)| (who.clone(), Some(s.state))).collect()
    }

    /// The subscription that somebody wants to configure, or see configured (§6.3.4).
    ///
    /// # Errors
    /// `forbidden` for another's, `unexpected-request` where there is none.
    pub fn configured_by(&self, asker: &Asker<'_>, jid: &Address) -> Result<Subscriber, Error> {
        if jid.bare != *asker.bare {
            return Err(Error::Forbidden);
        }
        let known = self.subscriptions.get(jid).copied();
        known.ok_or(Error::NothingToConfigure)
    }

    /// He may subscribe (§6.1.3). `Ok(Pending)`: the owner is to answer.
    ///
    /// # Errors
    /// As the access model names them.
    pub fn may_subscribe(&self, asker: &Asker<'_>) -> Result<Subscription, Error> {
        match self.admits(asker) {
            Ok(()) => Ok(Subscription::Subscribed),
            Err(Error::SubscriptionRequired) => match self.subscription(asker.bare) {
                Some(Subscription::Pending) => Err(Error::Pending),
                Some(Subscription::Subscribed) => Ok(Subscription::Subscribed),
                None => Ok(Subscription::Pending),
            },
            Err(error) => Err(error),
        }
    }

    /// He may read items, and be notified (§6.5.9).
    ///
    /// # Errors
    /// As the access model names them.
    pub fn may_read(&self, asker: &Asker<'_>) -> Result<(), Error> {
        let subscribed = || self.subscription(asker.bare) == Some(Subscription::Subscribed);
        match self.admits(asker) {
            Err(Error::SubscriptionRequired) if subscribed() => Ok(()),
            other => other,
        }
    }

    fn admits(&self, asker: &Asker<'_>) -> Result<(), Error> {
        match self.affiliation(asker) {
            Some(Affiliation::Owner | Affiliation::Publisher | Affiliation::Member) => Ok(()),
            Some(Affiliation::Outcast | Affiliation::PublishOnly) => Err(Error::Forbidden),
            None => access(&self.config, asker),
        }
    }

    /// He may publish (§7.1.3.1).
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_publish(&self, asker: &Asker<'_>) -> Result<(), Error> {
        let may = match self.affiliation(asker) {
            Some(Affiliation::Owner | Affiliation::Publisher | Affiliation::PublishOnly) => true,
            Some(Affiliation::Outcast) => false,
            Some(Affiliation::Member) | None => match self.config.publish {
                PublishModel::Open => true,
                PublishModel::Publishers => false,
                PublishModel::Subscribers => {
                    self.subscription(asker.bare) == Some(Subscription::Subscribed)
                }
            },
        };
        if may { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// He may take items away (§7.2.3.1): the owner all, a publisher too.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_retract(&self, asker: &Asker<'_>) -> Result<(), Error> {
        match self.affiliation(asker) {
            Some(Affiliation::Owner | Affiliation::Publisher) => Ok(()),
            _ => Err(Error::Forbidden),
        }
    }

    /// The item of this name.
    pub fn find(&self, id: &str) -> Option<&Kept> {
        self.items.iter().find(|item| *item.id == *id)
    }

    /// The number of the next item.
    pub fn next(&self) -> u64 {
        self.items.last().map_or(1, |item| item.seq + 1)
    }

    /// When an item that was published then ends; `None`: never.
    pub fn end_of(&self, at: Utc) -> Option<Utc> {
        let lifetime = self.config.lifetime?;
        Some(at.plus(Duration::from_secs(lifetime.into())))
    }

    /// When the first of its items and subscriptions ends, if any does.
    pub fn due(&self) -> Option<Utc> {
        let item = self.items.first().and_then(|item| self.end_of(item.at));
        let leases = self.subscriptions.values();
        let leases = leases.filter_map(|s| s.options.until);
        leases.chain(item).min()
    }

    /// The sizes of all items.
    pub fn octets(&self) -> u64 {
        self.items.iter().map(|item| u64::from(item.size)).sum()
    }
}

/// What the access model says of somebody who has no affiliation (§4.5).
fn access(config: &Config, asker: &Asker<'_>) -> Result<(), Error> {
    match config.access {
        Access::Open => Ok(()),
        Access::Presence if asker.sees => Ok(()),
        Access::Presence => Err(Error::PresenceRequired),
        Access::Roster => {
            let among = |group: &&str| config.groups.iter().any(|g| g == *group);
            if asker.groups.iter().any(among) {
                Ok(())
            } else {
                Err(Error::NotInGroup)
            }
        }
        Access::Authorize => Err(Error::SubscriptionRequired),
        Access::Whitelist => Err(Error::Closed),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn bob() -> Bare {
        Bare::parse("bob@example.org").unwrap()
    }

    fn node(access: Access) -> Node {
        Node {
            config: Arc::new(Config {
                access,
                groups: vec!["Friends".to_owned()],
                ..Config::default()
            }),
            ..Node::default()
        }
    }

    fn asker<'a>(bare: &'a Bare, sees: bool, groups: &'a [&'a str]) -> Asker<'a> {
        Asker {
            bare,
            owner: false,
            sees,
            groups,
        }
    }

    #[test]
    fn access_models() {
        let bob = bob();
        let (stranger, contact) = (asker(&bob, false, &[]), asker(&bob, true, &["Work"]));
        let friend = asker(&bob, true, &["Work", "Friends"]);
        let subscribed = Ok(Subscription::Subscribed);
        for (access, by_stranger, by_contact, by_friend) in [
            (Access::Open, subscribed, subscribed, subscribed),
            (
                Access::Presence,
                Err(Error::PresenceRequired),
                subscribed,
                subscribed,
            ),
            (
                Access::Roster,
                Err(Error::NotInGroup),
                Err(Error::NotInGroup),
                subscribed,
            ),
            (
                Access::Whitelist,
                Err(Error::Closed),
                Err(Error::Closed),
                Err(Error::Closed),
            ),
        ] {
            let node = node(access);
            for (who, expected) in [
                (&stranger, by_stranger),
                (&contact, by_contact),
                (&friend, by_friend),
            ] {
                assert_eq!(node.may_subscribe(who), expected, "{access:?}");
                assert_eq!(node.may_read(who), expected.map(drop), "{access:?}");
                assert_eq!(node.may_publish(who), Err(Error::Forbidden));
            }
            let owner = Asker {
                owner: true,
                ..stranger
            };
            assert_eq!(node.may_read(&owner), Ok(()));
            assert_eq!(node.may_publish(&owner), Ok(()));
            assert_eq!(node.may_retract(&owner), Ok(()));
        }
    }

    #[test]
    fn the_owner_is_asked() {
        let bob = bob();
        let who = asker(&bob, true, &[]);
        let mut node = node(Access::Authorize);
        assert_eq!(node.may_read(&who), Err(Error::SubscriptionRequired));
        assert_eq!(node.may_subscribe(&who), Ok(Subscription::Pending));
        let address = Address::from(bob.clone());
        node.subscriptions
            .insert(address.clone(), Subscriber::new(Subscription::Pending));
        assert_eq!(node.may_subscribe(&who), Err(Error::Pending));
        assert_eq!(node.may_read(&who), Err(Error::SubscriptionRequired));
        node.subscriptions
            .insert(address, Subscriber::new(Subscription::Subscribed));
        assert_eq!(node.may_subscribe(&who), Ok(Subscription::Subscribed));
        assert_eq!(node.may_read(&who), Ok(()));
    }

    #[test]
    fn affiliations_win() {
        let bob = bob();
        let who = asker(&bob, true, &[]);
        for (affiliation, reads, publishes, retracts) in [
            (Affiliation::Publisher, true, true, true),
            (Affiliation::PublishOnly, false, true, false),
            (Affiliation::Member, true, false, false),
            (Affiliation::Outcast, false, false, false),
        ] {
            for access in [Access::Open, Access::Presence, Access::Whitelist] {
                let mut node = node(access);
                node.affiliations.insert(bob.clone(), affiliation);
                assert_eq!(node.may_read(&who).is_ok(), reads, "{affiliation:?}");
                assert_eq!(node.may_publish(&who).is_ok(), publishes);
                assert_eq!(node.may_retract(&who).is_ok(), retracts);
            }
        }
    }

    #[test]
    fn who_may_publish() {
        let bob = bob();
        let who = asker(&bob, true, &[]);
        let mut node = node(Access::Open);
        let model = |node: &mut Node, publish| Arc::make_mut(&mut node.config).publish = publish;
        model(&mut node, PublishModel::Subscribers);
        assert_eq!(node.may_publish(&who), Err(Error::Forbidden));
        let full = Address::parse("bob@example.org/desk").unwrap();
        node.subscriptions
            .insert(full, Subscriber::new(Subscription::Subscribed));
        assert_eq!(node.may_publish(&who), Ok(()));
        model(&mut node, PublishModel::Open);
        node.subscriptions.clear();
        assert_eq!(node.may_publish(&who), Ok(()));
        node.affiliations.insert(bob.clone(), Affiliation::Outcast);
        assert_eq!(node.may_publish(&who), Err(Error::Forbidden));
    }
}
