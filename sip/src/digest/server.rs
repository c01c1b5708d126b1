//! The side that asks: challenges and the check of answers (RFC 3261 §22.1, RFC 7616 §3.4, §5).

use std::{borrow::Cow, time::Duration};

use smallvec::SmallVec;
use subtle::ConstantTimeEq;

use super::{
    Algorithm, Ha1, Ha1Set, ha1,
    nonce::{NonceId, NonceKey},
    response::{Input, Qop, compute},
    table::NonceTable,
    uri::same_resource,
};
use crate::{
    Malformed, Timestamp,
    header::{Authorization, DigestWriter},
    message::{HeaderName, Headers, Method},
    syntax::unquote,
    uri::Uri,
};

/// How a [`Challenger`] asks.
#[derive(Clone)]
pub struct ChallengerConfig {
    /// The realm.
    pub realm: String,
    /// Offered algorithms, the preferred first. Session variants are left out.
    pub algorithms: Vec<Algorithm>,
    /// Random octets of this process: nonces of another start are not taken.
    pub key: [u8; 32],
    /// Whether answers without `qop` (RFC 2069) are taken, under MD5 only.
    pub legacy: bool,
    /// How long a nonce is good.
    pub lifetime: Duration,
    /// How many nonces are remembered as used, at most.
    pub capacity: usize,
}

impl ChallengerConfig {
    /// MD5 alone, no legacy answers, nonces good for five minutes, 65,536 remembered.
    pub fn new(realm: &str, key: [u8; 32]) -> Self {
        Self {
            realm: realm.to_owned(),
            algorithms: vec![Algorithm::Md5],
            key,
            legacy: false,
            lifetime: Duration::from_secs(300),
            capacity: 65_536,
        }
    }
}

/// Why credentials were not taken. The sender is to be told only that they were not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// The caller knows no such user.
    UnknownUser,
    /// The answer is wrong, or the user has no HA1 of this algorithm.
    WrongPassword,
    /// The credentials are for another realm.
    OtherRealm,
    /// The algorithm is not one that is offered.
    Algorithm,
    /// The `qop` is not one that is offered, or is missing and legacy answers are not taken.
    Qop,
    /// `uri` names another resource than the request.
    OtherUri,
}

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The user is who it says.
    Accept,
    /// The password is right but the nonce is too old, not ours or used up: ask again with `stale=true`.
    Stale,
    /// Ask again, or refuse.
    Reject(Rejection),
    /// The credentials break their grammar: 400.
    Malformed(&'static str),
}

/// Asks for credentials and checks them.
///
/// A nonce carries its time under an HMAC, so nothing is kept about those who only ask. Who answered
/// rightly is remembered in a bounded table: each `nc` is good once, a nonce without `qop` for one request.
pub struct Challenger {
    config: ChallengerConfig,
    key: NonceKey,
    issued: u64,
    used: NonceTable,
    /// Stands in for unknown users, so that they take the same work.
    nobody: Ha1Set,
}

impl std::fmt::Debug for Challenger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenger")
            .field("realm", &self.config.realm)
            .field("algorithms", &self.config.algorithms)
            .finish_non_exhaustive()
    }
}

/// More parameters than any client has reason to send.
const MOST_PARAMS: usize = 32;

/// The parameters of credentials.
struct Answer<'a> {
    realm: Cow<'a, str>,
    nonce: Cow<'a, str>,
    uri: Cow<'a, str>,
    response: Cow<'a, str>,
    algorithm: Option<Algorithm>,
    qop: Option<(Cow<'a, str>, Cow<'a, str>, Cow<'a, str>)>,
    count: Option<u32>,
}

impl Challenger {
    /// A challenger that has seen nobody yet.
    pub fn new(mut config: ChallengerConfig) -> Self {
        config
            .algorithms
            .retain(|algorithm| !algorithm.is_session());
        let used = NonceTable::new(config.capacity);
        let nobody = Algorithm::ALL.iter().fold(Ha1Set::new(), |set, algorithm| {
            set.with(ha1(*algorithm, "", &config.realm, ""))
        });
        Self {
            key: NonceKey::new(&config.key),
            config,
            issued: 0,
            used,
            nobody,
        }
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.config.realm
    }

    /// Values for WWW-Authenticate (or Proxy-Authenticate) fields: one an algorithm, the preferred first
    /// (RFC 8760 §2.3), all with one nonce.
    pub fn challenge(&mut self, now: Timestamp, stale: bool) -> Vec<String> {
        self.issued += 1;
        let id = NonceId {
            time: now,
            number: self.issued,
        };
        let nonce = self.key.print(id);
        let line = |algorithm: &Algorithm| {
            let writer = DigestWriter::new()
                .quoted("realm", &self.config.realm)
                .quoted("nonce", &nonce)
                .quoted("qop", "auth")
                .bare("algorithm", algorithm.as_str());
            if stale {
                return writer.bare("stale", "true").finish();
            }
            writer.finish()
        };
        self.config.algorithms.iter().map(line).collect()
    }

    /// The credentials in the fields `name` that are for this realm.
    pub fn find(&self, headers: &Headers, name: &HeaderName) -> Option<Authorization> {
        headers
            .all(name)
            .filter_map(|text| Authorization::parse(text).ok())
            .find(|auth| auth.is_digest() && auth.get("realm").as_deref() == Some(self.realm()))
    }

