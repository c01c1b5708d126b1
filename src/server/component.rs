//! Connections of external components (XEP-0114): one task each, which reads; writing is done by whoever has something to write.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::{Event, Route};
use presence::{Refusal, Timestamp};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::watch;
use xmpp::component::{Component, Output, Settings, for_component};
use xmpp::{Now, StreamCondition};

use super::accept::Counting;
use super::link::{Link, read};
use super::shared::{Secrets, Shared};
use super::turn::{begin, turn, yielding_turn};
use crate::wiring;

/// How long a peer has to take what is written at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The model's way to a component: events printed into its link's queue.
struct ComponentRoute {
    link: Arc<Link>,
}

impl Route for ComponentRoute {
    fn deliver(&self, event: &Event<'_>) {
        let mut stanza = Vec::new();
        // Nothing that is for a component is a request of ours.
        wiring::xmpp::print(&mut stanza, event, String::new);
        if !stanza.is_empty() {
            let stanza = for_component(stanza);
            self.link.append(|out| out.extend_from_slice(&stanza));
        }
    }

    fn closed(&self) -> bool {
        self.link.is_closed()
    }
}

struct Connection {
    shared: Arc<Shared>,
    link: Arc<Link>,
    route: Arc<dyn Route>,
    component: Component,
    joined: Option<String>,
    /// The secrets that it could prove itself by, and those that count.
    proven: Secrets,
    secrets: watch::Receiver<Secrets>,
    closing: Option<Timestamp>,
    /// The disk does not keep up: nothing more is taken until it does.
    waits: Arc<AtomicBool>,
}

/// Serves one accepted connection until it ends.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    socket: TcpStream,
    peer: SocketAddr,
    _counting: Counting,
) {
    let limits = &shared.config.limits;
    let (link, mut reader) = Link::new(socket, peer, limits.out_queue);
    let mut secrets = shared.component_secrets.subscribe();
    let proven = Arc::clone(&secrets.borrow_and_update());
    let settings = Settings {
        service: Arc::clone(&shared.xmpp.service),
        secrets: Arc::clone(&proven),
        limits: xml::Limits {
            max_bytes: limits.stanza_size,
            max_depth: limits.stanza_depth,
            ..xml::Limits::generous()
        },
        deadline: shared.now().at.plus(limits.unauthenticated_time),
    };
    let id = format!("{:032x}", rand::random::<u128>());
    let route = Arc::new(ComponentRoute {
        link: Arc::clone(&link),
    });
    let mut connection = Connection {
        component: Component::new(settings, id),
        route,
        link,
        shared,
        joined: None,
        proven,
        secrets,
        closing: None,
        waits: Arc::default(),
    };
    connection.run(&mut reader).await;
    turn(|| connection.leave());
    connection.link.finish();
}

