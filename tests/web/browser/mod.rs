//! In headless Chromium: the libraries that web pages use.
#![expect(clippy::unwrap_used, reason = "tests")]

mod app;
mod board;
mod converse;
mod driver;
mod fall_back;
mod libraries;
mod network;
mod pictures;
mod proxied;

use crate::support::xmpp::befriend;
use crate::support::{Client, Server, quick};
use crate::web::front::code_of_documents;

use driver::Browser;

const ANN: &str = "ann@office.example";
const BOB: &str = "bob@office.example";

/// Ann and bob have each other in their lists, and are not there.
fn befriended(server: &Server) {
    let mut ann = Client::online(server, "ann", "setup");
    let mut bob = Client::online(server, "bob", "setup");
    befriend(&mut ann, &mut bob);
    ann.close();
    bob.close();
}

/// A server, bob, who is there, and a browser for ann, who is in his list as he is in hers. `None` where tests with browsers are left out.
fn scene(server: impl FnOnce() -> Server) -> Option<(Server, Client, Browser)> {
    if quick() {
        return None;
    }
    let server = server();
    befriended(&server);
    let bob = Client::online(&server, "bob", "desk");
    let browser = Browser::start(&server);
    Some((server, bob, browser))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    WebSocket,
    Bosh,
}

/// The lines of the documents for a library, over one of the two.
fn lines(library: &str, over: Over) -> String {
    let lines = code_of_documents(library, "");
    match (over, library) {
        (Over::WebSocket, _) => lines,
        // One address, with the other one beside it.
        (Over::Bosh, "strophe.js") => {
            let (before, rest) = lines.split_once("\"wss:").unwrap();
            let (_, rest) = rest.split_once("// or ").unwrap();
            format!("{before}{rest}")
        }
        // WebSocket where it is named.
        (Over::Bosh, _) => {
            let left = |line: &&str| !line.contains("wss:");
            lines.lines().filter(left).collect::<Vec<_>>().join("\n")
        }
    }
}

fn chat(to: &str, body: &str) -> String {
    format!("<message type='chat' to='{to}'><body>{body}</body></message>")
}

fn is_hers(stanza: &xml::Element, kind: &str) -> bool {
    let from = stanza.attribute("from").unwrap_or_default();
    stanza.name() == "presence"
        && from.starts_with("ann@office.example/")
        && stanza.attribute("type").as_deref().unwrap_or_default() == kind
}
