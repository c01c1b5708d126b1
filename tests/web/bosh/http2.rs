//! Over one connection of HTTP/2 with TLS, by the client of Node: requests are streams, and end with theirs.

use serde_json::json;
use xmpp::sasl::{encode_payload, plain_message};

use super::tab::{BOSH, RESTART, USUAL, attribute, chat, elements, opening};
use crate::support::server::password;
use crate::support::xmpp::befriend;
use crate::support::{Client, DOMAIN, Script, Server, quick};

/// Messages to a page that has always asked for them.
const MESSAGES: usize = 200;

/// A page with a session.
struct Page {
    client: Script,
    /// The number of the last stream.
    stream: u64,
    sid: String,
    rid: u64,
    jid: String,
}

impl Page {
    /// A session of an account that is available.
    fn online(server: &Server, user: &str) -> Self {
        let arguments = json!({
            "address": server.address("http.listen_tls"),
            "ca": server.data().join("ca.pem"),
            "domain": DOMAIN,
        });
        let mut page = Self {
            client: Script::start("http2.mjs", &arguments),
            stream: 0,
            sid: String::new(),
            rid: 4_000_000_000,
            jid: format!("{user}@{DOMAIN}/h2"),
        };
        assert_eq!(page.client.event("connected")["protocol"], "h2");
        let first = page.post(&opening(page.rid, USUAL));
        let first = page.answer(first);
        page.sid = attribute(&first, "sid").unwrap_or_else(|| panic!("no session: {first}"));
        let initial = encode_payload(&plain_message(None, user, &password(user)));
        for (attributes, content, expected) in [
            (
                "",
                format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>").as_str(),
                "<success",
            ),
            (RESTART, "", "features"),
            (
                "",
                "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>h2</resource></bind></iq>",
                "ann@office.example/h2",
            ),
            ("", "<presence xmlns='jabber:client'/>", "<presence"),
        ] {
            let body = page.body(attributes, content);
            let asked = page.post(&body);
            let answer = page.answer(asked);
            assert!(answer.contains(expected), "{answer}");
        }
        page
    }

    /// The next request.
    fn body(&mut self, attributes: &str, content: &str) -> String {
        self.rid += 1;
        let (sid, rid) = (&self.sid, self.rid);
        format!("<body xmlns='{BOSH}' sid='{sid}' rid='{rid}' {attributes}>{content}</body>")
    }

    /// Sends one; the number of its stream.
    fn post(&mut self, body: &str) -> u64 {
        self.post_to("/http-bind", body)
    }

    fn post_to(&mut self, path: &str, body: &str) -> u64 {
        self.stream += 1;
        let command = json!({"do": "post", "id": self.stream, "path": path, "body": body});
        self.client.tell(&command);
        self.stream
    }

    /// Sends the next request.
    fn ask(&mut self, content: &str) -> u64 {
        let body = self.body("", content);
        self.post(&body)
    }

    /// The answer on a stream.
    #[track_caller]
    fn answer(&mut self, stream: u64) -> String {
        let heard = self
            .client
            .expect("an answer", |e| e["event"] == "answer" && e["id"] == stream);
        assert_eq!(heard["status"], 200);
        heard["body"].as_str().unwrap().to_owned()
    }

    /// The next answer, whichever it is, with the number of its stream.
    #[track_caller]
    fn next(&mut self) -> (u64, String) {
        let heard = self.client.event("answer");
        assert_eq!(heard["status"], 200);
        let body = heard["body"].as_str().unwrap().to_owned();
        (heard["id"].as_u64().unwrap(), body)
    }

    /// Ends a stream whose answer has not come (`RST_STREAM`).
    #[track_caller]
    fn reset(&mut self, stream: u64) {
        self.client.tell(&json!({"do": "reset", "id": stream}));
        let over = self.client.expect("the end of a stream", |e| {
            e["event"] == "over" && e["id"] == stream
        });
        assert_eq!(over["code"], 8, "CANCEL");
    }

    /// What was sent before this has been read by the server: frames come in order.
    #[track_caller]
    fn settle(&mut self) {
        let stream = self.post_to("/healthz", "");
        let heard = self
            .client
            .expect("an answer", |e| e["event"] == "answer" && e["id"] == stream);
        assert_eq!(heard["status"], 405);
    }

    /// Nothing has happened to the connection.
    #[track_caller]
    fn stands(&mut self) {
        let end = self.client.wait(std::time::Duration::ZERO, |e| {
            ["connected", "goaway", "closed", "error"]
                .map(Into::into)
                .contains(&e["event"])
        });
        assert!(end.is_err(), "{end:?}");
    }
}

