//! Search of the office directory (XEP-0055), by plain fields and by a data form.

use presence::Facts;
use presence::directory::Wanted;

use super::{Answered, Entity, Extension, Handler};
use crate::action::Action;
use crate::answer::person::{SEARCH, search_fields};
use crate::client::iq_stanza::Request;
use crate::form::{DATA, Submitted};
use crate::person::Person;
use crate::print::{Condition, StanzaError};

const QUERY: (&str, &str) = (SEARCH, "query");

pub(super) const EXTENSION: Extension = Extension::new(
    "Search of the office directory",
    "XEP-0055",
    "1.3",
    &[
        Handler::get(QUERY, Entity::Server, fields),
        Handler::set(QUERY, Entity::Server, search),
    ],
)
.on_server(&[SEARCH]);

fn fields(request: &Request<'_>, out: &mut Vec<u8>) -> Answered {
    search_fields(out, &request.iq);
    Answered::Printed
}

fn search(request: &Request<'_>, _: &mut Vec<u8>) -> Answered {
    read(request).into()
}

fn read(request: &Request<'_>) -> Result<Action, StanzaError> {
    let query = &request.payload;
    let form = Submitted::find(query);
    let wanted = match &form {
        Some(form) if form.kind().is_some_and(|kind| kind != SEARCH) => {
            return Err(StanzaError::because(
                Condition::BadRequest,
                "This is another form.",
            ));
        }
        Some(form) => {
            let field = |var| form.one(var).unwrap_or_default().to_owned();
            Wanted::new(&field("search"), &facts(field))
        }
        None if query.children().any(|c| c.is("x", DATA)) => {
            return Err(StanzaError::because(
                Condition::BadRequest,
                "The form is not filled in.",
            ));
        }
        None => {
            let field = |name| {
                let child = query.child(name, SEARCH);
                child.map(|c| c.text().into_owned()).unwrap_or_default()
            };
            Wanted::new("", &facts(field))
        }
    };
    Ok(Action::Person(Box::new(Person::Search {
        iq: request.iq.clone(),
        domain: request.domain().to_owned(),
        wanted,
        by_form: form.is_some(),
    })))
}

fn facts(field: impl Fn(&'static str) -> String) -> Facts {
    Facts {
        name: String::new(),
        first: field("first"),
        last: field("last"),
        nick: field("nick"),
        email: field("email"),
    }
}
