//! The answer to a challenge, the same for both sides (RFC 7616 §3.4.1).

use super::{
    Ha1,
    algorithm::{Algorithm, Hex, hash},
};

/// Everything that goes into an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) nonce: &'a str,
    /// None: the form of RFC 2069, without `nc` and `cnonce`.
    pub(crate) qop: Option<Qop<'a>>,
}

/// The values that come with `qop`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Qop<'a> {
    /// As sent: `auth` or `auth-int`.
    pub(crate) token: &'a str,
    /// As sent: hexadecimal digits.
    pub(crate) nc: &'a str,
    pub(crate) cnonce: &'a str,
    /// The body, if the token is `auth-int`.
    pub(crate) body: Option<&'a [u8]>,
}

/// The response value.
pub(crate) fn compute(input: &Input<'_>, ha1: &Ha1) -> Hex {
    let kind = input.algorithm.hash();
    let nonce = input.nonce.as_bytes();
    let cnonce = input.qop.map_or("", |qop| qop.cnonce).as_bytes();
    let session;
    let a1 = if input.algorithm.is_session() {
        session = hash(kind, &[ha1.as_bytes(), nonce, cnonce]);
        session.as_bytes()
    } else {
        ha1.as_bytes()
    };
    let (method, uri) = (input.method.as_bytes(), input.uri.as_bytes());
    let a2 = match input.qop.and_then(|qop| qop.body) {
        Some(body) => hash(kind, &[method, uri, hash(kind, &[body]).as_bytes()]),
        None => hash(kind, &[method, uri]),
    };
    match input.qop {
        Some(qop) => {
            let (nc, token) = (qop.nc.as_bytes(), qop.token.as_bytes());
            hash(kind, &[a1, nonce, nc, cnonce, token, a2.as_bytes()])
        }
        None => hash(kind, &[a1, nonce, a2.as_bytes()]),
    }
}
