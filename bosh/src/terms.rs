//! What a session is granted of what its client asked for, within the server's bounds (XEP-0124 §7).

use std::time::Duration;

use crate::body::Opening;

/// The highest version of BOSH that is spoken here.
pub const VERSION: (u64, u64) = (1, 11);
/// The content type of answers, unless the client asks for another.
pub const CONTENT: &str = "text/xml; charset=utf-8";
/// The least by which a polling client may be silent longer, in polling intervals (XEP-0124 §12: more than one).
const POLLS: u32 = 2;

/// The server's bounds. Clients are told of times in seconds: these are whole ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The longest that an answer is held back.
    pub wait: Duration,
    /// The most requests that are held at a time.
    pub hold: usize,
    /// The most requests that a client may have under way, at least 1.
    pub requests: usize,
    /// How long a client may have no request under way.
    pub inactivity: Duration,
    /// The shortest time between requests that carry nothing; zero for no such rule.
    pub polling: Duration,
    /// The longest that a client may ask to be silent; zero for no pauses.
    pub pause: Duration,
    /// How long an answer may be on its way before a client that has not got it is told of it.
    pub report: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(60),
            hold: 1,
            requests: 2,
            inactivity: Duration::from_secs(60),
            polling: Duration::from_secs(2),
            pause: Duration::from_secs(120),
            report: Duration::from_secs(1),
        }
    }
}

/// What holds for one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The longest that an answer is held back.
    pub wait: Duration,
    /// The most requests that are held at a time.
    pub hold: usize,
    /// The most requests that the client may have under way.
    pub requests: usize,
    /// How long the client may have no request under way.
    pub inactivity: Duration,
    /// The shortest time between requests that carry nothing; zero for no such rule.
    pub polling: Duration,
    /// The longest that the client may ask to be silent; zero for no pauses.
    pub pause: Duration,
    /// How long an answer may be on its way before the client is told that it should have got it.
    pub report: Duration,
    /// The version spoken; `None` with a client that gave none, which is answered with HTTP codes.
    pub version: Option<(u64, u64)>,
    /// The content type of all answers.
    pub content: Option<Box<str>>,
    /// Both sides acknowledge.
    pub acks: bool,
}

impl Terms {
    /// What is granted. `acks`: the client said that it acknowledges.
    pub(crate) fn grant(bounds: &Bounds, asked: &Opening, acks: bool) -> Self {
        let requests = bounds.requests.max(1);
        let most = bounds.hold.min(requests - 1);
        let hold = asked
            .hold
            .map_or(1, |hold| usize::try_from(hold).unwrap_or(most))
            .min(most);
        let wait = asked
            .wait
            .map_or(bounds.wait, Duration::from_secs)
            .min(bounds.wait);
        let mut terms = Self {
            wait,
            hold,
            requests: hold + 1,
            inactivity: bounds.inactivity,
            polling: bounds.polling,
            pause: bounds.pause,
            report: bounds.report,
            version: asked.version.map(|theirs| theirs.min(VERSION)),
            content: asked.content.clone().map(Into::into),
            acks,
        };
        if terms.polls() {
            terms.inactivity += terms.polling * POLLS;
        }
        terms
    }

    /// The client asks again and again instead of letting its requests be held (XEP-0124 §12).
    pub fn polls(&self) -> bool {
        self.hold == 0 || self.wait.is_zero() || self.requests == 1
    }

    /// The client is one that HTTP codes are for.
    pub fn is_legacy(&self) -> bool {
        self.version.is_none()
    }

    /// The content type of all answers.
    pub fn content(&self) -> &str {
        self.content.as_deref().unwrap_or(CONTENT)
    }

    /// How many answers are kept at least: clients of browsers go on over their other connection for a while before they ask for an
    /// answer again.
    pub(crate) fn kept(&self) -> usize {
        self.requests + 6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(wait: Option<u64>, hold: Option<u64>) -> Terms {
        let asked = Opening {
            wait,
            hold,
            ..Opening::default()
        };
        Terms::grant(&Bounds::default(), &asked, false)
    }

    #[test]
    fn never_more_than_the_client_asked_for_or_the_server_allows() {
        let terms = grant(Some(30), Some(1));
        assert_eq!(
            (terms.wait.as_secs(), terms.hold, terms.requests),
            (30, 1, 2)
        );
        let terms = grant(Some(3600), Some(u64::MAX));
        assert_eq!(
            (terms.wait.as_secs(), terms.hold, terms.requests),
            (60, 1, 2)
        );
        let bounds = Bounds {
            hold: 9,
            requests: 3,
            ..Bounds::default()
        };
        let asked = Opening {
            hold: Some(5),
            ..Opening::default()
        };
        let terms = Terms::grant(&bounds, &asked, false);
        assert_eq!((terms.hold, terms.requests), (2, 3));
        let terms = grant(None, None);
        assert_eq!(
            (terms.wait.as_secs(), terms.hold, terms.requests),
            (60, 1, 2)
        );
        assert!(!terms.polls() && terms.inactivity.as_secs() == 60);
    }

    #[test]
    fn who_polls_may_be_silent_longer() {
        for (wait, hold) in [(Some(0), Some(1)), (Some(60), Some(0))] {
            let terms = grant(wait, hold);
            assert!(terms.polls());
            assert_eq!(terms.inactivity.as_secs(), 64);
        }
        let bounds = Bounds {
            requests: 1,
            ..Bounds::default()
        };
        let terms = Terms::grant(&bounds, &Opening::default(), false);
        assert!(terms.polls() && terms.requests == 1 && terms.hold == 0);
    }

    #[test]
    fn the_lower_version_is_spoken() {
        let with = |version| Opening {
            version,
            ..Opening::default()
        };
        let granted = |version| Terms::grant(&Bounds::default(), &with(version), true).version;
        assert_eq!(granted(Some((1, 6))), Some((1, 6)));
        assert_eq!(granted(Some((1, 9))), Some((1, 9)));
        assert_eq!(granted(Some((1, 12))), Some((1, 11)));
        assert_eq!(granted(Some((2, 0))), Some((1, 11)));
        assert_eq!(granted(None), None);
    }
}
