//! CPU time and memory of a process, from /proc.

use std::fs;
use std::io;

/// What reading answers when a thread ended between opening its file and reading it (ESRCH).
const NO_SUCH_PROCESS: i32 = 3;

/// Nanoseconds of CPU of every thread of a process, user and system together.
pub(crate) fn cpu(pid: u32) -> io::Result<Vec<(u32, u64)>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let entry = entry?;
        let text = match fs::read_to_string(entry.path().join("schedstat")) {
            // The thread ended since the folder was read; the servers' threads never do.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    || error.raw_os_error() == Some(NO_SUCH_PROCESS) =>
            {
                continue;
            }
            other => other?,
        };
        let used = text
            .split(' ')
            .next()
            .and_then(|field| field.parse().ok())
            .unwrap_or(0);
        let thread = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .unwrap_or(0);
        threads.push((thread, used));
    }
    Ok(threads)
}

/// CPU between two looks: the sum over the threads and the busiest thread's part of it.
pub(crate) fn between(before: &[(u32, u64)], after: &[(u32, u64)]) -> (u64, f64) {
    let used: Vec<u64> = after
        .iter()
        .map(|(thread, now)| {
            now - before
                .iter()
                .find(|(other, _)| other == thread)
                .map_or(0, |(_, then)| *then)
        })
        .collect();
    let (sum, most) = (
        used.iter().sum::<u64>(),
        used.iter().max().copied().unwrap_or(0),
    );
    (sum, most as f64 / sum.max(1) as f64)
}

/// Resident memory in KiB.
pub(crate) fn resident(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|field| field.parse().ok())
        .unwrap_or(0))
}
