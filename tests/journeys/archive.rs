//! What was said, found again later and elsewhere (XEP-0313, 0059, 0441, 0359).

use std::time::Duration;

use xml::{Child, Element};

use super::world::ARCHIVE;
use super::{Chat, Phone, World};

const MAM: &str = "urn:xmpp:mam:2";
const RSM: &str = "http://jabber.org/protocol/rsm";

/// What was read: pairs of number and text, and the end.
struct Page {
    messages: Vec<(String, String)>,
    complete: bool,
    first: Option<String>,
    last: Option<String>,
    count: Option<String>,
}

impl Page {
    fn texts(&self) -> Vec<&str> {
        self.messages.iter().map(|(_, text)| &**text).collect()
    }
}

fn value(of: Option<Child<'_>>) -> Option<String> {
    of.map(|c| c.text().into_owned())
}

/// Asks, and reads what comes.
fn asked(world: &mut World, chat: &mut Chat, content: &str) -> Result<Page, String> {
    chat.read();
    let query =
        format!("<iq type='set' id='q'><query xmlns='{MAM}' queryid='f'>{content}</query></iq>");
    chat.dare(world, &query);
    let mut stanzas = chat.read();
    let end = stanzas.pop().unwrap();
    assert_eq!(
        (end.name(), end.attribute("id").as_deref()),
        ("iq", Some("q"))
    );
    let Some(fin) = end.child("fin", MAM) else {
        assert!(stanzas.is_empty(), "{stanzas:?}");
        let error = end.child("error", "jabber:client").unwrap();
        return Err(error.children().next().unwrap().name().to_owned());
    };
    let set = fin.child("set", RSM).unwrap();
    Ok(Page {
        messages: stanzas.iter().map(found).collect(),
        complete: fin.attribute("complete").as_deref() == Some("true"),
        first: value(set.child("first", RSM)),
        last: value(set.child("last", RSM)),
        count: value(set.child("count", RSM)),
    })
}

fn page(world: &mut World, chat: &mut Chat, content: &str) -> Page {
    asked(world, chat, content).unwrap()
}

fn found(stanza: &Element) -> (String, String) {
    assert!(
        !stanza.attribute("from").unwrap().contains('/'),
        "{stanza:?}"
    );
    let result = stanza.child("result", MAM).unwrap();
    assert_eq!(result.attribute("queryid").as_deref(), Some("f"));
    let forwarded = result.child("forwarded", "urn:xmpp:forward:0").unwrap();
    assert!(forwarded.child("delay", "urn:xmpp:delay").is_some());
    let message = forwarded.child("message", "jabber:client").unwrap();
    let text = value(message.child("body", "jabber:client")).unwrap_or_default();
    (result.attribute("id").unwrap().into_owned(), text)
}

fn form(fields: &[(&str, &str)]) -> String {
    let field =
        |(var, value): &(&str, &str)| format!("<field var='{var}'><value>{value}</value></field>");
    let fields: String = fields.iter().map(field).collect();
    format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>{fields}</x>"
    )
}

fn set(content: &str) -> String {
    format!("<set xmlns='{RSM}'>{content}</set>")
}

fn say(to: &str, text: &str) -> String {
    format!("<message type='chat' id='m' to='{to}@office.example'><body>{text}</body></message>")
}

/// The number that a message was given for this account.
fn number(stanza: &Element, account: &str) -> Option<String> {
    let ids = stanza
        .children()
        .filter(|c| c.is("stanza-id", "urn:xmpp:sid:0"));
    let mut ids = ids.filter(|c| c.attribute("by").as_deref() == Some(account));
    let id = ids
        .next()?
        .attribute("id")
        .map(std::borrow::Cow::into_owned);
    assert!(ids.next().is_none(), "{stanza:?}");
    id
}

