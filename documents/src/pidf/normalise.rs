//! The form in which a published document is kept: valid PIDF, each part standing alone, identifiers unique among all
//! publications of the presentity.

use std::collections::HashSet;

use bytes::Bytes;
use presence::{Basic, Resource};

use super::read::{MAX_SIZE, Published, basic, instant, is, is_language, is_person, lang, tuples};
use crate::error::DocumentError;
use crate::namespace::{self, DATA_MODEL, Kind, PIDF, RPID};
use crate::out::Out;
use crate::tree::{Element, Node};
use crate::{qvalue, rpid};

/// Writes the document anew, for [`presence::Native::Pidf`].
///
/// The root declares PIDF as the default namespace and `dm:` and `rpid:` where they occur; every extension element declares
/// its own. The order is that of the schemas; what they have no place for (unknown words in `<basic/>`, text between
/// elements, elements without namespace) is left out, extensions are kept whole. Identifiers get a prefix made of the
/// resource, because phones of one make all use the same ones; the same input and resource give the same bytes.
///
/// # Errors
///
/// [`DocumentError::TooLarge`] when it would have more than [`MAX_SIZE`] bytes: what a document says once for all its elements, each says for itself
/// here.
pub fn normalise(published: &Published, resource: &Resource) -> Result<Bytes, DocumentError> {
    let mut body = Normaliser {
        out: Out::with_limit(512, MAX_SIZE),
        prefix: prefix(resource),
        ids: HashSet::new(),
        data_model: false,
        rpid: false,
    };
    body.children(published.tree.root());
    if body.out.is_over() {
        return Err(DocumentError::TooLarge);
    }
    let mut out = Out::with_capacity(1024);
    start_root(&mut out, body.data_model, body.rpid, &published.entity);
    out.raw(&body.out.into_bytes());
    out.end("presence");
    Ok(out.into_bytes().into())
}

/// The root's start tag. Clients that parse by pattern want exactly these prefixes.
pub(super) fn start_root(out: &mut Out, data_model: bool, rpid: bool, entity: &str) {
    out.start("presence");
    out.attr("xmlns", PIDF);
    if data_model {
        out.attr("xmlns:dm", DATA_MODEL);
    }
    if rpid {
        out.attr("xmlns:rpid", RPID);
    }
    out.attr("entity", entity);
}

/// Whether a document in normal form declares `dm:` and `rpid:`.
pub(super) fn declared(document: &[u8]) -> (bool, bool) {
    let tag = document.split(|&b| b == b'>').next().unwrap_or_default();
    let head = tag.split(|&b| b == b' ').take(4);
    head.fold((false, false), |(dm, rpid), attribute| {
        (
            dm || attribute.starts_with(b"xmlns:dm="),
            rpid || attribute.starts_with(b"xmlns:rpid="),
        )
    })
}

