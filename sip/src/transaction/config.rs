//! What a layer is told at its start.

use std::time::Duration;

use super::Flow;
use crate::{header::Transport, uri::Host};

/// Settings of a [`Layer`](super::Layer).
#[derive(Debug, Clone)]
pub struct Config {
    /// Server transactions at most, and as many client transactions. A request above it is answered with
    /// 503 and leaves no memory; one to be sent fails.
    pub max_transactions: usize,
    /// T1, the round-trip time estimate (RFC 3261 §17.1.1.1).
    pub t1: Duration,
    /// T2, the longest interval between retransmissions (RFC 3261 §17.1.2.2).
    pub t2: Duration,
    /// T4, the longest a message stays in the network (RFC 3261 §17.1.2.2).
    pub t4: Duration,
    /// What stands as sent-by in the Via of requests, by transport; for a transport that is not listed it
    /// is the local address of the flow.
    pub sent_by: Vec<(Transport, SentBy)>,
    /// The product, for Server and User-Agent where a message has none.
    pub server: Option<String>,
    /// Retry-After of a 503, in seconds.
    pub retry_after: u32,
}

/// Host and port of a Via (RFC 3261 §18.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBy {
    /// The host.
    pub host: Host,
    /// The port, left out where it is the default of the transport.
    pub port: Option<u16>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_transactions: 100_000,
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            sent_by: Vec::new(),
            server: None,
            retry_after: 5,
        }
    }
}

impl Config {
    /// Adds the sent-by of a transport.
    pub fn with_sent_by(mut self, transport: Transport, host: Host, port: Option<u16>) -> Self {
        self.sent_by.push((transport, SentBy { host, port }));
        self
    }

    /// The sent-by of requests over `flow`.
    pub(super) fn sent_by(&self, flow: &Flow) -> SentBy {
        let configured = self
            .sent_by
            .iter()
            .find(|(transport, _)| *transport == flow.transport);
        match configured {
            Some((_, sent_by)) => sent_by.clone(),
            None => SentBy {
                host: Host::Ip(flow.local.ip().to_canonical()),
                port: (flow.local.port() != 0).then_some(flow.local.port()),
            },
        }
    }

    /// 64*T1: Timers B, F, H, J and L.
    pub(super) fn lifetime(&self) -> Duration {
        self.t1 * 64
    }

    /// How long a client's Timer E takes to be reset to T2, 3.5 s by default: before that a 100 to a
    /// non-INVITE request over UDP only does harm, after it one is due (RFC 4320 §4.1).
    pub(super) fn trying_delay(&self) -> Duration {
        let mut interval = self.t1;
        let mut sum = Duration::ZERO;
        while interval < self.t2 {
            sum += interval;
            interval *= 2;
        }
        sum
    }
}
