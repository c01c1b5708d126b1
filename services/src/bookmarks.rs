//! Bookmarks of rooms, of which there are two kinds: each by itself in a node (XEP-0402), and all together in one element (XEP-0048), which
//! is in another node (XEP-0411) and in private storage (XEP-0049). What one says is made into what the other says.

use bytes::Bytes;
use presence::Address;
use xml::{Child, Element, Writer};

use crate::pubsub::alone;

/// The node of single bookmarks, and their namespace.
pub const NODE: &str = "urn:xmpp:bookmarks:1";
/// The node of all together, and their namespace.
pub const LEGACY: &str = "storage:bookmarks";
/// The name of the element of all together.
pub const STORAGE: &str = "storage";
/// The item of that node.
pub const CURRENT: &str = "current";

/// A bookmark of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// The room, as it is written.
    pub id: String,
    /// The room.
    pub room: Address,
    name: Option<String>,
    autojoin: bool,
    nick: Option<String>,
    password: Option<String>,
    /// What other programs say of it. Each stands by itself.
    more: Vec<More>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct More {
    namespace: String,
    name: String,
    xml: Bytes,
}

/// All bookmarks in one element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// The rooms, each once.
    pub rooms: Vec<Bookmark>,
    /// What else is in it: pages of the web, and what nobody here knows. Each stands by itself.
    pub others: Vec<Bytes>,
}

impl Bookmark {
    /// Reads an item of the node of single bookmarks. `None` for what is none.
    pub fn of_item(id: &str, payload: &Bytes) -> Option<Self> {
        let conference = Element::stored(payload.clone(), "").ok()?;
        if !conference.is("conference", NODE) {
            return None;
        }
        Self::read(&conference.as_child(), NODE, id)
    }

    fn read(conference: &Child<'_>, namespace: &str, id: &str) -> Option<Self> {
        let attribute = |name| conference.attribute(name).map(std::borrow::Cow::into_owned);
        let text = |name| {
            let child = conference.child(name, namespace);
            child.map(|child| child.text().into_owned())
        };
        let mut bookmark = Self {
            id: id.to_owned(),
            room: Address::parse(id).ok()?,
            name: attribute("name"),
            autojoin: matches!(attribute("autojoin").as_deref(), Some("true" | "1")),
            nick: text("nick"),
            password: text("password"),
            more: Vec::new(),
        };
        for child in conference.children() {
            if child.is("extensions", NODE) {
                bookmark
                    .more
                    .extend(child.children().filter_map(|c| More::read(&c)));
            } else if !known(child.name()) || child.namespace() != namespace {
                bookmark.more.extend(More::read(&child));
            }
        }
        Some(bookmark)
    }

    /// This is what a program says that may know nothing of what others said before: that is kept.
    #[must_use]
    pub fn over(mut self, before: Self) -> Self {
        let said = |new: &[More], old: &More| {
            let mut all = new.iter();
            all.any(|m| m.name == old.name && m.namespace == old.namespace)
        };
        let mut more = before.more;
        // What is said again stands where it stood.
        for old in &mut more {
            let again = self
                .more
                .iter()
                .position(|m| m.name == old.name && m.namespace == old.namespace);
            if let Some(again) = again {
                *old = self.more.remove(again);
            }
        }
        self.more.retain(|new| !said(&more, new));
        more.append(&mut self.more);
        Self {
            id: before.id,
            more,
            ..self
        }
    }

    /// The payload of its item.
    pub fn item(&self) -> Bytes {
        let mut out = Vec::with_capacity(200);
        let mut to = Writer::new(&mut out);
        to.start("conference").attribute("xmlns", NODE);
        self.write(&mut to);
        if !self.more.is_empty() {
            to.start("extensions");
            for more in &self.more {
                to.raw(&more.xml);
            }
            to.end();
        }
        to.end();
        out.into()
    }

    fn write(&self, to: &mut Writer<'_>) {
        if let Some(name) = &self.name {
            to.attribute("name", name);
        }
        if self.autojoin {
            to.attribute("autojoin", "true");
        }
        for (name, text) in [("nick", &self.nick), ("password", &self.password)] {
            if let Some(text) = text {
                to.start(name).text(text).end();
            }
        }
    }
}

impl More {
    fn read(child: &Child<'_>) -> Option<Self> {
        Some(Self {
            namespace: child.namespace().to_owned(),
            name: child.name().to_owned(),
            xml: alone(child)?,
        })
    }
}

fn known(name: &str) -> bool {
    matches!(name, "nick" | "password")
}

impl Storage {
    /// Reads one or more `<storage/>`. `None` for anything else.
    pub fn read(xml: &Bytes) -> Option<Self> {
        let mut whole = Vec::with_capacity(xml.len() + 16);
        Writer::new(&mut whole).start("all").raw(xml).end();
        let whole = Element::stored(whole.into(), "").ok()?;
        let mut all = Self::default();
        for storage in whole.children() {
            if !storage.is(STORAGE, LEGACY) {
                return None;
            }
            for child in storage.children() {
                all.take(&child);
            }
        }
        Some(all)
    }

    /// What is written as one element: as it is, where it is one.
    pub fn joined(xml: &Bytes) -> Option<Bytes> {
        let all = Self::read(xml)?;
        let one = Element::stored(xml.clone(), "").is_ok();
        Some(if one { xml.clone() } else { all.print() })
    }

