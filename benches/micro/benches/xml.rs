//! The reader of XML streams: what a client sends, from octets to checked elements.
#![expect(missing_docs, reason = "criterion makes functions without")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use xml::{Limits, StreamReader, Token};

/// As a session has them by default.
const LIMITS: Limits = Limits {
    max_bytes: 262_144,
    max_depth: 64,
    max_elements: None,
    max_attributes: 256,
};

const OPEN: &str = "<?xml version='1.0'?><stream:stream to='office.example' version='1.0' xml:lang='en' \
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/// Before the stream begins anew, in the pieces in which they arrive.
const STRANGER: [&str; 3] = [
    OPEN,
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>\
     biwsbj1hbm4scj1yT3ByTkdmd0ViZVJXZ2JORWtxTw==</auth>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
     Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAscD1kSHpi\
     WmFwV0lrNGpVaE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ==</response>",
];

/// And afterwards.
const MEMBER: [&str; 6] = [
    OPEN,
    "<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>",
    "<iq type='get' id='d1' to='office.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    "<iq type='get' id='r1'><query xmlns='jabber:iq:roster' ver='1700000000017'/></iq>",
    "<iq type='set' id='c1'><enable xmlns='urn:xmpp:carbons:2'/></iq>",
    PRESENCE,
];

const PRESENCE: &str = "<presence id='p7'><show>away</show><status xml:lang='en'>In a meeting until four &amp; then gone</status>\
    <priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example/caps' \
    ver='QgayPKawpkPSDYmwT/WM94uAlu0='/><idle xmlns='urn:xmpp:idle:1' since='2026-01-02T03:04:05Z'/></presence>";

/// About 8 KB: a text with entities, and the same as XHTML.
fn long_message() -> String {
    let line = "The band plays on &amp; nobody in the room remembers how the song began. ";
    let text = line.repeat(56);
    let paragraphs = format!("<p>{line}<em>{line}</em></p>").repeat(26);
    format!(
        "<message to='bob@office.example/desk' type='chat' id='m7'><body>{text}</body>\
         <html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>{paragraphs}</body></html>\
         <request xmlns='urn:xmpp:receipts'/></message>"
    )
}

/// Feeds the octets and reads what is whole; how many tokens there were.
fn read(reader: &mut StreamReader, octets: &str) -> usize {
    reader.feed(octets.as_bytes());
    let mut count = 0;
    while let Some(token) = reader.next().expect("a good stream") {
        std::hint::black_box(&token);
        count += 1;
    }
    count
}

/// Inside of a stream, its header read.
fn opened() -> StreamReader {
    let mut reader = StreamReader::new(LIMITS);
    reader.feed(OPEN.as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Token::Open(_)))));
    reader
}

fn login(c: &mut Criterion) {
    c.bench_function("xml: a login, nine pieces", |b| {
        b.iter(|| {
            let mut reader = StreamReader::new(LIMITS);
            let mut count = 0;
            for piece in STRANGER {
                count += read(&mut reader, piece);
            }
            reader.reset();
            for piece in MEMBER {
                count += read(&mut reader, piece);
            }
            assert_eq!(count, STRANGER.len() + MEMBER.len());
        });
    });
}

fn stanzas(c: &mut Criterion) {
    let message = long_message();
    let short = "<message to='bob@office.example/desk' type='chat' id='m8'><body>At four, then.</body></message>";
    let mut group = c.benchmark_group("xml");
    for (name, stanza) in [
        ("presence", PRESENCE),
        ("short message", short),
        ("long message", message.as_str()),
    ] {
        group.throughput(Throughput::Bytes(stanza.len() as u64));
        let mut reader = opened();
        group.bench_function(name, |b| {
            b.iter(|| assert_eq!(read(&mut reader, stanza), 1));
        });
    }
    // As it comes by packets: what is not whole is looked at once more with the next piece.
    group.throughput(Throughput::Bytes(message.len() as u64));
    group.bench_function("long message in pieces of 1,400", |b| {
        b.iter_batched_ref(
            opened,
            |reader| {
                let pieces = message.as_bytes().chunks(1400);
                let whole = pieces.fold(0, |count, piece| {
                    reader.feed(piece);
                    count + usize::from(matches!(reader.next(), Ok(Some(Token::Element(_)))))
                });
                assert_eq!(whole, 1);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, login, stanzas);
criterion_main!(benches);
