//! A client program: what it prints, and what it is told on its standard input.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use crate::support::DEADLINE;

/// A running client.
pub(crate) struct Process {
    child: Child,
    output: Receiver<Vec<u8>>,
    /// All it has printed, without colours.
    text: String,
    /// How much of that was looked at.
    seen: usize,
}

impl Process {
    /// Starts it. Both its outputs are read.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tests/run installs the clients");
        let (send, output) = channel();
        let mut stdout = child.stdout.take().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let errors = send.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = stdout.read(&mut buffer) {
                let _ = send.send(buffer[..len].to_vec());
            }
        });
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = stderr.read(&mut buffer) {
                let _ = errors.send(buffer[..len].to_vec());
            }
        });
        Self {
            child,
            output,
            text: String::new(),
            seen: 0,
        }
    }

    /// Types something.
    pub(crate) fn tell(&mut self, text: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// Waits until it prints `text`, after what it was seen to print before.
    #[track_caller]
    pub(crate) fn prints(&mut self, text: &str) {
        let end = Instant::now() + 2 * DEADLINE;
        loop {
            if let Some(at) = self.text[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(octets) => self.take(&octets),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("it did not print {text:?} but\n{}", &self.text[self.seen..])
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without {text:?}:\n{}", self.text)
                }
            }
        }
    }

    /// Waits for its end, which must be a good one.
    #[track_caller]
    pub(crate) fn succeeds(mut self) {
        while let Ok(octets) = self.output.recv_timeout(2 * DEADLINE) {
            self.take(&octets);
        }
        let status =
            crate::support::wait_for("the end of a client", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}:\n{}", self.text);
    }

    /// Appends what was printed, without the sequences that colour it.
    fn take(&mut self, octets: &[u8]) {
        let text = String::from_utf8_lossy(octets);
        let mut rest = &*text;
        while let Some(at) = rest.find('\u{1b}') {
            self.text.push_str(&rest[..at]);
            let sequence = &rest[at..];
            let end = sequence.find(|c: char| c.is_ascii_alphabetic());
            rest = end.map_or("", |end| &sequence[end + 1..]);
        }
        self.text.push_str(rest);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            while let Ok(octets) = self.output.try_recv() {
                self.take(&octets);
            }
            println!("--- printed by the client\n{}---", self.text);
        }
    }
}
