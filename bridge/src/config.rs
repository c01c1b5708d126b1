//! What the bridge is told at its start.

use std::time::Duration;

use sip::digest::Algorithm;

/// Limits of a lifetime that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Shorter ones are answered with 423.
    pub min: Duration,
    /// Without `Expires`.
    pub default: Duration,
    /// Longer ones are shortened to this.
    pub max: Duration,
}

impl Lifetimes {
    /// The seconds granted for what was asked; never more than asked. An error holds the least that is taken: the answer is 423,
    /// which RFC 3261 §10.3 and RFC 6665 §4.2.1.1 allow for less than an hour only.
    pub(crate) fn grant(&self, asked: Option<u32>) -> Result<u32, u32> {
        let seconds = |d: Duration| u32::try_from(d.as_secs()).unwrap_or(u32::MAX);
        let min = seconds(self.min);
        match asked {
            None => Ok(seconds(self.default)),
            Some(asked) if asked > 0 && asked < min && asked < 3600 => Err(min),
            Some(asked) => Ok(asked.min(seconds(self.max))),
        }
    }
}

/// Bounds of the bridge's memory.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Requests that wait for an answer from outside, at most; above it 503.
    pub waiting: usize,
    /// Subscriptions, at most; above it 503.
    pub subscriptions: usize,
    /// MESSAGE requests on their way to phones or queued, at most; above it a message stays where it was.
    pub messages: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            waiting: 20_000,
            subscriptions: 200_000,
            messages: 20_000,
        }
    }
}

/// Settings of a [`crate::Bridge`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Served domains; the first one also stands for IP addresses.
    pub domains: Vec<String>,
    /// Host, or `host:port`, for our Contact. `None`: what the client itself called us.
    pub public_host: Option<String>,
    /// PUBLISH, SUBSCRIBE, REGISTER and MESSAGE are challenged. Without it From is believed.
    pub require_auth: bool,
    /// Algorithms offered, the preferred first.
    pub digest: Vec<Algorithm>,
    /// Answers without `qop` (RFC 2069) are taken, each nonce for one request.
    pub digest_legacy: bool,
    /// Lifetimes of publications.
    pub publish_expires: Lifetimes,
    /// Lifetimes of subscriptions.
    pub subscribe_expires: Lifetimes,
    /// Lifetimes of registrations.
    pub register_expires: Lifetimes,
    /// Time between two NOTIFY requests of one subscription that carry changes. The first change goes at once.
    pub notify_pace: Duration,
    /// Bounds of memory.
    pub bounds: Bounds,
}

impl Config {
    /// The defaults for some domains: digest MD5, lifetimes of a minute to a day, one second of pace.
    pub fn new(domains: Vec<String>) -> Self {
        let lifetimes = Lifetimes {
            min: Duration::from_secs(60),
            default: Duration::from_secs(3600),
            max: Duration::from_secs(86_400),
        };
        Self {
            domains,
            public_host: None,
            require_auth: true,
            digest: vec![Algorithm::Md5],
            digest_legacy: true,
            publish_expires: lifetimes,
            subscribe_expires: lifetimes,
            register_expires: lifetimes,
            notify_pace: Duration::from_secs(1),
            bounds: Bounds::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_shortened_never_lengthened() {
        let some = Config::new(Vec::new()).subscribe_expires;
        assert_eq!(some.grant(None), Ok(3600));
        assert_eq!(some.grant(Some(0)), Ok(0));
        assert_eq!(some.grant(Some(59)), Err(60));
        assert_eq!(some.grant(Some(60)), Ok(60));
        assert_eq!(some.grant(Some(u32::MAX)), Ok(86_400));
        let long = Lifetimes {
            min: Duration::from_secs(7200),
            ..some
        };
        assert_eq!(long.grant(Some(3599)), Err(7200));
        assert_eq!(long.grant(Some(3600)), Ok(3600));
    }
}
