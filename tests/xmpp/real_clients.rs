//! Clients that people use: slixmpp and Profanity.

use std::path::Path;

use serde_json::{Value, json};

use super::profanity;
use crate::support::{Script, Server, quick};

fn arguments(server: &Server, user: &str, more: &Value) -> Value {
    let address = server.address("xmpp.client");
    let mut arguments = json!({
        "jid": format!("{user}@office.example/slix"),
        "password": format!("{user}-secret"),
        "host": address.ip().to_string(),
        "port": address.port(),
        "ca": server.data().join("ca.pem"),
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        arguments[key] = value.clone();
    }
    arguments
}

pub(super) fn slix(server: &Server, user: &str, more: &Value) -> Script {
    Script::start("slix.py", &arguments(server, user, more))
}

/// Presence of a type from an address.
pub(super) fn seen(event: &Value, sender: &str, kind: &str) -> bool {
    event["event"] == "presence" && event["sender"] == sender && event["type"] == kind
}

#[test]
fn two_of_slixmpp_meet() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let mut ann = slix(&server, "ann", &json!({}));
    ann.event("online");
    // Left for who is away.
    ann.tell(&json!({"do": "send", "to": "bob@office.example", "body": "for later"}));
    ann.tell(&json!({"do": "ask", "to": "office.example"}));
    let answers = ann.event("answers");
    assert_eq!(answers["name"], "Adsum");
    assert_eq!(answers["ping"], true);
    let features = answers["features"].as_array().unwrap();
    assert!(features.contains(&json!("urn:xmpp:ping")), "{answers}");

    let direct = server.address("xmpp.client_tls").port();
    let mut bob = slix(&server, "bob", &json!({ "direct": true, "port": direct }));
    bob.event("online");
    let kept = bob.event("message");
    assert_eq!(kept["body"], "for later");
    assert!(kept["delay"].is_string(), "{kept}");

    ann.tell(&json!({"do": "roster", "jid": "bob@office.example", "name": "Bob"}));
    ann.event("done");
    // Each lets the other in and asks back, as slixmpp does by itself.
    ann.tell(&json!({"do": "subscribe", "to": "bob@office.example"}));
    ann.expect("bob", |e| seen(e, "bob@office.example/slix", "available"));
    bob.expect("ann", |e| seen(e, "ann@office.example/slix", "available"));
    bob.tell(&json!({"do": "presence", "show": "dnd", "status": "busy"}));
    let busy = ann.expect("bob is busy", |e| seen(e, "bob@office.example/slix", "dnd"));
    assert_eq!(busy["status"], "busy");
    bob.tell(&json!({"do": "send", "to": "ann@office.example", "body": "hello"}));
    let hello = ann.event("message");
    assert_eq!(hello["body"], "hello");
    assert_eq!(hello["sender"], "bob@office.example/slix");
    bob.tell(&json!({"do": "end"}));
    ann.expect("bob is gone", |e| {
        seen(e, "bob@office.example/slix", "unavailable")
    });
}

#[test]
fn slixmpp_gets_copies() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let lap = json!({"jid": "ann@office.example/lap"});
    let (mut desk, mut lap) = (slix(&server, "ann", &json!({})), slix(&server, "ann", &lap));
    let mut bob = slix(&server, "bob", &json!({}));
    for client in [&mut desk, &mut lap, &mut bob] {
        client.event("online");
    }
    lap.tell(&json!({"do": "carbons"}));
    lap.event("done");
    desk.tell(&json!({"do": "send", "to": "bob@office.example/slix", "body": "hello"}));
    assert_eq!(bob.event("message")["body"], "hello");
    let copy = lap.event("copy");
    assert_eq!(
        (&copy["kind"], &copy["body"]),
        (&json!("sent"), &json!("hello"))
    );
    assert_eq!(copy["to"], "bob@office.example/slix");
    bob.tell(&json!({"do": "send", "to": "ann@office.example/slix", "body": "hello too"}));
    let copy = lap.event("copy");
    assert_eq!(
        (&copy["kind"], &copy["body"]),
        (&json!("received"), &json!("hello too"))
    );
    assert_eq!(copy["sender"], "bob@office.example/slix");
    assert_eq!(desk.event("message")["body"], "hello too");
}

#[test]
fn slixmpp_reads_the_archive_in_pages() {
    if quick() {
        return;
    }
    let mut server = Server::start(&["ann", "bob", "eve"]);
    let mut ann = slix(&server, "ann", &json!({}));
    ann.event("online");
    let texts: Vec<String> = (0..7).map(|n| format!("message {n}")).collect();
    for text in &texts {
        ann.tell(&json!({"do": "send", "to": "bob@office.example", "body": text}));
    }
    ann.tell(&json!({"do": "send", "to": "eve@office.example", "body": "to another"}));
    // Another of hers, which was not there, and after the end of the server.
    for _ in 0..2 {
        let mut lap = slix(&server, "ann", &json!({"jid": "ann@office.example/lap"}));
        lap.event("online");
        let with = json!({"do": "archive", "max": 3, "with": "bob@office.example"});
        lap.tell(&with);
        let archive = lap.event("archive");
        assert_eq!(archive["bodies"], json!(texts));
        assert_eq!(archive["default"], "always");
        assert_eq!(archive["first"].as_str().unwrap().len(), 16);
        lap.tell(&json!({"do": "archive", "max": 3}));
        assert_eq!(lap.event("archive")["bodies"].as_array().unwrap().len(), 8);
        server.kill();
        server.launch();
    }
}

