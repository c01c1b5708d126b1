//! The sessions of those who execute commands (XEP-0050 §3.3).

use std::time::Duration;

use presence::{Address, Timestamp};

use super::{Answered, Command, Execution, Handled, Known, Request, Verb, Who, Wrong};
use crate::action::IqContext;
use crate::form::{Form, Submitted};
use crate::print::Condition;

/// How much may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Executions of one requester at a time: `command_sessions`.
    pub each: usize,
    /// Executions of all.
    pub all: usize,
    /// How long a form may be left unanswered: `command_timeout`.
    pub lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            each: 8,
            all: 1000,
            lifetime: Duration::from_secs(600),
        }
    }
}

/// An execution that waits for a form.
#[derive(Debug)]
struct Open {
    number: u64,
    owner: Address,
    command: &'static Command,
    /// What was filled in so far: as many stages are behind it.
    given: Vec<Submitted>,
    until: Timestamp,
}

/// All executions under way.
#[derive(Debug)]
pub struct Commands {
    table: &'static [Command],
    limits: Limits,
    /// Told apart from executions of an earlier run by this.
    salt: u64,
    next: u64,
    open: Vec<Open>,
}

type Step = Result<(Execution, Next), Wrong>;

enum Next {
    Answer(Answered),
    Run(super::Order),
}

impl Commands {
    /// None under way. `salt` is random.
    pub fn new(table: &'static [Command], limits: Limits, salt: u64) -> Self {
        Self {
            table,
            limits,
            salt,
            next: 1,
            open: Vec::new(),
        }
    }

    /// The commands that this requester may execute.
    pub fn list(&self, known: &Known) -> impl Iterator<Item = &'static Command> + use<> {
        let admin = known.admin;
        self.table.iter().filter(move |c| may(c, admin))
    }

    /// The command of a node: `None` where there is none; or that the requester may not execute it.
    pub fn find(&self, node: &str, known: &Known) -> Option<Result<&'static Command, Condition>> {
        let command = self.table.iter().find(|c| c.node == node)?;
        Some(if may(command, known.admin) {
            Ok(command)
        } else {
            Err(Condition::Forbidden)
        })
    }

    /// Takes one request.
    pub fn handle(&mut self, now: Timestamp, request: Request, known: &Known) -> Handled {
        self.open.retain(|open| open.until > now);
        let iq = request.iq.clone();
        match self.step(now, request, known) {
            Ok((execution, Next::Answer(answer))) => Handled::Answer(execution, answer),
            Ok((execution, Next::Run(order))) => Handled::Run(execution, order),
            Err(wrong) => Handled::Refused(iq, wrong),
        }
    }

    fn step(&mut self, now: Timestamp, request: Request, known: &Known) -> Step {
        let verb = request.verb.ok_or(MALFORMED_ACTION)?;
        let command = match self.find(&request.node, known) {
            None => return Err(Wrong::new(Condition::ItemNotFound, None)),
            Some(Err(condition)) => return Err(Wrong::new(condition, None)),
            Some(Ok(command)) => command,
        };
        match &request.session {
            None if verb == Verb::Execute => self.begin(now, command, request.iq, known),
            None => Err(BAD_ACTION),
            Some(session) => {
                let index = self.index(session, &request.iq.from, command)?;
                self.go_on(now, index, verb, request, known)
            }
        }
    }

    fn begin(
        &mut self,
        now: Timestamp,
        command: &'static Command,
        iq: IqContext,
        known: &Known,
    ) -> Step {
        let number = self.next;
        let execution = self.execution(iq, command, number);
        let Some(first) = command.stages.first() else {
            let order = (command.order)(&[]).map_err(bad_payload)?;
            self.next += 1;
            return Ok((execution, Next::Run(order)));
        };
        let own = self.open.iter().filter(|o| o.owner == execution.iq.from);
        if own.count() >= self.limits.each || self.open.len() >= self.limits.all {
            let text = Some("The limit command_sessions is reached: finish or cancel another one.");
            return Err(Wrong {
                text,
                ..Wrong::new(Condition::ResourceConstraint, None)
            });
        }
        self.next += 1;
        self.open.push(Open {
            number,
            owner: execution.iq.from.clone(),
            command,
            given: Vec::new(),
            until: now.plus(self.limits.lifetime),
        });
        Ok((execution, ask(command, 0, first(known))))
    }

    fn go_on(
        &mut self,
        now: Timestamp,
        index: usize,
        verb: Verb,
        request: Request,
        known: &Known,
    ) -> Step {
        let until = now.plus(self.limits.lifetime);
        let Some(open) = self.open.get_mut(index) else {
            return Err(BAD_SESSION);
        };
        let (command, number, stage) = (open.command, open.number, open.given.len());
        let last = stage + 1 >= command.stages.len();
        let next = match (verb, last) {
            (Verb::Cancel, _) => {
                self.open.swap_remove(index);
                Next::Answer(Answered::Canceled)
            }
            (Verb::Prev, _) if stage > 0 => {
                open.until = until;
                let given = open.given.pop().unwrap_or_default();
                let form = form(command, stage - 1, known).remembering(&given);
                ask(command, stage - 1, form)
            }
            (Verb::Execute | Verb::Next, false) => {
                let given = filled(&form(command, stage, known), request.form)?;
                open.until = until;
                open.given.push(given);
                ask(command, stage + 1, form(command, stage + 1, known))
            }
            (Verb::Execute | Verb::Complete, true) => {
                let given = filled(&form(command, stage, known), request.form)?;
                let mut all = open.given.clone();
                all.push(given);
                // What is wrong can be mended: the execution goes on.
                let order = (command.order)(&all).map_err(bad_payload)?;
                self.open.swap_remove(index);
                Next::Run(order)
            }
            (Verb::Prev | Verb::Next | Verb::Complete, _) => return Err(BAD_ACTION),
        };
        Ok((self.execution(request.iq, command, number), next))
    }

    fn execution(&self, iq: IqContext, command: &'static Command, number: u64) -> Execution {
        Execution {
            iq,
            node: command.node,
            session: format!("{:016x}-{number}", self.salt),
        }
    }

    /// The execution of that name, of this requester and command. One that was there once has expired.
    fn index(&self, session: &str, owner: &Address, command: &Command) -> Result<usize, Wrong> {
        let number = session
            .split_once('-')
            .filter(|(salt, _)| u64::from_str_radix(salt, 16) == Ok(self.salt))
            .and_then(|(_, number)| number.parse::<u64>().ok())
            .filter(|number| *number < self.next)
            .ok_or(BAD_SESSION)?;
        match self.open.iter().position(|o| o.number == number) {
            None => Err(SESSION_EXPIRED),
            Some(index) => self
                .open
                .get(index)
                .filter(|o| o.owner == *owner && o.command.node == command.node)
                .map(|_| index)
                .ok_or(BAD_SESSION),
        }
    }
}

