//! Reading what phones publish: lenient where real ones need it, strict about what would do harm.

use presence::{Activity, Basic, Document, Note, Show, Utc, mapping};

use crate::error::DocumentError;
use crate::namespace::{self, JABBER_CLIENT, Kind};
use crate::parse::parse;
use crate::tree::{Element, Tree};
use crate::{qvalue, rpid};

/// How deep elements may nest; documents of the RFCs need less than ten.
pub const MAX_DEPTH: usize = 32;
/// How many bytes a document may have.
pub const MAX_SIZE: usize = 256 * 1024;

/// A PIDF document as it was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Whose presence it says it is (`pres:` or `sip:` URI, white space removed). The caller compares it with the publisher.
    pub entity: String,
    /// The common part: the most available tuple, completed from the person.
    pub document: Document,
    /// Identifiers of the tuples in document order, as the publisher wrote them.
    pub tuple_ids: Vec<String>,
    /// `xml:lang` of the root. RFC 3863 has no such attribute there, some publishers do.
    pub lang: Option<String>,
    pub(super) tree: Tree,
}

/// Reads a document of RFC 3863 §4.
///
/// Of several tuples the common part takes the most available one: open before closed, then the highest contact priority,
/// then the first. What it does not say itself comes from the person (activities, notes, idle time) and from the document
/// (notes). A tuple without `<basic/>`, or with another word in it than the RFC's two, counts as open when it has a contact
/// or a note; a document without tuples is closed (RFC 8048 §6.2).
pub fn read(body: &[u8]) -> Result<Published, DocumentError> {
    let tree = parse(body, MAX_SIZE, MAX_DEPTH)?;
    let root = tree.root();
    if !is(root, Kind::Pidf, "presence") {
        return Err(DocumentError::NotPidf);
    }
    let entity = root.attr("entity").map(str::trim).unwrap_or_default();
    if entity.is_empty() {
        return Err(DocumentError::EntityMissing);
    }
    Ok(Published {
        entity: entity.to_owned(),
        document: common(root),
        tuple_ids: tuples(root)
            .filter_map(|t| t.attr("id"))
            .map(|id| id.trim().to_owned())
            .collect(),
        lang: lang(root).map(str::to_owned),
        tree,
    })
}

pub(super) fn is(element: Element<'_>, kind: Kind, name: &str) -> bool {
    element.name() == name && element.kind() == kind
}

pub(super) fn tuples(root: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    root.children().filter(|c| is(*c, Kind::Pidf, "tuple"))
}

/// Some programs write the person in PIDF's own namespace.
pub(super) fn is_person(element: Element<'_>) -> bool {
    element.name() == "person" && matches!(element.kind(), Kind::Pidf | Kind::DataModel)
}

pub(super) fn lang(element: Element<'_>) -> Option<&str> {
    element
        .attr_ns(namespace::XML, "lang")
        .filter(|l| is_language(l))
}

/// RFC 3863 §4.1.4, whatever the case and the white space; `None` for what is neither.
pub(super) fn basic(tuple: Element<'_>) -> Option<Basic> {
    let status = tuple.children().find(|c| is(*c, Kind::Pidf, "status"))?;
    let text = status
        .children()
        .find(|c| is(*c, Kind::Pidf, "basic"))?
        .text();
    let text = text.trim();
    if text.eq_ignore_ascii_case("open") {
        Some(Basic::Open)
    } else if text.eq_ignore_ascii_case("closed") {
        Some(Basic::Closed)
    } else {
        None
    }
}

/// The contact's `priority` in thousandths; `None` when it is missing or not a qvalue (RFC 3863 §4.1.5).
fn thousandths(tuple: Element<'_>) -> Option<u16> {
    tuple
        .children()
        .find(|c| is(*c, Kind::Pidf, "contact"))?
        .attr("priority")
        .and_then(qvalue::read)
}

fn availability(tuple: Element<'_>) -> Basic {
    basic(tuple).unwrap_or_else(|| {
        let reachable = tuple
            .children()
            .any(|c| is(c, Kind::Pidf, "contact") || is(c, Kind::Pidf, "note"));
        if reachable {
            Basic::Open
        } else {
            Basic::Closed
        }
    })
}

