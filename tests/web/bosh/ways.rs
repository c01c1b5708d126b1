//! Plain requests are read by a shorter way than others: nobody can tell.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::Instant;

use socket2::{Domain, SockAddr, Socket, Type};

use super::tab::{BOSH, Tab, USUAL, attribute, ended, opening, post, post_with};
use crate::support::{DEADLINE, Server};
use crate::web::wire::{Heard, Wire, get};

/// A POST that goes the long way: its content comes in pieces.
fn in_pieces(headers: &str, content: &str) -> String {
    format!(
        "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\nTransfer-Encoding: chunked\r\n{headers}\r\n\
         {:x}\r\n{content}\r\n0\r\n\r\n",
        content.len()
    )
}

/// The status line and the headers in order, without what hangs on the moment, and the body.
fn said(heard: &Heard) -> (Vec<String>, String) {
    let mut lines: Vec<_> = heard
        .head
        .lines()
        .map(str::to_lowercase)
        .filter(|line| !line.starts_with("date: "))
        .collect();
    lines.sort();
    let body = String::from_utf8_lossy(&heard.body);
    let sid = attribute(&body, "sid").unwrap_or_default();
    let body = match sid.as_str() {
        "" => body.into_owned(),
        sid => body.replace(sid, "SID"),
    };
    (lines, body)
}

#[test]
fn however_a_request_is_read_the_answer_is_the_same() {
    for cors in ["[\"*\"]", "[\"https://www.office.example\"]", "[]"] {
        let server = Server::with(&format!("[http]\ncors = {cors}\n"), &[]);
        let session = opening(7, USUAL);
        let other_type = opening(7, "ver='1.11' content='text/html; charset=utf-8'");
        let nobody = format!("<body xmlns='{BOSH}' rid='5' sid='nobody'/>");
        let nowhere = format!("<body xmlns='{BOSH}' rid='5' ver='1.11'/>");
        let old = format!("<body xmlns='{BOSH}' rid='5' to='elsewhere.example'/>");
        for content in [&*session, &other_type, &nobody, &nowhere, &old, "no XML"] {
            for headers in [
                "",
                "Origin: https://www.office.example\r\n",
                "Origin: https://evil.example\r\nAccept-Encoding: gzip\r\n",
                "Connection: close\r\n",
                "X-Forwarded-For: 192.0.2.1\r\nVia: 1.1 proxy\r\n",
                "X-Real-IP: 192.0.2.1\r\n",
                "User-Agent: Mozilla/5.0\r\nSec-Fetch-Mode: cors\r\nCookie: a=b\r\nConnection: keep-alive\r\n",
            ] {
                let quick = Wire::plain(&server).ask(&post_with(headers, content));
                let slow = Wire::plain(&server).ask(&in_pieces(headers, content));
                let (quick, slow) = (said(&quick), said(&slow));
                // Session ids differ, and their lengths do not.
                assert_eq!(quick, slow, "{cors} {headers} {content}");
            }
        }
    }
}

#[test]
fn a_request_may_come_in_any_pieces() {
    let server = Server::start(&[]);
    let request = post(&opening(7, USUAL));
    let mut wire = Wire::plain(&server);
    for octet in request.as_bytes() {
        wire.octets(&[*octet]);
    }
    assert!(attribute(wire.hear().text(), "sid").is_some());
    // Two, and the beginning of a third.
    let third = post(&opening(9, USUAL));
    let (head, tail) = third.split_at(third.len() - 20);
    wire.send(&(post(&opening(8, USUAL)) + &post("no XML") + head));
    assert!(attribute(wire.hear().text(), "sid").is_some());
    assert_eq!(wire.hear().status, 400);
    wire.send(tail);
    assert!(attribute(wire.hear().text(), "sid").is_some());
}

#[test]
fn a_connection_may_be_used_for_anything_between() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    for round in 0..2 {
        let heard = wire.ask(&post(&opening(7, USUAL)));
        assert!(attribute(heard.text(), "sid").is_some(), "in round {round}");
        let ahead = post("no XML") + &get("/healthz", "");
        wire.send(&ahead);
        assert_eq!(wire.hear().status, 400);
        assert_eq!(wire.hear().text(), "alive\n");
    }
    let (mut wire, chosen) = Wire::tls(&server, &["http/1.1"]);
    assert_eq!(chosen.as_deref(), Some("http/1.1"));
    for _ in 0..2 {
        let heard = wire.ask(&post(&opening(7, USUAL)));
        assert!(attribute(heard.text(), "sid").is_some());
    }
    assert_eq!(wire.ask(&get("/ca.pem", "")).status, 200);
    let heard = wire.ask(&post(&opening(7, USUAL)));
    assert!(attribute(heard.text(), "sid").is_some());
}

