//! The layer and the bridge with a model that answers at once, driven as the server drives them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bridge::{Action, Answer, Bridge, Config, Credentials, Now, Output};
use bytes::Bytes;
use presence::{
    Bare, Decision, EntityTag, Native, Publication, Source, Utc, View, WatchId, WatchRecord,
};
use sip::digest::{Algorithm, DigestSession, Ha1Set};
use sip::header::Transport;
use sip::transaction::{ClientId, Event, Flow, Layer, ServerId, Transmit};
use sip::{HeaderName, Message, Method, Timestamp, Uri};

use crate::text;

const PASSWORD: &str = "secret";

/// A model that knows everybody.
#[derive(Default)]
struct Model {
    keys: HashMap<String, (Bare, Ha1Set)>,
    tags: usize,
    watches: Vec<WatchRecord>,
    published: Option<Arc<Publication>>,
    version: u64,
}

/// The machines.
pub struct World {
    layer: Layer,
    bridge: Bridge<ServerId>,
    sent: HashMap<ClientId, u64>,
    /// The moment; goes on with every datagram.
    pub now: Now,
    model: Model,
    /// What was sent.
    pub out: Vec<Transmit>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty world.
    pub fn new() -> Self {
        Self::with_pace(Duration::from_secs(1))
    }

    /// One in which watchers are told as often as that.
    pub fn with_pace(pace: Duration) -> Self {
        let mut config = Config::new(vec!["office.example".to_owned()]);
        config.notify_pace = pace;
        let transactions = sip::transaction::Config {
            server: Some("Adsum".to_owned()),
            ..sip::transaction::Config::default()
        };
        Self {
            layer: Layer::new(transactions, [1; 32]),
            bridge: Bridge::new(config, [2; 32], [3; 32]),
            sent: HashMap::new(),
            now: Now {
                at: Timestamp(1_000_000),
                utc: Utc(1_795_000_000_000),
            },
            model: Model::default(),
            out: Vec::new(),
        }
    }

    /// Time passes.
    pub fn pass(&mut self, millis: u64) {
        self.now.at.0 += millis;
        self.now.utc.0 += i64::try_from(millis).unwrap_or(0);
    }

    /// A datagram, and all that follows from it.
    pub fn datagram(&mut self, flow: &Flow, octets: Bytes) {
        self.pass(10);
        self.layer.handle_datagram(self.now.at, flow, &octets);
        self.work();
    }

    /// What all who watch ann may see has changed.
    pub fn changed(&mut self) {
        self.model.version += 1;
        let view = self.model.view();
        let ids: Vec<WatchId> = self.model.watches.iter().map(|w| w.id).collect();
        for id in ids {
            self.bridge
                .handle_view(self.now, id, Decision::Allow, &view);
        }
        self.work();
    }

    /// Ann publishes something else by another way, and all who watch her may see it.
    pub fn renewed(&mut self) {
        let priority = i8::try_from(self.model.version % 100).unwrap_or(0);
        if let Some(published) = &self.model.published {
            let mut publication = (**published).clone();
            publication.document.priority = Some(presence::Priority(priority));
            publication.native = Native::None;
            self.model.published = Some(Arc::new(publication));
        }
        self.changed();
    }

    fn work(&mut self) {
        let now = self.now;
        if self.layer.poll_timeout().is_some_and(|at| at <= now.at) {
            self.layer.handle_timeout(now.at);
        }
        if self.bridge.poll_timeout().is_some_and(|at| at <= now.at) {
            self.bridge.handle_timeout(now);
        }
        loop {
            let mut busy = false;
            while let Some(event) = self.layer.poll_event() {
                busy = true;
                self.event(event);
            }
            while let Some(output) = self.bridge.poll_output() {
                busy = true;
                self.output(output);
            }
            while let Some(transmit) = self.layer.poll_transmit() {
                self.out.push(transmit);
            }
            if !busy {
                return;
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Request { id, request, flow } => {
                self.bridge.handle_request(self.now, id, request, &flow);
            }
            Event::Response { id, response } => {
                if let Some(key) = self.sent.remove(&id) {
                    self.bridge.handle_response(self.now, key, &response);
                }
            }
            Event::Failed { id, why } => {
                if let Some(key) = self.sent.remove(&id) {
                    self.bridge.handle_failure(self.now, key, why);
                }
            }
            Event::Ping { .. } => {}
        }
    }

    fn output(&mut self, output: Output<ServerId>) {
        match output {
            Output::Respond(id, response) => {
                self.layer.respond(self.now.at, id, response);
            }
            Output::RespondStateless(id, response) => self.layer.respond_and_forget(id, response),
            Output::Send { key, request, to } => {
                let sip::dialog::NextHop::Flow(flow) = to else {
                    panic!("phones are at addresses");
                };
                let id = self.layer.request(self.now.at, request, flow);
                self.sent.insert(id, key);
            }
            Output::Act(token, action) => {
                if let Some(answer) = self.model.answer(action) {
                    self.bridge.handle_answer(self.now, token, answer);
                }
            }
        }
    }
}

impl Model {
    fn view(&self) -> Arc<View> {
        Arc::new(View {
            presentity: Bare::from_prepared("ann@office.example"),
            version: self.version,
            publications: self.published.iter().cloned().collect(),
            pidf: OnceLock::new(),
        })
    }

