//! How the owner of a contact list calls a contact and where he lists it.

use std::fmt;

/// The name and the groups of a contact: in one piece of memory, and in none where there are neither.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Label(Option<Box<str>>);

/// Stands before each group. XML cannot hold it (XML 1.0 §2.2), so no text of a stanza does.
const BEFORE_GROUP: char = '\0';

impl Label {
    /// Name and groups in the order given. An empty name is none. U+0000 becomes U+FFFD, which is what a reader would get.
    pub fn new<T: AsRef<str>>(name: Option<&str>, groups: impl IntoIterator<Item = T>) -> Self {
        let mut text = legible(name.unwrap_or_default());
        for group in groups {
            text.push(BEFORE_GROUP);
            text.push_str(&legible(group.as_ref()));
        }
        Self((!text.is_empty()).then(|| text.into()))
    }

    /// The handle (`name`), at most [`MAX_NAME`](super::MAX_NAME) bytes; never empty.
    pub fn name(&self) -> Option<&str> {
        let name = self.text().split(BEFORE_GROUP).next();
        name.filter(|n| !n.is_empty())
    }

    /// Groups in the order given, no duplicates.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.text().split(BEFORE_GROUP).skip(1)
    }

    fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

fn legible(text: &str) -> String {
    text.replace(BEFORE_GROUP, "\u{fffd}")
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Label")
            .field("name", &self.name())
            .field("groups", &self.groups().collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_takes_no_memory() {
        assert_eq!(Label::new(None, [""; 0]), Label::default());
        assert_eq!(Label::new(Some(""), [""; 0]), Label::default());
        assert_eq!(size_of::<Label>(), 16);
    }

    #[test]
    fn what_separates_does_not_come_from_outside() {
        let label = Label::new(Some("a\0b"), ["c\0d"]);
        assert_eq!(label.name(), Some("a\u{fffd}b"));
        assert_eq!(label.groups().collect::<Vec<_>>(), ["c\u{fffd}d"]);
    }

    proptest! {
        #[test]
        fn read_back(name in proptest::option::of("[^\0]{1,9}"), groups in proptest::collection::vec("[^\0]{0,9}", 0..4)) {
            let label = Label::new(name.as_deref(), &groups);
            prop_assert_eq!(label.name(), name.as_deref());
            prop_assert_eq!(label.groups().collect::<Vec<_>>(), groups);
        }
    }
}
