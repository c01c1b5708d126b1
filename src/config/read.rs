//! Typed reading of single keys out of the raw tree, collecting every mistake.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::tree::{self, Node, Place, Value};
use super::{reference, units};

/// One mistake of the configuration: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// `file:line`, the environment variable, or the file alone.
    pub place: String,
    /// What is wrong and how it is mended, in one sentence.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}

/// What a value should have been: `must be …`.
pub(crate) type Read<T> = Result<T, String>;

/// Reads keys by their path, the file and environment first, then the defaults.
pub(crate) struct Reader<'t> {
    root: &'t Node,
    defaults: Node,
    file: String,
    mistakes: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(root: &'t Node, file: &str) -> Self {
        Self {
            root,
            defaults: tree::parse(&reference::toml()).0,
            file: file.to_owned(),
            mistakes: Vec::new(),
        }
    }

    pub(crate) fn root(&self) -> &'t Node {
        self.root
    }

    pub(crate) fn defaults(&self) -> &Node {
        &self.defaults
    }

    pub(crate) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }

    pub(crate) fn mistake(&mut self, place: Option<&Place>, message: String) {
        let place = match place {
            Some(Place::Line(line)) => format!("{}:{line}", self.file),
            Some(Place::Environment(variable)) => variable.clone(),
            None => self.file.clone(),
        };
        self.mistakes.push(Mistake { place, message });
    }

    /// Place of a key that was set, if it was.
    pub(crate) fn place(&self, path: &str) -> Option<&'t Place> {
        self.root.get(path.split('.')).map(|node| &node.place)
    }

    /// Reads the value of a key; on a mistake notes it and goes on with the default.
    pub(crate) fn take<T>(&mut self, path: &str, read: impl Fn(&Value) -> Read<T>) -> T {
        if let Some(node) = self.root.get(path.split('.')) {
            match read(&node.value) {
                Ok(value) => return value,
                Err(must) => self.mistake(Some(&node.place), format!("{path} {must}.")),
            }
        }
        let default = self
            .defaults
            .get(path.split('.'))
            .map(|node| read(&node.value));
        default
            .and_then(Result::ok)
            .unwrap_or_else(|| panic!("the default of {path} must be valid"))
    }
}

/// A text of any content.
pub(crate) fn text(value: &Value) -> Read<String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Unread(raw) => Ok(match tree::value_of(raw) {
            Some(Value::Text(text)) => text,
            _ => raw.clone(),
        }),
        other => Err(format!("must be a text in quotes, not {}", other.kind())),
    }
}

/// A text; an empty one is `None`.
pub(crate) fn optional(value: &Value) -> Read<Option<String>> {
    text(value).map(|text| Some(text).filter(|text| !text.is_empty()))
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value) -> Read<bool> {
    match &*typed(value) {
        Value::Bool(value) => Ok(*value),
        other => Err(format!("must be true or false, not {}", other.kind())),
    }
}

/// A whole number within bounds.
pub(crate) fn number(bounds: RangeInclusive<u32>) -> impl Fn(&Value) -> Read<u32> {
    move |value| {
        let (low, high) = (*bounds.start(), *bounds.end());
        match &*typed(value) {
            Value::Integer(number) => u32::try_from(*number)
                .ok()
                .filter(|number| bounds.contains(number))
                .ok_or_else(|| {
                    format!("must be a whole number from {low} to {high}, not {number}")
                }),
            other => Err(format!(
                "must be a whole number from {low} to {high}, not {}",
                other.kind()
            )),
        }
    }
}

/// A count of at least `low`.
pub(crate) fn count(low: u32) -> impl Fn(&Value) -> Read<usize> {
    move |value| number(low..=u32::MAX)(value).map(|count| count as usize)
}

/// A count where 0 means no limit.
pub(crate) fn count_or_unlimited(value: &Value) -> Read<usize> {
    count(0)(value).map(|count| if count == 0 { usize::MAX } else { count })
}

/// A size in bytes within bounds.
pub(crate) fn size(bounds: RangeInclusive<u64>) -> impl Fn(&Value) -> Read<u64> {
    move |value| {
        let must = || {
            let (low, high) = (
                units::show_size(*bounds.start()),
                units::show_size(*bounds.end()),
            );
            format!("must be a size such as \"256KiB\", from {low} to {high}")
        };
        let bytes = match &*typed(value) {
            Value::Text(text) | Value::Unread(text) => units::size(text),
            Value::Integer(bytes) => u64::try_from(*bytes).ok(),
            _ => None,
        };
        bytes
            .filter(|bytes| bounds.contains(bytes))
            .ok_or_else(must)
    }
}

/// A duration of at least `low`, at most a hundred years.
pub(crate) fn duration(low: Duration) -> impl Fn(&Value) -> Read<Duration> {
    const HUNDRED_YEARS: Duration = Duration::from_secs(36_525 * 86_400);
    move |value| {
        let read = match &*typed(value) {
            Value::Text(text) | Value::Unread(text) => units::duration(text),
            Value::Integer(0) => Some(Duration::ZERO),
            _ => None,
        };
        read.filter(|read| *read >= low && *read <= HUNDRED_YEARS)
            .ok_or_else(|| {
                let least = if low.is_zero() {
                    String::new()
                } else {
                    format!(", at least {}", units::show_duration(low))
                };
                format!("must be a duration such as \"30s\", \"10m\", \"24h\" or \"30d\"{least}")
            })
    }
}

/// A duration where 0 means without end.
pub(crate) fn duration_or_unlimited(value: &Value) -> Read<Option<Duration>> {
    duration(Duration::ZERO)(value).map(|value| Some(value).filter(|value| !value.is_zero()))
}

