//! `adsum user reports`: what was reported of those who were blocked, for people.

use serde_json::Value;

/// A line for each report, and one for its text. What people wrote comes without the characters that steer a terminal.
pub(super) fn table(reports: &Value) -> String {
    let mut text = String::new();
    for report in reports.as_array().into_iter().flatten() {
        let field = |name: &str| plain(report.get(name).and_then(Value::as_str).unwrap_or("-"));
        let stanzas = report.get("stanzas").and_then(Value::as_array);
        let messages = match stanzas.map_or(0, Vec::len) {
            0 => String::new(),
            1 => ", 1 message".to_owned(),
            n => format!(", {n} messages"),
        };
        text.push_str(&format!(
            "{}  {} reports {}: {}{messages}\n",
            field("at"),
            field("by"),
            field("about"),
            field("reason")
        ));
        if report.get("text").is_some_and(Value::is_string) {
            text.push_str(&format!("    {}\n", field("text")));
        }
    }
    if text.is_empty() {
        text.push_str("Nothing was reported.\n");
    }
    text
}

fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_for_each() {
        let reports = json!([
            { "at": "2026-01-02T03:04:05Z", "by": "ann@a", "about": "eve@b/x", "reason": "spam", "text": "buy\u{1b}[2Jnow",
              "stanzas": [{ "by": "ann@a", "id": "1" }, { "by": "ann@a", "id": "2" }] },
            { "at": "2026-01-02T03:04:06Z", "by": "ann@a", "about": "c", "reason": "abuse", "text": null, "stanzas": [] },
        ]);
        assert_eq!(
            table(&reports),
            "2026-01-02T03:04:05Z  ann@a reports eve@b/x: spam, 2 messages\n    buy [2Jnow\n\
             2026-01-02T03:04:06Z  ann@a reports c: abuse\n"
        );
        assert_eq!(table(&json!([])), "Nothing was reported.\n");
    }
}