#[test]
fn both_sides_find_it_by_the_number_it_came_with() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::online(&mut world, "bob", "desk");
    bob.read();
    let forged =
        "<stanza-id xmlns='urn:xmpp:sid:0' by='bob@office.example' id='0000000000000001'/>";
    ann.send(
        &mut world,
        &format!("<message type='chat' to='bob@office.example'><body>Lunch?</body>{forged}<origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>"),
    );
    let got = bob.read().pop().unwrap();
    let id = number(&got, "bob@office.example").unwrap();
    assert!(got.child("origin-id", "urn:xmpp:sid:0").is_some());
    let expected = [(id.clone(), "Lunch?".to_owned())];
    for chat in [&mut ann, &mut bob] {
        let page = page(&mut world, chat, "");
        assert_eq!(page.messages, expected);
        assert!(page.complete);
        assert_eq!(
            (page.first.as_ref(), page.last.as_ref()),
            (Some(&id), Some(&id))
        );
        assert_eq!(page.count.as_deref(), Some("1"));
    }
}

#[test]
fn it_is_read_page_by_page_in_both_directions() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let texts: Vec<String> = (0..25).map(|n| format!("m{n}")).collect();
    for text in &texts {
        ann.send(&mut world, &say("bob", text));
        world.pass(Duration::from_millis(1));
    }
    // Forwards; a page has ten at most, whatever is asked for.
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = page(&mut world, &mut ann, &set(&format!("<max>50</max>{after}")));
        assert_eq!(page.messages.len(), if page.complete { 5 } else { 10 });
        seen.extend(page.messages);
        if page.complete {
            break;
        }
        after = format!("<after>{}</after>", page.last.unwrap());
    }
    let said: Vec<&String> = seen.iter().map(|(_, text)| text).collect();
    assert_eq!(said, texts.iter().collect::<Vec<_>>());
    // Backwards.
    let last = page(&mut world, &mut ann, &set("<max>3</max><before/>"));
    assert_eq!(last.texts(), ["m22", "m23", "m24"]);
    assert!(!last.complete);
    let before = format!("<max>2</max><before>{}</before>", last.first.unwrap());
    let earlier = page(&mut world, &mut ann, &set(&before));
    assert_eq!(earlier.texts(), ["m20", "m21"]);
    // Flipped, the same page comes the other way round.
    let flipped = page(&mut world, &mut ann, &(set(&before) + "<flip-page/>"));
    assert_eq!(flipped.texts(), ["m21", "m20"]);
    assert_eq!((flipped.first, flipped.last), (earlier.first, earlier.last));
    // How many there are.
    let none = page(&mut world, &mut ann, &set("<max>0</max>"));
    assert_eq!((none.texts().len(), none.count.as_deref()), (0, Some("25")));
    // Between two of them, and some of them.
    let (third, sixth) = (&seen[3].0, &seen[6].0);
    let between = form(&[("after-id", third), ("before-id", sixth)]);
    let between = page(&mut world, &mut ann, &between);
    assert_eq!(between.texts(), ["m4", "m5"]);
    assert!(between.complete);
    let ids = format!("<value>{sixth}</value><value>{third}</value>");
    let ids = form(&[]).replace("</x>", &format!("<field var='ids'>{ids}</field></x>"));
    assert_eq!(page(&mut world, &mut ann, &ids).texts(), ["m3", "m6"]);
}

