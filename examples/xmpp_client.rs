//! A chat client: logs in, says that it is there, and prints what it sees until it is ended.
//!
//! ```sh
//! cargo run --example xmpp_client -- 127.0.0.1:5223 ca.pem ann@localhost PASSWORD "At my desk"
//! ```
//!
//! `ca.pem` is the authority that the server's certificate is checked against: `curl -O http://localhost:5280/ca.pem`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use adsum::demo::chat::Chat;
use adsum::demo::trust::Trust;
use clap::Parser;
use tokio_xmpp::Stanza;
use tokio_xmpp::jid::Jid;
use xmpp_parsers::presence::{Presence, Type};

/// Logs in, says that it is there, and prints what it sees.
#[derive(Parser)]
struct Arguments {
    /// Address and port of the server, for TLS (the key xmpp.client_tls)
    server: SocketAddr,
    /// File with the certificate of the server's authority
    authority: PathBuf,
    /// The account, user@domain
    account: Jid,
    /// Its password
    password: String,
    /// A note to go with the presence
    note: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let authority = std::fs::read_to_string(&arguments.authority)
        .map_err(|error| format!("{}: {error}", arguments.authority.display()))?;
    let trust = Trust::new(arguments.server, &authority)?;
    let log_in = Chat::log_in(arguments.account, &arguments.password, &trust);
    let mut chat = tokio::time::timeout(Duration::from_secs(10), log_in)
        .await
        .map_err(|_| "no login within 10 s")??;
    println!("logged in as {}", chat.address());

    // Who has no contacts sees nobody but himself.
    for contact in chat.contacts().await?.items {
        println!("contact {} ({:?})", contact.jid, contact.subscription);
    }
    let mut here = Presence::available();
    if let Some(note) = arguments.note {
        here.set_status(String::new(), note);
    }
    chat.send(here).await?;
    loop {
        match chat.next().await? {
            Stanza::Presence(presence) => show(&presence),
            Stanza::Message(message) => {
                if let (Some(from), Some((_, text))) =
                    (&message.from, message.get_best_body(Vec::new()))
                {
                    println!("message from {from}: {text}");
                }
            }
            Stanza::Iq(_) => {}
        }
    }
}

fn show(presence: &Presence) {
    let Some(from) = &presence.from else { return };
    let state = match (&presence.type_, &presence.show) {
        (Type::None, None) => "available".to_owned(),
        (Type::None, Some(show)) => format!("{show:?}").to_lowercase(),
        (other, _) => format!("{other:?}").to_lowercase(),
    };
    match presence.statuses.values().next() {
        Some(note) => println!("{from} is {state}: {note}"),
        None => println!("{from} is {state}"),
    }
}