impl Connection {
    async fn run(&mut self, socket: &mut OwnedReadHalf) {
        let stopping = Arc::clone(&self.shared);
        // It hears last of those who leave.
        let stop = stopping.sip_stopped();
        tokio::pin!(stop);
        let mut stopped = false;
        let link = Arc::clone(&self.link);
        let mut secrets = self.secrets.clone();
        loop {
            let due = tokio::time::sleep_until(self.due());
            let (blocked, takes) = (link.is_blocked(), self.closing.is_none() && !self.waits());
            tokio::select! {
                taken = read(socket, |octets| begin(|| self.received(octets))), if takes => {
                    if !taken.is_ok_and(|more| more) { return }
                }
                () = link.wake.notified() => {}
                ready = link.writable(), if blocked => {
                    if ready.is_err() { return }
                    link.flush();
                }
                () = due => {}
                changed = secrets.changed() => {
                    if changed.is_err() { return }
                    self.look_at_secrets();
                }
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.component.end(StreamCondition::SystemShutdown, None);
                }
            }
            yielding_turn(|| {
                let now = self.now();
                self.component.handle_timeout(now);
                self.drain();
            })
            .await;
            let given_up = self.closing.is_some_and(|at| at <= self.now().at);
            let written = self.closing.is_some() && !link.is_blocked();
            if link.broken().is_some() || given_up || written {
                return;
            }
        }
    }

    fn now(&self) -> Now {
        let now = self.shared.now();
        Now {
            at: now.at,
            utc: now.utc,
        }
    }

    fn due(&self) -> tokio::time::Instant {
        let dues = [self.component.poll_timeout(), self.closing];
        let due = dues.into_iter().flatten().min();
        let clock = self.shared.clock;
        clock.instant(due.unwrap_or(Timestamp(u64::MAX)))
    }

    /// Takes what was read. False at the end of the stream.
    fn received(&mut self, octets: &[u8]) -> bool {
        let now = self.now();
        self.component.handle_bytes(now, octets);
        self.drain();
        !octets.is_empty()
    }

    fn drain(&mut self) {
        while !self.waits()
            && let Some(output) = self.component.poll_output()
        {
            match output {
                Output::Send(octets) => {
                    let octets = for_component(octets);
                    self.link.append_last(|out| out.extend_from_slice(&octets));
                }
                Output::Join(domain) => self.join(domain),
                Output::Act { from, action } => {
                    let link = Arc::clone(&self.link);
                    wiring::component::act(&self.shared.model, &from, *action, move |octets| {
                        let octets = for_component(octets);
                        link.append(|out| out.extend_from_slice(&octets));
                    });
                    self.keep_pace();
                }
                Output::Close => {
                    self.leave();
                    let end = self.now().at.plus(LAST_WORDS);
                    self.closing.get_or_insert(end);
                }
            }
        }
    }

    /// What it has proven itself by may not count any more.
    fn look_at_secrets(&mut self) {
        let Some(domain) = &self.joined else { return };
        if !self.is_trusted(domain) {
            tracing::warn!(%domain, "the secret of a component is another one or gone: its connection is closed");
            let text = "the secret of this component was changed";
            self.component
                .end(StreamCondition::NotAuthorized, Some(text));
        }
    }

    fn is_trusted(&self, domain: &str) -> bool {
        let secrets = self.secrets.borrow();
        secrets.get(domain).is_some() && secrets.get(domain) == self.proven.get(domain)
    }

    fn waits(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }

    /// What comes next waits when the disk does not keep up.
    fn keep_pace(&self) {
        let store = self.shared.model.store();
        if store.is_pressed() {
            let (waits, link) = (Arc::clone(&self.waits), Arc::clone(&self.link));
            waits.store(true, Ordering::Release);
            store.when_eased(Box::new(move || {
                waits.store(false, Ordering::Release);
                link.wake.notify_one();
            }));
        }
    }

    fn join(&mut self, domain: String) {
        // The answer to the handshake comes before what waits for the domain.
        let now = self.now();
        if !self.is_trusted(&domain) {
            self.component.end(StreamCondition::NotAuthorized, None);
            return;
        }
        if self.shared.model.attached().contains(&domain) {
            self.refuse(&domain);
            return;
        }
        self.component.joined(now);
        self.write_first();
        match self.shared.model.attach(&domain, &self.route) {
            Ok(()) => {
                tracing::info!(%domain, peer = %self.link.peer(), "a component is connected");
                self.joined = Some(domain);
            }
            Err(Refusal::Conflict) => self.refuse(&domain),
            Err(refusal) => {
                tracing::warn!(%domain, %refusal, "a component could not be connected");
                self.component.end(StreamCondition::HostUnknown, None);
            }
        }
    }

    fn refuse(&mut self, domain: &str) {
        tracing::warn!(%domain, peer = %self.link.peer(), "a second component of this domain was refused");
        let text = "another component speaks for this domain";
        self.component.end(StreamCondition::Conflict, Some(text));
    }

    /// Puts what is there into the queue, before anything that comes from elsewhere.
    fn write_first(&mut self) {
        if let Some(Output::Send(octets)) = self.component.poll_output() {
            self.link.append_last(|out| out.extend_from_slice(&octets));
        }
    }

    fn leave(&mut self) {
        self.link.close();
        if let Some(domain) = self.joined.take() {
            tracing::info!(%domain, "a component is gone");
            self.shared.model.detach(&domain, &self.route);
        }
    }
}

/// Also when its task is torn down in the middle, the domain is free for the next one.
impl Drop for Connection {
    fn drop(&mut self) {
        turn(|| self.leave());
    }
}
