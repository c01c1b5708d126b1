//! Who has guessed wrong how often (`[limits] auth_failures`), and what that costs.
//!
//! Counted are failures of one account from one address, and of one address altogether, exactly, over a sliding
//! window. An account is never locked for other addresses: that would let anybody lock anybody out. Of IPv6 the first
//! 64 bits count, which is what one customer has. Attempts that have begun count as long as they run, so that guessing
//! on many connections at once gains nothing.

use presence::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

/// How many failures are borne; 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Failures of one account from one address.
    pub per_account_and_address: usize,
    /// Failures from one address, whatever the account.
    pub per_address: usize,
    /// The window in which they are counted.
    pub within: Duration,
    /// How many accounts with addresses, and how many addresses, are kept in mind; the oldest are dropped above it.
    pub capacity: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_account_and_address: 10,
            per_address: 200,
            within: Duration::from_secs(60),
            capacity: 32_768,
        }
    }
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has begun; tell its end with [`Attempts::succeeded`], [`Attempts::failed`] or [`Attempts::abandoned`].
    Allowed,
    /// Not before this time; ask again then.
    DelayUntil(Timestamp),
    /// The limit is reached; it is no use before this time. Nothing about the credentials may be told.
    Refused {
        /// When the oldest failure leaves the window.
        until: Timestamp,
    },
}

/// The delay after the first failure; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The delay grows no further than this.
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// How soon to ask again when as many attempts are running as failures are left.
const WAIT_FOR_RUNNING: Duration = Duration::from_millis(50);

/// An account's fingerprint: names come from strangers and may be long.
type AccountKey = [u8; 16];

/// The account of all failures.
#[derive(Debug)]
pub struct Attempts {
    limits: Limits,
    accounts: Generations<(AccountKey, IpAddr)>,
    addresses: Generations<IpAddr>,
}

impl Attempts {
    /// Nothing has failed yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            accounts: Generations::default(),
            addresses: Generations::default(),
        }
    }

    /// Something has failed from this address lately. False is certain: then nothing stands against an attempt from there.
    pub fn suspects(&mut self, address: IpAddr) -> bool {
        self.limits.per_address == 0 || self.addresses.find(&network(address)).is_some()
    }

    /// An attempt at `account` (its prepared address) wants to begin. For SCRAM that is when the keys are looked up.
    pub fn begin(&mut self, now: Timestamp, account: &str, address: IpAddr) -> Verdict {
        let limits = self.limits;
        let address = network(address);
        if let Some(record) = self.addresses.find(&address)
            && let Some(until) = record.refused(now, limits.per_address, limits.within)
        {
            return Verdict::Refused { until };
        }
        if limits.per_account_and_address == 0 {
            return Verdict::Allowed;
        }
        let record = self
            .accounts
            .touch((fingerprint(account), address), now, &limits);
        if let Some(until) = record.refused(now, limits.per_account_and_address, limits.within) {
            return Verdict::Refused { until };
        }
        let ready = record.ready();
        if ready > now {
            return Verdict::DelayUntil(ready);
        }
        // An end that was never told must not count for ever.
        if now.since(record.begun) >= limits.within {
            record.running = 0;
        }
        if record.failures.len() + record.running >= limits.per_account_and_address {
            return Verdict::DelayUntil(now.plus(WAIT_FOR_RUNNING));
        }
        record.running += 1;
        record.begun = now;
        Verdict::Allowed
    }

    /// The attempt proved its credentials: the account's failures from there are forgiven, the address's are not (else
    /// an own account would buy endless guesses at others).
    pub fn succeeded(&mut self, account: &str, address: IpAddr) {
        let key = (fingerprint(account), network(address));
        if let Some(record) = self.accounts.find(&key) {
            record.failures.clear();
            record.running = record.running.saturating_sub(1);
            if record.running == 0 {
                self.accounts.remove(&key);
            }
        }
    }

    /// The attempt showed wrong credentials. Returns when to send the failure, and not before.
    pub fn failed(&mut self, now: Timestamp, account: &str, address: IpAddr) -> Timestamp {
        let limits = self.limits;
        let address = network(address);
        if limits.per_address != 0 {
            self.addresses
                .touch(address, now, &limits)
                .fail(now, limits.per_address);
        }
        let record = self
            .accounts
            .touch((fingerprint(account), address), now, &limits);
        record.running = record.running.saturating_sub(1);
        record.fail(now, limits.per_account_and_address.max(MOST_DOUBLINGS));
        record.ready()
    }

    /// The attempt ended without showing credentials: aborted, malformed, the connection gone, or the store down.
    pub fn abandoned(&mut self, account: &str, address: IpAddr) {
        let key = (fingerprint(account), network(address));
        if let Some(record) = self.accounts.find(&key) {
            record.running = record.running.saturating_sub(1);
        }
    }
}