/// Ann and bob, who see each other and connect again whenever they are cut off.
fn friends_that_come_back() -> (Server, Script, Script) {
    let server = Server::start(&["ann", "bob"]);
    let back = json!({ "reconnect": true });
    let mut ann = slix(&server, "ann", &back);
    let mut bob = slix(&server, "bob", &back);
    ann.event("online");
    bob.event("online");
    ann.tell(&json!({"do": "subscribe", "to": "bob@office.example"}));
    ann.expect("bob", |e| seen(e, "bob@office.example/slix", "available"));
    bob.expect("ann", |e| seen(e, "ann@office.example/slix", "available"));
    (server, ann, bob)
}

#[test]
fn slixmpp_blocks_and_unblocks() {
    if quick() {
        return;
    }
    let (mut server, mut ann, mut bob) = friends_that_come_back();
    bob.tell(&json!({"do": "block", "jid": "ann@office.example"}));
    assert_eq!(bob.event("blocked")["jids"], json!(["ann@office.example"]));
    ann.expect("bob is gone", |e| {
        seen(e, "bob@office.example/slix", "unavailable")
    });
    let write = json!({"do": "send", "to": "bob@office.example", "body": "do you hear me?"});
    ann.tell(&write);
    let error = ann.event("message_error");
    assert_eq!(error["condition"], "service-unavailable");
    // It is still so after a crash.
    server.kill();
    server.launch();
    ann.event("online");
    bob.event("online");
    ann.tell(&write);
    let error = ann.event("message_error");
    assert_eq!(error["condition"], "service-unavailable");
    bob.tell(&json!({"do": "unblock", "jid": "ann@office.example"}));
    assert_eq!(bob.event("blocked")["jids"], json!([]));
    ann.expect("bob is back", |e| {
        seen(e, "bob@office.example/slix", "available")
    });
    ann.tell(&write);
    assert_eq!(bob.event("message")["body"], "do you hear me?");
}

#[test]
fn slixmpp_goes_on_after_its_socket_is_cut() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let managed = json!({ "managed": true, "reconnect": true });
    let mut ann = slix(&server, "ann", &managed);
    let mut bob = slix(&server, "bob", &json!({}));
    ann.event("managed");
    bob.event("online");
    bob.tell(&json!({"do": "subscribe", "to": "ann@office.example"}));
    bob.expect("ann", |e| seen(e, "ann@office.example/slix", "available"));
    for round in 0..3 {
        ann.tell(&json!({"do": "cut"}));
        server.wait_for_status("it is known to be lost", |status| {
            status["connections"]["waiting"] == 1
        });
        for part in ["one", "two"] {
            let body = format!("{part} of {round}");
            bob.tell(&json!({"do": "send", "to": "ann@office.example", "body": body}));
        }
        ann.event("resumed");
        for part in ["one", "two"] {
            let message = ann.event("message");
            assert_eq!(message["body"], format!("{part} of {round}"));
        }
        let body = format!("back in {round}");
        ann.tell(&json!({"do": "send", "to": "bob@office.example", "body": body}));
        assert_eq!(bob.event("message")["body"], body);
    }
    ann.tell(&json!({"do": "end"}));
    bob.expect("ann is gone", |e| {
        seen(e, "ann@office.example/slix", "unavailable")
    });
}

#[test]
fn slixmpp_comes_back_after_kill_9() {
    if quick() {
        return;
    }
    let (mut server, mut ann, mut bob) = friends_that_come_back();
    server.kill();
    ann.event("disconnected");
    bob.event("disconnected");
    server.launch();
    ann.event("online");
    bob.event("online");
    ann.expect("bob again", |e| {
        seen(e, "bob@office.example/slix", "available")
    });
    bob.expect("ann again", |e| {
        seen(e, "ann@office.example/slix", "available")
    });
    ann.tell(&json!({"do": "send", "to": "bob@office.example", "body": "still there?"}));
    assert_eq!(bob.event("message")["body"], "still there?");
}

