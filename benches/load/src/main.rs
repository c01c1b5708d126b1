//! Drives a presence server and measures what each operation costs it: CPU of the server's processes, rate, latency,
//! memory. Speaks plaintext XMPP and SIP over UDP to any server by host and port, on one thread.

mod args;
mod failure;
mod procfs;
mod report;
mod run;
mod scenario;
mod sip;
mod stamp;
mod summary;
mod xmpp;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command, Output};
use failure::{Doing, Result};
use report::Report;
use scenario::{
    accounts, attack, cross, idle, login, messages, notify, presence, publish, start, subscribe,
};

/// Runs a scenario on this thread.
fn drive(output: &Output, scenario: impl Future<Output = Result<Report>>) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("starting")?;
    let local = tokio::task::LocalSet::new();
    let report = local.block_on(&runtime, scenario)?;
    report.give(output).map(|()| true)
}

#[rustfmt::skip]
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Messages { target, senders, window, rate, mechanism } =>
            drive(&target.output, messages::scenario(&target, senders, window, rate, mechanism)),
        Command::Presence { target, groups, contacts, mechanism } =>
            drive(&target.output, presence::scenario(&target, groups, contacts, mechanism)),
        Command::Idle { target, sessions, before, mechanism } =>
            drive(&target.output, idle::scenario(&target, sessions, before, mechanism)),
        Command::Login { target, users, width, cold, mechanism } =>
            drive(&target.output, login::scenario(&target, users, width, cold, mechanism)),
        Command::PlainAttack { target, attempts, rate, victims } =>
            drive(&target.output, attack::scenario(&target, attempts, rate, victims)),
        Command::Cross { target, sip_port, people, rate, mechanism } =>
            drive(&target.output, cross::scenario(&target, sip_port, people, rate, mechanism)),
        Command::Publish { target, phones } => drive(&target.output, publish::scenario(&target, phones)),
        Command::Subscribe { target, phones } => drive(&target.output, subscribe::scenario(&target, phones)),
        Command::Notify { target, groups, watchers } =>
            drive(&target.output, notify::scenario(&target, groups, watchers)),
        Command::Accounts { count, domain, prefix, out } =>
            accounts::write(count, &domain, &prefix, &out).map(|()| true),
        Command::Start { port, times, rest, output, command } =>
            start::scenario(port, times, rest, &command).and_then(|report| report.give(&output)).map(|()| true),
        Command::Summary { file } => summary::print(&file),
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("adsum-load: {failure}");
            ExitCode::FAILURE
        }
    }
}
