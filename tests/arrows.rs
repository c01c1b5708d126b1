//! Arrows between the crates point one way: the manifests are read and compared with the table.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What each crate may import of this workspace, tests included. The same table is in `docs/architecture.md`.
const ARROWS: &[(&str, &[&str])] = &[
    ("xml", &[]),
    ("presence", &[]),
    ("documents", &["presence", "xml"]),
    ("store", &["presence"]),
    ("model", &["presence", "services", "store"]),
    ("xmpp", &["presence", "services", "xml"]),
    ("services", &["presence", "xml"]),
    ("bosh", &["xml"]),
    ("sip", &[]),
    ("bridge", &["presence", "documents", "sip", "xml"]),
    ("web", &["model", "presence", "documents", "xml"]),
    (
        "benches/load",
        &[
            "xml",
            "presence",
            "documents",
            "store",
            "model",
            "xmpp",
            "sip",
            "bridge",
        ],
    ),
];

/// What the protocol crates never import: they are machines without sockets, tasks and storage.
const OUTSIDE: &[&str] = &[
    "tokio",
    "tokio-rustls",
    "tokio-xmpp",
    "hyper",
    "hyper-util",
    "rusqlite",
    "rustls",
    "socket2",
];
const MACHINES: &[&str] = &[
    "xml",
    "presence",
    "documents",
    "xmpp",
    "services",
    "bosh",
    "sip",
    "bridge",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    std::fs::read_to_string(&path).unwrap().parse().unwrap()
}

/// Names of everything a manifest imports, in any of its dependency tables.
fn imports(table: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, value) in table {
        let Some(inner) = value.as_table() else {
            continue;
        };
        if name.ends_with("dependencies") {
            found.extend(inner.keys().cloned());
        } else if name == "target" {
            found.extend(
                inner
                    .values()
                    .filter_map(toml::Value::as_table)
                    .flat_map(imports),
            );
        }
    }
    found
}

fn members() -> Vec<String> {
    let manifest = manifest("");
    let members = manifest["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .map(|member| member.as_str().unwrap().to_owned())
        .collect()
}

/// Names under which workspace crates are imported, with their folders.
fn own_crates() -> BTreeMap<String, String> {
    let manifest = manifest("");
    let all = manifest["workspace"]["dependencies"].as_table().unwrap();
    all.iter()
        .filter_map(|(name, value)| Some((name.clone(), value.get("path")?.as_str()?.to_owned())))
        .collect()
}

#[test]
fn every_arrow_is_in_the_table() {
    let (table, own): (BTreeMap<_, _>, _) = (ARROWS.iter().copied().collect(), own_crates());
    for member in members() {
        let allowed = table
            .get(member.as_str())
            .unwrap_or_else(|| panic!("{member} is not in the table of arrows"));
        for import in imports(&manifest(&member)) {
            assert_ne!(import, "adsum", "{member} imports the program");
            if let Some(folder) = own.get(&import) {
                assert!(
                    allowed.contains(&folder.as_str()),
                    "{member} may not import {import}"
                );
            }
        }
    }
}

#[test]
fn members_import_each_other_by_the_workspace_table_only() {
    for member in members() {
        let text = std::fs::read_to_string(root().join(&member).join("Cargo.toml")).unwrap();
        assert!(
            !text.lines().any(|line| line.contains("path = \"..")),
            "{member} imports by path; use the workspace table"
        );
    }
}

#[test]
fn machines_import_nothing_of_the_outside() {
    let members = members();
    for machine in MACHINES
        .iter()
        .filter(|machine| members.iter().any(|member| member == *machine))
    {
        let table = manifest(machine);
        let direct: BTreeSet<String> = table
            .get("dependencies")
            .and_then(toml::Value::as_table)
            .map(|t| t.keys().cloned().collect())
            .unwrap_or_default();
        let wrong: Vec<_> = OUTSIDE
            .iter()
            .filter(|name| direct.contains(**name))
            .collect();
        assert!(wrong.is_empty(), "{machine} imports {wrong:?}");
    }
    for member in members
        .iter()
        .filter(|member| *member != "store" && !member.starts_with("benches"))
    {
        assert!(
            !imports(&manifest(member)).contains("rusqlite"),
            "{member} imports rusqlite; SQL lives in store"
        );
    }
}

#[test]
fn the_environment_is_read_in_the_program_only() {
    let mut wrong = Vec::new();
    for member in members()
        .iter()
        .filter(|member| !member.starts_with("benches"))
    {
        visit(&root().join(member).join("src"), &mut |path, text| {
            if text.contains("std::env") {
                wrong.push(path.to_owned());
            }
        });
    }
    assert!(wrong.is_empty(), "std::env is used in {wrong:?}");
}

#[test]
fn the_page_shows_the_same_table() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    for member in members()
        .iter()
        .filter(|member| !member.starts_with("benches"))
    {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{member}/` |")))
            .unwrap_or_else(|| panic!("{member} is not on the page"));
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let shown: BTreeSet<&str> = cell.split('`').skip(1).step_by(2).collect();
        let (_, allowed) = ARROWS.iter().find(|(name, _)| name == member).unwrap();
        assert_eq!(shown, allowed.iter().copied().collect(), "{member}");
    }
}

/// Calls `see` for every Rust file below a folder.
fn visit(folder: &Path, see: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
