//! The header fields of a message, in order.

use bytes::Bytes;

use super::HeaderName;
use crate::syntax::{List, trim_bytes};

/// A header field: its name and its value without folding and outer white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub name: HeaderName,
    value: Bytes,
}

impl Header {
    pub(crate) fn from_wire(name: HeaderName, value: Bytes) -> Self {
        Self { name, value }
    }

    /// The value as octets.
    pub fn bytes(&self) -> &Bytes {
        &self.value
    }

    /// The value, `None` if it is not UTF-8.
    pub fn value(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }
}

/// Header fields in the order of the message. Values share the buffer the message was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<Header>,
}

impl Headers {
    /// No header fields.
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            fields: Vec::with_capacity(capacity),
        }
    }

    pub(crate) fn push_wire(&mut self, header: Header) {
        self.fields.push(header);
    }

    /// All fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.fields.iter()
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The first field called `name`, as octets.
    pub fn get_bytes(&self, name: &HeaderName) -> Option<&Bytes> {
        self.fields
            .iter()
            .find(|field| field.name == *name)
            .map(|field| &field.value)
    }

    /// The first field called `name`; `None` too if it is not UTF-8.
    pub fn get(&self, name: &HeaderName) -> Option<&str> {
        std::str::from_utf8(self.get_bytes(name)?).ok()
    }

    /// Whether there is a field called `name`.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get_bytes(name).is_some()
    }

    /// Number of fields called `name` (not of members of comma lists).
    pub fn count(&self, name: &HeaderName) -> usize {
        self.fields.iter().filter(|f| f.name == *name).count()
    }

    /// The values of all fields called `name`, one a field; those that are not UTF-8 are left out.
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> + 'a {
        self.fields
            .iter()
            .filter(move |field| field.name == *name)
            .filter_map(Header::value)
    }

    /// The members of the comma lists of all fields called `name`, in order (RFC 3261 §7.3.1).
    /// Commas in quoted strings and in angle brackets do not split.
    pub fn list<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> + 'a {
        self.all(name).flat_map(List::new)
    }

    /// Whether a member of the lists called `name` is `token`, without regard to case.
    pub fn list_has(&self, name: &HeaderName, token: &str) -> bool {
        self.list(name).any(|item| item.eq_ignore_ascii_case(token))
    }

    /// Appends a field. Line ends in `value` become spaces: no value can begin a line of its own.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let value = clean(value.into());
        self.fields.push(Header { name, value });
    }

    /// Puts a field in front of all others that was made here, without line ends.
    pub(crate) fn push_front_wire(&mut self, header: Header) {
        self.fields.insert(0, header);
    }

    /// Puts a field in front of all others.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let value = clean(value.into());
        self.fields.insert(0, Header { name, value });
    }

    /// Replaces the first field called `name` and removes the others; appends it if there was none.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let value = clean(value.into());
        let Some(at) = self.fields.iter().position(|f| f.name == name) else {
            self.fields.push(Header { name, value });
            return;
        };
        let mut index = 0;
        self.fields.retain(|field| {
            let keep = index <= at || field.name != name;
            index += 1;
            keep
        });
        if let Some(field) = self.fields.get_mut(at) {
            field.value = value;
        }
    }

    /// Replaces the value of the first field called `name` only.
    pub fn replace_first(&mut self, name: &HeaderName, value: impl Into<Bytes>) {
        if let Some(field) = self.fields.iter_mut().find(|f| f.name == *name) {
            field.value = clean(value.into());
        }
    }

    /// Removes every field called `name`.
    pub fn remove(&mut self, name: &HeaderName) {
        self.fields.retain(|field| field.name != *name);
    }

    /// Appends all fields of another message.
    pub fn append(&mut self, mut others: Self) {
        self.fields.append(&mut others.fields);
    }

    /// Appends a copy of every field of `from` called `name`.
    pub fn copy(&mut self, from: &Self, name: &HeaderName) {
        self.fields
            .extend(from.fields.iter().filter(|f| f.name == *name).cloned());
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn clean(value: Bytes) -> Bytes {
    if memchr::memchr3(b'\r', b'\n', 0, &value).is_some() {
        let spaced: Vec<u8> = value
            .iter()
            .map(|&b| {
                if matches!(b, b'\r' | b'\n' | 0) {
                    b' '
                } else {
                    b
                }
            })
            .collect();
        return clean(Bytes::from(spaced));
    }
    let trimmed = trim_bytes(&value);
    if trimmed.len() == value.len() {
        return value;
    }
    value.slice_ref(trimmed)
}
