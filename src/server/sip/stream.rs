//! TCP and TLS connections of SIP: accepted ones, and ones made to reach a phone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sip::framing::{Frame, Framer};
use sip::header::Transport;
use sip::message::Limits;
use sip::transaction::Flow;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::Sip;
use crate::certificates::Listener;
use crate::server::accept::Counting;
use crate::server::link::{Link, read};
use crate::server::shared::Shared;

/// A connection on which nothing comes for this long is closed: phones that keep one open send keep-alives (RFC 5626 §4.4.1).
const IDLE: Duration = Duration::from_secs(3600);

/// Serves one accepted connection until it ends.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    sip: Arc<Sip>,
    socket: TcpStream,
    peer: SocketAddr,
    tls: bool,
    _counting: Counting,
) {
    let local = socket
        .local_addr()
        .map_or(peer, crate::server::accept::canonical);
    let (link, mut reader) = Link::new(socket, peer, shared.config.limits.out_queue);
    if tls
        && link
            .start_tls(shared.certificates.current().server_config(Listener::Sip))
            .is_err()
    {
        return;
    }
    let transport = if tls { Transport::Tls } else { Transport::Tcp };
    let connection = sip.connected(&link);
    let flow = Flow::new(transport, local, peer).with_connection(connection);
    receive(&shared, &sip, &link, &mut reader, &flow).await;
    sip.closed(connection);
    link.close();
    link.finish();
}

/// Makes a connection for what is to be sent to a peer that has none.
pub(super) async fn connect(shared: Arc<Shared>, sip: Arc<Sip>, wanted: Flow) {
    let attempt =
        tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(wanted.remote)).await;
    let Ok(Ok(socket)) = attempt else {
        sip.work(|input| input.unreachable(&wanted));
        return;
    };
    let local = socket
        .local_addr()
        .map_or(wanted.local, crate::server::accept::canonical);
    let (link, mut reader) = Link::new(socket, wanted.remote, shared.config.limits.out_queue);
    let connection = sip.connected(&link);
    sip.work(|input| input.connected(&wanted, connection));
    let flow = Flow::new(wanted.transport, local, wanted.remote).with_connection(connection);
    receive(&shared, &sip, &link, &mut reader, &flow).await;
    sip.closed(connection);
    link.close();
    link.finish();
}

async fn receive(
    shared: &Shared,
    sip: &Arc<Sip>,
    link: &Arc<Link>,
    reader: &mut OwnedReadHalf,
    flow: &Flow,
) {
    let mut framer = Framer::new(Limits {
        message: shared.config.limits.sip_message_size,
        ..Limits::default()
    });
    let stop = shared.sip_stopped();
    tokio::pin!(stop);
    let tls = link.has_tls();
    let deadline = tokio::time::Instant::now() + shared.config.limits.unauthenticated_time;
    let mut heard = false;
    loop {
        let blocked = link.is_blocked();
        let taken = read(reader, |octets| {
            !octets.is_empty() && push(link, &mut framer, octets, tls)
        });
        // Until it has said something whole, a connection has the time of a stranger, whatever it trickles in.
        let until = if heard {
            tokio::time::Instant::now() + IDLE
        } else {
            deadline
        };
        tokio::select! {
            taken = tokio::time::timeout_at(until, taken) => {
                if !matches!(taken, Ok(Ok(true))) {
                    take(sip, link, flow, &mut framer, &mut heard);
                    return;
                }
            }
            ready = link.writable(), if blocked => {
                if ready.is_err() { return }
                link.flush();
                continue;
            }
            () = link.wake.notified() => {
                if link.broken().is_some() { return }
                continue;
            }
            () = &mut stop => return,
        }
        if !take(sip, link, flow, &mut framer, &mut heard) {
            return;
        }
    }
}

/// Gives the framer what was read, decrypted. False when the connection is over.
fn push(link: &Link, framer: &mut Framer, mut octets: &[u8], tls: bool) -> bool {
    if !tls {
        framer.push(octets);
        return true;
    }
    let mut plain = Vec::new();
    while !octets.is_empty() {
        plain.clear();
        let taken = link.take_in(&mut octets, &mut plain);
        framer.push(&plain);
        if taken.is_err() {
            return false;
        }
    }
    true
}

/// Hands on what is complete. False when the connection cannot be read on.
fn take(
    sip: &Arc<Sip>,
    link: &Arc<Link>,
    flow: &Flow,
    framer: &mut Framer,
    heard: &mut bool,
) -> bool {
    let mut readable = true;
    sip.work(|input| {
        while let Some(frame) = framer.next_frame() {
            *heard |= frame.is_ok();
            match frame {
                Ok(Frame::Message(octets)) => input.message(flow, &octets),
                Ok(Frame::Ping) => input.ping(flow),
                Err(error) => {
                    if let Some(answer) = error.answer() {
                        link.append(|out| out.extend_from_slice(&answer.to_bytes()));
                    }
                    readable = false;
                    return;
                }
            }
        }
    });
    readable
}