#[test]
fn profanity_and_slixmpp() {
    if quick() {
        return;
    }
    let server = Server::start(&["ann", "bob"]);
    let mut bob = slix(&server, "bob", &json!({}));
    bob.event("online");

    let mut screen = profanity::logged_in(&server, "ann", "ann", &[]);
    screen.line("/roster add bob@office.example Bob");
    screen.line("/sub request bob@office.example");
    // Bob lets her in and asks back.
    screen.wait_for("Received authorization request from bob@office.example");
    screen.line("/sub allow bob@office.example");
    bob.expect("ann", |e| {
        e["event"] == "presence"
            && e["type"] == "available"
            && e["sender"]
                .as_str()
                .is_some_and(|s| s.starts_with("ann@office.example/"))
    });
    screen.line("/presence room all");
    screen.line("/presence chat all");
    screen.line("/msg bob@office.example hello from profanity");
    let hello = bob.event("message");
    assert_eq!(hello["body"], "hello from profanity");
    bob.tell(&json!({"do": "presence", "show": "away", "status": "at lunch"}));
    screen.wait_for("at lunch");
    bob.tell(&json!({"do": "send", "to": "ann@office.example", "body": "hello from slixmpp"}));
    screen.wait_for("hello from slixmpp");
    screen.line("/away gone out");
    bob.expect("ann is away", |e| e["type"] == "away");
    screen.line("/quit");
    bob.expect("ann is gone", |e| {
        e["event"] == "presence" && e["type"] == "unavailable"
    });
}

/// xmpp.js logs in with one message, gets a token, and needs no password after that.
#[test]
fn xmpp_js_with_a_token() {
    if quick() {
        return;
    }
    let mut server = Server::start(&["ann", "bob"]);
    let start = |server: &Server, password: &str, token: &Value| {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/js/node_modules");
        let more = json!({
            "domain": "office.example", "username": "ann", "password": password, "modules": modules,
            "id": "5d0f8c9e-4b1a-4c53-9d1e-0a1b2c3d4e5f", "token": token, "reconnect": true,
        });
        Script::start("xmppjs.mjs", &arguments(server, "ann", &more))
    };
    let mut bob = slix(&server, "bob", &json!({}));
    bob.event("online");
    let mut first = start(&server, "ann-secret", &Value::Null);
    let success = first.event("success");
    assert_eq!(success["namespace"], "urn:xmpp:sasl:2", "{success}");
    let token = first.event("token")["token"].clone();
    assert_eq!(token["mechanism"], "HT-SHA-256-NONE");
    let jid = first.event("online")["jid"].clone();
    assert!(
        jid.as_str()
            .unwrap()
            .starts_with("ann@office.example/xmppjs/"),
        "{jid}"
    );
    bob.tell(&json!({"do": "send", "to": jid, "body": "to the first"}));
    assert_eq!(first.event("message")["body"], "to the first");
    drop(first);

    // The password is never looked at, and the address is the same.
    server.kill();
    server.launch();
    let mut second = start(&server, "not the password", &token);
    let chosen = second.event("mechanism");
    assert_eq!(chosen["mechanism"], "HT-SHA-256-NONE");
    assert_eq!(second.event("online")["jid"], jid);
    second.tell(&json!({"do": "send", "to": jid, "body": "to itself"}));
    assert_eq!(second.event("message")["body"], "to itself");

    // A connection that breaks is made again, and the stream goes on with the login.
    second.tell(&json!({"do": "cut"}));
    second.event("disconnected");
    let back = second.event("resumed");
    assert_eq!(back["jid"], jid);
    second.tell(&json!({"do": "send", "to": jid, "body": "still there?"}));
    second.expect("the message", |e| e["body"] == "still there?");

    // It falls back to the password by itself, and gets another token.
    let change = ["user", "password", "ann@office.example", "--password-stdin"];
    assert!(
        server
            .run_with_input(&change, "another one\n")
            .status
            .success()
    );
    let mut third = start(&server, "another one", &token);
    third.event("token-refused");
    assert_ne!(third.event("token")["token"], token);
    assert_eq!(third.event("online")["jid"], jid);
}

#[test]
fn a_component_of_slixmpp() {
    if quick() {
        return;
    }
    let extra = "[xmpp]\ncomponents = [\"127.0.0.1:0\"]\ncomponent_secrets = { \"bots.office.example\" = \"hush\" }";
    let server = Server::with(extra, &["ann"]);
    let address = server.address("xmpp.components");
    let arguments = json!({
        "domain": "bots.office.example",
        "secret": "hush",
        "host": address.ip().to_string(),
        "port": address.port(),
    });
    let mut component = Script::start("component.py", &arguments);
    component.event("joined");
    let mut ann = slix(&server, "ann", &json!({}));
    ann.event("online");
    ann.tell(&json!({"do": "send", "to": "echo@bots.office.example", "body": "hello"}));
    let heard = component.event("message");
    assert_eq!(heard["sender"], "ann@office.example/slix");
    assert_eq!(ann.event("message")["body"], "HELLO");
    ann.tell(&json!({"do": "subscribe", "to": "echo@bots.office.example"}));
    component.event("asked");
    ann.expect("its presence", |e| {
        seen(e, "echo@bots.office.example/py", "available")
    });
    drop(component);
    ann.expect("its end", |e| {
        seen(e, "echo@bots.office.example/py", "unavailable")
    });
}
