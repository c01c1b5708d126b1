//! The HTTP below: methods, types, sizes, encodings, what is no body at all.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::tab::{BOSH, Tab, USUAL, attribute, ended, opening, post, post_with};
use crate::support::{Client, Server};
use crate::web::wire::{Wire, get};

#[test]
fn only_post_asks_for_something() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&get("/http-bind", ""));
    assert_eq!(heard.status, 200);
    assert!(
        heard
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(heard.text().contains("BOSH"));
    for method in ["PUT", "DELETE", "PATCH"] {
        let heard = wire.ask(&format!(
            "{method} /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        ));
        assert_eq!(heard.status, 405);
        assert_eq!(heard.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    }
}

#[test]
fn pages_of_other_servers_may_call() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let origin = "Origin: https://elsewhere.example\r\n";
    let heard = wire.ask(&format!(
        "OPTIONS /http-bind HTTP/1.1\r\nHost: x\r\n{origin}Access-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: content-type\r\n\r\n"
    ));
    assert_eq!(heard.status, 204);
    assert_eq!(heard.header("access-control-allow-origin"), Some("*"));
    assert!(
        heard
            .header("access-control-allow-methods")
            .unwrap()
            .contains("POST")
    );
    let headers = heard.header("access-control-allow-headers").unwrap();
    assert!(headers.to_ascii_lowercase().contains("content-type"));
    assert_eq!(heard.header("access-control-allow-credentials"), None);
    let mut wire = Wire::tls(&server, &["http/1.1"]).0;
    let heard = wire.ask(&post_with(origin, &opening(1, USUAL)));
    assert_eq!(heard.header("access-control-allow-origin"), Some("*"));
    assert!(attribute(heard.text(), "sid").is_some());
}

#[test]
fn what_is_no_body_is_refused() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    for content in [
        "",
        "hello",
        "{}",
        "<body",
        "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='office.example'>text</body>",
        "<body xmlns='jabber:client' rid='1' to='office.example'/>",
        "<body rid='1' to='office.example'/>",
        "<stream:stream to='office.example' xmlns:stream='http://etherx.jabber.org/streams'/>",
        "<!DOCTYPE body><body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='office.example'/>",
        "<?pi?><body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='office.example'/>",
        "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'/><body/>",
        "<body xmlns='http://jabber.org/protocol/httpbind' to='office.example'/>",
        "callback({})",
    ] {
        let heard = wire.ask(&post(content));
        assert_eq!(heard.status, 400, "{content}");
        ended(&heard, "bad-request");
    }
}

/// The contents of requests that cannot be read, though they say whose they are.
const BROKEN: [(&str, &str); 6] = [
    ("", "<presence xmlns='jabber:client'>"),
    ("", "<x:presence/>"),
    ("", "<presence xmlns='jabber:client'>&nbsp;</presence>"),
    ("", "text"),
    ("pause='1.5'", ""),
    ("to='a&b'", ""),
];

#[test]
fn a_bad_request_ends_the_session_that_it_names() {
    let server = Server::start(&["ann", "bob"]);
    let mut wire = Wire::plain(&server);
    for (attributes, content) in BROKEN {
        let mut tab = Tab::open(&server, USUAL);
        let heard = tab.ask(attributes, content);
        assert_eq!(heard.status, 200, "{content}");
        ended(&heard, "bad-request");
        ended(&tab.ask("", ""), "item-not-found");
        // A client that gave no version is told by the status, and so is one that names no session.
        let mut legacy = Tab::open(&server, "wait='60' hold='1'");
        let heard = legacy.ask(attributes, content);
        assert_eq!(heard.status, 400, "{content}");
        assert_eq!(legacy.ask("", "").status, 404);
        for (version, status) in [("ver='1.6'", 200), ("", 400)] {
            let unread = opening(1, version)
                .replace("/>", &format!(" wait='x' {attributes}>{content}</body>"));
            let heard = wire.ask(&post(&unread));
            assert_eq!(heard.status, status, "{unread}");
            ended(&heard, "bad-request");
        }
    }
    // Whoever waits hears that it was another request.
    let mut bob = Client::online(&server, "bob", "phone");
    let mut tab = Tab::login(&server, "ann", "tab");
    let held = tab.chat(Wire::plain(&server), &bob.jid, "one");
    bob.message("one");
    let bad = tab.ask_over(Wire::plain(&server), "", "text");
    ended(&bad.hear(), "bad-request");
    ended(&held.hear(), "other-request");
}

#[test]
fn what_cannot_be_read_does_not_harm_the_sessions_of_others() {
    let server = Server::with("[limits]\nhttp_request_time = \"300ms\"", &["ann"]);
    let mut tab = Tab::open(&server, USUAL);
    let mut secret = Tab::over(|| Wire::tls(&server, &["http/1.1"]).0, USUAL);
    let mut wire = Wire::plain(&server);
    let rid = tab.rid + 1;
    let whole = tab.body_of(rid, "", "text");
    for (content, status) in [
        // The ids of its requests are not known, or not within its window.
        (tab.body_of(rid, "", "text").replace(" rid=", " r="), 200),
        (tab.body_of(rid + 9, "", "text"), 200),
        (tab.body_of(1, "", "text"), 200),
        // It is another one's, of the same or of another side.
        (whole.replace(&tab.sid, "nobodys"), 200),
        (whole.replace(&tab.sid, "nobodysl"), 400),
        (secret.body_of(secret.rid + 1, "", "text"), 200),
        // It is no body of BOSH.
        (whole.replace(BOSH, "urn:other"), 400),
        (tab.body_of(rid, "", "").replace(BOSH, "urn:other"), 400),
        (format!("<x>{whole}</x>"), 400),
        (format!("<!DOCTYPE body>{whole}"), 400),
    ] {
        let heard = wire.ask(&post(&content));
        assert_eq!(heard.status, status, "{content}");
        ended(&heard, "bad-request");
    }
    // What is announced as too large is not even read.
    let large = tab.body_of(rid, "", &format!("<x>{}</x>", "y".repeat(600 * 1024)));
    let mut wire = Wire::plain(&server);
    wire.send(&post(&large)[..200]);
    assert_eq!(wire.hear().status, 413);
    let mut wire = Wire::plain(&server);
    wire.send(&post(&tab.body_of(rid, "", ""))[..150]);
    assert_eq!(wire.hear().status, 408);
    tab.authenticate("ann");
    secret.authenticate("ann");
}

#[test]
fn the_type_of_a_request_does_not_matter() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let content = opening(1, USUAL);
    for kind in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/xml\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/json\r\n",
    ] {
        let heard = wire.ask(&format!(
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\n{kind}Content-Length: {}\r\n\r\n{content}",
            content.len()
        ));
        assert!(attribute(heard.text(), "sid").is_some(), "{kind}");
    }
}

