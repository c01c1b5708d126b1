//! vCards (XEP-0054): what the directory needs to know of them.

use presence::{Card, Facts};
use services::avatar::{self, Said};
use xml::{Child, Writer};

use super::standalone;

/// The namespace of XEP-0054.
pub const VCARD: &str = "vcard-temp";

/// A fact is cut here, at the latest: it is for a line in a list.
const LONGEST: usize = 255;

/// Reads a `<vCard/>`; `None` for one that says nothing.
pub fn card(vcard: &Child<'_>) -> Option<Card> {
    vcard.children().next()?;
    Some(Card {
        xml: standalone(vcard),
        facts: facts(vcard),
        photo: match avatar::in_card(vcard) {
            Said::This(photo) => Some(photo.id),
            Said::Nothing | Said::Unclear => None,
        },
    })
}

/// Makes a card that says this.
pub fn made(facts: &Facts) -> Card {
    let mut out = Vec::new();
    let mut to = Writer::new(&mut out);
    to.start("vCard").attribute("xmlns", VCARD);
    let whole = format!("{} {}", facts.first, facts.last);
    let whole = if facts.name.is_empty() {
        whole.trim()
    } else {
        &facts.name
    };
    line(&mut to, "FN", whole);
    to.start("N");
    line(&mut to, "FAMILY", &facts.last);
    line(&mut to, "GIVEN", &facts.first);
    to.end();
    line(&mut to, "NICKNAME", &facts.nick);
    if !facts.email.is_empty() {
        to.start("EMAIL");
        to.start("INTERNET").end();
        line(&mut to, "USERID", &facts.email);
        to.end();
    }
    to.end();
    let facts = Facts {
        name: whole.to_owned(),
        ..facts.clone()
    };
    Card {
        xml: out.into(),
        facts,
        photo: None,
    }
}

fn line(to: &mut Writer<'_>, name: &str, text: &str) {
    if !text.is_empty() {
        to.start(name).text(text).end();
    }
}

fn facts(vcard: &Child<'_>) -> Facts {
    let named = vcard.child("N", VCARD);
    let email = vcard
        .children()
        .filter(|c| c.is("EMAIL", VCARD))
        .map(|c| text(Some(&c), "USERID"))
        .find(|email| !email.is_empty());
    Facts {
        name: text(Some(vcard), "FN"),
        first: text(named.as_ref(), "GIVEN"),
        last: text(named.as_ref(), "FAMILY"),
        nick: text(Some(vcard), "NICKNAME"),
        email: email.unwrap_or_default(),
    }
}

fn text(parent: Option<&Child<'_>>, name: &str) -> String {
    let child = parent.and_then(|p| p.child(name, VCARD));
    let text = child.map(|c| c.text().trim().to_owned());
    let mut text = text.unwrap_or_default();
    while text.len() > LONGEST {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(inner: &str) -> Option<Card> {
        let text = format!("<vCard xmlns='vcard-temp'>{inner}</vCard>");
        let limits = xml::Limits::generous();
        card(
            &xml::Element::parse(text.as_bytes(), "", limits)
                .unwrap()
                .as_child(),
        )
    }

    #[test]
    fn the_facts_of_a_card() {
        let inner = "<FN>Ann Other</FN><N><FAMILY>Other</FAMILY><GIVEN> Ann\n</GIVEN></N><NICKNAME>a&amp;b</NICKNAME>\
                     <EMAIL><HOME/></EMAIL><EMAIL><USERID>ann@mail.example</USERID></EMAIL>";
        let card = read(inner).unwrap();
        let facts = Facts {
            name: "Ann Other".into(),
            first: "Ann".into(),
            last: "Other".into(),
            nick: "a&b".into(),
            email: "ann@mail.example".into(),
        };
        assert_eq!(card.facts, facts);
        assert!(card.xml.starts_with(b"<vCard xmlns='vcard-temp'><FN>"));
    }

    #[test]
    fn what_is_made_says_what_it_was_made_of() {
        let facts = Facts {
            name: String::new(),
            first: "Ann".into(),
            last: "<Other>".into(),
            nick: String::new(),
            email: "a@b".into(),
        };
        let made = made(&facts);
        assert_eq!(made.facts.name, "Ann <Other>");
        let limits = xml::Limits::generous();
        let element = xml::Element::parse(&made.xml, "", limits).unwrap();
        assert_eq!(card(&element.as_child()).unwrap(), made);
    }

    #[test]
    fn a_card_may_say_little_or_nothing_and_facts_are_cut_between_characters() {
        assert_eq!(read("  "), None);
        assert_eq!(read("<URL>x</URL>").unwrap().facts, Facts::default());
        let long = read(&format!("<FN>{}</FN>", "ü".repeat(300))).unwrap();
        assert_eq!(long.facts.name, "ü".repeat(127));
    }
}
