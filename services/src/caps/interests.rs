//! Of which nodes a client wants to be notified.

use std::sync::Arc;

use crate::disco::Info;

/// What follows the name of a node (XEP-0060 §9.2).
const NOTIFY: &str = "+notify";
/// Most names of one client, and most octets of them: no client for people comes near.
const NAMES: usize = 100;
const OCTETS: usize = 8 * 1024;

/// Names of nodes, sorted. Cheap to clone; equal ones are made one by [`super::Cache`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Interests(Arc<[Box<str>]>);

impl Interests {
    /// What an answer of service discovery tells.
    pub fn of(info: &Info) -> Self {
        let wanted = info.features.iter().filter_map(|f| f.strip_suffix(NOTIFY));
        Self::new(wanted)
    }

    /// These nodes, each once, up to a bound.
    pub fn new<'a>(nodes: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<Box<str>> = Vec::new();
        let mut octets = 0;
        for name in nodes.into_iter().filter(|n| !n.is_empty()) {
            octets += name.len();
            if names.len() == NAMES || octets > OCTETS {
                break;
            }
            names.push(name.into());
        }
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This node is among them.
    pub fn has(&self, node: &str) -> bool {
        self.0.binary_search_by(|n| (**n).cmp(node)).is_ok()
    }

    /// All of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|n| &**n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_to_be_notified() {
        let features = [
            "b+notify",
            "a",
            "a+notify",
            "+notify",
            "b+notify",
            "c+notified",
        ];
        let info = Info {
            features: features.map(str::to_owned).into(),
            ..Info::default()
        };
        let interests = Interests::of(&info);
        assert_eq!(interests.iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(interests.has("a") && !interests.has("c") && !interests.has(""));
    }

    #[test]
    fn bounded() {
        let many: Vec<String> = (0..1000).map(|n| format!("node-{n}")).collect();
        let interests = Interests::new(many.iter().map(String::as_str));
        assert_eq!(interests.iter().count(), NAMES);
        let long = "x".repeat(OCTETS);
        let interests = Interests::new(["a", &long]);
        assert_eq!(interests.iter().collect::<Vec<_>>(), ["a"]);
    }
}
