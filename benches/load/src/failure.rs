//! What can go wrong while a server is driven.

use std::io;

/// Why a measurement was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A socket or a file did not do what was asked.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// The server said something else than the scenario needs.
    #[error("{0}")]
    Peer(String),
}

/// The result of everything here.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Says what was being done when an IO error came.
pub(crate) trait Doing<T> {
    /// Names the deed.
    fn doing(self, what: &str) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &str) -> Result<T> {
        self.map_err(|error| Failure::Io(what.to_owned(), error))
    }
}

/// A failure that quotes what the peer said, cut to a readable length.
pub(crate) fn peer(what: &str, said: &[u8]) -> Failure {
    let said = String::from_utf8_lossy(said);
    let said: String = said.chars().take(300).collect();
    Failure::Peer(format!("{what}: {said}"))
}
