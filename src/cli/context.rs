//! What a command knows of the process it runs in.

use std::io::IsTerminal as _;

use super::{Arguments, Failure};
use crate::config::{Choice, Loaded, load};
use crate::data_folder::DataFolder;

/// What a command knows of the process it runs in. The environment is read here and nowhere else.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// `--config` and `--data`.
    pub choice: Choice,
    /// Environment variables that are text.
    pub environment: Vec<(String, String)>,
    /// Whether the log is read by journald.
    pub under_journald: bool,
    /// Whether standard output takes colours: a terminal does, unless `NO_COLOR` is set; with `CLICOLOR_FORCE` everything does.
    pub colours: bool,
}

impl Context {
    /// Of this process.
    pub fn of_process(arguments: &Arguments) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment: Vec<_> = std::env::vars_os().filter_map(text).collect();
        let under_journald = environment.iter().any(|(name, _)| name == "JOURNAL_STREAM");
        let is_set = |wanted: &str| {
            let found = environment.iter().find(|(name, _)| name == wanted);
            found.is_some_and(|(_, value)| !value.is_empty() && value != "0")
        };
        let colours =
            is_set("CLICOLOR_FORCE") || (std::io::stdout().is_terminal() && !is_set("NO_COLOR"));
        Self {
            choice: Choice {
                file: arguments.config.clone(),
                data: arguments.data.clone(),
            },
            environment,
            under_journald,
            colours,
        }
    }

    /// Reads the configuration. Called again for SIGHUP.
    pub fn load(&self) -> Result<Loaded, Failure> {
        Ok(load(&self.choice, self.environment.iter().cloned())?)
    }

    /// Opens the data folder of a configuration, making it where there is none.
    pub fn data_folder(&self, loaded: &Loaded) -> Result<DataFolder, Failure> {
        Ok(DataFolder::open(&loaded.config.data)?)
    }
}
