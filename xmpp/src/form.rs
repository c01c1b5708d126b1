//! Data forms (XEP-0004): printing those the server asks with, reading those that are filled in.

use xml::{Child, Writer};

/// The namespace of XEP-0004.
pub const DATA: &str = "jabber:x:data";

/// What a field takes (XEP-0004 §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text for people, nothing to fill in.
    Fixed,
    /// Not shown; sent back as it is.
    Hidden,
    /// One line.
    TextSingle,
    /// One line that is not shown while it is typed.
    TextPrivate,
    /// Lines.
    TextMulti,
    /// One address.
    JidSingle,
    /// Addresses.
    JidMulti,
    /// One of the options.
    ListSingle,
    /// Some of the options.
    ListMulti,
    /// Yes or no.
    Boolean,
}

impl FieldType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Hidden => "hidden",
            Self::TextSingle => "text-single",
            Self::TextPrivate => "text-private",
            Self::TextMulti => "text-multi",
            Self::JidSingle => "jid-single",
            Self::JidMulti => "jid-multi",
            Self::ListSingle => "list-single",
            Self::ListMulti => "list-multi",
            Self::Boolean => "boolean",
        }
    }
}

/// A field of a form that the server prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub var: &'static str,
    /// What it takes.
    pub kind: FieldType,
    /// What people read beside it.
    pub label: &'static str,
    /// It must be filled in.
    pub required: bool,
    /// What stands in it.
    pub values: Vec<String>,
    /// What can be chosen: label and value.
    pub options: Vec<(&'static str, &'static str)>,
}

impl Field {
    /// An empty one.
    pub fn new(var: &'static str, kind: FieldType, label: &'static str) -> Self {
        Self {
            var,
            kind,
            label,
            required: false,
            values: Vec::new(),
            options: Vec::new(),
        }
    }

    /// It must be filled in.
    #[must_use]
    pub fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// With something in it.
    #[must_use]
    pub fn with(mut self, value: impl Into<String>) -> Self {
        self.values.push(value.into());
        self
    }

    fn write(&self, to: &mut Writer<'_>) {
        to.start("field");
        if !self.var.is_empty() {
            to.attribute("var", self.var);
        }
        to.attribute("type", self.kind.as_str());
        if !self.label.is_empty() {
            to.attribute("label", self.label);
        }
        if self.required {
            to.start("required").end();
        }
        for value in &self.values {
            to.start("value").text(value).end();
        }
        for (label, value) in &self.options {
            to.start("option").attribute("label", label);
            to.start("value").text(value).end();
            to.end();
        }
        to.end();
    }
}

/// What a printed form is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// To be filled in.
    #[default]
    Ask,
    /// To be read.
    Tell,
}

/// A form that the server prints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// What it is for.
    pub purpose: Purpose,
    /// Its `FORM_TYPE` (XEP-0068).
    pub kind: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What to do, or what this is.
    pub instructions: &'static str,
    /// The rest.
    pub fields: Vec<Field>,
}

impl Form {
    /// With what was filled in before.
    #[must_use]
    pub fn remembering(mut self, given: &Submitted) -> Self {
        for field in &mut self.fields {
            let secret = field.kind == FieldType::TextPrivate;
            let values = given.all(field.var);
            if !values.is_empty() && !secret {
                field.values = values.to_vec();
            }
        }
        self
    }

    /// Writes `<x/>`.
    pub fn write(&self, to: &mut Writer<'_>) {
        start(to, self.purpose, self.kind, self.title, self.instructions);
        for field in &self.fields {
            field.write(to);
        }
        to.end();
    }
}

fn start(to: &mut Writer<'_>, purpose: Purpose, kind: &str, title: &str, instructions: &str) {
    to.start("x").attribute("xmlns", DATA);
    to.attribute(
        "type",
        match purpose {
            Purpose::Ask => "form",
            Purpose::Tell => "result",
        },
    );
    for (name, text) in [("title", title), ("instructions", instructions)] {
        if !text.is_empty() {
            to.start(name).text(text).end();
        }
    }
    to.start("field").attribute("var", "FORM_TYPE");
    to.attribute("type", "hidden");
    to.start("value").text(kind).end();
    to.end();
}

