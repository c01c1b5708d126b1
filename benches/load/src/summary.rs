//! The figures of several scenarios against the limits that the server is built to.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::failure::{Doing, Result};

/// A limit: scenario, key of its report, what it is, unit, the most that is good; below zero: the least, its sign turned;
/// infinite: shown only. KB are 1,000 bytes.
struct Limit(&'static str, &'static str, &'static str, &'static str, f64);

#[rustfmt::skip]
const LIMITS: [Limit; 39] = [
    Limit("floor-echo", "cpu_us", "the machine: TCP echo", "us", f64::INFINITY),
    Limit("floor-relay", "cpu_us", "the machine: TCP relay", "us", f64::INFINITY),
    Limit("floor-fanout", "cpu_us", "the machine: TCP copy, 1 to 20", "us", f64::INFINITY),
    Limit("floor-udp", "cpu_us", "the machine: UDP echo", "us", f64::INFINITY),
    Limit("messages", "cpu_us", "server CPU per message", "us", 15.0),
    Limit("messages", "busiest_thread_percent", "busiest thread, 200 senders", "%", 65.0),
    Limit("presence", "cpu_us", "server CPU per presence copy, 1 to 20", "us", 7.0),
    Limit("login-scram-sha-256", "cpu_us", "server CPU per login, SCRAM-SHA-256", "us", 250.0),
    Limit("login-scram-sha-256-tls", "cpu_us", "server CPU per login over TLS", "us", 800.0),
    Limit("idle", "session_kb", "memory per idle session", "KB", 6.0),
    Limit("idle-tls", "session_kb", "memory per idle session over TLS", "KB", 20.0),
    Limit("bosh", "cpu_us", "server CPU per message over BOSH", "us", 60.0),
    Limit("bosh-presence", "cpu_us", "server CPU per presence copy over BOSH", "us", 16.0),
    Limit("bosh-idle", "session_kb", "memory per BOSH session held", "KB", f64::INFINITY),
    Limit("websocket", "cpu_us", "server CPU per message over WebSocket", "us", f64::INFINITY),
    Limit("websocket-presence", "cpu_us", "server CPU per presence over WebSocket", "us", f64::INFINITY),
    Limit("websocket-idle", "session_kb", "memory per idle session over WebSocket", "KB", f64::INFINITY),
    Limit("online", "session_kb", "memory per session with 200 contacts", "KB", 20.0),
    Limit("online", "cpu_us", "server CPU per session coming online", "us", f64::INFINITY),
    Limit("storm", "all_seen_s", "login storm, everybody seen", "s", f64::INFINITY),
    Limit("storm", "cpu_us", "login storm, server CPU per presence", "us", f64::INFINITY),
    Limit("storm", "peak_kb", "login storm, memory at its peak", "KB", f64::INFINITY),
    Limit("archived", "cpu_us", "server CPU per message, archived by both", "us", 45.0),
    Limit("office", "all_seen_s", "1,000 of one group, everybody seen", "s", 20.0),
    Limit("office", "cpu_s", "1,000 of one group, server CPU in all", "s", 15.0),
    Limit("roster", "get_growth", "roster per contact, largest to next size", "x", 1.1),
    Limit("roster", "change_growth", "broadcast per contact, likewise", "x", 1.1),
    Limit("start", "answer_ms", "start to listening and answering", "ms", 300.0),
    Limit("start", "rss_mb", "memory at rest", "MB", 20.0),
    Limit("plain-attack", "wrong_rate", "wrong passwords answered a second", "(at least)", -195.0),
    Limit("plain-attack", "moved_p99_ms", "p99 moved by wrong passwords", "ms", 5.0),
    Limit("cross", "to_sip_p99_ms", "presence to NOTIFY p99", "ms", 5.0),
    Limit("cross", "to_xmpp_p99_ms", "PUBLISH to presence p99", "ms", 5.0),
    Limit("publish", "cpu_us", "server CPU per PUBLISH", "us", 35.0),
    Limit("subscribe", "cpu_us", "server CPU per SUBSCRIBE with NOTIFY", "us", 50.0),
    Limit("notify", "cpu_us", "server CPU per NOTIFY, 1 to 20", "us", 12.0),
    Limit("retransmit", "cpu_us", "server CPU per retransmission", "us", 4.0),
    Limit("unauthorized", "cpu_us", "server CPU per request refused", "us", 8.0),
    Limit("unauthorized", "growth_bytes", "memory per request refused", "bytes", 8.0),
];

