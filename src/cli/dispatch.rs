//! Which function answers which command.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Arguments, Command, Context, Done, Failure, check, group, print, serve, state, user};
use crate::{config, demo};

/// Does what a command asks for.
pub(super) fn dispatch(context: &Context, command: &Command) -> Done {
    match command {
        Command::Serve => serve::serve(context),
        Command::Demo { once, free_ports } => {
            let options = demo::Options {
                once: *once,
                free_ports: *free_ports,
                colours: context.colours,
            };
            demo::demo(&serve::runtime()?, options)
        }
        Command::User(command) => user::user(context, command),
        Command::Group(command) => group::group(context, command),
        Command::Token(_) => Err(Failure::not_built("token")),
        Command::Check { what } => check::check(context, *what),
        Command::Status { json } => state::status(context, *json),
        Command::Explain { .. } => Err(Failure::not_built("explain")),
        Command::Backup { file, with_secret } => state::backup(context, file, *with_secret),
        Command::Restore { file, force } => state::restore(context, file, *force),
        Command::Export { .. } => Err(Failure::not_built("export")),
        Command::Import { .. } => Err(Failure::not_built("import")),
        Command::Config => print(&config::toml()),
        Command::Completions { shell } => completions(*shell),
    }
}

fn completions(shell: Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "adsum", &mut script);
    print(&String::from_utf8_lossy(&script))
}
