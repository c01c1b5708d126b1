//! The office directory: who there is, by what their cards say (XEP-0055).

use crate::{Bare, Facts};

/// A person in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub account: Bare,
    /// What its card says. Who gives no nickname is called by the local part of the address.
    pub facts: Facts,
}

impl Entry {
    /// An account with what its card says.
    pub fn new(account: Bare, mut facts: Facts) -> Self {
        if facts.nick.is_empty() {
            account
                .local()
                .unwrap_or_default()
                .clone_into(&mut facts.nick);
        }
        Self { account, facts }
    }
}

/// Whom somebody looks for. What is empty does not matter; all else must occur, in whatever case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    anything: String,
    first: String,
    last: String,
    nick: String,
    email: String,
}

impl Wanted {
    /// Whose address or any of the facts holds `anything`, and each of these facts what is given for it. Asterisks around a text are what
    /// people write for "anything more".
    pub fn new(anything: &str, facts: &Facts) -> Self {
        let text = |text: &str| text.trim_matches([' ', '\t', '\n', '*']).to_lowercase();
        Self {
            anything: text(anything),
            first: text(&facts.first),
            last: text(&facts.last),
            nick: text(&facts.nick),
            email: text(&facts.email),
        }
    }

    /// This is one of those.
    pub fn fits(&self, entry: &Entry) -> bool {
        let facts = &entry.facts;
        let each = [
            (&self.first, &facts.first),
            (&self.last, &facts.last),
            (&self.nick, &facts.nick),
            (&self.email, &facts.email),
        ];
        let any = [
            entry.account.as_str(),
            &facts.name,
            &facts.first,
            &facts.last,
            &facts.nick,
            &facts.email,
        ];
        each.iter().all(|(wanted, fact)| holds(fact, wanted))
            && any.iter().any(|fact| holds(fact, &self.anything))
    }
}

fn holds(fact: &str, wanted: &str) -> bool {
    wanted.is_empty() || fact.to_lowercase().contains(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Entry {
        let facts = Facts {
            name: "Ann Österle".into(),
            first: "Ann".into(),
            last: "Österle".into(),
            ..Facts::default()
        };
        Entry::new(Bare::from_prepared("a.oe@office.example"), facts)
    }

    fn by(fill: impl FnOnce(&mut Facts)) -> bool {
        let mut facts = Facts::default();
        fill(&mut facts);
        Wanted::new("", &facts).fits(&ann())
    }

    #[test]
    fn everything_that_is_given_must_occur() {
        assert!(by(|_| {}));
        assert!(by(|f| f.first = "an".into()));
        assert!(by(|f| f.last = " *ÖSTER* ".into()));
        assert!(by(|f| f.nick = "a.oe".into()));
        assert!(!by(|f| f.email = "x".into()));
        assert!(!by(|f| (f.first, f.last) = ("ann".into(), "other".into())));
    }

    #[test]
    fn anything_occurs_anywhere() {
        let found = |text: &str| Wanted::new(text, &Facts::default()).fits(&ann());
        assert!(found("office.example") && found("ann ö") && found("*"));
        assert!(!found("bob"));
    }
}
