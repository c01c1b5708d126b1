//! The command line: what may be said, who answers it, how it ends.

mod args;
mod check;
mod context;
mod dispatch;
mod failure;
mod group;
pub mod ports;
mod reports;
mod serve;
mod state;
mod status;
mod user;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

pub use args::{
    AliasCommand, Arguments, CheckWhat, Command, GroupCommand, ShowWord, TokenCommand, UserCommand,
};
pub use context::Context;
pub use failure::{Done, Failure};

/// Runs the program with these arguments, the first one being its own name. Ends with 0 when done, 1 when it failed and
/// 2 on wrong usage or configuration.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return end(Err(failure::usage(&error))),
        Err(help) => return end(print(&help.render().to_string())),
    };
    let context = Context::of_process(&arguments);
    let command = arguments.command.unwrap_or(Command::Serve);
    end(dispatch::dispatch(&context, &command))
}

/// Writes to standard output. That nobody reads to the end is no mistake.
pub fn print(text: &str) -> Done {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(
            format!("The output cannot be written ({error}); direct it somewhere else."),
        )),
        _ => Ok(()),
    }
}

fn end(done: Done) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to be done when standard error is closed.
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.code())
        }
    }
}
