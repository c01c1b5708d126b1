//! Samples, publications to compose, and the validator.

use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use presence::{Bare, Document, Native, Note, Publication, Resource, Show, Source, Utc, View};

use crate::pidf::*;

pub(super) const ENTITY: &str = "sip:ann@example.com";

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/", $name, ".xml")).as_slice()
    };
}

pub(super) const SAMPLES: [(&str, &[u8]); 13] = [
    ("rfc3863-01", sample!("rfc3863-01")),
    ("rfc3863-02", sample!("rfc3863-02")),
    ("rfc3863-03", sample!("rfc3863-03")),
    ("rfc3863-04", sample!("rfc3863-04")),
    ("rfc3863-05", sample!("rfc3863-05")),
    ("rfc3863-06", sample!("rfc3863-06")),
    ("rfc4480-01", sample!("rfc4480-01")),
    ("rfc8048-04", sample!("rfc8048-04")),
    ("rfc8048-19", sample!("rfc8048-19")),
    ("rfc8048-20", sample!("rfc8048-20")),
    ("baresip", sample!("baresip-1.0.0")),
    ("linphonec", sample!("linphonec-5.1.65")),
    ("finch", sample!("finch-2.14.12")),
];

/// RFC 4479 §7.1.
pub(super) const NO_ENTITY: &[u8] = sample!("rfc4479-01");

pub(super) fn sample(name: &str) -> Published {
    let (_, bytes) = SAMPLES.iter().find(|(n, _)| *n == name).unwrap();
    read(bytes).unwrap()
}

pub(super) fn publication(resource: &str, source: Source, document: Document) -> Publication {
    Publication {
        resource: Resource::parse(resource).unwrap(),
        source,
        etag: None,
        expires: None,
        document,
        native: Native::None,
        lang: None,
        changed: Utc(1_000),
    }
}

pub(super) fn session(resource: &str, document: Document) -> Publication {
    publication(resource, Source::Session, document)
}

pub(super) fn phone(resource: &str, published: &Published) -> Publication {
    let device = "device".into();
    let mut phone = publication(resource, Source::Sip { device }, published.document.clone());
    phone.native = Native::Pidf(normalise(published, &phone.resource).unwrap());
    phone
}

pub(super) fn phone_of(resource: &str, body: &str) -> Publication {
    phone(resource, &read(body.as_bytes()).unwrap())
}

pub(super) fn view(publications: Vec<Publication>) -> View {
    View {
        presentity: Bare::parse("ann@example.com").unwrap(),
        version: 1,
        publications: publications.into_iter().map(Arc::new).collect(),
        pidf: OnceLock::new(),
    }
}

pub(super) fn composed(publications: Vec<Publication>) -> String {
    String::from_utf8(compose(&view(publications), ENTITY)).unwrap()
}

pub(super) fn showing(show: Option<Show>) -> Document {
    Document {
        show,
        ..Document::default()
    }
}

pub(super) fn note(lang: Option<&str>, text: &str) -> Note {
    Note {
        lang: lang.map(str::to_owned),
        text: text.to_owned(),
    }
}

/// Whether xmllint is there to ask.
pub(super) fn has_xmllint() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let found = Command::new("xmllint").arg("--version").output().is_ok();
        if !found {
            eprintln!("xmllint is missing: validity is not checked");
        }
        found
    })
}

pub(super) fn assert_valid(document: &[u8]) {
    use std::io::Write;
    if !has_xmllint() {
        return;
    }
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/xsd/pidf-all.xsd");
    let mut child = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema", schema, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(document).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(
        done.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&done.stderr),
        String::from_utf8_lossy(document)
    );
}
