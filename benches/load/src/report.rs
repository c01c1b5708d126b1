//! What a scenario found, as a table for people or one JSON object.

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::{Map, Value};

use crate::args::Output;
use crate::failure::{Doing, Result};
use crate::run::Measured;

/// Figures of one scenario in the order in which they are shown.
pub(crate) struct Report {
    scenario: String,
    rows: Vec<(String, String, &'static str, Value)>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(scenario: &str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            rows: Vec::new(),
        }
    }

    /// Adds a figure: its JSON key, its name, its unit.
    pub(crate) fn figure(&mut self, key: &str, name: &str, unit: &'static str, value: f64) {
        let rounded = (value * 1000.0).round() / 1000.0;
        self.rows
            .push((key.to_owned(), name.to_owned(), unit, Value::from(rounded)));
    }

    /// Adds a number of things.
    pub(crate) fn count(&mut self, key: &str, name: &str, value: u64) {
        self.rows
            .push((key.to_owned(), name.to_owned(), "", Value::from(value)));
    }

    /// Adds all that a measured time gives for one kind of operation.
    pub(crate) fn measured(&mut self, operation: &str, measured: &Measured) {
        self.count(
            "operations",
            &format!("{operation}, counted"),
            measured.done,
        );
        self.figure("rate_per_s", "rate", "/s", measured.rate());
        self.cpu(operation, measured);
        self.latency("", "latency", measured);
    }

    /// Adds memory in units of 1,000 bytes.
    pub(crate) fn memory(&mut self, key: &str, name: &str, bytes: f64) {
        self.figure(key, name, "KB", bytes / 1000.0);
    }

    /// Adds the server's CPU for each operation, and ours.
    pub(crate) fn cpu(&mut self, operation: &str, measured: &Measured) {
        if let Some(used) = measured.server {
            let each = used.total as f64 / 1000.0 / measured.done.max(1) as f64;
            self.figure("cpu_us", &format!("server CPU per {operation}"), "us", each);
            let share = used.busiest * 100.0;
            self.figure("busiest_thread_percent", "busiest thread", "%", share);
            let cores = used.total as f64 / measured.elapsed.as_nanos() as f64;
            self.figure("server_cores", "server cores used", "", cores);
        }
        let ours = measured.client.total as f64 / 1000.0 / measured.done.max(1) as f64;
        self.figure("client_us", "this program's CPU per operation", "us", ours);
    }

    /// Adds p50, p90, p99 and the maximum; `prefix` stands before the keys.
    pub(crate) fn latency(&mut self, prefix: &str, name: &str, measured: &Measured) {
        for (key, label, part) in [
            ("p50_ms", "p50", 0.50),
            ("p90_ms", "p90", 0.90),
            ("p99_ms", "p99", 0.99),
            ("max_ms", "max", 1.0),
        ] {
            let value = measured.percentile(part);
            self.figure(
                &format!("{prefix}{key}"),
                &format!("{name} {label}"),
                "ms",
                value,
            );
        }
    }

    /// Prints it, a table or one line of JSON, and records it where that is wanted.
    pub(crate) fn give(&self, output: &Output) -> Result<()> {
        let json = self.json();
        record(output, &json)?;
        if output.json {
            println!("{json}");
            return Ok(());
        }
        println!("{}", self.scenario);
        for (_, name, unit, value) in &self.rows {
            println!("  {name:<50} {value:>12} {unit}");
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("scenario".to_owned(), Value::from(self.scenario.clone()));
        for (key, _, _, value) in &self.rows {
            object.insert(key.clone(), value.clone());
        }
        Value::Object(object)
    }
}

/// Records that a scenario was begun and failed, so that its figures are missed.
pub(crate) fn failed(output: &Output, scenario: &str, why: &str) -> Result<()> {
    let mut object = Map::new();
    object.insert("scenario".to_owned(), Value::from(scenario));
    object.insert("failed".to_owned(), Value::from(why));
    record(output, &Value::Object(object))
}

fn record(output: &Output, json: &Value) -> Result<()> {
    let Some(path) = &output.record else {
        return Ok(());
    };
    let what = path.display().to_string();
    let file = OpenOptions::new().create(true).append(true).open(path);
    writeln!(file.doing(&what)?, "{json}").doing(&what)
}