#[test]
fn bodies_are_compressed_both_ways() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let content = opening(1, &format!("{USUAL} ack='1'"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(content.as_bytes()).unwrap();
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(content.as_bytes()).unwrap();
    for (coding, octets) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
    ] {
        wire.send(&format!(
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
            octets.len()
        ));
        wire.octets(&octets);
        assert!(attribute(wire.hear().text(), "sid").is_some(), "{coding}");
    }
    // What is inflated to more than a body may be is refused.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&vec![b' '; 4 << 20]).unwrap();
    let bomb = gzip.finish().unwrap();
    wire.send(&format!(
        "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    ));
    wire.octets(&bomb);
    assert_eq!(wire.hear().status, 413);
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&post_with("Content-Encoding: br\r\n", &content));
    assert_eq!(heard.status, 415);
}

#[test]
fn large_answers_are_compressed_for_who_takes_it() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::online(&server, "ann", "tab");
    let jid = tab.jid.clone();
    let text = "again and ".repeat(1000);
    let body = tab.body("", &super::tab::chat(&jid, &text));
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&post_with("Accept-Encoding: gzip, deflate\r\n", &body));
    assert_eq!(heard.header("content-encoding"), Some("gzip"));
    assert!(heard.body.len() < 2000);
    let mut inflated = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(&*heard.body),
        &mut inflated,
    )
    .unwrap();
    assert!(inflated.contains(&text));
    // What is answered again is the same, compressed or not.
    let again = wire.ask(&post(&body));
    assert_eq!(again.text(), inflated);
}

#[test]
fn every_kind_of_http_is_fine() {
    let server = Server::start(&[]);
    let content = opening(1, USUAL);
    let old = format!(
        "POST /http-bind HTTP/1.0\r\nContent-Length: {}\r\n\r\n{content}",
        content.len()
    );
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&old);
    assert!(attribute(heard.text(), "sid").is_some());
    wire.ends();
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&post_with("Connection: close\r\n", &content));
    assert!(attribute(heard.text(), "sid").is_some());
    wire.ends();
    let mut wire = Wire::plain(&server);
    let (head, tail) = content.split_at(20);
    let heard = wire.ask(&format!(
        "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{head}\r\n{:x}\r\n{tail}\r\n0\r\n\r\n",
        head.len(),
        tail.len()
    ));
    assert!(attribute(heard.text(), "sid").is_some());
    // Requests that are sent ahead are answered one after the other.
    let mut tab = Tab::open(&server, "ver='1.11' wait='1' hold='1'");
    let first = tab.body("", "");
    let second = tab.body("type='terminate'", "");
    wire.send(&(post(&first) + &post(&second)));
    assert!(attribute(wire.hear().text(), "type").is_none());
    assert_eq!(
        attribute(wire.hear().text(), "type").as_deref(),
        Some("terminate")
    );
}
