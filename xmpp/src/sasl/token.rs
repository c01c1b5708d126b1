//! Tokens instead of passwords (XEP-0484): what they are, and the HT mechanisms that prove them (SASL-HT: `HMAC(token, …)` over the
//! channel's binding data, one message each way).
//!
//! A token is made out of a key that stands in a file of its own and a random number that the store keeps, so that a stolen database
//! holds none. The decision about a login is [`TokenKey::judge`].

use super::hash::{Hash, Key};
use super::keys::Fingerprint;
use super::mechanism::{Binding, ChannelBindings};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use presence::Utc;
use std::fmt;
use std::time::Duration;

/// A mechanism that proves a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenMechanism {
    /// Bound to the channel by `tls-exporter`.
    Exporter,
    /// Bound to the channel by `tls-server-end-point`.
    ServerEndPoint,
    /// Not bound.
    Unbound,
}

impl TokenMechanism {
    /// All of them, strongest first. `-UNIQ` is missing with `tls-unique`, which TLS 1.3 does not have.
    pub const ALL: [Self; 3] = [Self::Exporter, Self::ServerEndPoint, Self::Unbound];

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exporter => "HT-SHA-256-EXPR",
            Self::ServerEndPoint => "HT-SHA-256-ENDP",
            Self::Unbound => "HT-SHA-256-NONE",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// The number by which the store knows it.
    pub const fn number(self) -> u8 {
        match self {
            Self::Exporter => 1,
            Self::ServerEndPoint => 2,
            Self::Unbound => 3,
        }
    }

    /// The reverse of [`TokenMechanism::number`].
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.number() == number)
    }

    /// What of the channel goes into the proof; `None` where the channel cannot be bound so.
    pub fn binding_data(self, bindings: &ChannelBindings) -> Option<&[u8]> {
        match self {
            Self::Exporter => bindings.data(Binding::TlsExporter.name()),
            Self::ServerEndPoint => bindings.data(Binding::TlsServerEndPoint.name()),
            Self::Unbound => Some(&[]),
        }
    }

    /// Those that can be used on a channel.
    pub fn offered(bindings: &ChannelBindings) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|mechanism| mechanism.binding_data(bindings).is_some())
    }
}

/// An installation of a client, by the UUID that it made for itself (XEP-0388 §2.3). Not to be shown to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub [u8; 16]);

impl ClientId {
    /// Reads a UUID in its usual form.
    pub fn parse(text: &str) -> Option<Self> {
        const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
        let mut groups = text.split('-');
        if !GROUPS
            .iter()
            .all(|&length| groups.next().is_some_and(|g| g.len() == length))
        {
            return None;
        }
        if groups.next().is_some() {
            return None;
        }
        let mut digits = text.chars().filter(|&c| c != '-').map(|c| c.to_digit(16));
        let mut octets = [0; 16];
        for octet in &mut octets {
            let (high, low) = (digits.next()??, digits.next()??);
            *octet = (high << 4 | low) as u8;
        }
        Some(Self(octets))
    }
}

/// What an HT mechanism says: whose token it is, and the proof.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenMessage {
    /// As received.
    pub username: String,
    /// `HMAC-SHA-256(token, "Initiator" || binding data)`.
    pub proof: Vec<u8>,
}

impl TokenMessage {
    /// Reads `authcid NUL proof`; `None` for anything else.
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        let end = message.iter().position(|&octet| octet == 0)?;
        let (username, rest) = message.split_at(end);
        let proof = rest.get(1..).filter(|proof| !proof.is_empty())?;
        let username = std::str::from_utf8(username)
            .ok()
            .filter(|n| !n.is_empty())?;
        Some(Self {
            username: username.to_owned(),
            proof: proof.to_vec(),
        })
    }
}

/// Without the proof.
impl fmt::Debug for TokenMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("TokenMessage");
        shown.field("username", &self.username);
        shown.finish_non_exhaustive()
    }
}

/// A login with a token, as it is to be judged.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenAttempt {
    /// Which installation of a client it says it is; a token is for one only.
    pub client: ClientId,
    /// By which mechanism.
    pub mechanism: TokenMechanism,
    /// The proof.
    pub proof: Vec<u8>,
    /// What of the channel must have gone into it.
    pub binding: Vec<u8>,
    /// The client's counter against replay.
    pub count: Option<u64>,
    /// The token shall be of no use any more.
    pub invalidate: bool,
    /// The login fails also with the right token: whatever is found, nothing is changed.
    pub is_refused: bool,
}

