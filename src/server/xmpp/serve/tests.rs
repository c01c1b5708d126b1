//! A stream that is carried by the test itself, on a whole server.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use xmpp::sasl::{encode_payload, plain_message};

use super::*;
use crate::config;
use crate::server::Server;
use crate::server::admin::{self, Wish};

/// The longest that anything takes.
const DEADLINE: Duration = Duration::from_secs(30);
const OPEN: &str =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";
const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

#[derive(Default)]
struct State {
    said: VecDeque<Vec<u8>>,
    is_gone: bool,
    /// What is said to the peer goes on its way.
    has_room: bool,
    delivered: u64,
    heard: VecDeque<String>,
    is_finished: bool,
    wakers: Vec<Waker>,
}

/// A peer in this process.
#[derive(Default)]
struct Peer {
    state: Mutex<State>,
    changed: Notify,
}

impl Carrier for Peer {
    fn poll_element(&self, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut state = self.state.lock();
        match state.said.pop_front() {
            Some(element) => Poll::Ready(Some(element)),
            None if state.is_gone => Poll::Ready(None),
            None => {
                state.wakers.push(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn try_write(&self, elements: &mut Vec<u8>) -> io::Result<()> {
        let mut state = self.state.lock();
        if !state.has_room {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.delivered += elements.len() as u64;
        let all = std::mem::take(elements);
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let element;
            (element, rest) = rest.split_at(xml::first_element(rest));
            state
                .heard
                .push_back(String::from_utf8(element.to_vec()).unwrap());
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.lock();
        if state.has_room {
            return Poll::Ready(Ok(()));
        }
        state.wakers.push(context.waker().clone());
        Poll::Pending
    }

    fn delivered(&self) -> u64 {
        self.state.lock().delivered
    }

    fn poll_delivered(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn finish(&self) {
        self.state.lock().is_finished = true;
        self.changed.notify_one();
    }

    fn peer(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 1).into()
    }
}

impl Peer {
    /// A peer whose stream is served.
    fn of(server: &Server) -> Arc<Self> {
        let peer = Arc::new(Self::default());
        peer.change(|state| state.has_room = true);
        let way = Way {
            confidential: true,
            elsewhere: None,
        };
        let carrier = Arc::clone(&peer) as Arc<dyn Carrier>;
        let shared = Arc::clone(server.shared());
        tokio::spawn(serve_carried(shared, carrier, way));
        peer
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn say(&self, element: &str) -> &Self {
        self.change(|state| state.said.push_back(element.into()));
        self
    }

    async fn wait<T>(&self, what: &str, look: impl Fn(&mut State) -> Option<T>) -> T {
        let found = async {
            loop {
                let changed = self.changed.notified();
                if let Some(found) = look(&mut self.state.lock()) {
                    return found;
                }
                changed.await;
            }
        };
        let found = tokio::time::timeout(DEADLINE, found).await;
        found.unwrap_or_else(|_| panic!("{what}: {:?}", self.state.lock().heard))
    }

    /// The first element that holds this text, and away with those before it.
    async fn hear(&self, text: &str) -> String {
        self.wait(text, |state| {
            loop {
                let element = state.heard.pop_front()?;
                if element.contains(text) {
                    return Some(element);
                }
            }
        })
        .await
    }

    async fn log_in(&self, user: &str) {
        self.say(OPEN).hear("<open ").await;
        let features = self.hear("<stream:features ").await;
        assert!(features.contains("xmlns:stream=") && !features.contains("starttls"));
        let initial = encode_payload(&plain_message(None, user, "secret"));
        self.say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>"
        ));
        self.hear("<success ").await;
        self.say(OPEN).hear("<stream:features ").await;
    }

    async fn bind(&self) {
        self.say(
            "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>",
        );
        let bound = self.hear("<jid>").await;
        assert!(bound.starts_with("<iq xmlns='jabber:client' "), "{bound}");
    }

    fn send(&self, to: &str, body: &str) {
        self.say(&format!(
            "<message xmlns='jabber:client' to='{to}@localhost' type='chat'><body>{body}</body></message>"
        ));
    }

    async fn get(&self, body: &str) {
        let message = self.hear(body).await;
        assert!(
            message.starts_with("<message xmlns='jabber:client' "),
            "{message}"
        );
    }
}

async fn server(folder: &std::path::Path) -> Server {
    let mut config = config::defaults();
    folder.clone_into(&mut config.data);
    (config.xmpp.client, config.xmpp.client_tls) = (Vec::new(), Vec::new());
    (config.http.listen, config.http.listen_tls) = (Vec::new(), Vec::new());
    (config.sip.udp, config.sip.tcp, config.sip.tls) = (Vec::new(), Vec::new(), Vec::new());
    config.xmpp.scram_iterations = 4096;
    let server = Server::start(config).unwrap();
    for user in ["ann", "bob"] {
        let wish = Wish::UserAdd {
            jid: format!("{user}@localhost"),
            password: "secret".to_owned(),
            admin: false,
        };
        let folder = server.shared().folder.clone();
        let done = tokio::task::spawn_blocking(move || admin::ask(&folder, &wish)).await;
        assert!(matches!(done.unwrap(), Some(Ok(admin::Outcome::Done(_)))));
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_carried() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let (ann, bob) = (Peer::of(&server), Peer::of(&server));
    for (peer, user) in [(&ann, "ann"), (&bob, "bob")] {
        peer.log_in(user).await;
        peer.bind().await;
        peer.say("<presence xmlns='jabber:client'/>")
            .hear("<presence ")
            .await;
    }
    ann.send("bob", "one");
    bob.get("one").await;
    // What cannot go on its way waits, in order.
    bob.change(|state| state.has_room = false);
    for body in ["two", "three"] {
        ann.send("bob", body);
    }
    ann.send("ann", "echo");
    ann.get("echo").await;
    assert!(bob.state.lock().heard.is_empty());
    bob.change(|state| state.has_room = true);
    bob.get("two").await;
    bob.get("three").await;
    // The end of either side.
    bob.say(CLOSE).hear("<close ").await;
    bob.wait("its end", |state| state.is_finished.then_some(()))
        .await;
    ann.change(|state| state.is_gone = true);
    ann.wait("its end", |state| state.is_finished.then_some(()))
        .await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carried_stream_goes_on_with_another_carrier() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let (ann, bob) = (Peer::of(&server), Peer::of(&server));
    ann.log_in("ann").await;
    ann.bind().await;
    bob.log_in("bob").await;
    bob.bind().await;
    bob.say("<presence xmlns='jabber:client'/>")
        .hear("<presence ")
        .await;
    bob.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    let enabled = bob.hear("<enabled ").await;
    let id = enabled
        .split("id='")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap()
        .to_owned();
    ann.send("bob", "one");
    bob.get("one").await;
    bob.change(|state| state.is_gone = true);
    ann.send("bob", "two");
    let again = Peer::of(&server);
    again.log_in("bob").await;
    again.say(&format!(
        "<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"
    ));
    again.hear("<resumed ").await;
    again.get("one").await;
    again.get("two").await;
    again.send("ann", "back");
    server.stop().await.unwrap();
    // The end of the server is told.
    again.hear("<system-shutdown ").await;
    again.hear("<close ").await;
}
