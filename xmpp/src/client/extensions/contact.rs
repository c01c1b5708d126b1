//! Contact addresses of the service (XEP-0157), in its answer to service discovery.

use crate::client::service::Service;
use crate::form::{Field, FieldType, Form, Purpose};

use super::Extension;

pub(super) const EXTENSION: Extension =
    Extension::new("Contact addresses of the service", "XEP-0157", "1.1.1", &[]);

/// The form's `FORM_TYPE`.
pub(super) const KIND: &str = "http://jabber.org/network/serverinfo";

/// The form; none where no address is known.
pub(super) fn form(service: &Service) -> Option<Form> {
    if service.contacts().is_empty() {
        return None;
    }
    let fields = service.contacts().iter().map(|(var, addresses)| Field {
        values: addresses.clone(),
        ..Field::new(var, FieldType::ListMulti, "")
    });
    Some(Form {
        purpose: Purpose::Tell,
        kind: KIND,
        fields: fields.collect(),
        ..Form::default()
    })
}