/// Without the proof and what it was made over.
impl fmt::Debug for TokenAttempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenAttempt")
            .field("client", &self.client)
            .field("mechanism", &self.mechanism)
            .field("count", &self.count)
            .field("invalidate", &self.invalidate)
            .field("is_refused", &self.is_refused)
            .finish_non_exhaustive()
    }
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The only mechanism that it is good for.
    pub mechanism: TokenMechanism,
    /// What it is made of, with the key.
    pub nonce: [u8; 16],
    /// The keys under which it was issued: it dies with the password.
    pub password: Fingerprint,
    /// When it was made.
    pub issued: Utc,
    /// Until when it is good.
    pub expires: Utc,
    /// The highest count that came with it.
    pub count: u64,
    /// It has been used: whatever was issued before it is gone.
    pub used: bool,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFinding {
    /// The token is right.
    Proven {
        /// Which of them it is, by its nonce.
        nonce: [u8; 16],
        /// The answer, which proves the server to the client.
        responder: Vec<u8>,
        /// It was used before.
        used: bool,
        /// It is time for another one.
        is_old: bool,
    },
    /// It was right once.
    Expired,
    /// It is right, but came with a count that is too low.
    Replayed,
    /// It is not.
    Wrong,
}

/// What tokens are made with. It must outlive a restart, or all clients need their passwords again.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// The key with these bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The token of an account (its prepared address) for a client, as it is told and proven.
    pub fn token(&self, account: &str, client: ClientId, nonce: &[u8; 16]) -> Token {
        let mac = self.mac(&[b"token\0", account.as_bytes(), b"\0", &client.0, nonce]);
        Token(URL_SAFE_NO_PAD.encode(mac.as_bytes()))
    }

    /// A name that is the same whenever the same client of an account comes, and does not tell its id (XEP-0386 §3.2.1).
    pub fn resource(&self, account: &str, client: ClientId) -> String {
        let mac = self.mac(&[b"resource\0", account.as_bytes(), b"\0", &client.0]);
        let short = mac.as_bytes().get(..9).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(short)
    }

    /// Judges an attempt at an account, of which these tokens for the client are kept: at most one that was used, and one that was
    /// not. `password` is that of the account's present keys; without an account there is neither, and the work is the same.
    pub fn judge(
        &self,
        account: &str,
        attempt: &TokenAttempt,
        tokens: &[IssuedToken],
        password: Option<Fingerprint>,
        now: Utc,
    ) -> TokenFinding {
        let mut found = None;
        for used in [false, true] {
            let issued = tokens.iter().find(|token| token.used == used);
            let nonce = issued.map_or([0; 16], |token| token.nonce);
            let token = self.token(account, attempt.client, &nonce);
            let fits = token.initiator(&attempt.binding).matches(&attempt.proof);
            if let (true, Some(issued)) = (fits, issued) {
                found = Some((issued, token));
            }
        }
        let Some((issued, token)) = found else {
            return TokenFinding::Wrong;
        };
        if issued.mechanism != attempt.mechanism {
            return TokenFinding::Wrong;
        }
        if issued.expires <= now || password != Some(issued.password) {
            return TokenFinding::Expired;
        }
        if attempt.count.is_some_and(|count| count <= issued.count) {
            return TokenFinding::Replayed;
        }
        TokenFinding::Proven {
            nonce: issued.nonce,
            responder: token.responder(&attempt.binding).as_bytes().to_vec(),
            used: issued.used,
            is_old: issued.is_old(now),
        }
    }

    fn mac(&self, parts: &[&[u8]]) -> Key {
        Hash::Sha256.hmac(&self.0, parts)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenKey(..)")
    }
}

impl IssuedToken {
    /// The same with the life that tokens have now, if that is shorter than what it was given.
    #[must_use]
    pub fn within(mut self, lifetime: Duration) -> Self {
        let life = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        self.expires = self.expires.min(Utc(self.issued.0.saturating_add(life)));
        self
    }

    /// A quarter of its life is over: a client that comes at least so often never needs its password again.
    fn is_old(&self, now: Utc) -> bool {
        let life = self.expires.0.saturating_sub(self.issued.0);
        now.0.saturating_sub(self.issued.0) >= life / 4
    }
}

