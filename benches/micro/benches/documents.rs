//! PIDF from bytes to the common part, to its normal form, and together for watchers.
#![expect(missing_docs, reason = "criterion makes functions without")]

use std::sync::{Arc, OnceLock};

use adsum_micro::text;
use criterion::{Criterion, criterion_group, criterion_main};
use documents::pidf;
use presence::{Bare, Native, Publication, Resource, Source, Utc, View};

fn documents(c: &mut Criterion) {
    let body = text::body(7);
    c.bench_function("documents: read PIDF", |b| {
        b.iter(|| pidf::read(body.as_bytes()).is_ok());
    });
    let published = pidf::read(body.as_bytes()).expect("a document");
    let resource = Resource::parse("sip-01234567").expect("a resource");
    c.bench_function("documents: normal form", |b| {
        b.iter(|| pidf::normalise(&published, &resource));
    });
    let publication = Publication {
        source: Source::Sip { device: "d".into() },
        etag: None,
        expires: None,
        native: Native::Pidf(pidf::normalise(&published, &resource).expect("small enough")),
        document: published.document,
        resource,
        lang: None,
        changed: Utc(0),
    };
    let view = View {
        presentity: Bare::from_prepared("ann@office.example"),
        version: 1,
        publications: vec![Arc::new(publication)],
        pidf: OnceLock::new(),
    };
    c.bench_function("documents: compose", |b| {
        b.iter(|| pidf::compose(&view, "sip:ann@office.example"));
    });
}

criterion_group!(benches, documents);
criterion_main!(benches);