/// Ends in the only dot, so that no two resources and identifiers ever make the same text; begins unlike the identifiers
/// of RFC 8048 §6.1 (`ID-`).
fn prefix(resource: &Resource) -> String {
    let text = resource.as_str();
    if text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return format!("P-{text}.");
    }
    let mut prefix = String::from("Px-");
    for byte in text.bytes() {
        for nibble in [byte >> 4, byte & 15] {
            prefix.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    prefix.push('.');
    prefix
}

struct Normaliser {
    out: Out,
    prefix: String,
    ids: HashSet<String>,
    data_model: bool,
    rpid: bool,
}

impl Normaliser {
    fn children(&mut self, root: Element<'_>) {
        let inherited = lang(root);
        for tuple in tuples(root) {
            self.tuple(tuple, inherited);
        }
        self.notes(root, Kind::Pidf, "note", inherited);
        for child in root.children() {
            if is_component(child) {
                self.component(child, inherited, PIDF);
            } else if extends(child, Kind::Pidf) {
                self.element(child, PIDF);
            }
        }
    }

    /// RFC 3863 §4.1.2 to §4.1.7.
    fn tuple(&mut self, tuple: Element<'_>, inherited: Option<&str>) {
        let inherited = lang(tuple).or(inherited);
        self.out.start("tuple");
        self.id("id", tuple.attr("id"));
        self.status(tuple);
        for child in tuple.children().filter(|c| extends(*c, Kind::Pidf)) {
            self.element(child, PIDF);
        }
        let contact = tuple.children().find(|c| is(*c, Kind::Pidf, "contact"));
        if let Some(contact) = contact {
            self.out.start("contact");
            if let Some(priority) = contact
                .attr("priority")
                .map(str::trim)
                .filter(|p| qvalue::read(p).is_some())
            {
                self.out.attr("priority", priority);
            }
            self.out.text(contact.text().trim());
            self.out.end("contact");
        }
        self.notes(tuple, Kind::Pidf, "note", inherited);
        self.timestamp(tuple, Kind::Pidf, "timestamp");
        self.out.end("tuple");
    }

    fn status(&mut self, tuple: Element<'_>) {
        self.out.start("status");
        match basic(tuple) {
            Some(Basic::Open) => self.out.leaf("basic", "open"),
            Some(Basic::Closed) => self.out.leaf("basic", "closed"),
            None => {}
        }
        let statuses = tuple.children().filter(|c| is(*c, Kind::Pidf, "status"));
        for child in statuses.flat_map(Element::children) {
            if extends(child, Kind::Pidf) {
                self.element(child, PIDF);
            }
        }
        self.out.end("status");
    }

    /// A person or device, RFC 4479 §3.
    fn component(&mut self, component: Element<'_>, inherited: Option<&str>, default: &str) {
        let inherited = lang(component).or(inherited);
        let name = if is_person(component) {
            "dm:person"
        } else {
            "dm:device"
        };
        self.data_model = true;
        self.out.start(name);
        self.id("id", component.attr("id"));
        for child in component.children() {
            if extends(child, Kind::DataModel) && !is(child, Kind::Pidf, "note") {
                self.element(child, default);
            }
        }
        if name == "dm:device"
            && let Some(device) = component.get_child("deviceID", DATA_MODEL)
        {
            self.out.leaf("dm:deviceID", device.text().trim());
        }
        self.notes(component, Kind::DataModel, "dm:note", inherited);
        self.notes(component, Kind::Pidf, "dm:note", inherited);
        self.timestamp(component, Kind::DataModel, "dm:timestamp");
        self.out.end(name);
    }

    fn notes(&mut self, parent: Element<'_>, kind: Kind, name: &str, inherited: Option<&str>) {
        for note in parent.children().filter(|c| is(*c, kind, "note")) {
            self.out.start(name);
            if let Some(lang) = lang(note).or(inherited) {
                self.out.attr("xml:lang", lang);
            }
            self.out.text(&note.text());
            self.out.end(name);
        }
    }

    fn timestamp(&mut self, parent: Element<'_>, kind: Kind, name: &str) {
        let timestamp = parent.children().find(|c| is(*c, kind, "timestamp"));
        let Some(text) = timestamp.map(Element::text) else {
            return;
        };
        let text = text.trim();
        let Some(instant) = instant(text) else {
            return;
        };
        // RFC 3339 allows what the schema's dateTime does not: small letters and the leap second.
        if text.bytes().any(|b| b.is_ascii_lowercase()) || text.contains(":60") {
            self.out.leaf(name, &instant.to_rfc3339());
        } else {
            self.out.leaf(name, text);
        }
    }

    /// Any other element, whole. `default` is the default namespace where it stands.
    fn element(&mut self, element: Element<'_>, default: &str) {
        if is_component(element) {
            return self.component(element, None, default);
        }
        if is(element, Kind::Rpid, "activity")
            && let Some(activity) = rpid::activity(element.text().trim())
            && let Some(name) = rpid::element(&activity)
        {
            // The drafts had a word where the RFC has an element.
            self.rpid = true;
            self.out.leaf(name, "");
            return;
        }
        let ns = element.ns();
        let kind = element.kind();
        let (prefix, inner) = match kind {
            Kind::DataModel => ("dm:", default),
            Kind::Rpid => ("rpid:", default),
            Kind::Pidf => ("", PIDF),
            Kind::Foreign => ("", ns),
        };
        self.data_model |= kind == Kind::DataModel;
        self.rpid |= kind == Kind::Rpid;
        self.out.start_in(prefix, element.name());
        if inner != default {
            self.out.attr("xmlns", inner);
        }
        self.attributes(element, kind);
        let mixed = element.children().next().is_some();
        for node in element.nodes() {
            match node {
                Node::Element(child) => self.element(child, inner),
                Node::Text(text) if mixed && text.trim().is_empty() => {}
                Node::Text(text) => self.out.text(text),
            }
        }
        self.out.end_in(prefix, element.name());
    }

    fn attributes(&mut self, element: Element<'_>, kind: Kind) {
        let mut attributes: Vec<(&str, &str, &str)> = element.attributes().collect();
        attributes.sort_unstable();
        for (at, (ns, name, value)) in attributes.into_iter().enumerate() {
            match (ns, name) {
                ("", "id") if kind != Kind::Foreign => self.id("id", Some(value)),
                ("", _) => self.out.attr(name, value),
                (namespace::XML, "id") => self.id("xml:id", Some(value)),
                (namespace::XML, "lang") if !is_language(value) => {}
                (namespace::XML, _) => self.out.attr(&format!("xml:{name}"), value),
                _ => {
                    self.out.attr(&format!("xmlns:a{at}"), ns);
                    self.out.attr(&format!("a{at}:{name}"), value);
                }
            }
        }
    }

    /// An identifier of our own: legal whatever was given, and given once.
    fn id(&mut self, attribute: &str, given: Option<&str>) {
        if self.out.is_over() {
            return;
        }
        let mut id = self.prefix.clone();
        for c in given.unwrap_or_default().trim().chars() {
            let legal = c.is_ascii_alphanumeric() || c == '-' || c == '_';
            id.push(if legal { c } else { '_' });
        }
        if self.ids.contains(&id) {
            let base = std::mem::take(&mut id);
            // Each number is used once at most, so this ends after few steps.
            let mut number = self.ids.len();
            loop {
                id = format!("{base}_{number}");
                if !self.ids.contains(&id) {
                    break;
                }
                number += 1;
            }
        }
        self.out.attr(attribute, &id);
        self.ids.insert(id);
    }
}

fn is_component(element: Element<'_>) -> bool {
    is_person(element) || is(element, Kind::DataModel, "device")
}

/// Whether the schemas allow this element as an extension of one in the namespace `of`.
fn extends(element: Element<'_>, of: Kind) -> bool {
    let ns = element.ns();
    !ns.is_empty() && element.kind() != of
}