/// A duration of at least `low`, or `"off"`.
pub(crate) fn duration_or_off(low: Duration) -> impl Fn(&Value) -> Read<Option<Duration>> {
    move |value| match text(value) {
        Ok(text) if text == "off" => Ok(None),
        _ => duration(low)(value)
            .map(Some)
            .map_err(|must| format!("{must}, or \"off\"")),
    }
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(choices: &[(&str, T)]) -> impl Fn(&Value) -> Read<T> {
    move |value| {
        let words = choices
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect::<Vec<_>>()
            .join(" or ");
        let text = text(value).map_err(|_| format!("must be {words}"))?;
        let found = choices
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, choice)| *choice);
        found.ok_or_else(|| format!("must be {words}, not \"{text}\""))
    }
}

/// A list of texts. In the environment commas may divide it.
pub(crate) fn texts(value: &Value) -> Read<Vec<String>> {
    const MUST: &str = "must be a list of texts such as [\"a\", \"b\"]";
    match &*typed(value) {
        Value::List(items) => items
            .iter()
            .map(|item| text(&item.value).map_err(|_| MUST.to_owned()))
            .collect(),
        Value::Unread(raw) => Ok(raw
            .split(',')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()),
        other => Err(format!("{MUST}, not {}", other.kind())),
    }
}

/// A text or a list of texts; empty texts are left out.
pub(crate) fn one_or_more(value: &Value) -> Read<Vec<String>> {
    let mut all = match value {
        Value::Text(text) => vec![text.clone()],
        other => texts(other).map_err(|_| "must be a text or a list of texts".to_owned())?,
    };
    all.retain(|text| !text.is_empty());
    Ok(all)
}

/// A list of `address:port`.
pub(crate) fn listen(value: &Value) -> Read<Vec<SocketAddr>> {
    const HOW: &str =
        "write \"[::]:5222\" for every address, or \"127.0.0.1:5222\" for one; [] switches it off";
    let all = texts(value).map_err(|must| format!("{must}; {HOW}"))?;
    let mut addresses = Vec::with_capacity(all.len());
    for text in all {
        let address: SocketAddr = text.parse().map_err(|_| {
            format!("holds \"{text}\", which is not an IP address with a port; {HOW}")
        })?;
        if addresses.contains(&address) && address.port() != 0 {
            return Err(format!("holds {address} twice; remove one"));
        }
        addresses.push(address);
    }
    Ok(addresses)
}

/// A table of texts with free keys.
pub(crate) fn table_of_texts(value: &Value) -> Read<BTreeMap<String, String>> {
    const MUST: &str = "must be a table of texts such as { \"name\" = \"secret\" }";
    match &*typed(value) {
        Value::Table(entries) => entries
            .iter()
            .map(|(key, node)| Ok((key.clone(), text(&node.value).map_err(|_| MUST.to_owned())?)))
            .collect(),
        _ => Err(MUST.to_owned()),
    }
}

/// The text of an environment variable as TOML where it is TOML, else itself.
fn typed(value: &Value) -> std::borrow::Cow<'_, Value> {
    use std::borrow::Cow;
    match value {
        Value::Unread(raw) => tree::value_of(raw).map_or(Cow::Borrowed(value), Cow::Owned),
        other => Cow::Borrowed(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(text: &str) -> Value {
        Value::Unread(text.to_owned())
    }

    #[test]
    fn environment_texts_take_the_type_of_the_key() {
        assert_eq!(boolean(&unread("false")), Ok(false));
        assert_eq!(count(0)(&unread("7")), Ok(7));
        assert_eq!(text(&unread("true")), Ok("true".to_owned()));
        assert_eq!(text(&unread("\"x\"")), Ok("x".to_owned()));
        assert_eq!(size(0..=u64::MAX)(&unread("2KiB")), Ok(2048));
        assert_eq!(
            duration(Duration::ZERO)(&unread("10m")),
            Ok(Duration::from_secs(600))
        );
        assert_eq!(duration_or_off(Duration::ZERO)(&unread("off")), Ok(None));
        assert_eq!(
            texts(&unread("a, b")),
            Ok(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(texts(&unread("[\"a\"]")), Ok(vec!["a".to_owned()]));
        assert_eq!(
            listen(&unread("[::]:0,127.0.0.1:0")).map(|all| all.len()),
            Ok(2)
        );
        assert_eq!(one_or_more(&unread("a.pem")), Ok(vec!["a.pem".to_owned()]));
    }

    #[test]
    fn bounds_and_kinds_are_told() {
        assert!(number(1..=5)(&Value::Integer(6)).is_err_and(|e| e.contains("from 1 to 5, not 6")));
        assert!(number(1..=5)(&Value::Integer(-1)).is_err());
        assert!(boolean(&Value::Text("yes".to_owned())).is_err_and(|e| e.contains("not a text")));
        assert!(
            choice(&[("a", 1), ("b", 2)])(&Value::Text("c".to_owned()))
                .is_err_and(|e| e.contains("\"a\" or \"b\", not \"c\""))
        );
        assert!(listen(&unread("5222")).is_err());
        assert!(listen(&unread("[::]:1,[::]:1")).is_err());
        assert!(
            duration(Duration::from_secs(60))(&Value::Text("1s".to_owned()))
                .is_err_and(|e| e.contains("at least 1m"))
        );
        assert!(duration(Duration::ZERO)(&Value::Text("100000d".to_owned())).is_err());
        assert_eq!(count_or_unlimited(&Value::Integer(0)), Ok(usize::MAX));
    }
}