    fn answer(&mut self, action: Action) -> Option<Answer> {
        Some(match action {
            Action::Credentials { user, realm, .. } => {
                let found = self.keys.entry(user).or_insert_with_key(|user| {
                    (
                        Bare::from_prepared(&format!("{user}@{realm}")),
                        Ha1Set::of_password(&[Algorithm::Md5], user, &realm, PASSWORD),
                    )
                });
                Answer::Credentials(Credentials {
                    found: Some(found.clone()),
                    too_many: false,
                })
            }
            Action::Resolve { address } => Answer::Resolved(Bare::parse(&address).ok()),
            Action::Publish { body, device, .. } => {
                self.tags += 1;
                if let Some(body) = body {
                    self.published = Some(Arc::new(Publication {
                        resource: presence::mapping::sip_resource(
                            &device,
                            &Bare::from_prepared("ann@office.example"),
                        ),
                        source: Source::Sip { device },
                        etag: None,
                        expires: None,
                        document: body.document,
                        native: Native::Pidf(body.native),
                        lang: body.lang,
                        changed: Utc(0),
                    }));
                }
                let tag = EntityTag(tag(self.tags).into());
                Answer::Published(Ok((tag, Duration::from_secs(3600))))
            }
            Action::Watch(record) => {
                self.watches.push(record);
                Answer::Seen(Ok((Decision::Allow, self.view())))
            }
            Action::Failed { .. } | Action::Keep { durable: false, .. } => return None,
            Action::Keep { .. } => Answer::Kept(Ok(())),
            Action::Unwatch { id, .. } => {
                self.watches.retain(|w| w.id != id);
                Answer::Seen(Ok((Decision::Allow, self.view())))
            }
            other => panic!("{other:?}"),
        })
    }
}

/// The tag that a publication gets.
pub fn tag(number: usize) -> String {
    format!("entity-tag-{number:08}")
}

/// A phone that has credentials.
pub struct Phone {
    /// Its name.
    pub name: String,
    address: String,
    /// The way to it.
    pub flow: Flow,
    session: DigestSession,
}

impl Phone {
    /// Number `number` of them, which has asked for a challenge.
    pub fn new(world: &mut World, name: &str, number: u8) -> Self {
        let remote = SocketAddr::from(([192, 0, 2, number], 5060));
        let local = SocketAddr::from(([192, 0, 2, 250], 5060));
        let flow = Flow::new(Transport::Udp, local, remote);
        let address = remote.to_string();
        let lines = text::publish_lines(None, None);
        let octets = text::request_of(name, &address, "PUBLISH", 999_999, &lines, &text::body(0));
        world.datagram(&flow, octets);
        let answer = world.out.pop().expect("a challenge");
        let Ok(Message::Response(response)) = sip::parse(&answer.octets) else {
            panic!("an answer");
        };
        let challenge = response.headers.challenges().next();
        let challenge = challenge.expect("one").expect("that can be read");
        let session = DigestSession::new(&challenge, name, PASSWORD).expect("credentials");
        Self {
            name: name.to_owned(),
            address,
            flow,
            session,
        }
    }

    fn authorization(&mut self, method: &Method) -> String {
        let uri = Uri::parse("sip:ann@office.example").expect("a URI");
        self.session.authorize(method, &uri, &[], "c0ffee")
    }

    /// A PUBLISH, of the first or of a following state.
    pub fn publish(&mut self, number: usize, tag: Option<&str>) -> Bytes {
        let authorization = self.authorization(&Method::Publish);
        let lines = text::publish_lines(tag, Some(&authorization));
        text::request_of(
            &self.name,
            &self.address,
            "PUBLISH",
            number,
            &lines,
            &text::body(number),
        )
    }

    /// A SUBSCRIBE to ann, each of another device.
    pub fn subscribe(&mut self, number: usize) -> Bytes {
        let authorization = self.authorization(&Method::Subscribe);
        let lines = format!(
            "Contact: <sip:{}-{number}@{}>\r\nEvent: presence\r\nAccept: application/pidf+xml\r\nExpires: 86400\r\n\
             Authorization: {authorization}\r\n",
            self.name, self.address
        );
        text::request_of(&self.name, &self.address, "SUBSCRIBE", number, &lines, "")
    }
}

/// The answer of a phone to a request that was sent to it.
pub fn ok(request: &Bytes) -> Bytes {
    let Ok(Message::Request(request)) = sip::parse(request) else {
        panic!("a request");
    };
    sip::Response::for_request(&request, 200)
        .with(HeaderName::UserAgent, "Phone/1.0")
        .to_bytes()
}
