//! Connections that are lost and may come back (XEP-0198 §5): what contacts see meanwhile, and where messages go.

use std::time::Duration;

use super::Chat;
use super::office::Office;

const OFF: Duration = Duration::from_secs(5);

fn write(to: &str, text: &str) -> String {
    format!("<message to='{to}' type='chat' id='{text}'><body>{text}</body></message>")
}

/// Ann sees Bob, and what he says, in her client and on her phone.
fn office() -> Office {
    let mut office = Office::with_a_phone_of("ann");
    office.bob.send(
        &mut office.world,
        "<presence><status>on the train</status></presence>",
    );
    office.world.pass(OFF);
    assert!(
        office
            .phone
            .sees(&mut office.world)
            .has_note("on the train")
    );
    office.ann.read();
    office.bob.read();
    office
}

fn state(state: &str) -> Vec<(String, String)> {
    vec![("desk".to_owned(), state.to_owned())]
}

fn texts(chat: &Chat) -> Vec<String> {
    chat.messages().into_iter().map(|(text, _)| text).collect()
}

#[test]
fn back_in_time_nobody_has_noticed() {
    let mut office = office();
    office.bob.lose();
    let to_bob = [
        write("bob@office.example", "1"),
        write("bob@office.example/desk", "2"),
    ];
    for message in &to_bob {
        office.ann.send(&mut office.world, message);
    }
    office.world.pass(OFF);
    assert_eq!(office.ann.saw("bob"), []);
    assert!(office.phone.told(&mut office.world).is_empty());
    assert!(office.bob.read().is_empty());
    office.bob.resume();
    assert_eq!(texts(&office.bob), ["1", "2"]);
    office
        .ann
        .send(&mut office.world, &write("bob@office.example", "3"));
    assert_eq!(texts(&office.bob), ["3"]);
    assert_eq!(office.ann.saw("bob"), []);
}

#[test]
fn away_for_longer_he_is_gone_and_comes_back_as_he_was() {
    let mut office = office();
    office.bob.lose();
    let shown = office.bob.hide(&mut office.world);
    office.world.pass(OFF);
    assert_eq!(office.ann.saw("bob"), state("unavailable"));
    assert!(!office.phone.sees(&mut office.world).is_open());
    // He still gets all that is for him; whom he sees goes on.
    office
        .ann
        .send(&mut office.world, &write("bob@office.example", "1"));
    office
        .ann
        .send(&mut office.world, "<presence><show>away</show></presence>");
    // Who comes now does not see him, and hears of no second parting.
    let other = Chat::online(&mut office.world, "ann", "home");
    assert_eq!(other.saw("bob"), []);
    office.bob.resume();
    office.bob.show(&mut office.world, shown);
    assert_eq!(office.ann.saw("bob"), state("available"));
    assert_eq!(other.saw("bob"), state("available"));
    office.world.pass(OFF);
    assert!(
        office
            .phone
            .sees(&mut office.world)
            .has_note("on the train")
    );
    let read = office.bob.read();
    let all = format!("{read:?}");
    assert!(
        all.contains("id='1'") && all.contains("<show>away</show>"),
        "{all}"
    );
}

#[test]
fn who_never_comes_back_loses_nothing() {
    let mut office = office();
    office.bob.lose();
    office
        .ann
        .send(&mut office.world, &write("bob@office.example", "1"));
    office
        .ann
        .send(&mut office.world, &write("bob@office.example/desk", "2"));
    let shown = office.bob.hide(&mut office.world);
    assert!(shown.is_some());
    office
        .ann
        .send(&mut office.world, &write("bob@office.example", "3"));
    office.bob.give_up(&mut office.world);
    assert_eq!(office.ann.saw("bob"), state("unavailable"), "once");
    // Sent while he is not there: it waits behind the others.
    office
        .ann
        .send(&mut office.world, &write("bob@office.example", "4"));
    let bob = Chat::online(&mut office.world, "bob", "lap");
    let waited = |text: &str| (text.to_owned(), true);
    assert_eq!(bob.messages(), ["1", "2", "3", "4"].map(waited));
    let again = Chat::online(&mut office.world, "bob", "home");
    assert_eq!(texts(&again), [""; 0]);
}

#[test]
fn another_client_of_his_gets_what_the_lost_one_never_got() {
    let mut office = office();
    office.bob.lose();
    office
        .ann
        .send(&mut office.world, &write("bob@office.example/desk", "1"));
    let lap = Chat::online(&mut office.world, "bob", "lap");
    assert_eq!(texts(&lap), [""; 0]);
    office.bob.give_up(&mut office.world);
    assert_eq!(texts(&lap), ["1"]);
    assert_eq!(
        office.ann.saw("bob"),
        [
            ("lap".to_owned(), "available".to_owned()),
            ("desk".to_owned(), "unavailable".to_owned())
        ]
    );
}

/// The new session of the same name ends the one that waits: contacts see him go and come, and he gets what waited.
#[test]
fn a_client_that_forgot_its_stream_takes_its_name() {
    let mut office = office();
    office.bob.lose();
    office
        .ann
        .send(&mut office.world, &write("bob@office.example/desk", "1"));
    office.bob.give_up(&mut office.world);
    let bob = Chat::online(&mut office.world, "bob", "desk");
    assert_eq!(texts(&bob), ["1"]);
    assert_eq!(
        office.ann.saw("bob"),
        [state("unavailable"), state("available")].concat()
    );
}
