//! CPU time and memory of a server's processes, from /proc.

use std::collections::HashMap;
use std::fs;

use crate::failure::{Doing, Result};

/// Length of a tick of /proc/PID/stat in nanoseconds (USER_HZ is 100 on every Linux that matters here).
const TICK: u64 = 10_000_000;

/// CPU used so far by a set of processes.
#[derive(Debug, Default)]
pub(crate) struct Cpu {
    /// Nanoseconds by process, ended threads included, to the tick.
    processes: u64,
    /// Nanoseconds of each living thread, exact.
    threads: HashMap<u32, u64>,
}

/// CPU used between two looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Nanoseconds, user and system together.
    pub(crate) total: u64,
    /// Part of the total that the busiest thread took, 0 to 1.
    pub(crate) busiest: f64,
}

impl Cpu {
    /// Looks at every thread of these processes.
    pub(crate) fn look(pids: &[u32]) -> Result<Self> {
        let mut seen = Self::default();
        for pid in pids {
            let stat = format!("/proc/{pid}/stat");
            seen.processes += ticks(&fs::read_to_string(&stat).doing(&stat)?) * TICK;
            let tasks = format!("/proc/{pid}/task");
            for entry in fs::read_dir(&tasks).doing(&tasks)?.flatten() {
                let Some(thread) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
                    continue;
                };
                // A thread may end between the listing and the reading; the process total has it.
                if let Some(used) = thread_time(&entry.path()) {
                    seen.threads.insert(thread, used);
                }
            }
        }
        Ok(seen)
    }

    /// What was used since an earlier look.
    pub(crate) fn since(&self, earlier: &Self) -> Used {
        let spent = |(thread, now): (&u32, &u64)| {
            now.saturating_sub(earlier.threads.get(thread).copied().unwrap_or(0))
        };
        let each: Vec<u64> = self.threads.iter().map(spent).collect();
        let living: u64 = each.iter().sum();
        let whole = self.processes.saturating_sub(earlier.processes);
        // The threads' times are exact; ticks only count where threads have ended meanwhile.
        let ended = whole > living + 4 * TICK;
        let total = if ended { whole } else { living };
        let most = each.iter().max().copied().unwrap_or(0);
        Used {
            total,
            busiest: most as f64 / total.max(1) as f64,
        }
    }
}

/// Exact run time of a thread where the kernel keeps it, else its ticks.
fn thread_time(folder: &std::path::Path) -> Option<u64> {
    if let Ok(text) = fs::read_to_string(folder.join("schedstat")) {
        return text.split(' ').next()?.parse().ok();
    }
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    Some(ticks(&stat) * TICK)
}

/// utime + stime of a stat line: fields 14 and 15, counted behind the name, which may hold spaces.
fn ticks(stat: &str) -> u64 {
    let Some((_, rest)) = stat.rsplit_once(')') else {
        return 0;
    };
    rest.split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

/// Resident memory of these processes in bytes.
pub(crate) fn resident(pids: &[u32]) -> Result<u64> {
    memory(pids, "VmRSS:")
}

/// The most resident memory of these processes, in bytes, since `forget_peak` or their start.
pub(crate) fn peak(pids: &[u32]) -> Result<u64> {
    memory(pids, "VmHWM:")
}

/// Begins the peak anew, where we may.
pub(crate) fn forget_peak(pids: &[u32]) {
    for pid in pids {
        // Not ours: the peak since the process began is then what is told, which is no less.
        let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}

fn memory(pids: &[u32], field: &str) -> Result<u64> {
    let mut sum = 0;
    for pid in pids {
        let path = format!("/proc/{pid}/status");
        let status = fs::read_to_string(&path).doing(&path)?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        sum += line
            .and_then(|line| line.split_whitespace().next())
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0);
    }
    Ok(sum * 1024)
}

/// These processes and all their descendants: some servers work in children.
pub(crate) fn with_children(pids: &[u32]) -> Vec<u32> {
    let mut all = pids.to_vec();
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        next += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|c| c.parse().ok()) {
                if !all.contains(&child) {
                    all.push(child);
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_and_brackets_do_not_shift_the_fields() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 2 3 4 30 12 5 6 20 0 1 0 9";
        assert_eq!(ticks(stat), 42);
    }

    #[test]
    fn our_own_work_is_seen() {
        let pids = [std::process::id()];
        let before = Cpu::look(&pids).expect("own process");
        let start = std::time::Instant::now();
        let mut n = 1_u64;
        while start.elapsed().as_millis() < 60 {
            n = n.wrapping_mul(3).rotate_left(7);
        }
        assert_ne!(n, 0);
        let used = Cpu::look(&pids).expect("own process").since(&before);
        assert!(used.total > 10_000_000, "{used:?}");
        assert!(used.busiest > 0.0 && used.busiest <= 1.0, "{used:?}");
        let now = resident(&pids).expect("own process");
        assert!(now > 100_000 && peak(&pids).expect("own process") >= now);
    }
}
