//! Presence documents, read plainly.

use xml::{Element, Limits};

const PIDF: &str = "urn:ietf:params:xml:ns:pidf";
const RPID: &str = "urn:ietf:params:xml:ns:pidf:rpid";
const MODEL: &str = "urn:ietf:params:xml:ns:pidf:data-model";

/// A tuple.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tuple {
    /// Its id.
    pub(crate) id: String,
    /// `open` or `closed`.
    pub(crate) basic: String,
    /// `<show xmlns='jabber:client'/>`.
    pub(crate) show: String,
    /// Notes with their languages.
    pub(crate) notes: Vec<(String, String)>,
    /// The contact.
    pub(crate) contact: String,
    /// Its priority.
    pub(crate) priority: String,
}

/// A document.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Pidf {
    /// Who it is about.
    pub(crate) entity: String,
    /// Its tuples.
    pub(crate) tuples: Vec<Tuple>,
    /// Activities of the person.
    pub(crate) activities: Vec<String>,
    /// The octets.
    pub(crate) text: String,
}

impl Pidf {
    /// Reads a document.
    pub(crate) fn read(octets: &[u8]) -> Self {
        let text = std::str::from_utf8(octets).unwrap().to_owned();
        let body = match text.strip_prefix("<?xml") {
            Some(rest) => rest.split_once("?>").unwrap().1.trim_start(),
            None => &text,
        };
        let root = Element::parse(body.as_bytes(), "", Limits::generous()).unwrap();
        assert!(root.is("presence", PIDF), "{text}");
        let mut pidf = Self {
            entity: root.attribute("entity").unwrap().into_owned(),
            ..Self::default()
        };
        for child in root.children() {
            if child.is("tuple", PIDF) {
                pidf.tuples.push(tuple(&child));
            }
            if child.is("person", MODEL) {
                let activities = child.children().filter(|c| c.is("activities", RPID));
                pidf.activities.extend(
                    activities
                        .flat_map(|a| a.children())
                        .map(|a| a.name().to_owned()),
                );
            }
        }
        pidf.text = text;
        pidf
    }

    /// Whether any tuple is open.
    pub(crate) fn is_open(&self) -> bool {
        self.tuples.iter().any(|tuple| tuple.basic == "open")
    }

    /// The tuple with this id.
    pub(crate) fn tuple(&self, id: &str) -> Option<&Tuple> {
        self.tuples.iter().find(|tuple| tuple.id == id)
    }

    /// Whether a note of any tuple is this text.
    pub(crate) fn has_note(&self, note: &str) -> bool {
        let mut notes = self.tuples.iter().flat_map(|tuple| &tuple.notes);
        notes.any(|(_, text)| text == note)
    }
}

fn tuple(element: &xml::Child<'_>) -> Tuple {
    let mut tuple = Tuple {
        id: element.attribute("id").unwrap().into_owned(),
        ..Tuple::default()
    };
    for child in element.children() {
        if child.is("status", PIDF) {
            for part in child.children() {
                if part.is("basic", PIDF) {
                    tuple.basic = part.text().into_owned();
                }
                if part.is("show", "jabber:client") {
                    tuple.show = part.text().into_owned();
                }
            }
        }
        if child.is("note", PIDF) {
            let lang = child.lang().unwrap_or_default();
            tuple
                .notes
                .push((lang.into_owned(), child.text().into_owned()));
        }
        if child.is("contact", PIDF) {
            tuple.contact = child.text().into_owned();
            tuple.priority = child.attribute("priority").unwrap_or_default().into_owned();
        }
    }
    tuple
}

/// A document of one tuple, as a simple phone writes it.
pub(crate) fn simple(account: &str, id: &str, basic: &str, note: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\
         <presence xmlns='{PIDF}' entity='sip:{account}'>\
         <tuple id='{id}'><status><basic>{basic}</basic></status><note>{note}</note></tuple></presence>"
    )
}

/// The same with an activity of the person, as baresip writes it.
pub(crate) fn doing(account: &str, id: &str, activity: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\
         <presence xmlns='{PIDF}' xmlns:dm='{MODEL}' xmlns:rpid='{RPID}' entity='sip:{account}'>\
         <dm:person id='p4159'><rpid:activities><rpid:{activity}/></rpid:activities></dm:person>\
         <tuple id='{id}'><status><basic>open</basic></status></tuple></presence>"
    )
}
