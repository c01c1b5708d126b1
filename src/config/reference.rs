//! The default configuration as a file, and the reference page: both printed from the table of keys.

use std::fmt::Write as _;

use super::keys::{Effect, Key, LISTS, SECTIONS};

const WIDTH: usize = 110;

/// The whole default configuration, commented: what `adsum config` prints.
pub fn toml() -> String {
    let mut out = String::from(
        "# The configuration of Adsum with every default. Remove what you do not change.\n\n",
    );
    for section in SECTIONS {
        if !section.name.is_empty() {
            comment(&mut out, section.doc);
            let _ = writeln!(out, "[{}]", section.name);
        }
        for key in section.keys {
            comment(&mut out, &doc_with_effect(key.doc, key.effect));
            let _ = writeln!(out, "{} = {}", key.name, key.default);
        }
        out.push('\n');
    }
    for list in LISTS {
        comment(&mut out, &doc_with_effect(list.doc, list.effect));
        let _ = writeln!(out, "#[[{}]]", list.name);
        for Key { name, default, .. } in list.keys {
            let _ = writeln!(out, "#{name} = {default}");
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The reference page, `docs/configuration.md`.
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for section in SECTIONS {
        if section.name.is_empty() {
            out.push_str("\n## At the top\n");
        } else {
            let _ = write!(out, "\n## `[{}]`\n\n{}\n", section.name, section.doc);
        }
        out.push_str("\n| key | default | meaning |\n|---|---|---|\n");
        for key in section.keys {
            row(&mut out, key);
        }
    }
    for list in LISTS {
        let _ = write!(
            out,
            "\n## `[[{}]]`\n\n{}\n",
            list.name,
            doc_with_effect(list.doc, list.effect)
        );
        out.push_str("\n| key | example | meaning |\n|---|---|---|\n");
        for key in list.keys {
            row(&mut out, key);
        }
    }
    out
}

const INTRODUCTION: &str = "# Configuration

<!-- Printed from the table of keys in src/config/keys.rs; a test compares. -->

The server reads `adsum.toml` of the working folder, or else `/etc/adsum/adsum.toml`, or else only the defaults below; `--config FILE`
names another file. `adsum config` prints this as a file to start from, `adsum check config` explains every mistake at once.

Durations are written `\"30s\"`, `\"10m\"`, `\"24h\"`, `\"30d\"` (also `\"250ms\"`), sizes `\"256KiB\"`, `\"1MiB\"`, `\"2GiB\"`. Relative paths in a file count from the
folder of that file, those of `--data` and of the environment, and all where there is no file, from the working folder.

An environment variable `ADSUM__SECTION__KEY` overrides a key: `ADSUM__LOG__LEVEL=debug`, `ADSUM__DATA=/var/lib/adsum`,
`ADSUM__LIMITS__PUBLISH_EXPIRES__MAX=12h`. Lists may be divided by commas: `ADSUM__XMPP__CLIENT=127.0.0.1:5222,[::1]:5222`.
";

fn row(out: &mut String, key: &Key) {
    let doc = doc_with_effect(key.doc, key.effect).replace('|', "\\|");
    let _ = writeln!(out, "| `{}` | `{}` | {doc} |", key.name, key.default);
}

fn doc_with_effect(doc: &str, effect: Effect) -> String {
    match effect {
        Effect::Now => doc.to_owned(),
        Effect::Later(_) => format!("{doc} (No effect yet.)"),
    }
}

/// Writes a text as comment lines of a readable width.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn the_file_is_valid_toml_with_every_key() {
        let (root, errors) = tree::parse(&toml());
        assert!(errors.is_empty(), "{errors:?}");
        for section in SECTIONS {
            for key in section.keys {
                let path = [section.name, key.name];
                assert!(
                    root.get(path.into_iter().filter(|name| !name.is_empty()))
                        .is_some(),
                    "{path:?}"
                );
            }
        }
    }

    #[test]
    fn the_examples_of_lists_are_valid_toml() {
        let uncommented: String = toml()
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' '))
            .fold(String::new(), |all, line| all + line + "\n");
        let (root, errors) = tree::parse(&uncommented);
        assert!(errors.is_empty(), "{errors:?}\n{uncommented}");
        assert!(LISTS.iter().all(|list| root.get([list.name]).is_some()));
    }

    #[test]
    fn lines_are_not_too_long_to_read() {
        assert!(toml().lines().all(|line| line.len() <= WIDTH + 10));
    }
}
