//! Stream errors of RFC 6120 §4.9: the condition, and the stream closed in order.

use std::io::Write as _;

use crate::support::{Client, Server};

const STREAM: &str = "http://etherx.jabber.org/streams";

#[test]
fn bad_headers() {
    let server = Server::start(&[]);
    let good = "to='office.example' version='1.0'";
    let cases = [
        (
            format!(
                "<stream:stream xmlns='jabber:client' xmlns:stream='http://wrong.example/' {good}>"
            ),
            "invalid-namespace",
        ),
        (
            format!("<stream:stream xmlns='jabber:server' xmlns:stream='{STREAM}' {good}>"),
            "invalid-namespace",
        ),
        (
            format!("<s:stream xmlns='jabber:client' xmlns:s='{STREAM}' {good}>"),
            "bad-namespace-prefix",
        ),
        (
            format!("<stream:flow xmlns='jabber:client' xmlns:stream='{STREAM}' {good}>"),
            "bad-format",
        ),
        (
            format!(
                "<stream:stream xmlns='jabber:client' xmlns:stream='{STREAM}' to='office.example'>"
            ),
            "unsupported-version",
        ),
        (
            format!(
                "<stream:stream xmlns='jabber:client' xmlns:stream='{STREAM}' to='other.example' version='1.0'>"
            ),
            "host-unknown",
        ),
        (
            format!(
                "<stream:stream xmlns='jabber:client' xmlns:stream='{STREAM}' to='' version='1.0'>"
            ),
            "improper-addressing",
        ),
        (
            "GET / HTTP/1.1\r\nHost: office.example\r\n\r\n".to_owned(),
            "not-well-formed",
        ),
        (
            format!(
                "<?xml version='1.0' encoding='UTF-16'?><stream:stream xmlns='jabber:client' xmlns:stream='{STREAM}' {good}>"
            ),
            "unsupported-encoding",
        ),
        (
            format!(
                "<!DOCTYPE stream><stream:stream xmlns='jabber:client' xmlns:stream='{STREAM}' {good}>"
            ),
            "restricted-xml",
        ),
    ];
    for (header, condition) in cases {
        let mut client = Client::connect(&server);
        client.send(&header);
        client.opened();
        client.ends_with(condition);
    }
}

#[test]
fn bad_octets_on_a_bound_stream() {
    let server = Server::start(&["ann"]);
    for (text, condition) in [
        ("<message><body></message></body>", "not-well-formed"),
        ("<!-- hidden -->", "restricted-xml"),
        ("<?php echo ?>", "restricted-xml"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>", "restricted-xml"),
        (
            "<message><body>&unknown;</body></message>",
            "restricted-xml",
        ),
        ("<message><x:body/></message>", "not-well-formed"),
        ("<unknown/>", "unsupported-stanza-type"),
        ("<message xmlns='jabber:server'/>", "invalid-namespace"),
        (
            "<message from='bob@office.example' to='ann@office.example'/>",
            "invalid-from",
        ),
        ("words", "bad-format"),
    ] {
        let mut ann = Client::online(&server, "ann", "desk");
        ann.send(text);
        let end = ann.end();
        assert_eq!(end.error.as_deref(), Some(condition), "{text}");
        assert!(end.closed, "{text}");
    }
    let mut ann = Client::online(&server, "ann", "desk");
    ann.octets(b"<message to='ann@office.example'><body>\xff\xfe</body></message>");
    let end = ann.end();
    assert_eq!(end.error.as_deref(), Some("unsupported-encoding"));
}

#[test]
fn pieces_of_one_octet() {
    let server = Server::start(&["ann"]);
    let mut ann = Client::online(&server, "ann", "desk");
    for octet in "<message to='ann@office.example/desk' type='chat'><body>l\u{f6}wchen &amp; co</body></message>".bytes() {
        ann.octets(&[octet]);
    }
    ann.message("l\u{f6}wchen & co");
    ann.close();
}

#[test]
fn both_ends_close_the_stream() {
    let server = Server::start(&["ann"]);
    Client::online(&server, "ann", "desk").close();
    let mut fresh = Client::connect(&server);
    fresh.open();
    fresh.close();
    // Only the sending side is shut: the server still says goodbye.
    let mut half = Client::connect(&server);
    half.open();
    let mut socket = half.socket();
    socket.flush().unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(half.end().closed);
}