    fn take(&mut self, child: &Child<'_>) {
        let id = child
            .attribute("jid")
            .filter(|_| child.is("conference", LEGACY));
        let room = id.and_then(|id| Bookmark::read(child, LEGACY, &id));
        match room {
            Some(room) if self.find(&room.room).is_none() => self.rooms.push(room),
            Some(_) => {}
            None => self.others.extend(alone(child)),
        }
    }

    /// The bookmark of a room.
    pub fn find(&self, room: &Address) -> Option<&Bookmark> {
        self.rooms.iter().find(|bookmark| bookmark.room == *room)
    }

    /// The element.
    pub fn print(&self) -> Bytes {
        let mut out = Vec::with_capacity(200 * (self.rooms.len() + 1));
        let mut to = Writer::new(&mut out);
        to.start(STORAGE).attribute("xmlns", LEGACY);
        for room in &self.rooms {
            to.start("conference").attribute("jid", &room.id);
            room.write(&mut to);
            for more in &room.more {
                if more.namespace != LEGACY || !known(&more.name) {
                    to.raw(&more.xml);
                }
            }
            to.end();
        }
        for other in &self.others {
            to.raw(other);
        }
        to.end();
        out.into()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn text(octets: &Bytes) -> &str {
        std::str::from_utf8(octets).unwrap()
    }

    fn storage(inner: &str) -> Storage {
        Storage::read(&bytes(&format!(
            "<storage xmlns='{LEGACY}'>{inner}</storage>"
        )))
        .unwrap()
    }

    fn item(attributes: &str, inner: &str) -> Bookmark {
        let xml = format!("<conference xmlns='{NODE}'{attributes}>{inner}</conference>");
        Bookmark::of_item("tea@rooms.example", &bytes(&xml)).unwrap()
    }

    #[test]
    fn a_bookmark_says_the_same_in_both() {
        let new = item(
            " name='Tea &amp; talk' autojoin='1'",
            "<nick>Ann</nick><password>&lt;x></password><extensions><s xmlns='urn:s' a='b'/></extensions>",
        );
        assert!(new.autojoin);
        let all = Storage {
            rooms: vec![new.clone()],
            others: Vec::new(),
        };
        let printed = all.print();
        assert!(text(&printed).contains("jid='tea@rooms.example'"));
        assert!(text(&printed).contains("<s xmlns='urn:s' a='b'/>"));
        let read = Storage::read(&printed).unwrap();
        assert_eq!(read, all);
        let again = Bookmark::of_item("tea@rooms.example", &read.rooms[0].item());
        assert_eq!(again, Some(new));
        // It may say nothing at all.
        let little = item("", "");
        let printed = little.item();
        assert_eq!(text(&printed), format!("<conference xmlns='{NODE}'/>"));
        assert!(!little.autojoin && !item(" autojoin='yes'", "").autojoin);
    }

    #[test]
    fn what_is_no_bookmark_of_a_room_stays_beside_them() {
        let url = "<url xmlns='storage:bookmarks' name='Page' url='http://x.example/'/>";
        let bad = "<conference xmlns='storage:bookmarks' jid='@'/>";
        let none = "<conference xmlns='storage:bookmarks'/>";
        let all = storage(&format!(
            "{url}{bad}<conference jid='a@b'/>{none}<conference jid='A@b' name='again'/>"
        ));
        assert_eq!(all.rooms.len(), 1, "a room is there once");
        assert_eq!(all.others, [url, bad, none].map(bytes));
        let printed = all.print();
        assert!(text(&printed).contains(url) && text(&printed).contains(bad));
        assert_eq!(Storage::read(&printed), Some(all));
        // Several elements are one; other things are none.
        let two = "<storage xmlns='storage:bookmarks'><conference jid='a@b'/></storage>\
                   <storage xmlns='storage:bookmarks'><conference jid='c@d'/></storage>";
        assert_eq!(Storage::read(&bytes(two)).unwrap().rooms.len(), 2);
        let joined = Storage::joined(&bytes(two)).unwrap();
        assert_eq!(text(&joined).matches("<storage").count(), 1);
        assert_eq!(Storage::joined(&joined).as_ref(), Some(&joined));
        for other in ["<storage/>", "<x xmlns='storage:bookmarks'/>", "<storage"] {
            assert_eq!(Storage::read(&bytes(other)), None, "{other}");
        }
        assert_eq!(Bookmark::of_item("a@b", &bytes("<conference/>")), None);
        let conference = bytes(&format!("<conference xmlns='{NODE}'/>"));
        assert_eq!(Bookmark::of_item("@", &conference), None);
    }

    #[test]
    fn an_old_program_keeps_what_it_does_not_know() {
        let before = item(
            " name='Old'",
            "<nick>N</nick><extensions><s xmlns='urn:s' n='1'/><t xmlns='urn:t'/></extensions>",
        );
        let said = "<conference jid='TEA@rooms.example' name='New'><s xmlns='urn:s' n='2'/><u xmlns='urn:u'/></conference>";
        let new = storage(said).rooms.remove(0).over(before);
        assert_eq!(new.id, "tea@rooms.example");
        assert_eq!((new.name.as_deref(), &new.nick), (Some("New"), &None));
        let printed = new.item();
        let extensions =
            "<extensions><s xmlns='urn:s' n='2'/><t xmlns='urn:t'/><u xmlns='urn:u'/></extensions>";
        assert!(text(&printed).contains(extensions), "{printed:?}");
        // Said again it is the same.
        let again = storage(said).rooms.remove(0).over(new.clone());
        assert_eq!(again, new);
    }
}
