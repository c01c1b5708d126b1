//! The items of a contact list, in the order of their addresses.

use super::Item;
use crate::address::Bare;

/// Items in the order of their contacts' addresses, one for each. They lie in one piece of memory without much room to spare: lists
/// are read in whole and rarely change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Items(Vec<Item>);

impl Items {
    fn place(&self, contact: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|i| i.contact.as_str().cmp(contact))
    }

    /// The item of a contact.
    pub fn get(&self, contact: impl AsRef<str>) -> Option<&Item> {
        let place = self.place(contact.as_ref()).ok()?;
        self.0.get(place)
    }

    /// The item of a contact, to be changed in all but its address.
    pub fn get_mut(&mut self, contact: impl AsRef<str>) -> Option<&mut Item> {
        let place = self.place(contact.as_ref()).ok()?;
        self.0.get_mut(place)
    }

    /// The item of a contact, made when there is none, to be changed in all but its address.
    pub fn get_or_new(&mut self, contact: &Bare) -> &mut Item {
        let place = match self.place(contact.as_str()) {
            Ok(place) => place,
            Err(place) => {
                self.add(place, Item::new(contact.clone()));
                place
            }
        };
        &mut self.0[place]
    }

    /// There is an item of this contact.
    pub fn contains(&self, contact: impl AsRef<str>) -> bool {
        self.place(contact.as_ref()).is_ok()
    }

    /// Puts an item in its place; what stood there comes back.
    pub fn insert(&mut self, item: Item) -> Option<Item> {
        match self.place(item.contact.as_str()) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place], item)),
            Err(place) => {
                self.add(place, item);
                None
            }
        }
    }

    /// Room grows by an eighth: few lists grow one by one.
    fn add(&mut self, place: usize, item: Item) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(1 + self.0.len() / 8);
        }
        self.0.insert(place, item);
    }

    /// Takes the item of a contact away.
    pub fn remove(&mut self, contact: impl AsRef<str>) -> Option<Item> {
        let place = self.place(contact.as_ref()).ok()?;
        let item = self.0.remove(place);
        if self.0.capacity() > 2 * self.0.len() + 8 {
            self.0.shrink_to_fit();
        }
        Some(item)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Item> {
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

    /// Lets the items name their contacts by the very same addresses as others do: equal addresses, which need memory only once.
    /// They are given in order.
    pub fn share(&mut self, addresses: impl IntoIterator<Item = Bare>) {
        let mut items = self.0.iter_mut().peekable();
        for address in addresses {
            while items.next_if(|i| i.contact < address).is_some() {}
            if let Some(item) = items.next_if(|i| i.contact == address) {
                item.contact = address;
            }
        }
    }
}

impl FromIterator<Item> for Items {
    /// Of several items of one contact the last counts.
    fn from_iter<T: IntoIterator<Item = Item>>(items: T) -> Self {
        let mut all: Vec<Item> = items.into_iter().collect();
        if !all.is_sorted_by(|a, b| a.contact < b.contact) {
            all.reverse();
            all.sort_by(|a, b| a.contact.cmp(&b.contact));
            all.dedup_by(|a, b| a.contact == b.contact);
        }
        all.shrink_to_fit();
        Self(all)
    }
}

impl<'a> IntoIterator for &'a Items {
    type Item = &'a Item;
    type IntoIter = std::slice::Iter<'a, Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn named(n: u8, approved: bool) -> Item {
        Item {
            approved,
            ..Item::new(Bare::from_prepared(&format!("u{n}@example.com")))
        }
    }

    proptest! {
        /// As a map of addresses would do it.
        #[test]
        fn like_a_map(steps in proptest::collection::vec((0..20u8, any::<bool>(), any::<bool>()), 0..60)) {
            let (mut items, mut map) = (Items::default(), BTreeMap::new());
            for (n, put, approved) in &steps {
                let item = named(*n, *approved);
                if *put {
                    prop_assert_eq!(items.insert(item.clone()), map.insert(item.contact.clone(), item));
                } else {
                    prop_assert_eq!(items.remove(&item.contact), map.remove(&item.contact));
                }
                prop_assert!(items.iter().eq(map.values()));
                prop_assert_eq!(items.len(), map.len());
            }
            for n in 0..20 {
                let contact = named(n, false).contact;
                prop_assert_eq!(items.get(&contact), map.get(&contact));
                prop_assert_eq!(items.contains(&contact), map.contains_key(&contact));
            }
            let puts = steps.iter().map(|(n, _, approved)| named(*n, *approved));
            let last: BTreeMap<Bare, Item> = puts.clone().map(|i| (i.contact.clone(), i)).collect();
            prop_assert!(puts.collect::<Items>().iter().eq(last.values()));
        }
    }

    #[test]
    fn made_once() {
        let mut items = Items::default();
        let contact = named(1, false).contact;
        items.get_or_new(&contact).approved = true;
        assert!(items.get_or_new(&contact).approved);
        items.get_mut("u1@example.com").unwrap().ask = true;
        assert_eq!((items.len(), items.is_empty()), (1, false));
    }

    #[test]
    fn addresses_are_shared() {
        let mut items: Items = (0..5).map(|n| named(n, false)).collect();
        let before = items.clone();
        let others: Vec<Bare> = [1, 3, 7].map(|n| named(n, false).contact).into();
        items.share(others.clone());
        assert_eq!(items, before);
        let same: Vec<bool> = (&items)
            .into_iter()
            .map(|i| others.iter().any(|o| o.is_same(&i.contact)))
            .collect();
        assert_eq!(same, [false, true, false, true, false]);
    }

    /// What a contact costs: 40 octets on a machine of 64 bits.
    #[test]
    fn small() {
        assert!(size_of::<Item>() <= 5 * size_of::<usize>());
    }
}
