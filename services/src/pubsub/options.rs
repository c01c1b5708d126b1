//! How a subscription is configured by the subscriber (XEP-0060 §6.3, §12.18).

use presence::{Show, Utc};
use xml::Writer;

use super::error::Error;
use super::node::Subscription;
use crate::form::{self, Field, Form, Purpose};

/// The `FORM_TYPE` of these.
const SUBSCRIBE_OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";

/// How a subscriber is available, as a form says it.
const SHOWS: [&str; 5] = ["chat", "online", "away", "xa", "dnd"];

/// A subscription with its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscriber {
    /// How far it is.
    pub state: Subscription,
    /// How it is configured.
    pub options: Options,
}

impl Subscriber {
    /// One that nobody has configured.
    pub fn new(state: Subscription) -> Self {
        Self {
            state,
            options: Options::default(),
        }
    }
}

/// What a subscriber wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// He is told nothing.
    silent: bool,
    /// The bits of those of [`SHOWS`] in which he is told nothing.
    without: u8,
    /// When the subscription ends; `None`: never.
    pub until: Option<Utc>,
}

impl Options {
    /// He wants to be told at all.
    pub fn delivers(&self) -> bool {
        !self.silent
    }

    /// He wants to be told on a device that is available like this; `None`: it is not available.
    pub fn delivers_in(&self, available: Option<Option<Show>>) -> bool {
        if self.silent {
            return false;
        }
        let word = match available {
            None => return self.without == 0,
            Some(None) => "online",
            Some(Some(show)) => show.as_str(),
        };
        let index = SHOWS.iter().position(|s| *s == word);
        index.is_none_or(|index| self.without >> index & 1 == 0)
    }

    /// Changes what the fields say. Of fields that are not offered, only those may be set that mean what happens anyway.
    ///
    /// # Errors
    /// `invalid-options` for a value that cannot be, a lease that is over by `now`, and for what is not offered (§6.3.7.2).
    pub fn change(&mut self, form: &Form, now: Utc) -> Result<(), Error> {
        if form.kind.as_deref().is_some_and(|k| k != SUBSCRIBE_OPTIONS) {
            return Err(Error::InvalidOptions);
        }
        let mut changed = *self;
        let fields = form.fields.iter();
        let taken = fields.map(|field| changed.take(field, now));
        taken.collect::<Option<()>>().ok_or(Error::InvalidOptions)?;
        *self = changed;
        Ok(())
    }

    fn take(&mut self, field: &Field, now: Utc) -> Option<()> {
        let text = field.value().unwrap_or_default();
        match field.var.strip_prefix("pubsub#") {
            Some("deliver") => self.silent = !form::boolean(text)?,
            Some("show-values") => {
                let mut wanted = field.values.iter().map(|value| {
                    let index = SHOWS.iter().position(|s| s == value)?;
                    Some(1 << index)
                });
                let wanted = wanted.try_fold(0_u8, |all, bit| Some(all | bit?))?;
                self.without = !wanted & ALL;
            }
            Some("expire") if text.is_empty() => self.until = None,
            Some("expire") => {
                let until = Utc::from_rfc3339(text).filter(|until| *until > now)?;
                self.until = Some(until);
            }
            Some("digest" | "include_body") if form::boolean(text)? => return None,
            Some("subscription_type") if text != "items" => return None,
            Some("subscription_depth") if text != "1" => return None,
            _ => {}
        }
        Some(())
    }

    /// Writes them as a form: to be filled in, or as they are.
    pub fn write(&self, to: &mut Writer<'_>, purpose: Purpose) {
        form::begin(to, purpose, SUBSCRIBE_OPTIONS);
        let filled = purpose == Purpose::Form;
        let mut field = |name: &str, kind: &str, options: &[&str], values: &[&str]| {
            let options = if filled { options } else { &[] };
            form::field(to, name, filled.then_some(kind), options, values);
        };
        let deliver = if self.silent { "0" } else { "1" };
        field("pubsub#deliver", "boolean", &[], &[deliver]);
        let wanted = SHOWS.iter().enumerate();
        let wanted = wanted.filter(|(index, _)| self.without >> index & 1 == 0);
        let wanted: Vec<&str> = wanted.map(|(_, show)| *show).collect();
        field("pubsub#show-values", "list-multi", &SHOWS, &wanted);
        let until = self.until.map(Utc::to_rfc3339).unwrap_or_default();
        field("pubsub#expire", "text-single", &[], &[&until]);
        to.end();
    }
}

