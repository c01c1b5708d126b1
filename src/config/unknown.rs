//! Unknown keys: each is a mistake that names the nearest known one.

use super::keys::{FREE_TABLES, LISTS, SECTIONS};
use super::nearest::nearest;
use super::read::Reader;
use super::tree::{Node, Value};

/// Notes every key that the table does not know.
pub(crate) fn check(reader: &mut Reader<'_>) {
    let Value::Table(entries) = &reader.root().value else {
        return;
    };
    for (name, node) in entries {
        let known_section = SECTIONS
            .iter()
            .find(|section| !section.name.is_empty() && section.name == name);
        let known_list = LISTS.iter().find(|list| list.name == name);
        if let Some(section) = known_section {
            check_section(reader, section.name, node);
        } else if let Some(list) = known_list {
            check_list(reader, list.name, node);
        } else if !names(top()).any(|known| known == name) {
            let sections = SECTIONS
                .iter()
                .map(|section| section.name)
                .filter(|name| !name.is_empty());
            let candidates = names(top())
                .chain(sections)
                .chain(LISTS.iter().map(|list| list.name));
            let advice = advice(name, candidates, "");
            reader.mistake(
                Some(&node.place),
                format!("{name} is not a known key{advice}."),
            );
        }
    }
}

fn check_section(reader: &mut Reader<'_>, section: &'static str, node: &Node) {
    let Value::Table(entries) = &node.value else {
        reader.mistake(
            Some(&node.place),
            format!("{section} must be a section; write [{section}] on a line of its own."),
        );
        return;
    };
    let keys = SECTIONS
        .iter()
        .find(|s| s.name == section)
        .map_or(&[][..], |s| s.keys);
    for (name, node) in entries {
        let path = format!("{section}.{name}");
        if !keys.iter().any(|key| key.name == name) {
            let advice = advice(name, names(keys), section);
            reader.mistake(
                Some(&node.place),
                format!("{path} is not a known key{advice}."),
            );
        } else if !FREE_TABLES.contains(&path.as_str()) {
            check_inner(reader, &path, node);
        }
    }
}

/// Keys of a table value such as `{ min = …, default = …, max = … }`.
fn check_inner(reader: &mut Reader<'_>, path: &str, node: &Node) {
    let Some(Value::Table(defaults)) = reader
        .defaults()
        .get(path.split('.'))
        .map(|default| &default.value)
    else {
        return;
    };
    let known: Vec<String> = defaults.iter().map(|(name, _)| name.clone()).collect();
    let Value::Table(entries) = &node.value else {
        let example = super::keys::find(path).map_or("", |key| key.default);
        reader.mistake(
            Some(&node.place),
            format!("{path} must be a table such as {example}."),
        );
        return;
    };
    for (name, node) in entries {
        if !known.contains(name) {
            let advice = advice(name, known.iter().map(String::as_str), path);
            reader.mistake(
                Some(&node.place),
                format!("{path}.{name} is not a known key{advice}."),
            );
        }
    }
}

fn check_list(reader: &mut Reader<'_>, list: &'static str, node: &Node) {
    let keys = LISTS
        .iter()
        .find(|l| l.name == list)
        .map_or(&[][..], |l| l.keys);
    let wrong = format!(
        "{list} must be written as [[{list}]] on a line of its own, once for each entry, in the file."
    );
    let Value::List(items) = &node.value else {
        reader.mistake(Some(&node.place), wrong);
        return;
    };
    for item in items {
        let Value::Table(entries) = &item.value else {
            reader.mistake(Some(&item.place), wrong.clone());
            continue;
        };
        for (name, node) in entries {
            if !keys.iter().any(|key| key.name == name) {
                let advice = advice(name, names(keys), "");
                reader.mistake(
                    Some(&node.place),
                    format!("{name} is not a known key of [[{list}]]{advice}."),
                );
            }
        }
    }
}

fn top() -> &'static [super::keys::Key] {
    SECTIONS
        .iter()
        .find(|section| section.name.is_empty())
        .map_or(&[], |section| section.keys)
}

fn names(keys: &'static [super::keys::Key]) -> impl Iterator<Item = &'static str> {
    keys.iter().map(|key| key.name)
}

/// What to do about an unknown name: the nearest one here, or the section where it belongs.
fn advice<'c>(name: &str, here: impl Iterator<Item = &'c str>, section: &str) -> String {
    let elsewhere = SECTIONS
        .iter()
        .find(|other| other.keys.iter().any(|key| key.name == name));
    if let Some(other) = elsewhere {
        return match other.name {
            "" => "; it belongs to the top of the file, above the first section".to_owned(),
            other => format!("; it belongs into the section [{other}]"),
        };
    }
    match nearest(name, here) {
        Some(found) if section.is_empty() => format!("; the nearest one is {found}"),
        Some(found) => format!("; the nearest one is {section}.{found}"),
        None => "; remove it, or see `adsum config` for all keys".to_owned(),
    }
}
