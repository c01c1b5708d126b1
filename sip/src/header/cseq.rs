//! CSeq (RFC 3261 §20.16).

use std::fmt;

use crate::{
    Malformed,
    message::Method,
    syntax::{split_space, trim},
};

/// Sequence number and method of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The number, below 2^31 (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method.
    pub method: Method,
}

impl CSeq {
    /// Reads the value of the field.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        const ERROR: Malformed = Malformed { what: "CSeq" };
        let text = trim(text);
        let (number, method) = split_space(text).ok_or(ERROR)?;
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ERROR);
        }
        let number: u32 = number.parse().map_err(|_| ERROR)?;
        if number > 0x7fff_ffff {
            return Err(ERROR);
        }
        let method = Method::from_token(trim(method)).ok_or(ERROR)?;
        Ok(Self { number, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
