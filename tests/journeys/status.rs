//! A status that is set by hand and outlives the sessions, from the command in a chat client to those who see it, on both faces.

use std::time::Duration;

use super::office::Office;
use super::{Chat, Phone, World};

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const OFFICE: Option<&str> = Some("office.example");

/// Executes one of Ann's commands; its note where it failed.
fn execute(world: &mut World, ann: &mut Chat, node: &str, fields: &[(&str, &str)]) -> String {
    let command = |session: &str, form: &str| {
        format!("<command xmlns='{COMMANDS}' node='adsum:office#{node}' {session}>{form}</command>")
    };
    let first = ann.ask(world, "set", OFFICE, &command("", ""));
    let first = first.child("command", COMMANDS).unwrap();
    let answer = if first.attribute("status").as_deref() == Some("executing") {
        let session = format!("sessionid='{}'", first.attribute("sessionid").unwrap());
        let fields = fields
            .iter()
            .map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>"));
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'>{}</x>",
            fields.collect::<String>()
        );
        format!(
            "{:?}",
            ann.ask(world, "set", OFFICE, &command(&session, &form))
        )
    } else {
        format!("{first:?}")
    };
    assert!(answer.contains("completed"), "{answer}");
    answer
}

fn status(show: &str) -> Vec<(String, String)> {
    vec![("adsum-status".to_owned(), show.to_owned())]
}

/// Bob sees Ann in his client and on his phone.
fn office() -> Office {
    Office::with_a_phone_of("bob")
}

impl Office {
    fn set(&mut self, fields: &[(&str, &str)]) {
        execute(&mut self.world, &mut self.ann, "set-status", fields);
        self.world.pass(Duration::from_secs(5));
    }

    /// The document of the last NOTIFY.
    fn phone_sees(&mut self) -> crate::sip::pidf::Pidf {
        self.world.pass(Duration::from_secs(5));
        let (state, pidf) = self.phone.told(&mut self.world).pop().unwrap();
        assert_eq!(state, "active");
        pidf.unwrap()
    }
}

#[test]
fn on_leave_till_monday() {
    let mut office = office();
    office.set(&[("show", "xa"), ("text", "On leave till Monday")]);
    assert_eq!(office.bob.saw("ann"), status("xa"));
    assert!(office.phone_sees().has_note("On leave till Monday"));
    // She goes home.
    office
        .ann
        .send(&mut office.world, "<presence type='unavailable'/>");
    assert_eq!(
        office.bob.saw("ann"),
        [("desk".to_owned(), "unavailable".to_owned())]
    );
    assert!(office.phone_sees().has_note("On leave till Monday"));
    // Who comes later sees it, in a client and on a phone.
    let later = Chat::online(&mut office.world, "bob", "home");
    assert_eq!(later.saw("ann"), status("xa"));
    let mut other = Phone::new("bob", 3);
    other.subscribe(&mut office.world, "ann");
    let seen = other.told(&mut office.world).pop().unwrap().1.unwrap();
    assert!(seen.has_note("On leave till Monday"));
    // A crash changes nothing: days later it is still there.
    office.world.restart(Duration::from_secs(2 * 24 * 3600));
    office.bob = Chat::online(&mut office.world, "bob", "desk");
    assert_eq!(office.bob.saw("ann"), status("xa"));
    let mut phone = Phone::new("bob", 4);
    phone.subscribe(&mut office.world, "ann");
    assert!(
        phone
            .sees(&mut office.world)
            .has_note("On leave till Monday")
    );
    // She is back and takes it away; she has seen it herself.
    office.ann = Chat::online(&mut office.world, "ann", "desk");
    assert_eq!(office.ann.saw("ann").first(), status("xa").first());
    office.bob.read();
    execute(&mut office.world, &mut office.ann, "clear-status", &[]);
    assert_eq!(office.bob.saw("ann"), status("unavailable"));
    office.world.pass(Duration::from_secs(5));
    let seen = phone.told(&mut office.world).pop().unwrap().1.unwrap();
    assert!(seen.is_open() && !seen.has_note("On leave till Monday"));
    // Once more is nothing.
    execute(&mut office.world, &mut office.ann, "clear-status", &[]);
    assert_eq!(office.bob.saw("ann"), []);
}

#[test]
fn it_ends_when_it_says_and_another_takes_its_place() {
    let mut office = office();
    let until = office.world.now().utc.plus(Duration::from_secs(600));
    let until = until.to_rfc3339();
    office.set(&[("show", "dnd"), ("text", "In a meeting"), ("until", &until)]);
    assert_eq!(office.bob.saw("ann"), status("dnd"));
    office.world.pass(Duration::from_secs(300));
    assert_eq!(office.bob.saw("ann"), []);
    // Another, which lasts: the end of the first does not end it.
    office.set(&[("show", "away"), ("text", "Lunch")]);
    assert_eq!(office.bob.saw("ann"), status("away"));
    office.world.pass(Duration::from_secs(600));
    assert_eq!(office.bob.saw("ann"), []);
    assert!(office.phone_sees().has_note("Lunch"));
    let until = office.world.now().utc.plus(Duration::from_secs(600));
    office.set(&[("show", "available"), ("until", &until.to_rfc3339())]);
    assert_eq!(office.bob.saw("ann"), status("available"));
    office.world.pass(Duration::from_secs(600));
    assert_eq!(office.bob.saw("ann"), status("unavailable"));
    assert!(!office.phone_sees().has_note("Lunch"));
    // One that ends while the server is down is not shown after that.
    let until = office.world.now().utc.plus(Duration::from_secs(600));
    office.set(&[("text", "Away"), ("until", &until.to_rfc3339())]);
    office.world.restart(Duration::from_secs(1200));
    office.world.pass(Duration::from_secs(60));
    let bob = Chat::online(&mut office.world, "bob", "desk");
    assert_eq!(bob.saw("ann"), []);
}

#[test]
fn strangers_and_the_blocked_do_not_see_it() {
    let mut office = office();
    office.world.add("eve");
    let eve = Chat::online(&mut office.world, "eve", "desk");
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='bob@office.example'/></block>";
    office.ann.ask(&mut office.world, "set", None, block);
    office.bob.read();
    office.phone.told(&mut office.world);
    office.set(&[("show", "xa"), ("text", "On leave")]);
    assert_eq!(office.bob.saw("ann"), []);
    assert_eq!(eve.saw("ann"), []);
    assert!(office.phone.told(&mut office.world).is_empty());
    let unblock = "<unblock xmlns='urn:xmpp:blocking'/>";
    office.ann.ask(&mut office.world, "set", None, unblock);
    let mut seen = office.bob.saw("ann");
    seen.sort();
    assert_eq!(seen[0], status("xa")[0]);
    assert_eq!(seen[1].0, "desk");
}
