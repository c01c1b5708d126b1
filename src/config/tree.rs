//! The raw configuration: values with the place they come from, before anything is decided.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Line of the configuration file, from 1.
    Line(usize),
    /// An environment variable.
    Environment(String),
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// A value of any kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// The unread text of an environment variable: what it means depends on the key.
    Unread(String),
    /// A kind that no key has (a float, a date), by its name.
    Other(&'static str),
}

impl Value {
    /// The kind, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Unread(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }

    /// Whether both say the same, wherever they were written.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.value.same(&b.value))
            }
            (Self::Table(a), Self::Table(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(name, a)| {
                        b.iter()
                            .any(|(other, b)| name == other && a.value.same(&b.value))
                    })
            }
            (Self::Unread(raw), other) | (other, Self::Unread(raw)) => match other {
                Self::Text(text) => text == raw,
                _ => value_of(raw).is_some_and(|value| value.same(other)),
            },
            _ => self == other,
        }
    }
}

impl Node {
    /// The node at a path below this one.
    pub(crate) fn get<'s>(&self, path: impl IntoIterator<Item = &'s str>) -> Option<&Self> {
        path.into_iter()
            .try_fold(self, |node, name| match &node.value {
                Value::Table(entries) => entries
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, node)| node),
                _ => None,
            })
    }

    /// Puts the text of an environment variable at a path, over what was there.
    pub(crate) fn put_environment(&mut self, path: &[String], variable: &str, text: &str) {
        let place = Place::Environment(variable.to_owned());
        let Some((name, rest)) = path.split_first() else {
            *self = Self {
                value: Value::Unread(text.to_owned()),
                place,
            };
            return;
        };
        if !matches!(self.value, Value::Table(_)) {
            *self = Self {
                value: Value::Table(Vec::new()),
                place: place.clone(),
            };
        }
        if let Value::Table(entries) = &mut self.value {
            let at = entries
                .iter()
                .position(|(key, _)| key == name)
                .unwrap_or_else(|| {
                    entries.push((
                        name.clone(),
                        Self {
                            value: Value::Table(Vec::new()),
                            place,
                        },
                    ));
                    entries.len() - 1
                });
            entries[at].1.put_environment(rest, variable, text);
        }
    }
}

/// A mistake of the TOML itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Reads TOML. What can be read is returned also when there are mistakes.
pub(crate) fn parse(text: &str) -> (Node, Vec<SyntaxError>) {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let errors = errors
        .iter()
        .map(|error| SyntaxError {
            line: error.span().map_or(1, |span| lines.line(&span)),
            message: error.message().replace('\n', ", "),
        })
        .collect();
    let root = Node {
        value: from_table(table.get_ref(), &lines),
        place: Place::Line(1),
    };
    (root, errors)
}

/// Reads one TOML value.
pub(crate) fn value_of(text: &str) -> Option<Value> {
    let value = DeValue::parse(text).ok()?;
    Some(from_value(value.get_ref(), &Lines::of(text)))
}

fn from_table(table: &DeTable<'_>, lines: &Lines) -> Value {
    let mut entries: Vec<(usize, String, Node)> = table
        .iter()
        .map(|(key, value)| {
            let place = Place::Line(lines.line(&key.span()));
            (
                key.span().start,
                key.get_ref().to_string(),
                Node {
                    value: from_value(value.get_ref(), lines),
                    place,
                },
            )
        })
        .collect();
    // Mistakes are reported in the order of the file.
    entries.sort_by_key(|(start, ..)| *start);
    Value::Table(
        entries
            .into_iter()
            .map(|(_, key, node)| (key, node))
            .collect(),
    )
}

fn from_value(value: &DeValue<'_>, lines: &Lines) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Value::Other("a number that is too large"), Value::Integer),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node {
                    value: from_value(item.get_ref(), lines),
                    place: Place::Line(lines.line(&item.span())),
                })
                .collect(),
        ),
        DeValue::Table(table) => from_table(table, lines),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}

/// Starts of lines, to turn offsets into line numbers.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at)
                .collect(),
        )
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|end| *end < span.start) + 1
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_lines() {
        let (root, errors) = parse("a = 1\n\n[s]\nb = [\n  \"x\",\n  2.5,\n]\n");
        assert!(errors.is_empty());
        assert_eq!(
            root.get(["a"]).unwrap(),
            &Node {
                value: Value::Integer(1),
                place: Place::Line(1)
            }
        );
        let list = root.get(["s", "b"]).unwrap();
        assert_eq!(list.place, Place::Line(4));
        let Value::List(items) = &list.value else {
            panic!("a list")
        };
        assert_eq!(
            items[0],
            Node {
                value: Value::Text("x".to_owned()),
                place: Place::Line(5)
            }
        );
        assert_eq!(
            items[1],
            Node {
                value: Value::Other("a fraction"),
                place: Place::Line(6)
            }
        );
    }

    #[test]
    fn syntax_errors_have_lines() {
        let (_, errors) = parse("a = 1\nb = \nc = 3\na = 4\n");
        assert_eq!(
            errors.iter().map(|e| e.line).collect::<Vec<_>>(),
            [2, 4],
            "{errors:?}"
        );
    }

    #[test]
    fn environment_goes_over_the_file() {
        let (mut root, _) = parse("[log]\nlevel = \"info\"\n");
        root.put_environment(
            &["log".to_owned(), "level".to_owned()],
            "ADSUM__LOG__LEVEL",
            "debug",
        );
        root.put_environment(
            &["sip".to_owned(), "udp".to_owned()],
            "ADSUM__SIP__UDP",
            "[]",
        );
        assert_eq!(
            root.get(["log", "level"]).unwrap().value,
            Value::Unread("debug".to_owned())
        );
        assert!(
            root.get(["sip", "udp"])
                .unwrap()
                .value
                .same(&Value::List(Vec::new()))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z\\[\\]{}=\"',. #\n0-9]{0,64}") {
            let _ = parse(&text);
        }
    }
}