#[test]
fn only_with_one_and_only_of_a_time() {
    let mut world = World::open(&["ann", "bob", "eve"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::online(&mut world, "bob", "desk");
    ann.send(&mut world, &say("bob", "to bob"));
    world.pass(Duration::from_secs(60));
    let middle = world.now().utc.to_rfc3339();
    ann.send(&mut world, &say("eve", "to eve"));
    bob.send(&mut world, &say("ann", "from bob"));
    ann.send(&mut world, &say("ann", "to myself"));
    let mut read = |fields: &[(&str, &str)]| {
        let page = page(&mut world, &mut ann, &form(fields));
        page.texts()
            .iter()
            .map(|t| (*t).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        read(&[("with", "bob@office.example")]),
        ["to bob", "from bob"]
    );
    assert_eq!(read(&[("with", "bob@office.example/desk")]), ["from bob"]);
    assert_eq!(read(&[("with", "eve@office.example")]), ["to eve"]);
    assert_eq!(read(&[("with", "ann@office.example")]), ["to myself"]);
    assert_eq!(read(&[("with", "nobody@office.example")]), [""; 0]);
    assert_eq!(
        read(&[("end", &middle)]).len(),
        4,
        "the moment itself counts"
    );
    assert_eq!(
        read(&[("start", &middle)]),
        ["to eve", "from bob", "to myself"]
    );
    assert_eq!(read(&[("end", "2020-01-01T00:00:00Z")]), [""; 0]);
    assert_eq!(
        read(&[
            ("start", &middle),
            ("with", "bob@office.example"),
            ("include-groupchat", "true")
        ]),
        ["from bob"]
    );
}

#[test]
fn what_is_wrongly_asked_has_its_error() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    ann.send(&mut world, &say("bob", "one"));
    let unknown = "0123456789abcdef";
    for (content, condition) in [
        (form(&[("after-id", unknown)]), "item-not-found"),
        (form(&[("before-id", unknown)]), "item-not-found"),
        (form(&[("ids", unknown)]), "item-not-found"),
        (form(&[("ids", "no number")]), "item-not-found"),
        (set(&format!("<after>{unknown}</after>")), "item-not-found"),
        (set("<before>x</before>"), "item-not-found"),
        (set("<max>many</max>"), "bad-request"),
        (set("<index>3</index>"), "feature-not-implemented"),
        (form(&[("{urn:x}more", "1")]), "feature-not-implemented"),
        (form(&[("with", "@")]), "jid-malformed"),
        (form(&[("start", "yesterday")]), "bad-request"),
        (form(&[]).replace(MAM, "urn:xmpp:mam:1"), "bad-request"),
    ] {
        let answer = asked(&mut world, &mut ann, &content);
        assert_eq!(answer.err().as_deref(), Some(condition), "{content}");
    }
    // The archive of somebody else, whether there is one or not.
    for other in ["bob@office.example", "nobody@office.example"] {
        for (kind, payload) in [
            ("set", "<query xmlns='urn:xmpp:mam:2'/>"),
            ("get", "<metadata xmlns='urn:xmpp:mam:2'/>"),
            ("get", "<prefs xmlns='urn:xmpp:mam:2'/>"),
        ] {
            let refused = ann.ask(&mut world, kind, Some(other), payload);
            let error = refused.child("error", "jabber:client").unwrap();
            assert_eq!(error.children().next().unwrap().name(), "forbidden");
        }
    }
    assert_eq!(page(&mut world, &mut ann, "").texts(), ["one"]);
}

#[test]
fn what_is_kept_and_what_is_not() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let _bob = Chat::online(&mut world, "bob", "desk");
    let to = "to='bob@office.example/desk'";
    let body = "<body>no</body>";
    let hint = |name: &str| format!("<{name} xmlns='urn:xmpp:hints'/>");
    for passing in [
        format!(
            "<message type='chat' {to}>{body}{}</message>",
            hint("no-store")
        ),
        format!(
            "<message type='chat' {to}>{body}{}</message>",
            hint("no-permanent-store")
        ),
        format!("<message type='headline' {to}>{body}</message>"),
        format!("<message type='groupchat' {to}>{body}</message>"),
        format!("<message type='error' {to}>{body}<error type='cancel'/></message>"),
        format!(
            "<message type='chat' {to}><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
        format!("<message type='chat' {to}><x xmlns='urn:x'/></message>"),
    ] {
        ann.send(&mut world, &passing);
    }
    assert!(page(&mut world, &mut ann, "").messages.is_empty());
    for (n, kept) in [
        "<body>yes</body>".to_owned(),
        hint("store"),
        "<received xmlns='urn:xmpp:receipts' id='1'/>".to_owned(),
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>".to_owned(),
        "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>".to_owned(),
        "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>".to_owned(),
        "<encrypted xmlns='urn:xmpp:omemo:2'/>".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        ann.send(&mut world, &format!("<message {to}>{kept}</message>"));
        assert_eq!(
            page(&mut world, &mut ann, "").messages.len(),
            n + 1,
            "{kept}"
        );
    }
    // What was refused was not said.
    ann.send(&mut world, &say("nobody", "no"));
    let mut lap = Chat::online(&mut world, "ann", "lap");
    assert_eq!(page(&mut world, &mut lap, "").messages.len(), 7);
}

#[test]
fn what_waited_has_the_number_that_it_has_in_the_archive() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    ann.send(&mut world, &say("bob", "For later"));
    world.pass(Duration::from_secs(3600));
    let mut bob = Chat::online(&mut world, "bob", "desk");
    let stanzas = bob.read();
    let got = stanzas.iter().find(|s| s.name() == "message").unwrap();
    assert!(got.child("delay", "urn:xmpp:delay").is_some());
    let id = number(got, "bob@office.example").unwrap();
    let page = page(&mut world, &mut bob, "");
    assert_eq!(page.messages, [(id, "For later".to_owned())]);
}

#[test]
fn copies_have_the_numbers_of_the_archive_of_their_account() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::online(&mut world, "bob", "desk");
    let mut others = [("ann", "lap"), ("bob", "phone")].map(|(name, resource)| {
        let mut chat = Chat::online(&mut world, name, resource);
        let enable = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
        chat.send(&mut world, enable);
        (chat, format!("{name}@office.example"))
    });
    for (chat, _) in &others {
        chat.read();
    }
    ann.send(
        &mut world,
        "<message type='chat' to='bob@office.example/desk'><body>x</body></message>",
    );
    let id = page(&mut world, &mut bob, "").first.unwrap();
    for (chat, account) in &mut others {
        let copy = chat.read().pop().unwrap();
        let raw = String::from_utf8(copy.raw().to_vec()).unwrap();
        let stamp = format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{account}' id='{id}'/>");
        assert!(raw.contains(&stamp), "{raw}");
    }
}