/// What a scenario's CPU is held against beside its limit: the floor of the same exchange, and what that floor cost, in
/// microseconds, on the machine on which the limit was set.
struct Floor(&'static str, &'static str, f64);

#[rustfmt::skip]
const FLOORS: [Floor; 4] = [
    Floor("messages", "floor-relay", 3.5),
    Floor("presence", "floor-fanout", 2.5),
    Floor("retransmit", "floor-udp", 2.9),
    Floor("unauthorized", "floor-udp", 2.9),
];

/// What scenarios at several numbers of sessions have in common in their names.
const AMONG: &str = "presence-among-";
/// How much dearer a copy may be among the most sessions than among the fewest.
const FLAT: f64 = 1.2;

type Reports = HashMap<String, Value>;

/// The reports of a file by scenario, the last of each.
fn reports(text: &str) -> Reports {
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|value| Some((value.get("scenario")?.as_str()?.to_owned(), value)))
        .collect()
}

/// The floor of this figure in the same file and what it was when the limit was set, where there is one.
fn floor(reports: &Reports, limit: &Limit) -> Option<(f64, f64)> {
    let Limit(scenario, key, ..) = limit;
    let Floor(_, floor, then) = FLOORS.iter().find(|Floor(of, ..)| of == scenario)?;
    let report = reports.get(*floor).filter(|_| *key == "cpu_us")?;
    Some((report.get(*key)?.as_f64()?, *then))
}

/// A number of a table, or a dash.
fn shown(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2}"))
}

/// Prints a figure against its limit; whether it is there and within. The limit as scaled by the floor only stands beside.
fn row(name: &str, unit: &str, value: Option<f64>, most: f64, floor: Option<(f64, f64)>) -> bool {
    let fits = value.is_some_and(|value| {
        if most < 0.0 {
            value >= -most
        } else {
            value <= most
        }
    });
    let measured = value.map_or("missing".to_owned(), |value| format!("{value:.2}"));
    let limit = if most.is_infinite() {
        "-".to_owned()
    } else {
        format!("{}", most.abs())
    };
    let scaled = floor.map(|(now, then)| most * now / then);
    let ratio = floor.zip(value).map(|((now, _), value)| value / now);
    let verdict = if fits { "" } else { "  <-- missed" };
    let (scaled, ratio) = (shown(scaled), shown(ratio));
    println!("{name:<42} {measured:>10} {limit:>10} {scaled:>10} {ratio:>10} {unit}{verdict}");
    fits
}

/// CPU of a copy of presence among the most sessions, as a multiple of that among the fewest; nothing where one or no
/// number of sessions was measured, nothing inside where a figure is missing.
fn growth(reports: &Reports) -> Option<Option<f64>> {
    let mut among: Vec<(usize, &Value)> = reports
        .iter()
        .filter_map(|(name, report)| Some((name.strip_prefix(AMONG)?.parse().ok()?, report)))
        .collect();
    among.sort_by_key(|(sessions, _)| *sessions);
    let [(_, fewest), .., (_, most)] = among.as_slice() else {
        return None;
    };
    let cpu = |report: &Value| report.get("cpu_us")?.as_f64();
    Some(
        cpu(most)
            .zip(cpu(fewest))
            .map(|(most, fewest)| most / fewest),
    )
}

