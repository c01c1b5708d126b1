//! Which function answers which command.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Arguments, Command, Context, Done, Failure, check, print};
use crate::config;

/// Does what a command asks for.
pub(super) fn dispatch(context: &Context, command: &Command) -> Done {
    match command {
        Command::Serve => serve(context),
        Command::Demo => Err(Failure::not_built("demo")),
        Command::User(_) => Err(Failure::not_built("user")),
        Command::Group(_) => Err(Failure::not_built("group")),
        Command::Token(_) => Err(Failure::not_built("token")),
        Command::Check { what } => check::check(context, *what),
        Command::Status { .. } => Err(Failure::not_built("status")),
        Command::Explain { .. } => Err(Failure::not_built("explain")),
        Command::Backup { .. } => Err(Failure::not_built("backup")),
        Command::Restore { .. } => Err(Failure::not_built("restore")),
        Command::Export { .. } => Err(Failure::not_built("export")),
        Command::Import { .. } => Err(Failure::not_built("import")),
        Command::Config => print(&config::toml()),
        Command::Completions { shell } => completions(*shell),
    }
}

fn serve(context: &Context) -> Done {
    context.load()?;
    Err(Failure::not_built("serve"))
}

fn completions(shell: Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "adsum", &mut script);
    print(&String::from_utf8_lossy(&script))
}
