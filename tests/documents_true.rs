//! What the documents say is what the program does.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_configuration_page_is_printed_from_the_table() {
    let printed = adsum::config::markdown();
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("configuration.md");
    std::fs::write(&fresh, &printed).unwrap();
    assert!(
        read("docs/configuration.md") == printed,
        "the page is old; run `cp {} docs/configuration.md`",
        fresh.display()
    );
}

#[test]
fn the_features_page_is_printed_from_the_table_of_extensions() {
    let printed = xmpp::features::markdown();
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("features.md");
    std::fs::write(&fresh, &printed).unwrap();
    assert!(
        read("docs/features.md") == printed,
        "the page is old; run `cp {} docs/features.md`",
        fresh.display()
    );
}

#[test]
fn the_printed_configuration_is_the_default_one() {
    let loaded = adsum::config::parse(&adsum::config::toml(), None, []).unwrap();
    assert_eq!(loaded.config, adsum::config::defaults());
    assert_eq!(
        loaded.config,
        adsum::config::parse("", None, []).unwrap().config
    );
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/architecture.md",
        "docs/configuration.md",
        "docs/operations.md",
        "docs/security.md",
        "docs/web.md",
        "docs/decisions/0003-outbox-and-locks.md",
        "docs/decisions/0005-sip-stack.md",
        "examples/README.md",
        "examples/web/README.md",
    ] {
        let text = read(page);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap();
            if !file.is_empty() && !file.contains("://") {
                assert!(
                    folder.parent().unwrap().join(file).exists(),
                    "{page} links to {target}"
                );
            }
        }
    }
}

#[test]
fn every_direct_dependency_has_its_line() {
    let page = read("docs/architecture.md");
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let all = manifest["workspace"]["dependencies"].as_table().unwrap();
    let missing: Vec<&String> = all
        .iter()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| name)
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/architecture.md gives no reason for {missing:?}"
    );
}
