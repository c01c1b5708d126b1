//! Dialogs as octets, for the disk: a version, numbers of seven bits an octet, texts with their length.

use thiserror::Error;

use super::{Dialog, state::Written};
use crate::{Uri, header::NameAddr};

const VERSION: u8 = 1;
const SECURE: u8 = 1;
const SEEN: u8 = 2;

/// Octets that are no dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DialogBytesError {
    /// A newer version of this program wrote it.
    #[error("dialog of unknown version {0}")]
    Version(u8),
    /// It is cut off or damaged.
    #[error("damaged dialog")]
    Damaged,
}

impl Dialog {
    /// The dialog as octets. Of the sequence numbers the end of what is reserved is written, and of the flow
    /// not the connection.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(384);
        let seen = if self.remote_cseq.is_some() { SEEN } else { 0 };
        out.push(VERSION);
        out.push(u8::from(self.secure) | seen);
        push_number(&mut out, self.local_cseq_reserved);
        push_number(&mut out, self.remote_cseq.unwrap_or(0));
        let mut flow = self.flow.clone();
        flow.connection = None;
        push_text(&mut out, &flow.to_string());
        push_text(&mut out, &self.call_id);
        push_text(&mut out, &self.local_tag);
        push_text(&mut out, &self.remote_tag);
        push_text(&mut out, &self.local_uri.to_text(""));
        push_text(&mut out, &self.remote_uri.to_text(""));
        push_text(&mut out, self.remote_target.as_str());
        for route in &self.route_set {
            push_text(&mut out, &route.to_text(""));
        }
        out
    }

    /// Reads what [`Dialog::to_bytes`] wrote. The number of the last request counts as the end of what was
    /// reserved: nothing is left, so [`Dialog::reserve`] comes before the next request.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DialogBytesError> {
        use DialogBytesError::Damaged;
        let (version, rest) = bytes.split_first().ok_or(Damaged)?;
        if *version != VERSION {
            return Err(DialogBytesError::Version(*version));
        }
        let (flags, rest) = rest.split_first().ok_or(Damaged)?;
        let mut reader = Reader { rest };
        let reserved = reader.number()?;
        let remote_cseq = reader.number()?;
        let flow = reader.text()?.parse().map_err(|_| Damaged)?;
        Ok(Self {
            local_cseq: reserved,
            local_cseq_reserved: reserved,
            remote_cseq: (flags & SEEN != 0).then_some(remote_cseq),
            secure: flags & SECURE != 0,
            written: Written::default(),
            flow,
            call_id: reader.text()?.to_owned(),
            local_tag: reader.text()?.to_owned(),
            remote_tag: reader.text()?.to_owned(),
            local_uri: reader.address()?,
            remote_uri: reader.address()?,
            remote_target: Uri::parse(reader.text()?).map_err(|_| Damaged)?,
            route_set: reader.addresses()?,
        })
    }
}

fn push_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_number(out, text.len() as u32);
    out.extend_from_slice(text.as_bytes());
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<u32, DialogBytesError> {
        let mut number = 0_u64;
        for shift in (0..35).step_by(7) {
            let (octet, rest) = self.rest.split_first().ok_or(DialogBytesError::Damaged)?;
            self.rest = rest;
            number |= u64::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return u32::try_from(number).map_err(|_| DialogBytesError::Damaged);
            }
        }
        Err(DialogBytesError::Damaged)
    }

    fn text(&mut self) -> Result<&'a str, DialogBytesError> {
        let length = self.number()? as usize;
        let (text, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(DialogBytesError::Damaged)?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| DialogBytesError::Damaged)
    }

    fn address(&mut self) -> Result<NameAddr, DialogBytesError> {
        NameAddr::parse(self.text()?, "dialog").map_err(|_| DialogBytesError::Damaged)
    }

    fn addresses(&mut self) -> Result<Vec<NameAddr>, DialogBytesError> {
        let mut all = Vec::new();
        while !self.rest.is_empty() {
            all.push(self.address()?);
        }
        Ok(all)
    }
}
