//! Much that waits for who is away: it is given in portions, and no end of a connection or of the server loses any of it.

use ::xml::Element;

use crate::support::{Client, Server};

/// So many messages of 20 000 letters are 16 MiB, sixteen times what may wait on a connection.
const STORED: usize = 820;
/// No more of them go into one portion, which is an eighth of what may wait on a connection.
const PORTION: usize = 7;

fn is_message(stanza: &Element) -> bool {
    stanza.name() == "message"
}

fn number(message: &Element) -> usize {
    message.attribute("id").unwrap().parse().unwrap()
}

fn send(from: &mut Client, number: usize, body: &str) {
    from.send(&format!(
        "<message to='bob@office.example' type='chat' id='{number}'><body>{body}</body></message>"
    ));
}

/// A server on which all of them wait for bob.
fn full() -> (Server, Client) {
    let limits = "[limits]\noffline_messages = 2000\noffline_bytes = \"40MiB\"";
    let server = Server::with(limits, &["ann", "bob"]);
    let mut ann = Client::online(&server, "ann", "desk");
    let body = "x".repeat(20_000);
    for number in 0..STORED {
        send(&mut ann, number, &body);
    }
    let refused = ann.settle().into_iter().filter(is_message).count();
    assert_eq!(refused, 0);
    server.wait_for_status("they are stored", |status| status["queues"]["write"] == 0);
    ann.nothing("a refusal", is_message);
    (server, ann)
}

/// Reads so many messages, which must be in order.
fn read(bob: &mut Client, first: usize, end: usize) {
    for expected in first..end {
        assert_eq!(number(&bob.expect("a message", is_message)), expected);
    }
}

/// Bob, who reads slowly: the sockets between hold a few megabytes for him.
fn slow(server: &Server) -> Client {
    let mut bob = Client::login(server, "bob", "slow");
    let socket = socket2::SockRef::from(bob.socket());
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    bob.send("<presence/>");
    bob
}

#[test]
fn who_reads_gets_all_of_it_in_order_and_once() {
    let (server, mut ann) = full();
    let mut bob = Client::login(&server, "bob", "desk");
    bob.send("<presence/>");
    read(&mut bob, 0, 1);
    // What is said meanwhile comes behind it, and another resource gets nothing.
    let mut other = Client::online(&server, "bob", "other");
    send(&mut ann, STORED, "meanwhile");
    ann.settle();
    read(&mut bob, 1, STORED + 1);
    send(&mut ann, STORED + 1, "afterwards");
    read(&mut bob, STORED + 1, STORED + 2);
    bob.nothing("more", is_message);
    other.nothing("what was given to the first", |s| {
        is_message(s) && number(s) <= STORED
    });
    bob.close();
    other.close();
    let mut bob = Client::online(&server, "bob", "desk");
    bob.nothing("it a second time", is_message);
}

#[test]
fn who_breaks_off_in_the_middle_gets_the_rest_at_the_next_login() {
    const READ: usize = 100;
    /// What the sockets may have held for a client that is gone without having read it.
    const HELD: usize = 10 << 20;
    let (server, _ann) = full();
    let mut bob = slow(&server);
    read(&mut bob, 0, READ);
    bob.cut();
    let mut bob = Client::login(&server, "bob", "desk");
    bob.send("<presence/>");
    let first = number(&bob.expect("a message", is_message));
    assert!(first + PORTION >= READ, "{first}");
    assert!(first <= READ + HELD / 20_000, "{first}");
    read(&mut bob, first + 1, STORED);
    bob.nothing("more", is_message);
}

#[test]
fn a_power_cut_in_the_middle_loses_nothing() {
    let (mut server, ann) = full();
    let mut bob = slow(&server);
    read(&mut bob, 0, 100);
    server.kill();
    // What the server had written still comes.
    bob.end();
    let left = bob.left();
    let last = left.iter().filter(|s| is_message(s)).map(number).max();
    let seen = last.map_or(100, |last| last + 1);
    drop((ann, bob));
    server.launch();
    let mut bob = Client::login(&server, "bob", "desk");
    bob.send("<presence/>");
    let first = number(&bob.expect("a message", is_message));
    assert!(first <= seen, "{first} {seen}");
    assert!(first + 2 * PORTION >= seen, "{first} {seen}");
    read(&mut bob, first + 1, STORED);
    bob.nothing("more", is_message);
}
