//! A SIP watcher: registers, subscribes to somebody's presence, and prints each document it is told until it is ended.
//!
//! ```sh
//! cargo run --example sip_watcher -- 127.0.0.1:5060 bob@localhost PASSWORD ann@localhost
//! ```

use std::net::SocketAddr;
use std::process::ExitCode;

use adsum::demo::phone::{LIFETIME, Phone, PhoneError};
use clap::Parser;
use sip::{Method, Uri};

/// Registers, subscribes to somebody's presence, and prints each document it is told.
#[derive(Parser)]
struct Arguments {
    /// Address and port of the server, for UDP (the key sip.udp)
    server: SocketAddr,
    /// The account that watches, user@domain
    account: String,
    /// Its password
    password: String,
    /// Who is watched, user@domain
    whom: String,
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

async fn run(arguments: Arguments) -> Result<(), PhoneError> {
    let whom = Uri::parse(&format!("sip:{}", arguments.whom))
        .map_err(|_| PhoneError::Unusable("who is watched is written user@domain"))?;
    let mut phone = Phone::new(arguments.server, &arguments.account, &arguments.password).await?;
    phone.register(LIFETIME).await?;
    println!("registered as {}", phone.account());
    let mut watch = phone.subscribe(&whom).await?;
    println!("watching {whom}");

    // What was asked for ends after its lifetime: half of it is a good time to ask again.
    let mut renewal = tokio::time::interval(LIFETIME / 2);
    renewal.tick().await;
    loop {
        let request = tokio::select! {
            request = phone.next() => request?,
            _ = renewal.tick() => {
                phone.register(LIFETIME).await?;
                phone.refresh(&mut watch, LIFETIME).await?;
                continue;
            }
        };
        if request.method == Method::Notify {
            if let Ok(Some(state)) = request.headers.subscription_state() {
                println!("the subscription is {state}");
            }
            if let Ok(read) = documents::pidf::read(&request.body) {
                println!("{whom} is {}", adsum::demo::shown(&read.document));
            }
        }
        println!("{}", String::from_utf8_lossy(&request.body));
    }
}
