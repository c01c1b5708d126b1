//! Passwords that were right once: spares clients of PLAIN the slow check until the password changes.
//!
//! Kept is an HMAC-SHA-256 under a key that lives as long as the process, so a memory dump without the key, or a key
//! without the dump, gives no faster way to guess. A wrong password changes nothing here.

use super::hash::{Hash, Key};
use super::keys::{Fingerprint, Password};
use std::collections::HashMap;

/// What the memory says of a password.
#[derive(Debug, PartialEq, Eq)]
pub enum Recollection {
    /// It is right, and of these keys.
    Hit(Fingerprint),
    /// Nothing is known: check it the slow way, reading the keys *after* this answer, and hand the ticket to
    /// [`Remembered::remember`] when it is right.
    Miss(Ticket),
}

/// When a password was asked for. A password that was changed while the slow check ran is not remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// The memory; bounded, the entries not asked for lately go first.
pub struct Remembered {
    key: [u8; 32],
    capacity: usize,
    places: HashMap<Box<str>, usize>,
    entries: Vec<Entry>,
    hand: usize,
    forgotten: u64,
}

struct Entry {
    account: Box<str>,
    mac: Key,
    keys: Fingerprint,
    used: bool,
}

impl Remembered {
    /// An empty memory for at most `capacity` accounts, under a random `key` made for this process.
    pub fn new(key: [u8; 32], capacity: usize) -> Self {
        Self {
            key,
            capacity,
            places: HashMap::new(),
            entries: Vec::new(),
            hand: 0,
            forgotten: 0,
        }
    }

    /// Whether `password` is known to be the one of `account` (its prepared address).
    pub fn verify(&mut self, account: &str, password: &Password) -> Recollection {
        // Computed in any case, so that the time does not tell whose password is remembered.
        let mac = self.mac(account, password);
        let entry = self
            .places
            .get(account)
            .and_then(|&place| self.entries.get_mut(place));
        match entry {
            Some(entry) if entry.mac.matches(mac.as_bytes()) => {
                entry.used = true;
                Recollection::Hit(entry.keys)
            }
            _ => Recollection::Miss(Ticket(self.forgotten)),
        }
    }

    /// Remembers a password that the slow check found right, with the keys it was checked against.
    pub fn remember(
        &mut self,
        ticket: Ticket,
        account: &str,
        password: &Password,
        keys: Fingerprint,
    ) {
        if ticket.0 != self.forgotten || self.capacity == 0 {
            return;
        }
        let mac = self.mac(account, password);
        if let Some(entry) = self
            .places
            .get(account)
            .and_then(|&place| self.entries.get_mut(place))
        {
            (entry.mac, entry.keys) = (mac, keys);
            return;
        }
        let entry = Entry {
            account: account.into(),
            mac,
            keys,
            used: false,
        };
        let place = if self.entries.len() < self.capacity {
            self.entries.len()
        } else {
            self.make_room()
        };
        self.places.insert(entry.account.clone(), place);
        match self.entries.get_mut(place) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Forgets an account's password: when it was changed (after the commit), disabled or deleted.
    pub fn forget(&mut self, account: &str) {
        self.forgotten += 1;
        let Some(place) = self.places.remove(account) else {
            return;
        };
        self.entries.swap_remove(place);
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.account.clone(), place);
        }
    }

    /// How many accounts are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The clock algorithm: the first entry not used since the hand passed it last gives its place.
    fn make_room(&mut self) -> usize {
        loop {
            let place = self.hand % self.entries.len().max(1);
            self.hand = place + 1;
            match self.entries.get_mut(place) {
                Some(entry) if entry.used => entry.used = false,
                Some(entry) => {
                    self.places.remove(&entry.account);
                    return place;
                }
                None => return place,
            }
        }
    }

    fn mac(&self, account: &str, password: &Password) -> Key {
        let length = (account.len() as u64).to_be_bytes();
        Hash::Sha256.hmac(
            &self.key,
            &[&length, account.as_bytes(), password.reveal().as_bytes()],
        )
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Remembered")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: Fingerprint = Fingerprint([4; 16]);

    fn password(text: &str) -> Password {
        Password::new(text)
    }

    fn learn(memory: &mut Remembered, account: &str, text: &str) {
        let Recollection::Miss(ticket) = memory.verify(account, &password(text)) else {
            panic!("known already")
        };
        memory.remember(ticket, account, &password(text), KEYS);
    }

    fn knows(memory: &mut Remembered, account: &str, text: &str) -> bool {
        memory.verify(account, &password(text)) == Recollection::Hit(KEYS)
    }

    #[test]
    fn remembers_what_was_right() {
        let mut memory = Remembered::new([1; 32], 10);
        assert!(!knows(&mut memory, "ann", "pencil"));
        learn(&mut memory, "ann", "pencil");
        assert!(knows(&mut memory, "ann", "pencil"));
        assert!(!knows(&mut memory, "ann", "pencil2"));
        assert!(!knows(&mut memory, "bob", "pencil"));
        assert!(!knows(&mut memory, "an", "npencil"));
        assert!(
            knows(&mut memory, "ann", "pencil"),
            "a wrong password changes nothing"
        );
    }

    #[test]
    fn another_spelling_takes_the_place() {
        let mut memory = Remembered::new([1; 32], 10);
        learn(&mut memory, "ann", "pencil");
        learn(&mut memory, "ann", "pen\u{ad}cil");
        assert!(knows(&mut memory, "ann", "pen\u{ad}cil"));
        assert_eq!(memory.len(), 1);
    }

    #[test]
    fn forgets() {
        let mut memory = Remembered::new([1; 32], 10);
        for account in ["ann", "bob", "cy"] {
            learn(&mut memory, account, "pencil");
        }
        memory.forget("ann");
        memory.forget("nobody");
        assert!(!knows(&mut memory, "ann", "pencil"));
        assert!(knows(&mut memory, "bob", "pencil") && knows(&mut memory, "cy", "pencil"));
        memory.forget("cy");
        memory.forget("bob");
        assert!(memory.is_empty());
    }

    #[test]
    fn a_password_changed_meanwhile_is_not_remembered() {
        let mut memory = Remembered::new([1; 32], 10);
        let Recollection::Miss(ticket) = memory.verify("ann", &password("old")) else {
            panic!("empty")
        };
        memory.forget("ann");
        memory.remember(ticket, "ann", &password("old"), KEYS);
        assert!(!knows(&mut memory, "ann", "old"));
    }

    #[test]
    fn is_bounded_and_keeps_what_is_used() {
        let mut memory = Remembered::new([1; 32], 3);
        for account in ["a", "b", "c"] {
            learn(&mut memory, account, "x");
        }
        assert!(knows(&mut memory, "a", "x"));
        learn(&mut memory, "d", "x");
        assert_eq!(memory.len(), 3);
        assert!(knows(&mut memory, "a", "x") && knows(&mut memory, "d", "x"));
        assert!(!knows(&mut memory, "b", "x"));
        for n in 0..100 {
            learn(&mut memory, &format!("n{n}"), "x");
            assert_eq!((memory.len(), memory.places.len()), (3, 3));
        }
        let mut nothing = Remembered::new([1; 32], 0);
        learn(&mut nothing, "a", "x");
        assert!(nothing.is_empty());
    }

    #[test]
    fn prints_no_secret() {
        assert_eq!(
            format!("{:?}", Remembered::new([1; 32], 3)),
            "Remembered { len: 0, .. }"
        );
    }
}
