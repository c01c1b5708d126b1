//! UDP sockets. Many datagrams are taken and given with one system call, where there are many.

use std::io::{Error, ErrorKind, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use bytes::Bytes;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use sip::header::Transport;
use sip::transaction::Flow;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::Sip;
use crate::server::accept::canonical;
use crate::server::shared::Shared;

/// How many datagrams are taken or given at once.
const BATCH: usize = 32;
/// How many times that is done in one turn.
const ROUNDS: usize = 2;
/// The longest datagram.
const LONGEST: usize = 65_535;

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

    /// Sends datagrams, and gives back the places of those that could not be sent. A full socket loses them, as a network does; the
    /// transactions send again.
    pub(super) fn send(&self, datagrams: &[(SocketAddr, Bytes)]) -> Vec<usize> {
        let mut failed = Vec::new();
        let mut done = 0;
        while let Some(rest) = datagrams.get(done..).filter(|rest| !rest.is_empty()) {
            match self.send_some(&rest[..rest.len().min(BATCH)]) {
                Ok(sent) => done += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    failed.push(done);
                    done += 1;
                }
            }
        }
        failed
    }

    /// Sends the first of them, and more if that goes at once: how many. An error is that of the first.
    fn send_some(&self, datagrams: &[(SocketAddr, Bytes)]) -> Result<usize, Error> {
        if let [(remote, octets)] = datagrams {
            return self
                .socket
                .try_send_to(octets, self.as_reached(*remote))
                .map(|_| 1);
        }
        let slices: Vec<_> = datagrams.iter().map(|(_, o)| [IoSlice::new(o)]).collect();
        let remotes: Vec<_> = datagrams
            .iter()
            .map(|(remote, _)| Some(SockaddrStorage::from(self.as_reached(*remote))))
            .collect();
        self.socket.try_io(Interest::WRITABLE, || {
            let mut headers = MultiHeaders::preallocate(slices.len(), None);
            let (socket, flags) = (self.socket.as_raw_fd(), MsgFlags::empty());
            let sent = sendmmsg(socket, &mut headers, &slices, &remotes, [], flags)?;
            // None sent without an error is not to be; it must not come round for ever.
            Ok(sent.count().max(1))
        })
    }

    /// The address by which this socket reaches another.
    fn as_reached(&self, remote: SocketAddr) -> SocketAddr {
        match (self.local.ip(), remote.ip()) {
            (IpAddr::V6(_), IpAddr::V4(v4)) => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), remote.port())
            }
            _ => remote,
        }
    }

    /// Takes one datagram, and then what else is there: at most [`BATCH`]. An error says that there is nothing, or of something sent before.
    fn receive(
        &self,
        buffers: &mut [Vec<u8>],
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) -> Result<usize, Error> {
        self.socket.try_io(Interest::READABLE, || {
            let mut slices: Vec<_> = buffers.iter_mut().map(|b| [IoSliceMut::new(b)]).collect();
            // Made anew each time: they remember the length of the addresses of the time before.
            let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slices.len(), None);
            let (socket, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
            let received = recvmmsg(socket, &mut headers, slices.iter_mut(), flags, None)?;
            let mut count = 0;
            for datagram in received {
                count += 1;
                if let (Some(remote), Some(octets)) =
                    (datagram.address.and_then(remote), datagram.iovs().next())
                {
                    take(remote, octets);
                }
            }
            Ok(count)
        })
    }
}

fn remote(address: SockaddrStorage) -> Option<SocketAddr> {
    let v4 = || address.as_sockaddr_in().map(|a| SocketAddr::from(*a));
    let v6 = || address.as_sockaddr_in6().map(|a| SocketAddr::from(*a));
    v4().or_else(v6)
}

/// Receives on one socket until the server ends.
pub(crate) async fn receive(shared: Arc<Shared>, sip: Arc<Sip>, index: usize) {
    let stop = shared.sip_stopped();
    tokio::pin!(stop);
    let Some(datagrams) = sip.datagrams(index) else {
        return;
    };
    let local = canonical(datagrams.local);
    // Only what was ever filled is in memory.
    let mut buffers: Vec<Vec<u8>> = (0..BATCH).map(|_| vec![0; LONGEST]).collect();
    loop {
        tokio::select! {
            ready = datagrams.socket.readable() => if ready.is_err() { return },
            () = &mut stop => return,
        }
        sip.work(|input| {
            for _ in 0..ROUNDS {
                let received = datagrams.receive(&mut buffers, |remote, octets| {
                    let flow = Flow::new(Transport::Udp, local, canonical(remote));
                    input.datagram(&flow, octets);
                });
                match received {
                    Ok(BATCH..) => {}
                    Ok(_) => break,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // An ICMP error about something sent before.
                    Err(_) => {}
                }
            }
        });
    }
}
