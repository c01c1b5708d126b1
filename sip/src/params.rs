//! Parameters: `;name=value;flag`, of header fields and of URIs.

use std::{borrow::Cow, fmt};

use crate::{
    Malformed,
    syntax::{
        find_outside, is_token, is_token_byte, push_quoted, quoted_end, split_byte, trim, unquote,
    },
};

/// Parameters as they were received, looked up on demand (RFC 3261 §7.3.1, `generic-param`).
///
/// Names are compared without regard to case. The text is kept, so that what is printed is what came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Params {
    text: String,
}

impl Params {
    /// No parameters.
    pub const fn new() -> Self {
        Self {
            text: String::new(),
        }
    }

    /// Reads `;name=value…`; `text` is empty or starts with `;`.
    pub(crate) fn parse(text: &str, what: &'static str) -> Result<Self, Malformed> {
        let text = trim(text);
        check(text, what)?;
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// Takes what was checked already.
    pub(crate) fn from_checked(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }

    /// The parameters as text: empty, or starting with `;`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Names and values as written (quotes and escapes in place), in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(&self.text)
    }

    /// The value of the first parameter called `name`, as written; `""` for a flag.
    pub fn get(&self, name: &str) -> Option<&str> {
        lookup(&self.text, name)
    }

    /// The value of the first parameter called `name` without its quotes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(unquote)
    }

    /// Whether there is a parameter called `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a parameter in its place, or appends it. A value that is neither token nor host is quoted.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let mut text = String::with_capacity(self.text.len() + name.len() + 16);
        let mut done = false;
        for (old, kept) in self.iter() {
            if !old.eq_ignore_ascii_case(name) {
                push_raw(&mut text, old, kept);
            } else if !done {
                push(&mut text, old, value);
                done = true;
            }
        }
        if !done {
            push(&mut text, name, value);
        }
        self.text = text;
    }

    /// `self` with a parameter set.
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.set(name, value);
        self
    }

    /// Removes every parameter called `name`.
    pub fn remove(&mut self, name: &str) {
        if !self.contains(name) {
            return;
        }
        let mut text = String::with_capacity(self.text.len());
        for (old, value) in self.iter() {
            if !old.eq_ignore_ascii_case(name) {
                push_raw(&mut text, old, value);
            }
        }
        self.text = text;
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'a> IntoIterator for &'a Params {
    type Item = (&'a str, Option<&'a str>);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

fn push_raw(text: &mut String, name: &str, value: Option<&str>) {
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

fn push(text: &mut String, name: &str, value: Option<&str>) {
    let Some(value) = value else {
        return push_raw(text, name, None);
    };
    let bare = !value.is_empty()
        && value
            .bytes()
            .all(|b| is_token(&[b]) || matches!(b, b'[' | b']' | b':' | b'/'));
    if bare || (quoted_end(value) == Some(value.len()) && !value.contains(['\r', '\n'])) {
        push_raw(text, name, Some(value));
    } else {
        text.push(';');
        text.push_str(name);
        text.push('=');
        push_quoted(text, value);
    }
}

/// Value of the first parameter called `name` in `;a=b;c`.
pub(crate) fn lookup<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut at = 0;
    // As long as nothing is quoted or spaced, items end where they seem to.
    while let Some(item) = text.get(at..).and_then(|rest| rest.strip_prefix(';')) {
        let length = item.bytes().position(|b| !is_token_byte(b));
        let length = length.unwrap_or(item.len());
        let behind = item.get(length..)?;
        let value = match behind.strip_prefix('=') {
            Some(value) => {
                let end = value.bytes().position(|b| !is_word_byte(b));
                value.get(..end.unwrap_or(value.len()))?
            }
            None => "",
        };
        let end = at
            + 1
            + length
            + if behind.starts_with('=') {
                1 + value.len()
            } else {
                0
            };
        if length == 0 || !matches!(text.as_bytes().get(end), None | Some(b';')) {
            break;
        }
        if item
            .get(..length)
            .is_some_and(|n| n.eq_ignore_ascii_case(name))
        {
            return Some(value);
        }
        at = end;
    }
    let text = text.get(at..)?;
    Iter::new(text)
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.unwrap_or(""))
}

/// Whether `text` is a well-formed list of parameters: none is empty, names are tokens, quoted strings are
/// closed, and neither `tag` nor `branch` is there twice (RFC 3261 §7.3.1).
pub(crate) fn check(text: &str, what: &'static str) -> Result<(), Malformed> {
    let text = trim(text);
    if text.is_empty() {
        return Ok(());
    }
    if !text.starts_with(';') {
        return Err(Malformed { what });
    }
    if is_plain(text) {
        return Ok(());
    }
    check_any(text, what)
}

/// [`check`] for all there may be.
fn check_any(text: &str, what: &'static str) -> Result<(), Malformed> {
    let (mut tags, mut branches) = (0, 0);
    let mut items = Iter::new(text);
    while let Some(item) = items.next_item() {
        // A last `;` with nothing behind it is what some phones end with; others are a fault.
        if item.is_empty() {
            return Err(Malformed { what });
        }
        let (name, value) = split_item(item);
        if !is_token(name.as_bytes()) {
            return Err(Malformed { what });
        }
        match name.len() {
            3 if name.eq_ignore_ascii_case("tag") => tags += 1,
            6 if name.eq_ignore_ascii_case("branch") => branches += 1,
            _ => {}
        }
        if let Some(value) = value
            && value
                .bytes()
                .any(|b| matches!(b, b'"' | b'\r' | b'\n' | b'<' | b'>'))
            && quoted_end(value) != Some(value.len())
        {
            return Err(Malformed { what });
        }
    }
    if tags > 1 || branches > 1 {
        return Err(Malformed { what });
    }
    Ok(())
}

/// Whether `text` is a list that [`check`] takes and nothing in it is quoted or spaced; `false` says nothing.
fn is_plain(text: &str) -> bool {
    let (mut tags, mut branches) = (0, 0);
    let mut rest = text.as_bytes();
    while let [b';', item @ ..] = rest {
        let length = item.iter().position(|&b| !is_token_byte(b));
        let length = length.unwrap_or(item.len());
        let (name, behind) = item.split_at(length);
        match name.len() {
            0 => return item.is_empty() && text.len() > 1 && tags < 2 && branches < 2,
            3 if name.eq_ignore_ascii_case(b"tag") => tags += 1,
            6 if name.eq_ignore_ascii_case(b"branch") => branches += 1,
            _ => {}
        }
        rest = match behind {
            [b'=', value @ ..] => {
                let end = value.iter().position(|&b| !is_word_byte(b));
                value.split_at(end.unwrap_or(value.len())).1
            }
            _ => behind,
        };
    }
    rest.is_empty() && tags < 2 && branches < 2
}

/// What may stand in a value that needs no look at quotes.
fn is_word_byte(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b':' | b'[' | b']' | b'/' | b'@' | b'=')
}

