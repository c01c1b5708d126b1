//! Clients that send faster than the disk takes are read no faster than that: nothing is refused, and nobody else waits for them.

use std::thread;

use xml::Element;

use crate::support::xmpp::befriend;
use crate::support::{Client, Server};

/// `[limits] write_queue`: few, so that the disk is slower than the clients whatever it is.
const LIMITS: &str = "[limits]\nwrite_queue = 32\nout_queue = \"64MiB\"\nresume_bytes = \"64MiB\"\nresume_stanzas = 100000";
const SENDERS: [&str; 3] = ["ann", "bea", "cid"];
const EACH: usize = 10_000;
/// Many more than may wait for the disk, few enough for a busy machine to answer in time.
const AT_ONCE: usize = 100;

fn text(to: &str, from: &str, number: usize) -> String {
    format!(
        "<message to='{to}@office.example' type='chat' id='{from}-{number}'><body>{number}</body></message>"
    )
}

/// Sends everything as fast as it is taken, many at once; what came back.
fn flood(client: &mut Client, name: &str) -> Vec<Element> {
    let mut refused = Vec::new();
    for begin in (0..EACH).step_by(AT_ONCE) {
        let many = (begin..begin + AT_ONCE).map(|number| text("zoe", name, number));
        client.send(&many.collect::<String>());
        let came = client.settle().into_iter();
        refused.extend(came.filter(|s| s.attribute("type").as_deref() == Some("error")));
    }
    refused
}

#[test]
fn whoever_sends_faster_than_the_disk_takes_is_read_more_slowly() {
    let everybody = ["ann", "bea", "cid", "zoe", "pat", "pia"];
    let server = Server::with(LIMITS, &everybody);
    let mut zoe = Client::online(&server, "zoe", "desk");
    let mut pat = Client::online(&server, "pat", "desk");
    let mut pia = Client::online(&server, "pia", "desk");
    befriend(&mut pat, &mut pia);
    thread::scope(|scope| {
        let floods = SENDERS.map(|name| {
            let mut client = Client::online(&server, name, "desk");
            scope.spawn(move || {
                let refused = flood(&mut client, name);
                assert!(
                    refused.is_empty(),
                    "{} of {name}: {:?}",
                    refused.len(),
                    refused[0]
                );
            })
        });
        let mut next = [0; SENDERS.len()];
        let reading = scope.spawn(move || {
            while next.iter().any(|number| *number < EACH) {
                let message = zoe.next("a message");
                if message.name() != "message" {
                    continue;
                }
                let id = message.attribute("id").unwrap();
                let (from, number) = id.split_once('-').unwrap();
                let from = SENDERS.iter().position(|name| *name == from).unwrap();
                // Each comes once, in the order of its sender.
                assert_eq!(number, next[from].to_string());
                next[from] += 1;
            }
        });
        // What others do that needs no disk is done at once, and what needs it is taken as well.
        let mut rounds = 0;
        while !reading.is_finished() {
            rounds += 1;
            let show = ["away", "dnd"][rounds % 2];
            pat.send(&format!("<presence><show>{show}</show></presence>"));
            let of_pat = pat.jid.clone();
            pia.presence(&of_pat, "");
            pat.settle();
            pat.send(&text("pia", "pat", rounds));
            pia.message(&rounds.to_string());
            pia.settle();
        }
        reading.join().unwrap();
        for flood in floods {
            flood.join().unwrap();
        }
        assert!(rounds > 10, "{rounds}");
    });
}