    /// Checks credentials. `ha1` has the values of the user that they name (see
    /// [`Authorization::username`]), none if there is no such user: the work is the same.
    ///
    /// The caller gives each request once: a retransmission is the transaction layer's to absorb.
    pub fn check(
        &mut self,
        now: Timestamp,
        method: &Method,
        request_uri: &Uri,
        authorization: &Authorization,
        ha1: Option<&Ha1Set>,
    ) -> Verdict {
        let answer = match Answer::read(authorization) {
            Ok(answer) => answer,
            Err(Malformed { what }) => return Verdict::Malformed(what),
        };
        let algorithm = match self.acceptable(&answer) {
            Ok(algorithm) => algorithm,
            Err(rejection) => return Verdict::Reject(rejection),
        };
        let right = self.is_right(algorithm, method, &answer, ha1);
        if ha1.is_none() {
            return Verdict::Reject(Rejection::UnknownUser);
        }
        if !right {
            return Verdict::Reject(Rejection::WrongPassword);
        }
        if !same_resource(&answer.uri, request_uri) {
            return Verdict::Reject(Rejection::OtherUri);
        }
        self.check_nonce(now, &answer)
    }

    /// Realm, algorithm and qop must be what was asked for.
    fn acceptable(&self, answer: &Answer<'_>) -> Result<Algorithm, Rejection> {
        if answer.realm != self.config.realm {
            return Err(Rejection::OtherRealm);
        }
        let algorithm = answer.algorithm.ok_or(Rejection::Algorithm)?;
        if !self.config.algorithms.contains(&algorithm) {
            return Err(Rejection::Algorithm);
        }
        match &answer.qop {
            Some((qop, ..)) if qop.eq_ignore_ascii_case("auth") => Ok(algorithm),
            None if self.config.legacy && algorithm == Algorithm::Md5 => Ok(algorithm),
            _ => Err(Rejection::Qop),
        }
    }

    fn is_right(
        &self,
        algorithm: Algorithm,
        method: &Method,
        answer: &Answer<'_>,
        ha1: Option<&Ha1Set>,
    ) -> bool {
        let known: Option<&Ha1> = ha1.and_then(|set| set.get(algorithm));
        let Some(value) = known.or_else(|| self.nobody.get(algorithm)) else {
            return false;
        };
        let qop = answer.qop.as_ref().map(|(token, nc, cnonce)| Qop {
            token,
            nc,
            cnonce,
            body: None,
        });
        let input = Input {
            algorithm,
            method: method.as_str(),
            uri: &answer.uri,
            nonce: &answer.nonce,
            qop,
        };
        let expected = compute(&input, value);
        let mut given = SmallVec::<[u8; 64]>::from_slice(answer.response.as_bytes());
        given.make_ascii_lowercase();
        let same = bool::from(expected.as_bytes().ct_eq(&given));
        same & known.is_some()
    }

    fn check_nonce(&mut self, now: Timestamp, answer: &Answer<'_>) -> Verdict {
        let lifetime = u64::try_from(self.config.lifetime.as_millis()).unwrap_or(u64::MAX);
        let oldest = Timestamp(now.0.saturating_sub(lifetime));
        let Some(id) = self.key.read(&answer.nonce) else {
            return Verdict::Stale;
        };
        self.used.expire(oldest);
        if id.time < oldest || !self.used.note(id, answer.count) {
            return Verdict::Stale;
        }
        Verdict::Accept
    }
}

impl<'a> Answer<'a> {
    fn read(authorization: &'a Authorization) -> Result<Self, Malformed> {
        let params: SmallVec<[(&str, &str); 12]> = authorization.params().collect();
        // Of two values of one name two readers might take different ones.
        let duplicate = params.iter().enumerate().any(|(index, (name, _))| {
            let mut others = params.iter().skip(index + 1);
            others.any(|(other, _)| other.eq_ignore_ascii_case(name))
        });
        if !authorization.is_digest() || duplicate || params.len() > MOST_PARAMS {
            return Err(Malformed {
                what: "Authorization",
            });
        }
        let get = |name: &str| {
            let mut found = params.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| unquote(value))
        };
        let need = |name: &'static str| get(name).ok_or(Malformed { what: name });
        if get("username").is_none() {
            return Err(Malformed { what: "username" });
        }
        // Without an algorithm it is MD5 (RFC 7616 §3.4).
        let algorithm = match get("algorithm") {
            Some(text) => Algorithm::from_token(&text),
            None => Some(Algorithm::Md5),
        };
        // `nc` and `cnonce` mean nothing without `qop`: some phones send them all the same.
        let mut count = None;
        let qop = match get("qop") {
            Some(qop) => {
                let nc = need("nc")?;
                let number = u32::from_str_radix(&nc, 16);
                count = Some(number.map_err(|_| Malformed { what: "nc" })?);
                Some((qop, nc, need("cnonce")?))
            }
            None => None,
        };
        Ok(Self {
            realm: need("realm")?,
            nonce: need("nonce")?,
            uri: need("uri")?,
            response: need("response")?,
            algorithm,
            qop,
            count,
        })
    }
}

impl Authorization {
    /// The user name, without quotes.
    pub fn username(&self) -> Option<String> {
        self.get("username").map(std::borrow::Cow::into_owned)
    }
}
