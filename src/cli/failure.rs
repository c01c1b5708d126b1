//! How a command ends when it is not done.

use std::fmt;

use clap::error::ErrorKind;

/// What a command gives back.
pub type Done = Result<(), Failure>;

/// Why a command was not done: an exit code and a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The command failed: exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
        }
    }

    /// Wrong usage or configuration: exit code 2.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
        }
    }

    /// The command is of a later version: exit code 2.
    pub fn not_built(command: &str) -> Self {
        Self::wrong(format!(
            "adsum {command} is not built yet; it comes with a later version."
        ))
    }

    /// An error as the sentence: with a capital and a full stop.
    pub fn of(error: &dyn std::error::Error) -> Self {
        Self::failed(sentence(&error.to_string()))
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<crate::config::Mistakes> for Failure {
    fn from(mistakes: crate::config::Mistakes) -> Self {
        Self::wrong(mistakes.to_string())
    }
}

impl From<crate::data_folder::DataFolderError> for Failure {
    fn from(error: crate::data_folder::DataFolderError) -> Self {
        Self::of(&error)
    }
}

impl From<crate::certificates::CertificateError> for Failure {
    fn from(error: crate::certificates::CertificateError) -> Self {
        Self::of(&error)
    }
}

impl From<crate::log::LogError> for Failure {
    fn from(error: crate::log::LogError) -> Self {
        Self::of(&error)
    }
}

/// Wrong usage in one sentence, out of the several lines of the parser.
pub(super) fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let usage = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Usage: "));
    let words = usage.unwrap_or("adsum").split(' ');
    let words = words.take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    let command = words.collect::<Vec<_>>().join(" ");
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::wrong(format!(
            "{command} needs to be told what to do; see `{command} --help`."
        ));
    }
    let what = text.lines().take_while(|line| !line.trim().is_empty());
    let what = what.map(str::trim).collect::<Vec<_>>().join(" ");
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    let tip = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("tip: "));
    let tip = tip.map_or_else(String::new, |tip| format!("; {tip}"));
    Failure::wrong(sentence(&format!("{what}{tip}; see `{command} --help`")))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    // A path or a quotation keeps its first letter.
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[test]
    fn wrong_usage_is_one_sentence() {
        let cases: [(&[&str], &str); 5] = [
            (
                &["adsum", "user"],
                "adsum user needs to be told what to do; see `adsum user --help`.",
            ),
            (
                &["adsum", "srve"],
                "Unrecognized subcommand 'srve'; a similar subcommand exists: 'serve'; see `adsum --help`.",
            ),
            (
                &["adsum", "user", "delete"],
                "The following required arguments were not provided: <JID>; see `adsum user delete --help`.",
            ),
            (
                &["adsum", "status", "--jsn"],
                "Unexpected argument '--jsn' found; a similar argument exists: '--json'; see `adsum status --help`.",
            ),
            (
                &["adsum", "user", "add"],
                "The following required arguments were not provided: <JID>; see `adsum user add --help`.",
            ),
        ];
        for (arguments, expected) in cases {
            let Err(error) = super::super::Arguments::try_parse_from(arguments) else {
                panic!("{arguments:?} is wrong")
            };
            let failure = usage(&error);
            assert_eq!(failure.to_string(), expected);
            assert_eq!(failure.code(), 2);
        }
    }
}
