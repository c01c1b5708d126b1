//! Tokens that clients log in with (XEP-0484), as they are kept and judged.

use std::sync::Arc;
use std::time::Duration;

use adsum::wiring::login_tokens::{self, Terms};
use model::accounts::Secrets;
use model::commit::Reply as Done;
use parking_lot::Mutex;
use presence::Utc;
use xmpp::action::Reply;
use xmpp::sasl::{
    ClientId, Credentials, Fingerprint, Password, Token, TokenAttempt, TokenKey, TokenMechanism,
};

use super::{World, bare};

const CLIENT: ClientId = ClientId([7; 16]);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// An office whose ann has a password, and how long tokens are good there.
struct Office {
    world: World,
    keys: Fingerprint,
    lifetime: Duration,
    issued: u8,
}

type Found = Arc<Mutex<Option<Reply>>>;

fn key() -> TokenKey {
    TokenKey::new([5; 32])
}

impl Office {
    fn open() -> Self {
        let mut office = Self {
            world: World::open(&["ann"]),
            keys: Fingerprint([0; 16]),
            lifetime: MONTH,
            issued: 0,
        };
        office.set_password(b"0123456789abcdef");
        office
    }

    fn set_password(&mut self, salt: &[u8]) {
        let keys = Credentials::derive(&Password::new("pencil"), salt, 16).unwrap();
        let secrets = Secrets {
            scram: keys.to_bytes(),
            sealed_ha1: Vec::new(),
        };
        let done = Done::new(|result: Result<(), _>| result.unwrap());
        self.world.model.set_secrets(&bare("ann"), secrets, &done);
        self.world.settle();
        self.keys = keys.fingerprint();
    }

    fn issue(&mut self) -> (Token, Utc) {
        self.issued += 1;
        let issued = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&issued);
        login_tokens::issue(
            &self.world.model,
            &key(),
            (&bare("ann"), CLIENT, TokenMechanism::Unbound),
            self.keys,
            [self.issued; 16],
            Terms {
                per_account: 3,
                lifetime: self.lifetime,
            },
            move |token| *answer.lock() = token,
        );
        self.world.settle();
        issued.lock().take().unwrap()
    }

    /// What is found of a login, once it is known.
    fn begin(&self, token: &Token, adjust: impl FnOnce(&mut TokenAttempt)) -> Found {
        let mut attempt = TokenAttempt {
            client: CLIENT,
            mechanism: TokenMechanism::Unbound,
            proof: token.initiator(b"").as_bytes().to_vec(),
            binding: Vec::new(),
            count: None,
            invalidate: false,
            is_refused: false,
        };
        adjust(&mut attempt);
        let found = Found::default();
        let answer = Arc::clone(&found);
        login_tokens::check(
            &self.world.model,
            &key(),
            &bare("ann"),
            &attempt,
            self.lifetime,
            move |reply, _| *answer.lock() = Some(reply),
        );
        found
    }

    fn login(&mut self, token: &Token, adjust: impl FnOnce(&mut TokenAttempt)) -> Reply {
        let found = self.begin(token, adjust);
        self.world.settle();
        found.lock().take().unwrap()
    }

    fn is_right(&mut self, token: &Token) -> bool {
        matches!(self.login(token, |_| ()), Reply::Token { .. })
    }

    fn is_expired(&mut self, token: &Token) -> bool {
        matches!(self.login(token, |_| ()), Reply::TokenExpired)
    }
}

fn taken_back(attempt: &mut TokenAttempt) {
    attempt.invalidate = true;
}

#[test]
fn a_shorter_life_reaches_those_that_are_out() {
    let mut office = Office::open();
    let (token, _) = office.issue();
    office.world.pass(DAY * 8);
    assert!(office.is_right(&token));
    office.lifetime = DAY * 7;
    assert!(office.is_expired(&token));
    office.lifetime = MONTH;
    assert!(office.is_right(&token));
}

/// Upon use of any token those of the client that end before it are gone.
#[test]
fn the_use_of_one_ends_what_ends_before_it() {
    let mut office = Office::open();
    let (long, end) = office.issue();
    assert!(office.is_right(&long));
    office.lifetime = DAY;
    let (short, sooner) = office.issue();
    assert!(sooner < end);
    office.lifetime = MONTH;
    assert!(office.is_right(&long));
    assert!(
        !office.is_right(&short),
        "it ended before the one that was used"
    );
    // One that ends later may not have arrived, and stays.
    office.world.pass(DAY);
    let (later, _) = office.issue();
    assert!(office.is_right(&long) && office.is_right(&later));
    assert!(!office.is_right(&long), "another one is in use");
}

#[test]
fn of_two_that_take_it_back_at_once_one_does() {
    let mut office = Office::open();
    let (token, _) = office.issue();
    assert!(office.is_right(&token));
    let both = [(); 2].map(|()| office.begin(&token, taken_back));
    office.world.settle();
    let [one, two] = both.map(|found| found.lock().take().unwrap());
    assert!(matches!(one, Reply::Token { .. }), "{one:?}");
    assert!(matches!(two, Reply::TokenExpired), "{two:?}");
    // What was issued since then stays.
    let (next, _) = office.issue();
    assert!(office.is_expired(&token) && office.is_right(&next));
    // Nor is one used for the first time that is being taken back.
    let (fresh, _) = office.issue();
    let back = office.begin(&fresh, taken_back);
    let used = office.begin(&fresh, |_| ());
    office.world.settle();
    let (back, used) = (back.lock().take().unwrap(), used.lock().take().unwrap());
    assert!(matches!(back, Reply::Token { .. }), "{back:?}");
    assert!(matches!(used, Reply::TokenExpired), "{used:?}");
}

#[test]
fn of_two_with_one_count_one_gets_in_and_nobody_guesses() {
    let mut office = Office::open();
    let (token, _) = office.issue();
    let counted = |attempt: &mut TokenAttempt| attempt.count = Some(1);
    let both = [(); 2].map(|()| office.begin(&token, counted));
    office.world.settle();
    let [one, two] = both.map(|found| found.lock().take().unwrap());
    assert!(matches!(one, Reply::Token { .. }), "{one:?}");
    assert!(matches!(two, Reply::TokenReplayed), "{two:?}");
    let late = office.login(&token, counted);
    assert!(matches!(late, Reply::TokenReplayed), "{late:?}");
}

/// A login that fails for another reason leaves all as it was.
#[test]
fn a_refused_login_writes_nothing() {
    let mut office = Office::open();
    let (token, _) = office.issue();
    let found = office.login(&token, |attempt| {
        (attempt.is_refused, attempt.invalidate, attempt.count) = (true, true, Some(9));
    });
    assert!(matches!(found, Reply::Token { .. }), "{found:?}");
    let found = office.login(&token, |attempt| attempt.count = Some(1));
    assert!(matches!(found, Reply::Token { .. }), "{found:?}");
}

/// Whoever comes with a token that was good once learns that, for as long as it would be known at all.
#[test]
fn the_dead_are_known_for_a_while() {
    let mut office = Office::open();
    let (old, _) = office.issue();
    office.set_password(b"fedcba9876543210");
    assert!(office.is_expired(&old));
    let done = Done::new(|result: Result<(), _>| result.unwrap());
    let (token, _) = office.issue();
    assert!(office.is_right(&token));
    for disabled in [true, false] {
        office.world.model.disable(&bare("ann"), disabled, &done);
        office.world.settle();
        assert!(office.is_expired(&token));
    }
    office.world.pass(MONTH * 2);
    let (last, _) = office.issue();
    assert!(office.is_expired(&token) && office.is_right(&last));
}
