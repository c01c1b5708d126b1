//! How shall connections, routing and flushing be put on threads? Toy servers and a toy client that measure it.
//!
//! `adsum-threads-spike [ROUNDS] [SECONDS]` runs all variants interleaved and prints medians;
//! `adsum-threads-spike server VARIANT` is what it starts for each of them.

mod client;
mod frame;
mod locks;
mod procfs;
mod rounds;
mod server;
mod shards;

use std::io;

/// A way to put the work on threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Variant {
    /// A thread per core owns its accounts; one batch per turn to the other.
    Sharded,
    /// Multi-thread runtime, locks in line, flushed by the sender's thread after each read.
    Locks,
    /// The same, but waiting with `readable()` and reading with `try_read`.
    LocksReadable,
    /// The same as `Locks`, but the recipient's task is woken to flush.
    LocksWoken,
    /// Locks in line on pinned single-thread runtimes, flushed once per turn.
    LocksPinned,
    /// As `Locks`, but a sender that made many queues dirty lets the other ready tasks run before it flushes them.
    LocksYield,
}

/// All of them, with the names used in the tables.
pub(crate) const VARIANTS: [(Variant, &str); 6] = [
    (Variant::Sharded, "S"),
    (Variant::Locks, "L"),
    (Variant::LocksReadable, "Lr"),
    (Variant::LocksWoken, "L2"),
    (Variant::LocksPinned, "LP"),
    (Variant::LocksYield, "LY"),
];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, name] = arguments.as_slice()
        && word == "server"
    {
        let found = VARIANTS.iter().find(|(_, short)| short == name);
        return server::run(found.ok_or(io::ErrorKind::InvalidInput)?.0);
    }
    let number = |index: usize, usual: f64| {
        arguments
            .get(index)
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual)
    };
    rounds::run(number(0, 5.0) as usize, number(1, 1.5))
}
