//! Ad-hoc commands and what depends on who asks: rights, and what the model knows.

use model::Model;
use presence::{Bare, Timestamp};
use xmpp::adhoc::{self, Commands, Execution, Known, Order, Request};
use xmpp::discovery::{self, Discover, Item, What};

fn known(model: &Model, account: &Bare) -> Known {
    let admin = model.is_admin(account);
    let motd = model.motd().filter(|_| admin);
    Known {
        admin,
        motd: motd.map(|motd| motd.text.to_string()),
    }
}

/// Takes a stage of a command that a session of `account` sent. What is answered at once is printed; an order is to be done, and then
/// [`xmpp::adhoc::finished`].
pub fn command(
    model: &Model,
    commands: &mut Commands,
    now: Timestamp,
    account: &Bare,
    request: Request,
    out: &mut Vec<u8>,
) -> Option<(Execution, Order)> {
    let known = known(model, account);
    adhoc::answer(out, commands.handle(now, request, &known))
}

/// Answers what the server has for `account`. `services` are those of the domain.
pub fn discover(
    model: &Model,
    commands: &Commands,
    account: &Bare,
    asked: &Discover,
    services: &[Item],
    out: &mut Vec<u8>,
) {
    let iq = &asked.iq;
    match &asked.what {
        What::Services => discovery::services(out, iq, services),
        What::Commands => {
            let list = commands.list(&known(model, account));
            discovery::commands(out, iq, &asked.domain, list);
        }
        What::Node(node) => {
            let command = commands.find(node, &known(model, account));
            discovery::node(out, iq, node, command);
        }
    }
}

/// No commands at all: for those who cannot be administrators.
pub fn none() -> Commands {
    Commands::new(&[], adhoc::Limits::default(), 0)
}