/// An earlier tuple wins over an equal later one.
fn most_available(root: Element<'_>) -> Option<Element<'_>> {
    let rank = |t: Element<'_>| (availability(t) == Basic::Open, thousandths(t));
    tuples(root).reduce(|best, next| if rank(next) > rank(best) { next } else { best })
}

fn common(root: Element<'_>) -> Document {
    let persons: Vec<Element<'_>> = root.children().filter(|c| is_person(*c)).collect();
    let Some(tuple) = most_available(root) else {
        return Document {
            basic: Basic::Closed,
            notes: notes(root, None, &persons),
            activities: activities(&persons),
            ..Document::default()
        };
    };
    let basic = availability(tuple);
    let mut from = persons.clone();
    from.push(tuple);
    let activities = activities(&from);
    let show = match basic {
        Basic::Open => show(tuple).or_else(|| mapping::show_of(&activities)),
        Basic::Closed => None,
    };
    Document {
        basic,
        show,
        notes: notes(root, Some(tuple), &persons),
        priority: thousandths(tuple).map(mapping::priority_of_contact),
        activities,
        idle_since: idle_since(root, tuple, &persons),
        timestamp: tuple
            .children()
            .find(|c| is(*c, Kind::Pidf, "timestamp"))
            .and_then(|t| instant(&t.text())),
    }
}

/// RFC 8048 §6.1 note 7: in the status; some write it beside it.
fn show(tuple: Element<'_>) -> Option<Show> {
    let statuses = tuple.children().filter(|c| is(*c, Kind::Pidf, "status"));
    statuses
        .chain(std::iter::once(tuple))
        .find_map(|p| p.get_child("show", JABBER_CLIENT))
        .and_then(|show| Show::parse(show.text().trim()))
}

/// Every activity below the given elements, also where the drafts had them (in the tuple, in its status), each once.
fn activities(within: &[Element<'_>]) -> Vec<Activity> {
    let mut found = Vec::new();
    for element in within {
        let status = element.children().filter(|c| is(*c, Kind::Pidf, "status"));
        for holder in std::iter::once(*element).chain(status) {
            for list in holder
                .children()
                .filter(|c| is(*c, Kind::Rpid, "activities"))
            {
                for child in list.children() {
                    if let Some(activity) = activity(child)
                        && !found.contains(&activity)
                    {
                        found.push(activity);
                    }
                }
            }
        }
    }
    found
}

fn activity(element: Element<'_>) -> Option<Activity> {
    if element.kind() != Kind::Rpid {
        return Some(Activity::Other(element.name().to_owned()));
    }
    match element.name() {
        "note" => None,
        "other" => Some(Activity::Other(element.text().trim().to_owned())),
        "activity" => {
            let text = element.text();
            let text = text.trim();
            Some(rpid::activity(text).unwrap_or_else(|| Activity::Other(text.to_owned())))
        }
        name => Some(rpid::activity(name).unwrap_or_else(|| Activity::Other(name.to_owned()))),
    }
}

/// Of the tuple; else of the person; else of the person's activities; else of the document. At most one a language.
fn notes(root: Element<'_>, tuple: Option<Element<'_>>, persons: &[Element<'_>]) -> Vec<Note> {
    let inherited = lang(root);
    let in_tuple = tuple.map(|t| notes_in(t, inherited)).unwrap_or_default();
    if !in_tuple.is_empty() {
        return in_tuple;
    }
    for person in persons {
        let of_person = notes_in(*person, inherited);
        if !of_person.is_empty() {
            return of_person;
        }
        for list in person
            .children()
            .filter(|c| is(*c, Kind::Rpid, "activities"))
        {
            let of_activities = notes_in(list, inherited);
            if !of_activities.is_empty() {
                return of_activities;
            }
        }
    }
    notes_in(root, inherited)
}

fn notes_in(element: Element<'_>, inherited: Option<&str>) -> Vec<Note> {
    let inherited = lang(element).or(inherited);
    let mut notes: Vec<Note> = Vec::new();
    for child in element.children().filter(|c| c.name() == "note") {
        if child.kind() == Kind::Foreign {
            continue;
        }
        let text = child.text();
        let lang = lang(child).or(inherited);
        if !text.trim().is_empty() && !notes.iter().any(|n| n.lang.as_deref() == lang) {
            notes.push(Note {
                lang: lang.map(str::to_owned),
                text: text.trim().to_owned(),
            });
        }
    }
    notes
}

/// RFC 4480 §3.14, of the tuple, else of a person, else of a device. The drafts called it `idle` with `since`.
fn idle_since(root: Element<'_>, tuple: Element<'_>, persons: &[Element<'_>]) -> Option<Utc> {
    let devices = root
        .children()
        .filter(|c| is(*c, Kind::DataModel, "device"));
    let input = std::iter::once(tuple)
        .chain(persons.iter().copied())
        .chain(devices)
        .flat_map(Element::children)
        .find(|c| {
            c.kind() == Kind::Rpid && matches!(c.name(), "user-input" | "user-idle" | "idle")
        })?;
    if input.text().trim() == "active" {
        return None;
    }
    instant(input.attr("last-input").or_else(|| input.attr("since"))?)
}

/// Only years that every other protocol can print.
pub(super) fn instant(text: &str) -> Option<Utc> {
    const LAST: i64 = 253_402_300_799_999;
    Utc::from_rfc3339(text.trim()).filter(|t| (0..=LAST).contains(&t.0))
}

/// `xs:language`; an illegal tag says nothing, and would make whole documents invalid.
pub(super) fn is_language(tag: &str) -> bool {
    tag.split('-').enumerate().all(|(at, part)| {
        (1..=8).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || (at > 0 && b.is_ascii_digit()))
    })
}