fn may(command: &Command, admin: bool) -> bool {
    match command.who {
        Who::Admins => admin,
        Who::Everybody => true,
    }
}

fn form(command: &Command, stage: usize, known: &Known) -> Form {
    let stage = command.stages.get(stage);
    stage.map_or_else(Form::default, |stage| stage(known))
}

fn ask(command: &Command, stage: usize, form: Form) -> Next {
    Next::Answer(Answered::Ask {
        form,
        prev: stage > 0,
        next: stage + 1 < command.stages.len(),
    })
}

/// What was filled in, when it is this form and nothing is missing.
fn filled(form: &Form, given: Option<Submitted>) -> Result<Submitted, Wrong> {
    let given = given.ok_or_else(|| bad_payload("The form is not filled in."))?;
    if given.kind().is_some_and(|kind| kind != form.kind) {
        return Err(bad_payload("This is another form."));
    }
    let required = form.fields.iter().filter(|f| f.required);
    if required.into_iter().any(|f| given.one(f.var).is_none()) {
        return Err(bad_payload("A field that is required is empty."));
    }
    Ok(given)
}

const MALFORMED_ACTION: Wrong = Wrong::new(Condition::BadRequest, Some("malformed-action"));
const BAD_ACTION: Wrong = Wrong::new(Condition::BadRequest, Some("bad-action"));
const BAD_SESSION: Wrong = Wrong::new(Condition::BadRequest, Some("bad-sessionid"));
const SESSION_EXPIRED: Wrong = Wrong::new(Condition::NotAllowed, Some("session-expired"));

fn bad_payload(text: &'static str) -> Wrong {
    Wrong {
        text: Some(text),
        ..Wrong::new(Condition::BadRequest, Some("bad-payload"))
    }
}
