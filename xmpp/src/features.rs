//! The list for people: what is implemented, and how that compares with what others expect of a server (XEP-0479). Everything in it comes
//! from [`EXTENSIONS`]; the page in `docs/` is this text, and a test compares them.

mod compliance;

use std::fmt::Write as _;

use crate::client::{EXTENSIONS, Extension, Status};
use compliance::{Category, Level, Row, SUITES};

/// The page `docs/features.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# What XMPP clients find here\n\n\
         This page is made from the table of extensions in the program (`xmpp/src/client/extensions.rs`): what the server answers, what service discovery\n\
         tells and what stands here are the same. Specifications have their numbers: XEP are extensions of <https://xmpp.org/extensions/>, RFC are of the IETF.\n\n\
         ## Specifications\n\n\
         | specification | what | version | state |\n|---|---|---|---|\n",
    );
    for extension in EXTENSIONS {
        line(&mut page, extension);
    }
    page.push_str(
        "\n## What is expected of a server\n\n\
         The rows of the XMPP Compliance Suites 2023 (XEP-0479 0.1.0), as far as they are about servers. A row that asks for a level is done when all its\n\
         specifications are.\n",
    );
    for category in SUITES {
        suite(&mut page, category);
    }
    page
}

fn line(page: &mut String, extension: &Extension) {
    let state = match extension.status {
        Status::Done => "done".to_owned(),
        Status::Partly(what) => format!("partly: {what}"),
    };
    let _ = writeln!(
        page,
        "| {} | {} | {} | {state} |",
        extension.specification, extension.name, extension.version
    );
}

fn suite(page: &mut String, category: &Category) {
    let _ = write!(
        page,
        "\n### {}\n\n| feature | specifications | asked of | state |\n|---|---|---|---|\n",
        category.name
    );
    for row in category.rows {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            row.feature,
            row.specifications.join(", "),
            row.level.told(),
            state(row)
        );
    }
}

impl Level {
    fn told(self) -> &'static str {
        match self {
            Self::Core => "every server",
            Self::Advanced => "advanced servers",
            Self::Clients => "clients",
        }
    }
}

/// Where a row stands, by what of its specifications is in the table.
fn state(row: &Row) -> String {
    let (done, open): (Vec<&str>, Vec<&str>) = row.specifications.iter().partition(|s| is_done(s));
    match (&*done, &*open) {
        (_, []) => "done".to_owned(),
        _ if row.level == Level::Clients => row.otherwise.to_owned(),
        ([], _) if row.specifications.iter().any(|s| is_there(s)) => "partly".to_owned(),
        ([], _) => row.otherwise.to_owned(),
        (_, open) => format!("partly: {} {}", open.join(", "), row.otherwise),
    }
}

fn of(specification: &str) -> impl Iterator<Item = &'static Extension> {
    EXTENSIONS
        .iter()
        .filter(move |e| e.specification.split(", ").any(|s| s == specification))
}

fn is_there(specification: &str) -> bool {
    of(specification).next().is_some()
}

fn is_done(specification: &str) -> bool {
    is_there(specification) && of(specification).all(|e| e.status == Status::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_specifications() {
        let key = |e: &Extension| {
            let first = e.specification.split(", ").next().unwrap_or_default();
            (first.starts_with("XEP"), first.to_owned())
        };
        assert!(EXTENSIONS.is_sorted_by_key(key), "{}", markdown());
    }

    #[test]
    fn every_extension_of_the_xsf_says_which_version_of_it_is_meant() {
        for extension in EXTENSIONS {
            let numbered = extension.specification.starts_with("XEP-");
            assert_eq!(
                numbered,
                !extension.version.is_empty(),
                "{}",
                extension.name
            );
        }
    }

    #[test]
    fn a_row_stands_where_its_specifications_do() {
        let row = |specifications| Row {
            feature: "x",
            level: Level::Core,
            specifications,
            otherwise: "planned",
        };
        assert_eq!(state(&row(&["XEP-0030"])), "done");
        assert_eq!(state(&row(&["XEP-9999"])), "planned");
        assert_eq!(state(&row(&["RFC 6120"])), "partly");
        assert_eq!(
            state(&row(&["XEP-0030", "XEP-9999"])),
            "partly: XEP-9999 planned"
        );
    }
}
