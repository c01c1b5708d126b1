//! Programs of the terminal, driven through tmux.

use std::path::Path;
use std::process::{Command, Output};

use super::wait::{DEADLINE, wait_within};

/// A program in a terminal of its own.
pub(crate) struct Terminal {
    /// The socket of a tmux that nobody else uses.
    socket: String,
}

impl Terminal {
    /// Starts a program with `home` as its home.
    pub(crate) fn start(program: &str, home: &Path) -> Self {
        let socket = home.join("tmux").display().to_string();
        let terminal = Self { socket };
        let home = home.display();
        let command = format!(
            "HOME={home} XDG_CONFIG_HOME={home}/config XDG_DATA_HOME={home}/data LANG=C.UTF-8 {program}"
        );
        let done = terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "160",
            "-y",
            "50",
            &command,
        ]);
        assert!(done.status.success(), "{done:?}");
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        Command::new("tmux")
            .args(["-S", &self.socket])
            .args(arguments)
            .env_remove("TMUX")
            .output()
            .expect("tests/run installs tmux")
    }

    /// Types without an end.
    pub(crate) fn keys(&mut self, text: &str) {
        assert!(self.tmux(&["send-keys", "-l", text]).status.success());
    }

    /// Types a line.
    pub(crate) fn line(&mut self, text: &str) {
        self.keys(text);
        assert!(self.tmux(&["send-keys", "Enter"]).status.success());
    }

    /// What it shows.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// The same, with the codes of colours (ECMA-48 SGR) where they change.
    pub(crate) fn styled(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p", "-e"]).stdout).into_owned()
    }

    /// Waits until it shows a text.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        let mut last = String::new();
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_within(DEADLINE, text, || {
                last = self.screen();
                last.contains(text).then_some(())
            });
        }));
        assert!(shown.is_ok(), "{text} is not shown:\n{last}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
