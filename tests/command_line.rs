//! The program as a person at a shell meets it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

fn run_in(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adsum"));
    command
        .args(arguments)
        .current_dir(folder)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_printed_configuration_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run_in(folder.path(), &["config"], &[]);
    assert_eq!(printed.status.code(), Some(0));
    std::fs::write(folder.path().join("adsum.toml"), &printed.stdout).unwrap();
    let checked = run_in(folder.path(), &["check", "config"], &[]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    assert!(
        text(&checked.stdout).starts_with("adsum.toml: the configuration is right.\n"),
        "{checked:?}"
    );
}

#[test]
fn mistakes_are_explained_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("adsum.toml"),
        "[xmpp]\nclinet = []\n[sip]\nudp = [\"5060\"]\n",
    )
    .unwrap();
    for (arguments, code) in [
        (&["check"][..], 1),
        (&["check", "config"], 1),
        (&["check", "ports"], 2),
        (&["serve"], 2),
        (&[], 2),
    ] {
        let done = run_in(folder.path(), arguments, &[]);
        assert_eq!(done.status.code(), Some(code), "{arguments:?} {done:?}");
        let said = format!("{}{}", text(&done.stdout), text(&done.stderr));
        assert!(
            said.contains(
                "adsum.toml:2: xmpp.clinet is not a known key; the nearest one is xmpp.client."
            ),
            "{said}"
        );
        assert!(
            said.contains("adsum.toml:4: sip.udp holds \"5060\""),
            "{said}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_environment_and_the_file_option_count() {
    let folder = tempfile::tempdir().unwrap();
    let done = run_in(
        folder.path(),
        &["check", "config"],
        &[("ADSUM__LOG__LEVEL", "loud")],
    );
    assert_eq!(done.status.code(), Some(1));
    assert!(
        text(&done.stdout).starts_with("ADSUM__LOG__LEVEL: log.level must be"),
        "{done:?}"
    );
    let done = run_in(
        folder.path(),
        &["check", "config", "--config", "none.toml"],
        &[],
    );
    assert_eq!(done.status.code(), Some(1));
    assert!(
        text(&done.stdout).starts_with("none.toml: this configuration file does not exist"),
        "{done:?}"
    );
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let done = run_in(folder.path(), &["usr"], &[]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(text(&done.stderr).lines().count(), 1);
    let done = run_in(folder.path(), &["user", "alias", "--help"], &[]);
    assert_eq!(done.status.code(), Some(0));
    assert!(text(&done.stdout).contains("Usage: adsum user alias"));
    for unbuilt in [
        &["token", "list"][..],
        &["explain", "a@b", "c@d"],
        &["export", "f"],
        &["import", "f"],
        &["check", "dns"],
    ] {
        let done = run_in(folder.path(), unbuilt, &[]);
        assert_eq!(done.status.code(), Some(2), "{unbuilt:?}");
        assert!(text(&done.stderr).contains("not built yet"), "{unbuilt:?}");
    }
}

#[test]
fn completions_for_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = run_in(folder.path(), &["completions", shell], &[]);
        assert_eq!(done.status.code(), Some(0));
        assert!(text(&done.stdout).contains("alias"), "{shell}");
    }
}
