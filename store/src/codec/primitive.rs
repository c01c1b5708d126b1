//! The pieces that all forms are made of.

use std::sync::Arc;

use bytes::Bytes;
use presence::Utc;

use super::{CodecError, VERSION};

/// Builds one value.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new(capacity: usize) -> Self {
        let mut octets = Vec::with_capacity(capacity);
        octets.push(VERSION);
        Self(octets)
    }

    /// Uses the memory of `octets`; what they say is gone.
    pub(crate) fn over(mut octets: Vec<u8>) -> Self {
        octets.clear();
        octets.push(VERSION);
        Self(octets)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn octet(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    pub(crate) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    pub(crate) fn count(&mut self, value: usize) {
        self.unsigned(value as u64);
    }

    pub(crate) fn octets(&mut self, value: &[u8]) {
        self.count(value.len());
        self.0.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.octets(value.as_bytes());
    }

    pub(crate) fn time(&mut self, value: Utc) {
        self.signed(value.0);
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(values.len());
        for value in values {
            write(self, value);
        }
    }
}

/// Takes one value apart.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn open(octets: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Self(octets);
        match reader.octet()? {
            VERSION => Ok(reader),
            other => Err(CodecError::Version(other)),
        }
    }

    pub(crate) fn close(self) -> Result<(), CodecError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(CodecError::Trailing)
        }
    }

    pub(crate) fn octet(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.0.split_first().ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, CodecError> {
        match self.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(CodecError::Tag("flag", other)),
        }
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, CodecError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let part = u64::from(octet & 0x7f);
            if shift == 63 && part > 1 {
                return Err(CodecError::Range);
            }
            value |= part << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodecError::Range)
    }

    pub(crate) fn signed(&mut self) -> Result<i64, CodecError> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    pub(crate) fn number<T: TryFrom<u64>>(&mut self) -> Result<T, CodecError> {
        T::try_from(self.unsigned()?).map_err(|_| CodecError::Range)
    }

    pub(crate) fn octets(&mut self) -> Result<&'a [u8], CodecError> {
        let length: usize = self.number()?;
        let (value, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(value)
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes, CodecError> {
        self.octets().map(Bytes::copy_from_slice)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, CodecError> {
        std::str::from_utf8(self.octets()?).map_err(|_| CodecError::Utf8)
    }

    pub(crate) fn shared(&mut self) -> Result<Arc<str>, CodecError> {
        self.text().map(Arc::from)
    }

    pub(crate) fn time(&mut self) -> Result<Utc, CodecError> {
        self.signed().map(Utc)
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let count: usize = self.number()?;
        // An element has an octet at least, so a count that lies reserves nothing that is not there.
        let mut values = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            values.push(read(self)?);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn numbers_come_back(a in any::<u64>(), b in any::<i64>()) {
            let mut w = Writer::new(0);
            w.unsigned(a);
            w.signed(b);
            let octets = w.finish();
            let mut r = Reader::open(&octets).unwrap();
            prop_assert_eq!(r.unsigned().unwrap(), a);
            prop_assert_eq!(r.signed().unwrap(), b);
            prop_assert!(r.close().is_ok());
        }
    }

    #[test]
    fn ends_of_the_ranges() {
        for value in [i64::MIN, -1, 0, 1, i64::MAX] {
            let mut w = Writer::new(0);
            w.signed(value);
            assert_eq!(Reader::open(&w.finish()).unwrap().signed(), Ok(value));
        }
    }
}