/// A token in clear: for the client alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token in clear; not to be logged or kept.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the client proves it with.
    pub fn initiator(&self, binding: &[u8]) -> Key {
        Hash::Sha256.hmac(self.0.as_bytes(), &[b"Initiator", binding])
    }

    /// What the server proves itself with.
    pub fn responder(&self, binding: &[u8]) -> Key {
        Hash::Sha256.hmac(self.0.as_bytes(), &[b"Responder", binding])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::base64;
    use super::*;
    use proptest::prelude::*;

    const ANN: &str = "ann@office.example";
    const DAY: i64 = 86_400_000;

    fn client() -> ClientId {
        ClientId::parse("7d9f2a4c-51b6-4e08-9c3d-a1b2c3d4e5f6").unwrap()
    }

    fn key() -> TokenKey {
        TokenKey::new([5; 32])
    }

    fn password() -> Fingerprint {
        Fingerprint([8; 16])
    }

    fn issued(nonce: u8, used: bool) -> IssuedToken {
        IssuedToken {
            mechanism: TokenMechanism::Exporter,
            nonce: [nonce; 16],
            password: password(),
            issued: Utc(0),
            expires: Utc(20 * DAY),
            count: 3,
            used,
        }
    }

    fn attempt(nonce: u8) -> TokenAttempt {
        let token = key().token(ANN, client(), &[nonce; 16]);
        TokenAttempt {
            client: client(),
            mechanism: TokenMechanism::Exporter,
            proof: token.initiator(b"channel").as_bytes().to_vec(),
            binding: b"channel".to_vec(),
            count: None,
            invalidate: false,
            is_refused: false,
        }
    }

    fn judge(attempt: &TokenAttempt, tokens: &[IssuedToken], at: i64) -> TokenFinding {
        key().judge(ANN, attempt, tokens, Some(password()), Utc(at))
    }

    fn is_proven(finding: &TokenFinding, by: u8) -> bool {
        matches!(finding, TokenFinding::Proven { nonce, .. } if *nonce == [by; 16])
    }

    /// The values come from Python's hmac and base64.
    #[test]
    fn tokens_and_proofs() {
        let token = key().token(ANN, client(), &[1; 16]);
        assert_eq!(
            token.reveal(),
            "sox6k_XECcV_5i4k7WNLOZOeR1hvMy-kM2J3QgMP9ak"
        );
        assert_eq!(
            base64::encode(token.initiator(b"channel").as_bytes()),
            "Gu6OeRjWQm847mV76VG5CrwCopfCbBrqoo0gYuaK2tI="
        );
        assert_eq!(
            base64::encode(token.responder(b"").as_bytes()),
            "CJanDWEtWwfAh4uHvz+wMmrnLPCYhPOhgaljse0TgWs="
        );
        assert_eq!(format!("{token:?} {:?}", key()), "Token(..) TokenKey(..)");
    }

    #[test]
    fn the_right_one_of_two() {
        let tokens = [issued(1, true), issued(2, false)];
        for (nonce, used) in [(1, true), (2, false)] {
            let TokenFinding::Proven {
                responder,
                used: was,
                is_old,
                ..
            } = judge(&attempt(nonce), &tokens, DAY)
            else {
                panic!("{nonce}")
            };
            let token = key().token(ANN, client(), &[nonce; 16]);
            assert_eq!(responder, token.responder(b"channel").as_bytes());
            assert_eq!((was, is_old), (used, false));
        }
        assert_eq!(judge(&attempt(3), &tokens, DAY), TokenFinding::Wrong);
        assert_eq!(
            judge(&attempt(0), &[], DAY),
            TokenFinding::Wrong,
            "stand-ins fit nothing"
        );
    }

    #[test]
    fn what_a_token_is_bound_to() {
        let tokens = [issued(1, true)];
        let mut other = attempt(1);
        other.mechanism = TokenMechanism::ServerEndPoint;
        assert_eq!(judge(&other, &tokens, 0), TokenFinding::Wrong, "mechanism");
        let mut other = attempt(1);
        other.binding = b"elsewhere".to_vec();
        assert_eq!(judge(&other, &tokens, 0), TokenFinding::Wrong, "channel");
        let mut other = attempt(1);
        other.client = ClientId([0; 16]);
        assert_eq!(judge(&other, &tokens, 0), TokenFinding::Wrong, "client");
        let bob = key().judge(
            "bob@office.example",
            &attempt(1),
            &tokens,
            Some(password()),
            Utc(0),
        );
        assert_eq!(bob, TokenFinding::Wrong, "account");
        let changed = Some(Fingerprint([9; 16]));
        let finding = key().judge(ANN, &attempt(1), &tokens, changed, Utc(0));
        assert_eq!(finding, TokenFinding::Expired, "password");
    }

    #[test]
    fn time_and_counts() {
        let tokens = [issued(1, true)];
        let old = |at| {
            matches!(
                judge(&attempt(1), &tokens, at),
                TokenFinding::Proven { is_old: true, .. }
            )
        };
        assert!(!old(5 * DAY - 1) && old(5 * DAY) && old(20 * DAY - 1));
        assert_eq!(judge(&attempt(1), &tokens, 20 * DAY), TokenFinding::Expired);
        for (count, fine) in [(0, false), (3, false), (4, true)] {
            let counted = TokenAttempt {
                count: Some(count),
                ..attempt(1)
            };
            let found = judge(&counted, &tokens, 0);
            assert_eq!(is_proven(&found, 1), fine, "{count}");
            assert_eq!(found == TokenFinding::Replayed, !fine, "{count}");
            let late = judge(&counted, &tokens, 20 * DAY);
            assert_eq!(late, TokenFinding::Expired, "whatever the count");
        }
    }

    #[test]
    fn a_shorter_life_is_for_all() {
        let days = |days: i64| Duration::from_millis((days * DAY).cast_unsigned());
        let short = issued(1, true).within(days(8));
        let at = |at| judge(&attempt(1), std::slice::from_ref(&short), at);
        assert!(matches!(
            at(2 * DAY - 1),
            TokenFinding::Proven { is_old: false, .. }
        ));
        assert!(matches!(
            at(2 * DAY),
            TokenFinding::Proven { is_old: true, .. }
        ));
        assert_eq!(at(8 * DAY), TokenFinding::Expired);
        assert_eq!(issued(1, true).within(days(40)), issued(1, true));
        assert_eq!(issued(1, true).within(Duration::MAX), issued(1, true));
    }

    #[test]
    fn proofs_are_not_shown() {
        let proof = format!("{:?}", attempt(1).proof);
        let message = TokenMessage {
            username: "ann".to_owned(),
            proof: attempt(1).proof,
        };
        for shown in [format!("{:?}", attempt(1)), format!("{message:?}")] {
            assert!(
                !shown.contains(&proof) && !shown.contains("channel"),
                "{shown}"
            );
        }
    }

    #[test]
    fn names_and_numbers_go_both_ways() {
        for mechanism in TokenMechanism::ALL {
            assert_eq!(TokenMechanism::from_name(mechanism.name()), Some(mechanism));
            assert_eq!(
                TokenMechanism::from_number(mechanism.number()),
                Some(mechanism)
            );
        }
        assert_eq!(TokenMechanism::from_name("HT-SHA-256-UNIQ"), None);
        assert_eq!(TokenMechanism::from_number(0), None);
        let plain: Vec<_> = TokenMechanism::offered(&ChannelBindings::default()).collect();
        assert_eq!(plain, [TokenMechanism::Unbound]);
    }

    #[test]
    fn client_ids() {
        assert_eq!(client().0[..3], [0x7d, 0x9f, 0x2a]);
        assert_eq!(
            ClientId::parse("7D9F2A4C-51B6-4E08-9C3D-A1B2C3D4E5F6"),
            Some(client())
        );
        for wrong in [
            "",
            "7d9f2a4c51b64e089c3da1b2c3d4e5f6",
            "7d9f2a4c-51b6-4e08-9c3d-a1b2c3d4e5f",
            "7d9f2a4c-51b6-4e08-9c3d-a1b2c3d4e5f6-",
            "7d9f2a4c-51b6-4e08-9c3d-a1b2c3d4e5fg",
            "{7d9f2a4-51b6-4e08-9c3d-a1b2c3d4e5f6",
            "7d9f2a4é-51b6-4e08-9c3d-a1b2c3d4e5f",
        ] {
            assert_eq!(ClientId::parse(wrong), None, "{wrong}");
        }
        let name = key().resource(ANN, client());
        assert_eq!((name.len(), &name), (12, &key().resource(ANN, client())));
        assert_ne!(name, key().resource("bob@office.example", client()));
        assert_ne!(name, key().resource(ANN, ClientId([0; 16])));
    }

    #[test]
    fn messages() {
        let read = TokenMessage::parse(b"ann\0pr\0of").unwrap();
        assert_eq!(
            (read.username.as_str(), read.proof.as_slice()),
            ("ann", b"pr\0of".as_slice())
        );
        for wrong in [b"".as_slice(), b"ann", b"ann\0", b"\0proof", b"\xff\0proof"] {
            assert_eq!(TokenMessage::parse(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_other_proof_is_taken(proof in prop::collection::vec(any::<u8>(), 0..40), text in ".{0,40}") {
            let guess = TokenAttempt { proof, ..attempt(1) };
            prop_assert_eq!(judge(&guess, &[issued(1, true), issued(2, false)], 0), TokenFinding::Wrong);
            let _ = (ClientId::parse(&text), TokenMessage::parse(text.as_bytes()));
        }
    }
}