/// All of [`SHOWS`].
const ALL: u8 = (1 << SHOWS.len()) - 1;
/// The bit of one who is told nothing.
const SILENT: u8 = 1 << SHOWS.len();

impl Options {
    /// As they are stored, but for the end.
    pub fn code(&self) -> u8 {
        self.without | if self.silent { SILENT } else { 0 }
    }

    /// From what is stored.
    pub fn of_code(code: u8, until: Option<Utc>) -> Self {
        Self {
            silent: code & SILENT != 0,
            without: code & ALL,
            until,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;
    use xml::{Element, Limits};

    const NOW: Utc = Utc(1_000_000_000_000);

    fn form(fields: &[(&str, &[&str])]) -> Form {
        let fields = fields.iter().map(|(var, values)| Field {
            var: format!("pubsub#{var}"),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        });
        Form {
            purpose: Purpose::Submit,
            kind: Some(SUBSCRIBE_OPTIONS.to_owned()),
            kind_is_hidden: true,
            fields: fields.collect(),
        }
    }

    fn changed(fields: &[(&str, &[&str])]) -> Result<Options, Error> {
        let mut options = Options::default();
        options.change(&form(fields), NOW)?;
        Ok(options)
    }

    #[test]
    fn who_has_not_said_anything_is_always_told() {
        let options = Options::default();
        assert_eq!(options.code(), 0);
        for available in [None, Some(None), Some(Some(Show::Dnd))] {
            assert!(options.delivers_in(available));
        }
    }

    #[test]
    fn told_when_it_suits() {
        let options = changed(&[("show-values", &["online", "chat"])]).unwrap();
        assert!(options.delivers());
        assert!(options.delivers_in(Some(None)));
        assert!(options.delivers_in(Some(Some(Show::Chat))));
        assert!(!options.delivers_in(Some(Some(Show::Away))));
        assert!(!options.delivers_in(None));
        let silent = changed(&[("deliver", &["false"])]).unwrap();
        assert!(!silent.delivers());
        assert!(!silent.delivers_in(Some(None)));
        let never = changed(&[("show-values", &[])]).unwrap();
        assert!(!never.delivers_in(Some(None)));
    }

    #[test]
    fn leases() {
        let later = changed(&[("expire", &["2001-09-09T01:46:41Z"])]).unwrap();
        assert_eq!(later.until, Some(Utc(NOW.0 + 1000)));
        for wrong in ["2001-09-09T01:46:40Z", "presence", "soon"] {
            assert_eq!(
                changed(&[("expire", &[wrong])]),
                Err(Error::InvalidOptions),
                "{wrong}"
            );
        }
        assert_eq!(changed(&[("expire", &[""])]).unwrap().until, None);
    }

    #[test]
    fn what_is_not_offered() {
        let harmless: [(&str, &[&str]); 5] = [
            ("digest", &["0"]),
            ("include_body", &["false"]),
            ("subscription_type", &["items"]),
            ("subscription_depth", &["1"]),
            ("digest_frequency", &["1000"]),
        ];
        assert_eq!(changed(&harmless), Ok(Options::default()));
        for wrong in [
            ("digest", "1"),
            ("include_body", "1"),
            ("subscription_type", "nodes"),
            ("subscription_depth", "all"),
            ("deliver", "perhaps"),
            ("show-values", "asleep"),
        ] {
            let fields: [(&str, &[&str]); 1] = [(wrong.0, &[wrong.1])];
            assert_eq!(changed(&fields), Err(Error::InvalidOptions), "{wrong:?}");
        }
        let other = Form {
            kind: Some("urn:x".to_owned()),
            ..form(&[])
        };
        let refused = Options::default().change(&other, NOW);
        assert_eq!(refused, Err(Error::InvalidOptions));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn a_form_that_is_sent_back_changes_nothing(code in 0..64_u8, later in any::<Option<u32>>()) {
            let until = later.map(|later| Utc(NOW.0 + 1 + i64::from(later)));
            let options = Options::of_code(code, until);
            prop_assert_eq!(options.code(), code);
            let mut out = Vec::new();
            options.write(&mut Writer::new(&mut out), Purpose::Form);
            let element = Element::parse(&out, "", Limits::generous()).unwrap();
            let form = Form::read(&element.as_child()).unwrap();
            let mut same = Options::default();
            same.change(&form, NOW).unwrap();
            prop_assert_eq!(same, options);
        }
    }
}
