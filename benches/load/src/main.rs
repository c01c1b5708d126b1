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

use args::{Cli, Command};
use failure::{Doing, Result};
use report::Report;
use scenario::{
    accounts, attack, cross, idle, login, messages, notify, presence, publish, start, subscribe,
};

/// Runs a scenario on this thread.
fn drive(json: bool, scenario: impl Future<Output = Result<Report>>) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("starting")?;
    let local = tokio::task::LocalSet::new();
    let report = local.block_on(&runtime, scenario)?;
    report.print(json);
    Ok(true)
}

#[rustfmt::skip]
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Messages { target, senders, window, rate, mechanism } =>
            drive(target.json, messages::scenario(&target, senders, window, rate, mechanism)),
        Command::Presence { target, groups, contacts, mechanism } =>
            drive(target.json, presence::scenario(&target, groups, contacts, mechanism)),
        Command::Idle { target, sessions, before, mechanism } =>
            drive(target.json, idle::scenario(&target, sessions, before, mechanism)),
        Command::Login { target, users, width, cold, mechanism } =>
            drive(target.json, login::scenario(&target, users, width, cold, mechanism)),
        Command::PlainAttack { target, attempts, rate, victims } =>
            drive(target.json, attack::scenario(&target, attempts, rate, victims)),
        Command::Cross { target, sip_port, people, rate, mechanism } =>
            drive(target.json, cross::scenario(&target, sip_port, people, rate, mechanism)),
        Command::Publish { target, phones } => drive(target.json, publish::scenario(&target, phones)),
        Command::Subscribe { target, phones } => drive(target.json, subscribe::scenario(&target, phones)),
        Command::Notify { target, groups, watchers } =>
            drive(target.json, notify::scenario(&target, groups, watchers)),
        Command::Accounts { count, domain, prefix, out } =>
            accounts::write(count, &domain, &prefix, &out).map(|()| true),
        Command::Start { port, times, rest, json, command } =>
            start::scenario(port, times, rest, &command).map(|report| { report.print(json); true }),
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
