//! Answers to commands, printed (XEP-0050 §4).

use super::{Answered, COMMANDS, Execution, Handled, Order, Outcome, Wrong};
use crate::action::IqContext;
use crate::print::{self, Condition, ErrorStanza, StanzaError, StanzaKind};
use xml::Writer;

/// Prints what is known; what is to be done first is given back.
pub fn answer(out: &mut Vec<u8>, handled: Handled) -> Option<(Execution, Order)> {
    match handled {
        Handled::Run(execution, order) => return Some((execution, order)),
        Handled::Refused(iq, wrong) => refused(out, &iq, &wrong),
        Handled::Answer(execution, Answered::Canceled) => {
            command(out, &execution, "canceled", |_| {});
        }
        Handled::Answer(execution, Answered::Ask { form, prev, next }) => {
            command(out, &execution, "executing", |to| {
                let usual = if next { "next" } else { "complete" };
                to.start("actions").attribute("execute", usual);
                if prev {
                    to.start("prev").end();
                }
                to.start(usual).end();
                to.end();
                form.write(to);
            });
        }
    }
    None
}

/// Prints how an order ended. What failed is completed with a note that says so (§3.7); what is there already is a conflict (XEP-0133 §5).
pub fn finished(out: &mut Vec<u8>, execution: &Execution, outcome: &Outcome) {
    match outcome {
        Outcome::Done { note, form } => command(out, execution, "completed", |to| {
            if let Some(form) = form {
                form.write(to);
            }
            if let Some(note) = note {
                write_note(to, "info", note);
            }
        }),
        Outcome::Failed(why) => command(out, execution, "completed", |to| {
            write_note(to, "error", why);
        }),
        Outcome::Conflict(why) => {
            error(out, &execution.iq, Condition::Conflict, None, Some(why));
        }
    }
}

fn write_note(to: &mut Writer<'_>, kind: &str, text: &str) {
    to.start("note").attribute("type", kind);
    to.text(text);
    to.end();
}

fn command(
    out: &mut Vec<u8>,
    execution: &Execution,
    status: &str,
    content: impl FnOnce(&mut Writer<'_>),
) {
    print::result(out, &execution.iq, |to| {
        to.start("command").attribute("xmlns", COMMANDS);
        to.attribute("xml:lang", "en");
        to.attribute("node", execution.node);
        to.attribute("sessionid", &execution.session);
        to.attribute("status", status);
        content(to);
        to.end();
    });
}

fn refused(out: &mut Vec<u8>, iq: &IqContext, wrong: &Wrong) {
    error(out, iq, wrong.condition, wrong.specific, wrong.text);
}

fn error(
    out: &mut Vec<u8>,
    iq: &IqContext,
    condition: Condition,
    specific: Option<&'static str>,
    text: Option<&str>,
) {
    let stanza = ErrorStanza {
        kind: StanzaKind::Iq,
        from: iq.to.as_ref(),
        to: &iq.from,
        id: Some(&iq.id),
    };
    let error = StanzaError {
        special: specific.map(|name| (COMMANDS, name)),
        ..StanzaError::new(condition)
    };
    print::error_with(out, stanza, &error, text);
}
