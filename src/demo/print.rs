//! The demo in a terminal: a line a step, in columns.

use std::time::Duration;

use super::stage::Stage;
use crate::cli::{Failure, print};

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// Columns of a step: who, what.
const WHO: usize = 13;
const WHAT: usize = 42;

/// Who acts in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// Ann's chat client.
    Ann,
    /// Bob's phone.
    Bob,
    /// Whoever runs the server.
    Admin,
}

/// Where steps are written: standard output.
pub(super) struct Page {
    colours: bool,
}

impl Page {
    pub(super) fn new(colours: bool) -> Self {
        Self { colours }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colours && !text.is_empty() {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Who plays, and where.
    pub(super) fn opening(&self, stage: &Stage, ports: Option<&str>) -> Result<(), Failure> {
        let title = format!("Adsum {}", env!("CARGO_PKG_VERSION"));
        let mut text = format!(
            "{} on throw-away data: a chat client and a desk phone, one presence.\n",
            self.paint(BOLD, &title)
        );
        if let Some(ports) = ports {
            text.push_str(&format!("{ports}\n"));
        }
        let who = [
            (
                Actor::Ann,
                &stage.ann.address,
                "chat client, XMPP over TLS",
                stage.xmpp_tls,
            ),
            (
                Actor::Bob,
                &stage.bob.address,
                "desk phone, SIP over UDP",
                stage.sip_udp,
            ),
        ];
        text.push('\n');
        for (actor, address, what, at) in who {
            let at = self.paint(DIM, &format!("to {at}"));
            let name = self.name(actor);
            text.push_str(&format!("  {name}{what:<29}{address}  {at}\n"));
        }
        text.push('\n');
        print(&text)
    }

    fn name(&self, actor: Actor) -> String {
        let (style, name) = match actor {
            Actor::Ann => (CYAN, "ann's chat"),
            Actor::Bob => (YELLOW, "bob's phone"),
            Actor::Admin => (BOLD, "admin"),
        };
        self.paint(style, &format!("{name:<WHO$}"))
    }

    /// A step that succeeded: who did what, and how it went over the wire.
    pub(super) fn step(&self, actor: Actor, what: &str, wire: &str) -> Result<(), Failure> {
        let tick = self.paint(GREEN, "ok");
        let line = format!(
            "  {}{what:<WHAT$} {tick}  {}\n",
            self.name(actor),
            self.paint(DIM, wire)
        );
        print(&line)
    }

    /// What to open and to type now.
    pub(super) fn invitation(&self, stage: &Stage) -> Result<(), Failure> {
        let port = |address: Option<std::net::SocketAddr>| {
            address.map_or_else(|| "-".to_owned(), |a| a.port().to_string())
        };
        let web = format!("http://localhost:{}", port(stage.http));
        let rows = [
            ("browser", format!("{web}/healthz   {web}/metrics")),
            (
                "chat client",
                format!(
                    "account {}   password {}",
                    stage.ann.address, stage.ann.password
                ),
            ),
            (
                "",
                format!(
                    "server localhost, port {} (STARTTLS) or {} (TLS)",
                    port(stage.xmpp),
                    stage.xmpp_tls.port()
                ),
            ),
            (
                "",
                format!(
                    "to be trusted: {} or {web}/ca.pem",
                    stage.authority.display()
                ),
            ),
            (
                "SIP phone",
                format!(
                    "account {}   user {}   password {}",
                    stage.bob.address, stage.bob.name, stage.bob.password
                ),
            ),
            (
                "",
                format!(
                    "registrar and proxy localhost, port {} (UDP, TCP) or {} (TLS)",
                    stage.sip_udp.port(),
                    port(stage.sip_tls)
                ),
            ),
        ];
        let mut text = format!("\n{}\n\n", self.paint(BOLD, "Now yours, until Ctrl-C:"));
        for (what, how) in rows {
            text.push_str(&format!(
                "  {}{how}\n",
                self.paint(BOLD, &format!("{what:<WHO$}"))
            ));
        }
        print(&text)
    }
}

/// `3 ms`, for how long something took.
pub(super) fn took(time: Duration) -> String {
    format!("after {:.1} ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_only_where_they_are_wanted() {
        assert_eq!(Page::new(false).paint(BOLD, "x"), "x");
        assert_eq!(Page::new(true).paint(BOLD, "x"), "\x1b[1mx\x1b[0m");
        assert_eq!(took(Duration::from_micros(3140)), "after 3.1 ms");
    }
}
