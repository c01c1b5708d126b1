//! Drives a presence server and measures what each operation costs it: CPU of the server's processes, rate, latency,
//! memory. Speaks XMPP, in the clear or over TLS, and SIP over UDP to any server by host and port, on one thread.

mod args;
mod bare;
mod command;
mod failure;
mod pace;
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

use args::Output;
use bare::Kind;
use command::{Cli, Command};
use failure::{Doing, Result};
use report::Report;
use scenario::presence::Shape;
use scenario::{
    accounts, attack, cross, floor, idle, login, messages, notify, online, presence, publish,
    retransmit, rosters, start, storm, subscribe, unauthorized,
};

/// Runs a scenario on this thread.
fn drive(
    output: &Output,
    name: &str,
    scenario: impl Future<Output = Result<Report>>,
) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("starting")?;
    let local = tokio::task::LocalSet::new();
    give(output, name, local.block_on(&runtime, scenario))
}

/// What the machine itself takes, one exchange after the other.
fn floors(output: &Output, name: &str, seconds: f64, threads: usize) -> Result<bool> {
    for kind in Kind::ALL {
        let name = format!("{name}-{}", kind.name());
        drive(
            output,
            &name,
            floor::scenario(&name, kind, seconds, threads),
        )?;
    }
    Ok(true)
}

/// Gives a report, or records that there is none.
fn give(output: &Output, name: &str, report: Result<Report>) -> Result<bool> {
    match report {
        Ok(report) => report.give(output).map(|()| true),
        Err(failure) => {
            report::failed(output, name, &failure.to_string())?;
            Err(failure)
        }
    }
}

/// What the scenario is to be called.
fn name(command: &Command) -> String {
    let output = match command {
        Command::Accounts { .. } | Command::Summary { .. } | Command::Bare { .. } => None,
        Command::Start { output, .. } | Command::Floor { output, .. } => Some(output),
        Command::Messages { target, .. }
        | Command::Presence { target, .. }
        | Command::Idle { target, .. }
        | Command::Online { target, .. }
        | Command::Storm { target, .. }
        | Command::Roster { target, .. }
        | Command::Login { target, .. }
        | Command::PlainAttack { target, .. }
        | Command::Cross { target, .. }
        | Command::Publish { target, .. }
        | Command::Subscribe { target, .. }
        | Command::Notify { target, .. }
        | Command::Retransmit { target, .. }
        | Command::Unauthorized { target, .. } => Some(&target.output),
    };
    let label = output.and_then(|output| output.label.clone());
    label.unwrap_or_else(|| command.name())
}

#[rustfmt::skip]
fn run(command: Command) -> Result<bool> {
    let name = name(&command);
    let name = name.as_str();
    match command {
        Command::Messages { target, senders, window, rate, mechanism } =>
            drive(&target.output, name, messages::scenario(name, &target, senders, window, rate, mechanism)),
        Command::Presence { target, groups, contacts, sessions, rate, mechanism } => {
            let shape = Shape { groups, contacts, sessions, rate };
            drive(&target.output, name, presence::scenario(name, &target, shape, mechanism))
        }
        Command::Idle { target, sessions, before, mechanism } =>
            drive(&target.output, name, idle::scenario(name, &target, sessions, before, mechanism)),
        Command::Online { target, rosters, sessions, contacts, mechanism } =>
            drive(&target.output, name, online::scenario(name, &target, rosters, sessions, contacts, mechanism)),
        Command::Storm { target, rosters, people, known, patience, mechanism } =>
            drive(&target.output, name, storm::scenario(name, &target, rosters, people, known, patience, mechanism)),
        Command::Roster { target, rosters, contacts, people, online, mechanism } =>
            drive(&target.output, name, rosters::scenario(name, &target, rosters, (&contacts, people, online), mechanism)),
        Command::Login { target, users, width, cold, mechanism } =>
            drive(&target.output, name, login::scenario(name, &target, users, width, cold, mechanism)),
        Command::PlainAttack { target, attempts, rate, victims } =>
            drive(&target.output, name, attack::scenario(name, &target, attempts, rate, victims)),
        Command::Cross { target, sip_port, people, rate, mechanism } =>
            drive(&target.output, name, cross::scenario(name, &target, sip_port, people, rate, mechanism)),
        Command::Publish { target, phones } => drive(&target.output, name, publish::scenario(name, &target, phones)),
        Command::Subscribe { target, phones } => drive(&target.output, name, subscribe::scenario(name, &target, phones)),
        Command::Notify { target, groups, watchers, rate } =>
            drive(&target.output, name, notify::scenario(name, &target, groups, watchers, rate)),
        Command::Retransmit { target, phones } =>
            drive(&target.output, name, retransmit::scenario(name, &target, phones)),
        Command::Unauthorized { target, phones } =>
            drive(&target.output, name, unauthorized::scenario(name, &target, phones)),
        Command::Accounts { count, domain, prefix, out } =>
            accounts::write(count, &domain, &prefix, &out).map(|()| true),
        Command::Start { port, times, rest, output, command } =>
            give(&output, name, start::scenario(name, port, times, rest, &command)),
        Command::Floor { seconds, threads, output } => floors(&output, name, seconds, threads),
        Command::Bare { kind, threads } => bare::serve(kind, threads).map(|()| true),
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