/// The messages in a body.
fn texts(body: &str) -> Vec<String> {
    let all = elements(body);
    let texts = all.iter().filter_map(|e| e.child("body", "jabber:client"));
    texts.map(|body| body.text().into_owned()).collect()
}

#[test]
fn answers_come_in_order_while_other_streams_go_on() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Page::online(&server, "ann");
    let held = ann.ask("");
    ann.settle();
    // Another stream answers the one that is held, and is held in its place.
    let other = ann.ask(&chat(&bob.jid, "hello"));
    bob.message("hello");
    assert_eq!(ann.next(), (held, format!("<body xmlns='{BOSH}'/>")));
    let mut under_way = vec![other];
    let sent: Vec<_> = (0..MESSAGES).map(|number| format!("m{number}")).collect();
    for text in &sent {
        bob.send(&chat(&ann.jid, text));
    }
    let mut heard = Vec::new();
    while heard.len() < MESSAGES {
        // What is said meanwhile answers what is held as well.
        under_way.push(ann.ask(&chat(&bob.jid, &format!("after {}", heard.len()))));
        let body = ann.answer(under_way.remove(0));
        heard.extend(texts(&body));
    }
    assert_eq!(heard, sent);
    ann.stands();
}

#[test]
fn a_stream_that_is_reset_loses_nothing() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Page::online(&server, "ann");
    for turn in 0..20 {
        let (question, reply) = (format!("question {turn}"), format!("reply {turn}"));
        let request = ann.body("", &chat(&bob.jid, &question));
        let held = ann.post(&request);
        bob.message(&question);
        // The reply finds no request that waits; or, in every other turn, perhaps one whose end has not been seen.
        ann.reset(held);
        if turn % 2 == 0 {
            ann.settle();
        }
        bob.send(&chat(&ann.jid, &reply));
        bob.settle();
        let again = ann.post(&request);
        let answer = ann.answer(again);
        assert_eq!(texts(&answer), [reply]);
        // Nobody hears the question twice, and the answer is the very same.
        for _ in 0..2 {
            let again = ann.post(&request);
            assert_eq!(ann.answer(again), answer);
        }
        bob.nothing("the question again", |s| s.name() == "message");
    }
    ann.stands();
}

#[test]
fn who_goes_on_without_an_answer_can_have_it_later() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Page::online(&server, "ann");
    let lost = ann.body("", &chat(&bob.jid, "one"));
    let held = ann.post(&lost);
    bob.message("one");
    ann.reset(held);
    ann.settle();
    let next = ann.ask(&chat(&bob.jid, "two"));
    bob.message("two");
    bob.send(&chat(&ann.jid, "three"));
    assert_eq!(texts(&ann.answer(next)), ["three"]);
    let again = ann.post(&lost);
    let answer = ann.answer(again);
    assert_eq!(answer, format!("<body xmlns='{BOSH}'/>"));
    bob.nothing("the first again", |s| s.name() == "message");
    ann.stands();
}

/// A stream that is reset is a connection that is lost: from then on the client is silent, though its connection stands.
#[test]
fn who_is_silent_after_a_reset_is_gone() {
    if quick() {
        return;
    }
    let soon = "[limits]\nbosh_inactivity = \"2s\"";
    let server = Server::with(soon, &["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    befriend(&mut Client::online(&server, "ann", "setup"), &mut bob);
    let mut ann = Page::online(&server, "ann");
    bob.presence(&ann.jid, "");
    let held = ann.ask(&chat(&bob.jid, "hello"));
    bob.message("hello");
    ann.reset(held);
    // The request would have been held for a minute.
    bob.presence(&ann.jid, "unavailable");
    let late = ann.ask("");
    assert_eq!(
        attribute(&ann.answer(late), "condition").as_deref(),
        Some("item-not-found")
    );
    ann.stands();
}

/// Answers of many frames, more of them than fit into the window that the client opens at first.
#[test]
fn long_answers_come_whole() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Client::online(&server, "bob", "phone");
    let mut ann = Page::online(&server, "ann");
    let long = "x".repeat(60_000);
    let mut under_way = vec![ann.ask("")];
    for turn in 0..30 {
        bob.send(&chat(&ann.jid, &format!("{long}{turn}")));
        bob.send(&chat(&ann.jid, "short"));
        let mut heard = Vec::new();
        while heard.len() < 2 {
            under_way.push(ann.ask(&chat(&bob.jid, "meanwhile")));
            let body = ann.answer(under_way.remove(0));
            heard.extend(texts(&body).iter().map(String::len));
        }
        let length = long.len() + turn.to_string().len();
        assert_eq!(heard, [length, "short".len()]);
    }
    ann.stands();
}
