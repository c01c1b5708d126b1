//! `adsum check`: what is wrong with configuration, certificates and ports, each with what mends it.

use time::OffsetDateTime;

use super::{CheckWhat, Context, Done, Failure, ports, print};
use crate::certificates;
use crate::config::{self, Loaded};
use crate::data_folder::DataFolder;

pub(super) fn check(context: &Context, what: Option<CheckWhat>) -> Done {
    if what == Some(CheckWhat::Dns) {
        return Err(Failure::not_built("check dns"));
    }
    let loaded = match config::load(&context.choice, context.environment.iter().cloned()) {
        Ok(loaded) => loaded,
        // What hangs on the configuration cannot be looked at; what is wrong with it is the answer.
        Err(mistakes) if matches!(what, None | Some(CheckWhat::Config)) => {
            print(&format!("{mistakes}\n"))?;
            return Err(count(mistakes.0.len()));
        }
        Err(mistakes) => return Err(mistakes.into()),
    };
    let wanted = |one| what.is_none() || what == Some(one);
    let mut problems = Vec::new();
    if wanted(CheckWhat::Config) {
        report(
            crate::server::web_problems(&loaded.config),
            describe(&loaded).trim_end(),
            &mut problems,
        )?;
    }
    if wanted(CheckWhat::Certs) {
        report(
            certificates::problems(&loaded.config, OffsetDateTime::now_utc()),
            "The certificates are right.",
            &mut problems,
        )?;
    }
    if wanted(CheckWhat::Ports) {
        // Looking must not make the folder.
        let own = if loaded.config.data.is_dir() {
            DataFolder::open(&loaded.config.data)?.server_process()
        } else {
            None
        };
        report(
            ports::problems(&loaded.config, own),
            "The ports are free or this server's.",
            &mut problems,
        )?;
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(count(problems.len()))
    }
}

fn report(found: Vec<String>, fine: &str, all: &mut Vec<String>) -> Done {
    if found.is_empty() {
        return print(&format!("{fine}\n"));
    }
    print(&(found.join("\n") + "\n"))?;
    all.extend(found);
    Ok(())
}

fn describe(loaded: &Loaded) -> String {
    let from = loaded.file.as_ref().map_or_else(
        || "No file, the built-in defaults".to_owned(),
        |file| file.display().to_string(),
    );
    let mut text = format!("{from}: the configuration is right.\n");
    if let Some(notice) = loaded.notice() {
        text.push_str(&notice);
        text.push('\n');
    }
    text
}

fn count(problems: usize) -> Failure {
    let things = if problems == 1 {
        "1 thing is wrong".to_owned()
    } else {
        format!("{problems} things are wrong")
    };
    Failure::failed(format!(
        "{things}; do what is said above and run the check again."
    ))
}