fn split_item(item: &str) -> (&str, Option<&str>) {
    match split_byte(item, b'=') {
        Some((name, value)) => (trim(name), Some(trim(value))),
        None => (item, None),
    }
}

/// Names and values of parameters, in order.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a str,
}

impl<'a> Iter<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What stands behind the next `;`, trimmed.
    fn next_item(&mut self) -> Option<&'a str> {
        let rest = self.rest.strip_prefix(';').unwrap_or(self.rest);
        if rest.is_empty() {
            self.rest = "";
            return None;
        }
        let special = |b: u8| matches!(b, b';' | b'"' | b'<' | b'\\');
        let found = rest.bytes().position(special);
        let end = match found.and_then(|at| rest.as_bytes().get(at)) {
            Some(b';') => found,
            Some(_) => find_outside(rest, b';'),
            None => None,
        };
        let end = end.unwrap_or(rest.len());
        let (item, rest) = rest.split_at(end);
        self.rest = rest;
        Some(trim(item))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let item = self.next_item()?;
            if item.is_empty() {
                continue;
            }
            return Some(split_item(item));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            ";", ";", "=", "=", "tag", "TAG", "branch", "a", "b1", "\"", "\\", "<", ">", " ", "\t",
            "[::1]", "/", "@", "\u{e9}", ",",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        #[test]
        fn the_short_ways_find_what_the_long_ones_find(pieces in prop::collection::vec(piece(), 0..14)) {
            let text = format!(";{}", pieces.concat());
            for name in ["tag", "a", "branch", "none"] {
                let long = Iter::new(&text)
                    .find(|(found, _)| found.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.unwrap_or(""));
                prop_assert_eq!(lookup(&text, name), long, "{} in {}", name, text);
            }
            if is_plain(&text) {
                prop_assert!(check_any(&text, "x").is_ok(), "{}", text);
            }
        }
    }
}