/// What a socket does not take at once is written when it does.
#[test]
fn a_large_answer_comes_whole_to_who_reads_slowly() {
    let server = Server::start(&["ann", "bob"]);
    let mut ann = Tab::online(&server, "ann", "tab");
    let mut bob = Tab::online(&server, "bob", "tab");
    let narrow = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    narrow.set_recv_buffer_size(4096).unwrap();
    narrow
        .connect(&SockAddr::from(server.address("http.listen")))
        .unwrap();
    let mut narrow = TcpStream::from(narrow);
    narrow.set_read_timeout(Some(DEADLINE)).unwrap();
    let poll = bob.body("", "");
    std::io::Write::write_all(&mut narrow, post(&poll).as_bytes()).unwrap();
    bob.settle();
    let text = "x".repeat(200_000);
    ann.say(&super::tab::chat(&bob.jid, &text));
    // Read in small pieces, the last of which is there.
    let mut read = Vec::new();
    let mut piece = [0; 1000];
    while !read.ends_with(b"</message></body>") {
        let count = narrow.read(&mut piece).unwrap();
        assert!(count > 0, "the connection ended");
        read.extend_from_slice(&piece[..count]);
    }
    assert!(String::from_utf8(read).unwrap().contains(&text));
    // And the connection goes on.
    let last = bob.body("type='terminate'", "");
    std::io::Write::write_all(&mut narrow, post(&last).as_bytes()).unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"/>") {
        let count = narrow.read(&mut piece).unwrap();
        assert!(count > 0, "the connection ended");
        read.extend_from_slice(&piece[..count]);
    }
}

#[test]
fn over_tls_sessions_are_held_as_well() {
    let server = Server::start(&["ann", "bob"]);
    let connect = || Wire::tls(&server, &["http/1.1"]).0;
    let mut ann = Tab::over(connect, USUAL);
    ann.authenticate("ann");
    ann.bind("tab");
    let mut bob = Tab::online(&server, "bob", "tab");
    let held = ann.ask_over(connect(), "", "<presence xmlns='jabber:client'/>");
    bob.say(&super::tab::chat(&ann.jid, "one"));
    ann.take(held.hear().text());
    ann.message("one");
}

/// Connections that say nothing, or half of something, hold nobody up who stops the server.
#[test]
fn half_a_request_does_not_hold_up_the_end() {
    let mut server = Server::start(&[]);
    let mut begun = Vec::new();
    for half in [
        "",
        "POST /http-bi",
        "POST /http-bind HTTP/1.1\r\nHost:",
        "GET /hea",
    ] {
        let mut wire = Wire::plain(&server);
        wire.send(half);
        let mut used = Wire::plain(&server);
        assert_eq!(used.ask(&get("/healthz", "")).status, 200);
        used.send(half);
        begun.extend([wire, used]);
    }
    let whole = post(&opening(7, USUAL));
    let mut wire = Wire::plain(&server);
    wire.send(&whole[..whole.len() - 5]);
    let started = Instant::now();
    assert!(server.terminate().success());
    assert!(started.elapsed() < DEADLINE / 2);
    assert!(
        !server.log().contains("did not end in time"),
        "{}",
        server.log()
    );
    drop((begun, wire));
}

/// What was sent ahead is answered though its client says nothing more; one that only waits has gone.
#[test]
fn who_ends_his_side_is_answered_what_he_asked_ahead() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::online(&server, "ann", "tab");
    let (first, last) = (tab.body("", ""), tab.body("type='terminate'", ""));
    let mut socket = TcpStream::connect(server.address("http.listen")).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let ahead = post("no XML") + &post(&first) + &post("no XML");
    std::io::Write::write_all(&mut socket, ahead.as_bytes()).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let heard = Wire::plain(&server).ask(&post(&last));
    assert_eq!(heard.status, 200, "{}", heard.text());
    let mut heard = String::new();
    socket.read_to_string(&mut heard).unwrap();
    let statuses: Vec<_> = heard
        .lines()
        .filter_map(|line| line.split("HTTP/1.1 ").nth(1))
        .collect();
    let [one, two, three] = &statuses[..] else {
        panic!("{heard}");
    };
    assert!(one.starts_with("400") && two.starts_with("200") && three.starts_with("400"));
}

/// Who has asked for the end hears it once his session is told, over the same connection as well.
#[test]
fn a_closed_connection_is_closed_behind_the_answer() {
    let server = Server::start(&["ann"]);
    let mut tab = Tab::online(&server, "ann", "tab");
    let last = tab.body("type='terminate'", "");
    let mut wire = Wire::plain(&server);
    let heard = wire.ask(&post_with("Connection: close\r\n", &last));
    assert_eq!(heard.header("connection"), Some("close"));
    wire.ends();
    let again = tab.body("", "");
    ended(&Wire::plain(&server).ask(&post(&again)), "item-not-found");
}
