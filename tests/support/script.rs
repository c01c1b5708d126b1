//! Programs of `tests/clients`, for Python and Node, that drive real client libraries: arguments as JSON, events as JSON lines on standard output,
//! commands as JSON lines on standard input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::wait::DEADLINE;

/// A running script.
pub(crate) struct Script {
    child: Child,
    events: Receiver<Value>,
    seen: Vec<Value>,
    name: String,
}

impl Script {
    /// Starts `tests/clients/{name}` with these arguments, by the Python that `tests/run` makes in `target/py`, or by Node.
    pub(crate) fn start(name: &str, arguments: &Value) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let is_script = Path::new(name).extension().is_some_and(|it| it == "mjs");
        let mut command = if is_script {
            let mut node = Command::new("node");
            node.env("NODE_EXTRA_CA_CERTS", arguments["ca"].as_str().unwrap());
            node
        } else {
            let mut python = Command::new(root.join("target/py/bin/python"));
            python.arg("-u");
            python
        };
        let mut child = command
            .arg(root.join("tests/clients").join(name))
            .arg(arguments.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/run installs the clients of the tests");
        let (send, events) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if send.send(event).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            events,
            seen: Vec::new(),
            name: name.to_owned(),
        }
    }

    /// Gives it a command.
    pub(crate) fn tell(&mut self, command: &Value) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
    }

    /// The first event, of those that came and were not taken yet, that fits.
    #[track_caller]
    pub(crate) fn expect(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        match self.wait(DEADLINE * 2, fits) {
            Ok(event) => event,
            Err(error) => panic!("{}: {what} ({error}), seen {:#?}", self.name, self.seen),
        }
    }

    /// The same within a time, or why there is none.
    pub(crate) fn wait(
        &mut self,
        deadline: Duration,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value, RecvTimeoutError> {
        if let Some(at) = self.seen.iter().position(&fits) {
            return Ok(self.seen.remove(at));
        }
        let end = Instant::now() + deadline;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left)?;
            if fits(&event) {
                return Ok(event);
            }
            self.seen.push(event);
        }
    }

    /// The first event with this name in `event`.
    #[track_caller]
    pub(crate) fn event(&mut self, name: &str) -> Value {
        self.expect(name, |event| event["event"] == name)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
