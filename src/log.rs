//! The log: a sentence and fields, on standard error, as text or JSON.

use std::io::IsTerminal;

use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{Log, LogFormat};

/// Libraries that have a line for every frame: who wants those names them.
const LIBRARIES: &str = "h2=info,hyper=info,hyper_util=info,rustls=info,";

/// Changes the level while the program runs.
#[derive(Debug, Clone)]
pub struct LogHandle(reload::Handle<EnvFilter, Registry>);

/// Why the log cannot be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is neither a level nor a filter.
    #[error("\"{0}\" is not a log level; write error, warn, info, debug or trace")]
    Level(String),
    /// There is a log already, or it has ended.
    #[error("the log cannot be set up: {0}")]
    SetUp(String),
}

/// Reads a level, or a filter such as `info,adsum::sip=debug`.
pub fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let wrong = || LogError::Level(level.to_owned());
    // A single word that is no level would be taken for the name of a module.
    let bare = level.split(',').filter(|part| !part.contains('='));
    let mut quiet = "";
    for part in bare {
        if part.trim().is_empty() {
            return Err(wrong());
        }
        if part.trim().parse::<LevelFilter>().map_err(|_| wrong())? > LevelFilter::INFO {
            quiet = LIBRARIES;
        }
    }
    // What is named later wins.
    EnvFilter::builder()
        .parse(format!("{quiet}{level}"))
        .map_err(|_| wrong())
}

/// Starts the log of this process. Colours are used on a terminal only, time stamps are left out under journald, which has its own.
pub fn start(log: &Log, under_journald: bool) -> Result<LogHandle, LogError> {
    let (level, handle) = reload::Layer::new(filter(&log.level)?);
    let ansi = std::io::stderr().is_terminal();
    let base = fmt::layer().with_writer(std::io::stderr).with_ansi(ansi);
    let lines: Box<dyn Layer<_> + Send + Sync> = match (log.format, under_journald) {
        (LogFormat::Json, _) => base.json().flatten_event(true).boxed(),
        (LogFormat::Text, true) => base.without_time().boxed(),
        (LogFormat::Text, false) => base.boxed(),
    };
    let done: Result<(), TryInitError> = tracing_subscriber::registry()
        .with(level)
        .with(lines)
        .try_init();
    done.map_err(|error| LogError::SetUp(error.to_string()))?;
    Ok(LogHandle(handle))
}

impl LogHandle {
    /// Changes the level.
    pub fn set_level(&self, level: &str) -> Result<(), LogError> {
        self.0
            .reload(filter(level)?)
            .map_err(|error| LogError::SetUp(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        let of_h2 = |level: &str| {
            let all = filter(level).map(|it| it.to_string()).unwrap_or_default();
            let mut found = all.split(',').filter(|part| part.starts_with("h2="));
            found.next().map(str::to_owned)
        };
        assert_eq!(of_h2("debug").as_deref(), Some("h2=info"));
        assert_eq!(of_h2("trace,h2=trace").as_deref(), Some("h2=trace"));
        assert_eq!(of_h2("warn"), None);
    }

    #[test]
    fn levels_and_filters() {
        for good in [
            "error",
            "warn",
            "info",
            "debug",
            "trace",
            "INFO",
            "info,adsum::sip=debug",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["", "loud", "info,loud", "adsum=loud", "adsum"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
