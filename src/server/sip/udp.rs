//! UDP sockets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use sip::header::Transport;
use sip::transaction::Flow;
use tokio::net::UdpSocket;

use super::Sip;
use crate::server::accept::canonical;
use crate::server::shared::Shared;

/// How many datagrams are taken in one turn.
const BATCH: usize = 64;

/// A socket that datagrams come in by and go out by.
pub(super) struct Datagrams {
    pub(super) socket: UdpSocket,
    pub(super) local: SocketAddr,
    /// It is of IPv6 and takes IPv4 as well.
    pub(super) dual: bool,
}

impl Datagrams {
    /// Can it reach that address?
    pub(super) fn reaches(&self, remote: SocketAddr) -> bool {
        match (self.local.ip(), remote.ip()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => true,
            (IpAddr::V6(_), IpAddr::V4(_)) => self.dual,
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
        }
    }

    /// Sends one datagram. A full socket loses it, as a network does; the transaction sends again.
    pub(super) fn send(&self, remote: SocketAddr, octets: &[u8]) -> std::io::Result<()> {
        let remote = match (self.local.ip(), remote.ip()) {
            (IpAddr::V6(_), IpAddr::V4(v4)) => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), remote.port())
            }
            _ => remote,
        };
        match self.socket.try_send_to(octets, remote) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            sent => sent.map(|_| ()),
        }
    }
}

/// Receives on one socket until the server ends.
pub(crate) async fn receive(shared: Arc<Shared>, sip: Arc<Sip>, index: usize) {
    let stop = shared.sip_stopped();
    tokio::pin!(stop);
    let Some(datagrams) = sip.datagrams(index) else {
        return;
    };
    let mut buffer = vec![0; 65_535];
    loop {
        tokio::select! {
            ready = datagrams.socket.readable() => if ready.is_err() { return },
            () = &mut stop => return,
        }
        sip.work(|input| {
            for _ in 0..BATCH {
                match datagrams.socket.try_recv_from(&mut buffer) {
                    Ok((len, remote)) => {
                        let flow = Flow::new(
                            Transport::Udp,
                            canonical(datagrams.local),
                            canonical(remote),
                        );
                        input.datagram(&flow, Bytes::copy_from_slice(&buffer[..len]));
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    // An ICMP error about something sent before.
                    Err(_) => {}
                }
            }
        });
    }
}
