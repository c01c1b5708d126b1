//! Retry-After (RFC 3261 §20.33).

use std::fmt;

use crate::{Malformed, params::Params, syntax::saturating_u32};

/// When to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
    /// Parameters, `duration` among them.
    pub params: Params,
}

impl RetryAfter {
    /// To wait `seconds`.
    pub fn new(seconds: u32) -> Self {
        Self {
            seconds,
            params: Params::new(),
        }
    }

    /// Reads the value of the field; a comment is passed over.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        const WHAT: &str = "Retry-After";
        let error = Malformed { what: WHAT };
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let seconds = saturating_u32(&text[..digits], WHAT)?;
        let mut rest = text[digits..].trim_start();
        if rest.starts_with('(') {
            let end = comment_end(rest).ok_or(error)?;
            rest = &rest[end..];
        }
        Ok(Self {
            seconds,
            params: Params::parse(rest, WHAT)?,
        })
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

/// End of the comment that `text` starts with; comments nest.
fn comment_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
