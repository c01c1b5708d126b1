//! The figures of several scenarios against the limits that the server is built to.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::failure::{Doing, Result};

/// A limit: scenario, key of its report, what it is, unit, the most that is good; below zero: the least, its sign turned.
struct Limit(&'static str, &'static str, &'static str, &'static str, f64);

const LIMITS: [Limit; 12] = [
    Limit("messages", "cpu_us", "server CPU per message", "us", 25.0),
    Limit(
        "messages",
        "busiest_thread_percent",
        "busiest thread, 200 senders",
        "%",
        65.0,
    ),
    Limit(
        "presence",
        "cpu_us",
        "server CPU per presence copy, 1 to 20",
        "us",
        12.0,
    ),
    Limit("idle", "session_kb", "memory per idle session", "KiB", 8.0),
    Limit(
        "start",
        "answer_ms",
        "start to listening and answering",
        "ms",
        300.0,
    ),
    Limit("start", "rss_mb", "memory at rest", "MiB", 20.0),
    Limit(
        "plain-attack",
        "wrong_rate",
        "wrong passwords answered a second",
        "(at least)",
        -195.0,
    ),
    Limit(
        "plain-attack",
        "moved_p99_ms",
        "p99 moved by wrong passwords",
        "ms",
        5.0,
    ),
    Limit(
        "cross",
        "to_sip_p99_ms",
        "presence to NOTIFY p99",
        "ms",
        5.0,
    ),
    Limit(
        "cross",
        "to_xmpp_p99_ms",
        "PUBLISH to presence p99",
        "ms",
        5.0,
    ),
    Limit(
        "login-scram-sha-256",
        "cpu_us",
        "server CPU per login, SCRAM-SHA-256",
        "us",
        f64::INFINITY,
    ),
    Limit(
        "publish",
        "cpu_us",
        "server CPU per PUBLISH",
        "us",
        f64::INFINITY,
    ),
];

/// Prints the table for the scenarios that were recorded; whether every figure is within its limit.
pub(crate) fn print(file: &Path) -> Result<bool> {
    let what = file.display().to_string();
    let text = std::fs::read_to_string(file).doing(&what)?;
    let reports: HashMap<String, Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|value| Some((value.get("scenario")?.as_str()?.to_owned(), value)))
        .collect();
    println!("{:<40} {:>10} {:>10}", "", "measured", "at most");
    let mut good = true;
    for Limit(scenario, key, name, unit, most) in &LIMITS {
        if !reports.contains_key(*scenario) {
            continue;
        }
        let value = reports
            .get(*scenario)
            .and_then(|report| report.get(key)?.as_f64());
        let fits = value.is_some_and(|value| {
            if *most < 0.0 {
                value >= -most
            } else {
                value <= *most
            }
        });
        good &= fits || most.is_infinite();
        let shown = value.map_or("missing".to_owned(), |value| format!("{value:.2}"));
        let most_shown = if most.is_infinite() {
            "-".to_owned()
        } else {
            format!("{}", most.abs())
        };
        let verdict = if fits || most.is_infinite() {
            ""
        } else {
            "  <-- missed"
        };
        println!("{name:<40} {shown:>10} {most_shown:>10} {unit}{verdict}");
    }
    Ok(good)
}
