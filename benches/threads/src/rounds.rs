//! Rounds: every variant in turn, in another order each time; medians over the rounds.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::VARIANTS;
use crate::client::{Client, Seen, Stream};
use crate::frame::Kind;
use crate::procfs;

/// Messages per second of the open loop: about a tenth of what two cores shared with the client deliver.
const MESSAGES: f64 = 10_000.0;
/// Broadcasts per second of the open loop, twenty copies each.
const BROADCASTS: f64 = 2_000.0;
/// Broadcasts per second to the hot room, five hundred copies each.
const HOT: f64 = 20.0;
/// Idle connections added for the last scenario.
const IDLE: u32 = 2_000;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(name: &str) -> io::Result<(Server, Client)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["server", name])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let server = Server(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let port = line.trim().parse().map_err(io::Error::other)?;
    Ok((server, Client::connect(port)?))
}

/// Figures by name, in the order in which they are first seen; one value per variant and round.
#[derive(Default)]
struct Table(Vec<(String, Vec<Vec<f64>>)>);

impl Table {
    fn put(&mut self, variant: usize, name: &str, value: f64) {
        let index = self
            .0
            .iter()
            .position(|(known, _)| known == name)
            .unwrap_or_else(|| {
                self.0
                    .push((name.to_owned(), vec![Vec::new(); VARIANTS.len()]));
                self.0.len() - 1
            });
        self.0[index].1[variant].push(value);
    }

    fn print(&self) {
        let names: Vec<&str> = VARIANTS.iter().map(|(_, name)| *name).collect();
        let ratios = [(0, 1), (0, 5), (5, 1), (3, 1), (4, 1)];
        let heads: Vec<String> = ratios
            .iter()
            .map(|&(one, other)| format!("{}/{}", names[one], names[other]))
            .collect();
        println!("| | {} | {} |", names.join(" | "), heads.join(" | "));
        println!("|---|{}", "---|".repeat(names.len() + heads.len()));
        for (name, values) in &self.0 {
            let medians = values.iter().map(|runs| median(runs.clone()));
            // Ratios are taken inside a round, where the neighbours' noise is shared, and then their median.
            let shares = ratios.iter().map(|&(one, other)| {
                median(
                    values[one]
                        .iter()
                        .zip(&values[other])
                        .map(|(one, other)| one / other)
                        .collect(),
                )
            });
            let cells: Vec<String> = medians
                .chain(shares)
                .map(|value| format!("{value:.2}"))
                .collect();
            println!("| {name} | {} |", cells.join(" | "));
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn percentile(values: &mut [u32], part: f64) -> f64 {
    values.sort_unstable();
    values
        .get((values.len() as f64 * part) as usize)
        .map_or(f64::NAN, |&value| f64::from(value))
}

struct Measured {
    seen: Seen,
    server: f64,
    client: f64,
    busiest: f64,
}

/// Runs a scenario and takes the CPU of both processes between its two marks, in microseconds.
fn measure(
    pid: u32,
    run: impl FnOnce(&mut dyn FnMut()) -> io::Result<Seen>,
) -> io::Result<Measured> {
    let mut looks = Vec::new();
    let seen = run(&mut || looks.push((procfs::cpu(pid), procfs::cpu(std::process::id()))))?;
    let mut looks = looks.into_iter();
    let (Some(first), Some(last)) = (looks.next(), looks.next()) else {
        return Err(io::ErrorKind::Other.into());
    };
    let (server, busiest) = procfs::between(&first.0?, &last.0?);
    let (client, _) = procfs::between(&first.1?, &last.1?);
    Ok(Measured {
        seen,
        server: server as f64 / 1e3,
        client: client as f64 / 1e3,
        busiest,
    })
}

fn closed(
    table: &mut Table,
    variant: usize,
    (pid, client): (u32, &mut Client),
    (kind, name): (Kind, &str),
    length: Duration,
) -> io::Result<()> {
    let run = measure(pid, |mark| client.closed(kind, length / 4, length, mark))?;
    let count = (run.seen.messages + run.seen.copies) as f64;
    table.put(
        variant,
        &format!("{name}: server CPU, µs each"),
        run.server / count,
    );
    table.put(
        variant,
        &format!("{name}: client CPU, µs each"),
        run.client / count,
    );
    table.put(
        variant,
        &format!("{name}: thousand delivered/s"),
        count / length.as_secs_f64() / 1e3,
    );
    table.put(
        variant,
        &format!("{name}: busiest thread's share of server CPU"),
        run.busiest,
    );
    Ok(())
}

fn open(
    table: &mut Table,
    variant: usize,
    (pid, client): (u32, &mut Client),
    (sent, name): (&[(Stream, bool)], &str),
    length: Duration,
) -> io::Result<()> {
    let mut run = measure(pid, |mark| client.open(sent, length / 4, length, mark))?;
    let count = (run.seen.messages + run.seen.copies) as f64;
    table.put(
        variant,
        &format!("{name}: server CPU, µs each"),
        run.server / count,
    );
    for (what, values) in [
        ("message", &mut run.seen.message_latency),
        ("copy", &mut run.seen.copy_latency),
    ] {
        if !values.is_empty() {
            table.put(
                variant,
                &format!("{name}: {what} p50, µs"),
                percentile(values, 0.5),
            );
            table.put(
                variant,
                &format!("{name}: {what} p99, µs"),
                percentile(values, 0.99),
            );
        }
    }
    Ok(())
}

fn round(table: &mut Table, variant: usize, length: Duration) -> io::Result<()> {
    let (server, mut client) = start(VARIANTS[variant].1)?;
    let pid = server.0.id();
    let messages = (
        Stream {
            kind: Kind::Message,
            rate: MESSAGES,
        },
        false,
    );
    let broadcasts = (
        Stream {
            kind: Kind::Broadcast,
            rate: BROADCASTS,
        },
        false,
    );
    let hot = (
        Stream {
            kind: Kind::Broadcast,
            rate: HOT,
        },
        true,
    );
    closed(
        table,
        variant,
        (pid, &mut client),
        (Kind::Message, "message, saturated"),
        length,
    )?;
    closed(
        table,
        variant,
        (pid, &mut client),
        (Kind::Broadcast, "1 to 20, saturated"),
        length,
    )?;
    open(
        table,
        variant,
        (pid, &mut client),
        (&[messages], "message, tenth"),
        length,
    )?;
    open(
        table,
        variant,
        (pid, &mut client),
        (&[broadcasts], "1 to 20, tenth"),
        length,
    )?;
    open(
        table,
        variant,
        (pid, &mut client),
        (&[messages, hot], "message beside a hot room"),
        length,
    )?;
    let before = procfs::resident(pid)?;
    client.add(IDLE)?;
    let grown = procfs::resident(pid)?.saturating_sub(before) as f64;
    table.put(
        variant,
        "idle connection, KiB resident",
        grown / f64::from(IDLE),
    );
    closed(
        table,
        variant,
        (pid, &mut client),
        (Kind::Message, "message, saturated, 2,000 idle"),
        length,
    )
}

/// Runs so many rounds with scenarios of so many seconds and prints the medians.
pub(crate) fn run(rounds: usize, seconds: f64) -> io::Result<()> {
    let length = Duration::from_secs_f64(seconds);
    let mut table = Table::default();
    for number in 0..rounds {
        for turn in 0..VARIANTS.len() {
            let variant = (turn + number) % VARIANTS.len();
            eprintln!("round {} of {rounds}: {}", number + 1, VARIANTS[variant].1);
            round(&mut table, variant, length)?;
        }
    }
    table.print();
    Ok(())
}