#[test]
fn what_phones_say_is_in_it_too() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Phone::new("bob", 2);
    bob.register(&mut world, 3600);
    assert_eq!(bob.say(&mut world, "ann", "From a phone & more"), 200);
    let got = ann.read();
    let got = got.iter().find(|s| s.name() == "message").unwrap();
    let id = number(got, "ann@office.example").unwrap();
    let mut bobs = Chat::online(&mut world, "bob", "desk");
    for chat in [&mut ann, &mut bobs] {
        let page = page(&mut world, chat, "");
        assert_eq!(
            page.messages,
            [(id.clone(), "From a phone & more".to_owned())]
        );
    }
}

#[test]
fn the_account_says_what_is_archived() {
    let mut world = World::open(&["ann", "bob", "eve"]);
    world.befriend("ann", "bob");
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let get = "<prefs xmlns='urn:xmpp:mam:2'/>";
    let prefs = |stanza: &Element| {
        let prefs = stanza.child("prefs", MAM).unwrap();
        let list = |name: &str| -> Vec<String> {
            let list = prefs.child(name, MAM).unwrap();
            list.children().map(|j| j.text().into_owned()).collect()
        };
        (
            prefs.attribute("default").unwrap().into_owned(),
            list("always"),
            list("never"),
        )
    };
    let empty: Vec<String> = Vec::new();
    let told = ann.ask(&mut world, "get", None, get);
    assert_eq!(
        prefs(&told),
        ("always".to_owned(), empty.clone(), empty.clone())
    );
    let wants = "<prefs xmlns='urn:xmpp:mam:2' default='roster'><never><jid>ann@office.example</jid></never></prefs>";
    let applied = ann.ask(&mut world, "set", None, wants);
    let expected = (
        "roster".to_owned(),
        empty,
        vec!["ann@office.example".to_owned()],
    );
    assert_eq!(prefs(&applied), expected);
    let told = ann.ask(&mut world, "get", None, get);
    assert_eq!(prefs(&told), expected);
    for bad in [
        "<prefs xmlns='urn:xmpp:mam:2'/>",
        "<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>",
        "<prefs xmlns='urn:xmpp:mam:2' default='never'><always><jid>@</jid></always></prefs>",
    ] {
        let refused = ann.ask(&mut world, "set", None, bad);
        assert_eq!(refused.attribute("type").as_deref(), Some("error"), "{bad}");
    }
    for (to, text) in [("bob", "friend"), ("eve", "stranger"), ("ann", "myself")] {
        ann.send(&mut world, &say(to, text));
    }
    assert_eq!(page(&mut world, &mut ann, "").texts(), ["friend"]);
    // Each archive is its owner's business.
    let mut eve = Chat::online(&mut world, "eve", "desk");
    assert_eq!(page(&mut world, &mut eve, "").texts(), ["stranger"]);
}

