//! Data forms (XEP-0004) whose fields are named by a `FORM_TYPE` (XEP-0068).

use xml::{Child, Writer};

/// The namespace of data forms.
pub const FORMS: &str = "jabber:x:data";
const FORM_TYPE: &str = "FORM_TYPE";

/// What a form is for (XEP-0004 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be filled in.
    Form,
    /// Filled in.
    Submit,
    /// Not to be filled in after all.
    Cancel,
    /// Facts.
    Result,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Submit => "submit",
            Self::Cancel => "cancel",
            Self::Result => "result",
        }
    }
}

/// A field with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub var: String,
    /// Its values, in order.
    pub values: Vec<String>,
}

impl Field {
    /// The only value; `None` where there are none or several.
    pub fn value(&self) -> Option<&str> {
        match self.values.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// A form as somebody sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What it is for.
    pub purpose: Purpose,
    /// Its `FORM_TYPE`.
    pub kind: Option<String>,
    /// The `FORM_TYPE` is a hidden field, or the form is filled in (XEP-0068 §3.1).
    pub kind_is_hidden: bool,
    /// All other fields that have a name.
    pub fields: Vec<Field>,
}

impl Form {
    /// Reads `<x xmlns='jabber:x:data'/>`. `None` when its type is none of the four.
    pub fn read(x: &Child<'_>) -> Option<Self> {
        let purpose = match x.attribute("type").as_deref() {
            Some("form") => Purpose::Form,
            Some("submit") => Purpose::Submit,
            Some("cancel") => Purpose::Cancel,
            Some("result") => Purpose::Result,
            _ => return None,
        };
        let mut form = Self {
            purpose,
            kind: None,
            kind_is_hidden: purpose == Purpose::Submit,
            fields: Vec::new(),
        };
        for child in x.children().filter(|c| c.is("field", FORMS)) {
            let Some(var) = child.attribute("var") else {
                continue;
            };
            let values = child.children().filter(|c| c.is("value", FORMS));
            let field = Field {
                var: var.into_owned(),
                values: values.map(|v| v.text().into_owned()).collect(),
            };
            if field.var == FORM_TYPE {
                form.kind = field.value().map(str::to_owned);
                form.kind_is_hidden |= child.attribute("type").as_deref() == Some("hidden");
            } else {
                form.fields.push(field);
            }
        }
        Some(form)
    }

    /// The form among the children of an element.
    pub fn in_children(of: &Child<'_>) -> Option<Self> {
        let x = of.child("x", FORMS)?;
        Self::read(&x)
    }
}

/// A boolean of a form (XEP-0004 §3.3).
pub fn boolean(value: &str) -> Option<bool> {
    match value.trim() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Begins a form with its `FORM_TYPE`; the caller writes fields and ends the element.
pub fn begin(to: &mut Writer<'_>, purpose: Purpose, kind: &str) {
    to.start("x").attribute("xmlns", FORMS);
    to.attribute("type", purpose.as_str());
    to.start("field").attribute("var", FORM_TYPE);
    to.attribute("type", "hidden");
    to.start("value").text(kind).end();
    to.end();
}

/// Writes a field. `kind` is its type in a form that is to be filled in; `options` are what may be chosen.
pub fn field(
    to: &mut Writer<'_>,
    var: &str,
    kind: Option<&str>,
    options: &[&str],
    values: &[&str],
) {
    to.start("field").attribute("var", var);
    if let Some(kind) = kind {
        to.attribute("type", kind);
    }
    for option in options {
        to.start("option");
        to.start("value").text(option).end();
        to.end();
    }
    for value in values {
        to.start("value").text(value).end();
    }
    to.end();
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use xml::{Element, Limits};

    fn read(text: &str) -> Option<Form> {
        let element = Element::parse(text.as_bytes(), "", Limits::generous()).unwrap();
        Form::read(&element.as_child())
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        let mut to = Writer::new(&mut out);
        begin(&mut to, Purpose::Form, "urn:x");
        field(&mut to, "a", Some("list-single"), &["1", "2"], &["2"]);
        field(&mut to, "b", None, &[], &["<", ">"]);
        to.end();
        let form = read(&String::from_utf8(out).unwrap()).unwrap();
        assert_eq!(form.purpose, Purpose::Form);
        assert_eq!(form.kind.as_deref(), Some("urn:x"));
        assert!(form.kind_is_hidden);
        assert_eq!(form.fields[0].value(), Some("2"));
        assert_eq!(form.fields[1].values, ["<", ">"]);
        assert_eq!(form.fields[1].value(), None);
    }

    #[test]
    fn a_form_has_a_type() {
        assert_eq!(read("<x xmlns='jabber:x:data'/>"), None);
        assert_eq!(read("<x xmlns='jabber:x:data' type='odd'/>"), None);
        let cancel = read("<x xmlns='jabber:x:data' type='cancel'/>").unwrap();
        assert_eq!(cancel.purpose, Purpose::Cancel);
    }

    #[test]
    fn booleans() {
        assert_eq!(boolean("1"), Some(true));
        assert_eq!(boolean("true"), Some(true));
        assert_eq!(boolean("0"), Some(false));
        assert_eq!(boolean(" false "), Some(false));
        assert_eq!(boolean("yes"), None);
    }
}
