//! The side that answers (RFC 3261 §22.2, §22.3, RFC 7616 §3.4, RFC 8760 §2.4).

use super::{
    Algorithm, Ha1, ha1,
    response::{Input, Qop, compute},
};
use crate::{
    header::{Challenge, DigestWriter},
    message::Method,
    uri::Uri,
};

/// The challenge to answer: the first whose algorithm is known, as the server's order is its preference
/// (RFC 8760 §2.4). A challenge that offers neither `auth` nor `auth-int` but has a `qop` is passed over.
pub fn choose_challenge<'a>(
    challenges: impl IntoIterator<Item = &'a Challenge>,
) -> Option<&'a Challenge> {
    challenges
        .into_iter()
        .find(|challenge| challenge.is_digest() && usable(challenge).is_some())
}

/// The algorithm and the qop to use.
fn usable(challenge: &Challenge) -> Option<(Algorithm, Option<&'static str>)> {
    let algorithm = match challenge.get("algorithm") {
        Some(text) => Algorithm::from_token(&text)?,
        None => Algorithm::Md5,
    };
    let qop = if challenge.get("qop").is_none() {
        // The form of RFC 2069 has no `cnonce`, which session keys need.
        if algorithm.is_session() {
            return None;
        }
        None
    } else if challenge.offers_qop("auth") {
        Some("auth")
    } else if challenge.offers_qop("auth-int") {
        Some("auth-int")
    } else {
        return None;
    };
    Some((algorithm, qop))
}

/// A challenge with the user's secret: answers any number of requests, counting.
#[derive(Debug, Clone)]
pub struct DigestSession {
    user: String,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// Whether the challenge named the algorithm; old servers want it back only if they did.
    named: bool,
    qop: Option<&'static str>,
    ha1: Ha1,
    count: u32,
}

impl DigestSession {
    /// Takes a challenge; `None` if it is of an unknown kind or lacks realm or nonce.
    pub fn new(challenge: &Challenge, user: &str, password: &str) -> Option<Self> {
        let (algorithm, qop) = usable(challenge)?;
        let realm = challenge.get("realm")?.into_owned();
        Some(Self {
            ha1: ha1(algorithm, user, &realm, password),
            user: user.to_owned(),
            realm,
            nonce: challenge.get("nonce")?.into_owned(),
            opaque: challenge.get("opaque").map(std::borrow::Cow::into_owned),
            algorithm,
            named: challenge.get("algorithm").is_some(),
            qop,
            count: 0,
        })
    }

    /// The value of Authorization (or Proxy-Authorization) for the next request. `cnonce` is random text
    /// without quotes; `body` counts only where the server asks for `auth-int`.
    pub fn authorize(&mut self, method: &Method, uri: &Uri, body: &[u8], cnonce: &str) -> String {
        self.authorize_text(method, uri.as_str(), body, cnonce)
    }

    /// Like [`DigestSession::authorize`] for a resource that is no URI, as `*` or a path of HTTP.
    pub fn authorize_text(
        &mut self,
        method: &Method,
        uri: &str,
        body: &[u8],
        cnonce: &str,
    ) -> String {
        self.count += 1;
        let nc = format!("{:08x}", self.count);
        let qop = self.qop.map(|token| Qop {
            token,
            nc: &nc,
            cnonce,
            body: (token == "auth-int").then_some(body),
        });
        let input = Input {
            algorithm: self.algorithm,
            method: method.as_str(),
            uri,
            nonce: &self.nonce,
            qop,
        };
        let response = compute(&input, &self.ha1);
        let mut writer = DigestWriter::new()
            .quoted("username", &self.user)
            .quoted("realm", &self.realm)
            .quoted("nonce", &self.nonce)
            .quoted("uri", uri)
            .quoted("response", response.as_str());
        if self.named {
            writer = writer.bare("algorithm", self.algorithm.as_str());
        }
        if let Some(qop) = qop {
            writer = writer
                .quoted("cnonce", cnonce)
                .bare("qop", qop.token)
                .bare("nc", &nc);
        }
        if let Some(opaque) = &self.opaque {
            writer = writer.quoted("opaque", opaque);
        }
        writer.finish()
    }
}