/// Prints the rows of all scenarios that were begun; whether all is good: one that gave no figure is not.
fn judge(reports: &Reports) -> bool {
    println!(
        "{:<42} {:>10} {:>10} {:>10} {:>10}",
        "", "measured", "at most", "scaled", "x floor"
    );
    let mut good = true;
    for limit in &LIMITS {
        let Limit(scenario, key, name, unit, most) = limit;
        if let Some(report) = reports.get(*scenario) {
            let value = report.get(key).and_then(Value::as_f64);
            good &= row(name, unit, value, *most, floor(reports, limit));
        }
    }
    if let Some(value) = growth(reports) {
        let name = "presence copy, most to fewest sessions";
        good &= row(name, "x", value, FLAT, None);
    }
    for (name, report) in reports {
        if let Some(why) = report.get("failed").and_then(Value::as_str) {
            println!("{name} failed: {why}");
            good = false;
        }
    }
    good
}

/// Prints the table for the scenarios that were recorded; whether every figure is there and within its limit.
pub(crate) fn print(file: &Path) -> Result<bool> {
    let what = file.display().to_string();
    let text = std::fs::read_to_string(file).doing(&what)?;
    Ok(judge(&reports(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_run_must_have_its_figure_within_its_limit() {
        let good = |text: &str| judge(&reports(text));
        assert!(good(r#"{"scenario":"notify","cpu_us":11.9}"#));
        assert!(!good(r#"{"scenario":"notify","cpu_us":12.1}"#));
        assert!(!good(r#"{"scenario":"notify","rate_per_s":9}"#));
        assert!(!good(r#"{"scenario":"storm","failed":"gone"}"#));
        assert!(!good(r#"{"scenario":"messages-open","failed":"gone"}"#));
        assert!(good(
            r#"{"scenario":"plain-attack","wrong_rate":199,"moved_p99_ms":1}"#
        ));
        assert!(!good(
            r#"{"scenario":"plain-attack","wrong_rate":19,"moved_p99_ms":1}"#
        ));
    }

    #[test]
    fn a_floor_stands_beside_its_figures_and_changes_no_verdict() {
        let text = "{\"scenario\":\"floor-udp\",\"cpu_us\":5.8}\n{\"scenario\":\"retransmit\",\"cpu_us\":4.1}\n";
        let found = reports(text);
        let beside = |scenario: &str, key: &str| {
            let limit = LIMITS
                .iter()
                .find(|Limit(of, what, ..)| *of == scenario && *what == key);
            floor(&found, limit.expect("a limit"))
        };
        assert_eq!(beside("retransmit", "cpu_us"), Some((5.8, 2.9)));
        assert_eq!(beside("unauthorized", "growth_bytes"), None);
        assert_eq!(beside("messages", "cpu_us"), None);
        assert_eq!(beside("publish", "cpu_us"), None);
        assert!(!judge(&found));
        assert!(judge(&reports(r#"{"scenario":"floor-udp","cpu_us":99}"#)));
    }

    #[test]
    fn every_floor_is_of_a_limit_and_is_measured() {
        for Floor(of, floor, _) in &FLOORS {
            for name in [of, floor] {
                let known = |Limit(scenario, key, ..): &Limit| scenario == name && *key == "cpu_us";
                assert!(LIMITS.iter().any(known), "{name}");
            }
        }
    }

    #[test]
    fn growth_is_from_the_fewest_to_the_most() {
        let text = "{\"scenario\":\"presence-among-900\",\"cpu_us\":5}\n{\"scenario\":\"presence-among-15000\",\"cpu_us\":6}\n";
        let found = growth(&reports(text)).flatten().expect("both");
        assert!((found - 1.2).abs() < 1e-9);
        let missing = "{\"scenario\":\"presence-among-900\"}\n{\"scenario\":\"presence-among-15000\",\"cpu_us\":6}\n";
        assert_eq!(growth(&reports(missing)), Some(None));
        assert_eq!(growth(&reports("")), None);
    }
}
