//! Whole negotiations. Here are the caller and the client that the tests share.

#![expect(clippy::unwrap_used, reason = "tests")]

mod negotiation;
mod properties;
mod scram;

use super::*;

const ANN: &str = "ann@office.example";
const SALT: &[u8] = b"0123456789abcdef";
const ITERATIONS: u32 = 16;

fn credentials() -> Credentials {
    Credentials::derive(&Password::new("pencil"), SALT, ITERATIONS).unwrap()
}

fn decoy() -> Decoy {
    Decoy::new([3; 32], SALT.len(), ITERATIONS)
}

fn nonce(text: &str) -> Nonce {
    Nonce::from_text(text).unwrap()
}

fn tls() -> Channel {
    let bindings = ChannelBindings {
        exporter: Some(vec![1; 32]),
        server_end_point: Some(vec![2; 32]),
    };
    Channel {
        encrypted: true,
        require_tls: true,
        bindings,
        ..Channel::default()
    }
}

fn tls_without_binding() -> Channel {
    Channel {
        encrypted: true,
        require_tls: true,
        ..Channel::default()
    }
}

fn prepare_address(text: &str) -> Option<String> {
    text.contains('@').then(|| text.to_lowercase())
}

/// The caller: knows one account, "ann", with the password "pencil".
fn answer(exchange: &mut Exchange, step: Step) -> Step {
    let subject = |username: &str, authzid: Option<&str>| {
        Subject::resolve(
            format!("{}@office.example", username.to_lowercase()),
            authzid,
            prepare_address,
        )
    };
    match step {
        Step::LookupKeys {
            username,
            authzid,
            hash,
        } => {
            let subject = subject(&username, authzid.as_deref());
            let found = (subject.account == ANN).then(|| credentials().keys(hash).unwrap().clone());
            exchange.keys(subject, found, &decoy())
        }
        Step::CheckPassword(login) => {
            let subject = subject(&login.username, login.authzid.as_deref());
            let right = subject.account == ANN && credentials().verify_password(&login.password);
            exchange.password_checked(subject, right)
        }
        other => other,
    }
}

struct Login<'a> {
    channel: &'a Channel,
    mechanism: Mechanism,
    binding: ClientBinding,
    username: &'a str,
    authzid: Option<&'a str>,
    password: &'a str,
}

impl Login<'_> {
    fn ann(channel: &Channel, mechanism: Mechanism, binding: ClientBinding) -> Login<'_> {
        Login {
            channel,
            mechanism,
            binding,
            username: "ann",
            authzid: None,
            password: "pencil",
        }
    }

    /// Runs a whole SCRAM negotiation; `empty_challenge` without an initial response.
    fn run(&self, empty_challenge: bool) -> (Step, Exchange) {
        let hash = self.mechanism.hash().unwrap();
        let (first, client) = ScramClient::start(
            hash,
            self.username,
            self.authzid,
            self.binding.clone(),
            &nonce("client"),
        );
        let initial = (!empty_challenge).then_some(first.as_slice());
        let (mut exchange, mut step) = Exchange::start(
            self.channel,
            self.mechanism.name(),
            initial,
            nonce("server"),
        );
        if empty_challenge {
            assert_eq!(step, Step::Challenge(vec![]));
            step = exchange.respond(&first);
        }
        let Step::Challenge(challenge) = answer(&mut exchange, step.clone()) else {
            return (step, exchange);
        };
        let (last, client) = client.handle_challenge(&challenge, self.password).unwrap();
        let step = exchange.respond(&last);
        if let Step::Success {
            additional: Some(data),
            ..
        } = &step
        {
            client.handle_success(data).unwrap();
        }
        (step, exchange)
    }
}

fn bound(name: &str, data: &[u8]) -> ClientBinding {
    ClientBinding::Bound {
        name: name.to_owned(),
        data: data.to_vec(),
    }
}

fn account_of(step: &Step) -> Option<&str> {
    match step {
        Step::Success { account, .. } => Some(account),
        _ => None,
    }
}

/// An exchange that waits for the client's last message, and the last message that would succeed.
fn before_the_last() -> (Exchange, String) {
    let (first, client) = ScramClient::start(
        Hash::Sha256,
        "ann",
        None,
        ClientBinding::Unsupported,
        &nonce("client"),
    );
    let (mut exchange, step) = Exchange::start(
        &tls_without_binding(),
        "SCRAM-SHA-256",
        Some(&first),
        nonce("server"),
    );
    let Step::Challenge(challenge) = answer(&mut exchange, step) else {
        panic!("no challenge")
    };
    let (last, _) = client.handle_challenge(&challenge, "pencil").unwrap();
    (exchange, String::from_utf8(last).unwrap())
}