/// Failures after which the delay is at its longest; as many are kept when there is no limit.
const MOST_DOUBLINGS: usize = 7;

/// What is known of one key.
#[derive(Debug, Default)]
struct Record {
    /// When failures happened, oldest first; no more than the limit asks for.
    failures: VecDeque<Timestamp>,
    /// Attempts that have begun and not ended.
    running: usize,
    /// When the last of them began.
    begun: Timestamp,
}

impl Record {
    fn refused(&mut self, now: Timestamp, limit: usize, within: Duration) -> Option<Timestamp> {
        self.prune(now, within);
        if limit == 0 || self.failures.len() < limit {
            return None;
        }
        self.failures.front().map(|oldest| oldest.plus(within))
    }

    fn prune(&mut self, now: Timestamp, within: Duration) {
        while self
            .failures
            .front()
            .is_some_and(|&oldest| now.since(oldest) >= within)
        {
            self.failures.pop_front();
        }
    }

    fn fail(&mut self, now: Timestamp, most: usize) {
        if self.failures.len() >= most {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
    }

    /// When the delay after the last failure is over.
    fn ready(&self) -> Timestamp {
        let Some(last) = self.failures.back() else {
            return Timestamp::default();
        };
        let doublings = self.failures.len().saturating_sub(1).min(MOST_DOUBLINGS) as u32;
        last.plus((FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY))
    }
}

/// Records by key in two generations. What was not touched since the last turn is dropped at the next; a turn comes when
/// the window has passed or the young half is full. So nothing is forgotten early unless memory runs out, and no sweep is needed.
#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Record>,
    old: HashMap<K, Record>,
    turned: Timestamp,
}

impl<K> Default for Generations<K> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            turned: Timestamp::default(),
        }
    }
}

impl<K: Hash + Eq + Copy> Generations<K> {
    /// The record of a key, if there is one.
    fn find(&mut self, key: &K) -> Option<&mut Record> {
        self.young.get_mut(key).or_else(|| self.old.get_mut(key))
    }

    /// The record of a key, kept for another window at least.
    fn touch(&mut self, key: K, now: Timestamp, limits: &Limits) -> &mut Record {
        let is_full =
            self.young.len() >= (limits.capacity / 2).max(1) && !self.young.contains_key(&key);
        if is_full || now.since(self.turned) >= limits.within {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
        let kept = self.old.remove(&key);
        let record = self
            .young
            .entry(key)
            .or_insert_with(|| kept.unwrap_or_default());
        record.prune(now, limits.within);
        record
    }

    fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

fn fingerprint(account: &str) -> AccountKey {
    let digest: [u8; 32] = Sha256::digest(account.as_bytes()).into();
    let mut key = AccountKey::default();
    key.copy_from_slice(&digest[..16]);
    key
}

/// The part of an address that stands for one customer: all of IPv4 (also mapped into IPv6), a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn limits() -> Limits {
        Limits {
            per_account_and_address: 3,
            per_address: 5,
            within: Duration::from_secs(60),
            capacity: 100,
        }
    }

    /// Begins as soon as the delay allows and fails; returns when the failure may be sent.
    fn guess(
        attempts: &mut Attempts,
        now: &mut Timestamp,
        account: &str,
        address: IpAddr,
    ) -> Timestamp {
        if let Verdict::DelayUntil(later) = attempts.begin(*now, account, address) {
            *now = later;
            assert_eq!(attempts.begin(*now, account, address), Verdict::Allowed);
        }
        attempts.failed(*now, account, address)
    }

    #[test]
    fn delays_grow_and_then_it_is_refused() {
        let mut attempts = Attempts::new(limits());
        let mut now = Timestamp(1_000_000);
        let start = now;
        for expected in [100, 200, 400] {
            let begun = attempts.begin(now, "ann", HOME);
            assert_eq!(begun, Verdict::Allowed);
            let told = attempts.failed(now, "ann", HOME);
            assert_eq!(told.since(now), Duration::from_millis(expected));
            if expected < 400 {
                assert_eq!(attempts.begin(now, "ann", HOME), Verdict::DelayUntil(told));
            }
            now = told;
        }
        let until = start.plus(Duration::from_secs(60));
        assert_eq!(attempts.begin(now, "ann", HOME), Verdict::Refused { until });
        assert_eq!(
            attempts.begin(now, "ann", AWAY),
            Verdict::Allowed,
            "other addresses are not locked out"
        );
        assert_eq!(
            attempts.begin(now, "bob", HOME),
            Verdict::Allowed,
            "nor are other accounts"
        );
        assert_eq!(
            attempts.begin(until, "ann", HOME),
            Verdict::Allowed,
            "the oldest failure has left the window"
        );
    }

