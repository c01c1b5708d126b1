//! The document for watchers, put together from all publications.

use presence::{Activity, Basic, Document, Native, Publication, Show, Source, View, mapping};

use super::normalise::{declared, start_root};
use super::read::is_language;
use super::slices::{Part, parts};
use crate::namespace::JABBER_CLIENT;
use crate::out::Out;
use crate::{qvalue, rpid};

const DECLARATION: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>"#;
/// Of the tuple that says that nobody is there. No publication's identifier begins like this.
const CLOSED_ID: &str = "closed";
/// Of the person made by us.
const PERSON_ID: &str = "person";

/// The document for a watcher with full rights (RFC 3863, RFC 4479, RFC 8048 §6.1).
///
/// One tuple for each session and registration; of a SIP publication its own tuples as they came. One person: that of the
/// most available publication that speaks of a person, or made from its show. `entity` is the presentity's URI, also used as contact. The bytes
/// depend on nothing but the arguments.
pub fn compose(view: &View, entity: &str) -> Vec<u8> {
    if view.publications.is_empty() {
        return compose_closed(entity);
    }
    let best = most_available(view);
    let mut body = Body::default();
    for (at, publication) in view.publications.iter().enumerate() {
        body.publication(publication, entity, Some(at) == best);
    }
    if !body.has_person
        && let Some(best) = best.and_then(|at| view.publications.get(at))
    {
        body.person(&best.document);
    }
    body.finish(entity)
}

/// The document of somebody of whom nothing is published: one closed tuple, always the same.
pub fn compose_closed(entity: &str) -> Vec<u8> {
    let mut body = Body::default();
    body.tuples.start("tuple");
    body.tuples.attr("id", CLOSED_ID);
    body.tuples.start("status");
    body.tuples.leaf("basic", "closed");
    body.tuples.end("status");
    body.tuples.end("tuple");
    body.finish(entity)
}

/// Open before closed; what speaks of its person before what does not; the highest priority; the most reachable show; the
/// last changed. Of equals the first.
fn most_available(view: &View) -> Option<usize> {
    let rank = |p: &Publication| {
        let document = &p.document;
        (
            document.basic == Basic::Open,
            speaks_of_its_person(p),
            document.priority.unwrap_or_default(),
            match document.show {
                Some(Show::Chat) => 4,
                None => 3,
                Some(Show::Dnd) => 2,
                Some(Show::Away) => 1,
                Some(Show::Xa) => 0,
            },
            p.changed,
        )
    };
    let ranked = view.publications.iter().enumerate();
    ranked
        .reduce(|best, next| {
            if rank(next.1) > rank(best.1) {
                next
            } else {
                best
            }
        })
        .map(|(at, _)| at)
}

/// A phone that says `open` and no more, often with a fixed high priority, means the device: it does not make a person
/// available who is busy in a chat client. A session without show says that the person is available (RFC 6121 §4.7.2.1).
fn speaks_of_its_person(publication: &Publication) -> bool {
    publication.source == Source::Session
        || publication.document.show.is_some()
        || !publication.document.activities.is_empty()
}

/// What stands between the root's tags, in the order of the schema.
#[derive(Default)]
struct Body<'a> {
    tuples: Out,
    person: Out,
    notes: Vec<&'a [u8]>,
    others: Vec<&'a [u8]>,
    data_model: bool,
    rpid: bool,
    has_person: bool,
}

impl<'a> Body<'a> {
    fn publication(&mut self, publication: &'a Publication, entity: &str, best: bool) {
        let Native::Pidf(document) = &publication.native else {
            return self.tuple(publication, entity);
        };
        let (data_model, rpid) = declared(document);
        self.data_model |= data_model;
        self.rpid |= rpid;
        let mut has_tuple = false;
        for (part, bytes) in parts(document) {
            match part {
                Part::Tuple => {
                    has_tuple = true;
                    self.tuples.raw(bytes);
                }
                Part::Note => self.notes.push(bytes),
                Part::Person if best => {
                    self.has_person = true;
                    self.others.push(bytes);
                }
                Part::Person => {}
                Part::Other => self.others.push(bytes),
            }
        }
        if !has_tuple {
            self.tuple(publication, entity);
        }
    }

    /// A tuple made from the common part.
    fn tuple(&mut self, publication: &Publication, entity: &str) {
        let document = &publication.document;
        let out = &mut self.tuples;
        out.start("tuple");
        out.attr("id", &mapping::tuple_id(&publication.resource));
        out.start("status");
        out.leaf(
            "basic",
            match document.basic {
                Basic::Open => "open",
                Basic::Closed => "closed",
            },
        );
        if let (Basic::Open, Some(show)) = (document.basic, document.show) {
            out.start("show");
            out.attr("xmlns", JABBER_CLIENT);
            out.text(show.as_str());
            out.end("show");
        }
        out.end("status");
        if let Some(since) = document.idle_since {
            self.rpid = true;
            out.start("rpid:user-input");
            out.attr("last-input", &since.to_rfc3339());
            out.text("idle");
            out.end("rpid:user-input");
        }
        out.start("contact");
        if let Some(priority) = document.priority.and_then(mapping::contact_priority) {
            out.attr("priority", &qvalue::print(priority));
        }
        out.text(entity);
        out.end("contact");
        for note in &document.notes {
            out.start("note");
            let lang = note.lang.as_deref().or(publication.lang.as_deref());
            if let Some(lang) = lang.filter(|l| is_language(l)) {
                out.attr("xml:lang", lang);
            }
            out.text(&note.text);
            out.end("note");
        }
        if let Some(timestamp) = document.timestamp {
            out.leaf("timestamp", &timestamp.to_rfc3339());
        }
        out.end("tuple");
    }

    /// The person made from the most available publication; none when it says nothing of its person.
    fn person(&mut self, document: &Document) {
        if document.basic == Basic::Closed {
            return;
        }
        let of_show = mapping::activity_of(document.show);
        let said: Vec<&Activity> = if document.activities.is_empty() {
            of_show.iter().collect()
        } else {
            document.activities.iter().collect()
        };
        if said.is_empty() {
            return;
        }
        self.data_model = true;
        self.rpid = true;
        let out = &mut self.person;
        out.start("dm:person");
        out.attr("id", PERSON_ID);
        out.start("rpid:activities");
        // The schema of RFC 4480 §5 has `<unknown/>` alone or not at all.
        let alone = said.len() == 1;
        for activity in said.iter().filter(|a| alone || ***a != Activity::Unknown) {
            match (activity, rpid::element(activity)) {
                (_, Some(name)) => out.leaf(name, ""),
                (Activity::Other(text), None) => out.leaf("rpid:other", text),
                (_, None) => {}
            }
        }
        out.end("rpid:activities");
        out.end("dm:person");
    }

    fn finish(self, entity: &str) -> Vec<u8> {
        let mut out = Out::with_capacity(1024);
        out.raw(DECLARATION);
        start_root(&mut out, self.data_model, self.rpid, entity);
        out.raw(&self.tuples.into_bytes());
        for part in &self.notes {
            out.raw(part);
        }
        out.raw(&self.person.into_bytes());
        for part in &self.others {
            out.raw(part);
        }
        out.end("presence");
        out.into_bytes()
    }
}
