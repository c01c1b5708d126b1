//! `adsum status`, `backup`, `restore`.

use std::path::Path;

use serde_json::Value;

use super::user::wish;
use super::{Context, Done, Failure, print};
use crate::server::admin::Wish;
use crate::server::backup as copies;

pub(super) fn status(context: &Context, json: bool) -> Done {
    let status = wish(context, Wish::Status)?;
    if json {
        return print(&format!("{status:#}\n"));
    }
    if status.get("running") != Some(&Value::Bool(true)) {
        return Err(Failure::failed(
            "The server does not run; start it with `adsum serve`.",
        ));
    }
    let mut text = String::new();
    lines(&mut text, "", &status);
    print(&text)
}

/// One line a value, nested names joined by dots.
fn lines(text: &mut String, name: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                lines(text, &name, value);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            text.push_str(&format!("{name:<24} {}\n", items.join(", ")));
        }
        other => text.push_str(&format!("{name:<24} {}\n", plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn backup(context: &Context, file: &Path, with_secret: bool) -> Done {
    let file = std::path::absolute(file).map_err(|error| {
        Failure::wrong(format!(
            "{} is no place for a file ({error}).",
            file.display()
        ))
    })?;
    let name = file.display().to_string();
    wish(
        context,
        Wish::Backup {
            file: name.clone(),
            with_secret,
        },
    )?;
    let key = if with_secret {
        format!(
            " The key that opens its SIP passwords is beside it: keep both as you keep passwords ({name}.secret.key)."
        )
    } else {
        " Phones cannot log in from it alone: keep secret.key of the data folder elsewhere, or use --with-secret.".to_owned()
    };
    print(&format!("All data was copied to {name}.{key}\n"))
}

pub(super) fn restore(context: &Context, file: &Path, force: bool) -> Done {
    let loaded = context.load()?;
    let folder = context.data_folder(&loaded)?;
    let _lock = folder.lock()?;
    copies::restore(&folder, file, force).map_err(Failure::failed)?;
    print(&format!(
        "The data of {} is in place; start the server with `adsum serve`.\n",
        file.display()
    ))
}