#[test]
fn where_it_begins_and_ends() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let ask = "<metadata xmlns='urn:xmpp:mam:2'/>";
    let empty = ann.ask(&mut world, "get", None, ask);
    assert_eq!(empty.child("metadata", MAM).unwrap().children().count(), 0);
    let first = world.now().utc.to_rfc3339();
    ann.send(&mut world, &say("bob", "one"));
    world.pass(Duration::from_secs(60));
    let last = world.now().utc.to_rfc3339();
    ann.send(&mut world, &say("bob", "two"));
    let whole = page(&mut world, &mut ann, "");
    let told = ann.ask(&mut world, "get", None, ask);
    let metadata = told.child("metadata", MAM).unwrap();
    for (name, id, stamp) in [("start", whole.first, first), ("end", whole.last, last)] {
        let end = metadata.child(name, MAM).unwrap();
        assert_eq!(end.attribute("id").map(std::borrow::Cow::into_owned), id);
        assert_eq!(end.attribute("timestamp").as_deref(), Some(&*stamp));
    }
    let form = ann.ask(&mut world, "get", None, "<query xmlns='urn:xmpp:mam:2'/>");
    let form = form
        .child("query", MAM)
        .unwrap()
        .child("x", "jabber:x:data")
        .unwrap();
    let vars: Vec<_> = form.children().filter_map(|f| f.attribute("var")).collect();
    for var in [
        "FORM_TYPE",
        "with",
        "start",
        "end",
        "before-id",
        "after-id",
        "ids",
    ] {
        assert!(vars.iter().any(|v| v == var), "{var}: {vars:?}");
    }
}

#[test]
fn what_is_too_old_is_removed_in_portions() {
    let mut world = World::open(&["ann", "bob"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::online(&mut world, "bob", "desk");
    for n in 0..250 {
        ann.send(&mut world, &say("bob", &format!("old {n}")));
    }
    let old = page(&mut world, &mut ann, "").last.unwrap();
    world.pass(ARCHIVE / 2);
    ann.send(&mut world, &say("bob", "young"));
    world.pass(ARCHIVE / 3);
    let count = |world: &mut World, chat: &mut Chat| page(world, chat, &set("<max>0</max>")).count;
    assert_eq!(count(&mut world, &mut ann).as_deref(), Some("251"));
    // It is looked for every hour.
    world.pass(ARCHIVE / 4);
    assert_eq!(page(&mut world, &mut ann, "").texts(), ["young"]);
    let gone = asked(&mut world, &mut ann, &set(&format!("<after>{old}</after>")));
    assert_eq!(gone.err().as_deref(), Some("item-not-found"));
    world.pass(ARCHIVE);
    assert_eq!(count(&mut world, &mut ann).as_deref(), Some("0"));
    assert_eq!(count(&mut world, &mut bob).as_deref(), Some("0"));
}