    #[test]
    fn the_delay_has_an_end() {
        let mut attempts = Attempts::new(Limits {
            per_account_and_address: 0,
            per_address: 0,
            ..limits()
        });
        let mut told = Timestamp(1_000_000);
        let mut delay = Duration::ZERO;
        for _ in 0..20 {
            assert_eq!(
                attempts.begin(told, "ann", HOME),
                Verdict::Allowed,
                "0 is no limit"
            );
            let next = attempts.failed(told, "ann", HOME);
            delay = next.since(told);
            told = told.plus(Duration::from_secs(1));
        }
        assert_eq!(delay, LONGEST_DELAY);
    }

    #[test]
    fn one_address_has_a_limit_over_all_accounts() {
        let mut attempts = Attempts::new(limits());
        let mut now = Timestamp(1_000_000);
        for account in ["a", "b", "c", "d", "e"] {
            guess(&mut attempts, &mut now, account, HOME);
        }
        let until = now.plus(Duration::from_secs(60));
        assert_eq!(attempts.begin(now, "f", HOME), Verdict::Refused { until });
        assert_eq!(attempts.begin(now, "f", AWAY), Verdict::Allowed);
    }

    #[test]
    fn success_forgives_the_account_only() {
        let mut attempts = Attempts::new(limits());
        let mut now = Timestamp(1_000_000);
        for _ in 0..2 {
            guess(&mut attempts, &mut now, "ann", HOME);
        }
        now = now.plus(Duration::from_secs(1));
        assert_eq!(attempts.begin(now, "ann", HOME), Verdict::Allowed);
        attempts.succeeded("ann", HOME);
        for _ in 0..3 {
            guess(&mut attempts, &mut now, "ann", HOME);
        }
        assert!(matches!(
            attempts.begin(now, "bob", HOME),
            Verdict::Refused { .. }
        ));
    }

    #[test]
    fn running_attempts_count() {
        let mut attempts = Attempts::new(limits());
        let now = Timestamp(1_000_000);
        for _ in 0..3 {
            assert_eq!(attempts.begin(now, "ann", HOME), Verdict::Allowed);
        }
        let later = now.plus(WAIT_FOR_RUNNING);
        assert_eq!(attempts.begin(now, "ann", HOME), Verdict::DelayUntil(later));
        attempts.abandoned("ann", HOME);
        assert_eq!(attempts.begin(later, "ann", HOME), Verdict::Allowed);
        let much_later = later.plus(Duration::from_secs(60));
        assert_eq!(
            attempts.begin(much_later, "ann", HOME),
            Verdict::Allowed,
            "lost attempts do not count for ever"
        );
    }

    #[test]
    fn neighbours_in_a_network_are_one() {
        let parse = |text: &str| text.parse::<IpAddr>().ok().map(network);
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_eq!(parse("::ffff:192.0.2.1"), Some(HOME));
    }

    #[test]
    fn memory_is_bounded() {
        let mut attempts = Attempts::new(limits());
        for n in 0..10_000_u32 {
            let address = IpAddr::V4(n.into());
            let now = Timestamp(u64::from(n));
            attempts.begin(now, &n.to_string(), address);
            attempts.failed(now, &n.to_string(), address);
            let kept = attempts.accounts.young.len() + attempts.accounts.old.len();
            assert!(
                kept <= 100 && attempts.addresses.young.len() + attempts.addresses.old.len() <= 100
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// However attempts are spread in time, no window holds more failures than the limit.
        #[test]
        fn never_more_guesses_than_the_limit(pauses in proptest::collection::vec(0_u64..30_000, 1..80)) {
            let mut attempts = Attempts::new(limits());
            let mut now = Timestamp(0);
            let mut guesses: Vec<Timestamp> = Vec::new();
            for pause in pauses {
                now = now.plus(Duration::from_millis(pause));
                if attempts.begin(now, "ann", HOME) == Verdict::Allowed {
                    attempts.failed(now, "ann", HOME);
                    guesses.push(now);
                }
            }
            for window in guesses.windows(4) {
                prop_assert!(window[3].since(window[0]) >= Duration::from_secs(60));
            }
        }
    }
}