/// Writes a table of results (XEP-0004 §3.4): columns, and a value for each of them in every row.
pub fn write_table<'a>(
    to: &mut Writer<'_>,
    kind: &str,
    columns: &[Field],
    rows: impl Iterator<Item = Vec<&'a str>>,
) {
    start(to, Purpose::Tell, kind, "", "");
    to.start("reported");
    for column in columns {
        column.write(to);
    }
    to.end();
    for row in rows {
        to.start("item");
        for (column, value) in columns.iter().zip(row) {
            to.start("field").attribute("var", column.var);
            to.start("value").text(value).end();
            to.end();
        }
        to.end();
    }
    to.end();
}

/// A form that was filled in.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Submitted {
    kind: Option<String>,
    fields: Vec<(String, Vec<String>)>,
}

/// The names of the fields alone: a password may stand in one.
impl std::fmt::Debug for Submitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.fields.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

impl Submitted {
    /// Reads the `<x type='submit'/>` in an element; `None` where there is none.
    pub fn find(parent: &Child<'_>) -> Option<Self> {
        let x = parent
            .children()
            .find(|c| c.is("x", DATA) && c.attribute("type").as_deref() == Some("submit"))?;
        let mut form = Self::default();
        for field in x.children().filter(|c| c.is("field", DATA)) {
            let Some(var) = field.attribute("var") else {
                continue;
            };
            let values = field.children().filter(|c| c.is("value", DATA));
            let values: Vec<String> = values.map(|v| v.text().into_owned()).collect();
            if var == "FORM_TYPE" {
                form.kind = values.into_iter().next();
            } else {
                form.fields.push((var.into_owned(), values));
            }
        }
        Some(form)
    }

    /// Its `FORM_TYPE`.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// The names of its fields, but for `FORM_TYPE`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// All that stands in a field; nothing where there is no such field.
    pub fn all(&self, var: &str) -> &[String] {
        let field = self.fields.iter().find(|(name, _)| name == var);
        field.map_or(&[], |(_, values)| values)
    }

    /// What stands in a field that takes one thing, without white space around it; `None` where that is nothing.
    pub fn one(&self, var: &str) -> Option<&str> {
        let first = self.all(var).first()?.trim();
        (!first.is_empty()).then_some(first)
    }

    /// Lines, joined to one text.
    pub fn lines(&self, var: &str) -> String {
        self.all(var).join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn printed(write: impl FnOnce(&mut Writer<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn forms_are_printed() {
        let form = Form {
            purpose: Purpose::Ask,
            kind: "k",
            title: "T",
            instructions: "I",
            fields: vec![
                Field::new("a", FieldType::TextSingle, "A & B")
                    .required()
                    .with("1<2"),
                Field {
                    options: vec![("L", "v")],
                    ..Field::new("b", FieldType::ListSingle, "")
                },
            ],
        };
        assert_eq!(
            printed(|to| form.write(to)),
            "<x xmlns='jabber:x:data' type='form'><title>T</title><instructions>I</instructions>\
             <field var='FORM_TYPE' type='hidden'><value>k</value></field>\
             <field var='a' type='text-single' label='A &amp; B'><required/><value>1&lt;2</value></field>\
             <field var='b' type='list-single'><option label='L'><value>v</value></option></field></x>"
        );
    }

    #[test]
    fn tables_are_printed() {
        let columns = [Field::new("a", FieldType::TextSingle, "A")];
        assert_eq!(
            printed(|to| write_table(to, "k", &columns, [vec!["1"], vec!["2"]].into_iter())),
            "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>k</value></field>\
             <reported><field var='a' type='text-single' label='A'/></reported>\
             <item><field var='a'><value>1</value></field></item><item><field var='a'><value>2</value></field></item></x>"
        );
    }

    #[test]
    fn what_was_filled_in_is_read() {
        let text = "<q xmlns='u'><x xmlns='jabber:x:data' type='form'/><x xmlns='jabber:x:data' type='submit'>\
                    <field var='FORM_TYPE'><value>k</value></field><field><value>no name</value></field>\
                    <field var='a'><value> one </value><value>two</value></field><field var='b'/></x></q>";
        let limits = xml::Limits::generous();
        let element = xml::Element::parse(text.as_bytes(), "", limits).unwrap();
        let form = Submitted::find(&element.as_child()).unwrap();
        assert_eq!(form.kind(), Some("k"));
        assert_eq!(form.one("a"), Some("one"));
        assert_eq!(form.lines("a"), " one \ntwo");
        assert_eq!(form.one("b"), None);
        assert_eq!(form.all("c"), [""; 0]);
        let none = xml::Element::parse(b"<q xmlns='u'/>", "", limits).unwrap();
        assert_eq!(Submitted::find(&none.as_child()), None);
    }
}
