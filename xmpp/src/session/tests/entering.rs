//! Resources that are bound together with the login (XEP-0386).

use super::sasl2::{identifier, open, plain, user_agent};
use super::*;

fn bind2(inside: &str) -> String {
    format!("<bind xmlns='{BIND2}'>{inside}</bind>")
}

#[test]
fn bound_in_one_step() {
    let mut pair = open();
    pair.send(&plain(&bind2("<tag>Test</tag>")));
    let (success, features) = pair.entered();
    assert_eq!(names(&success), ["authorization-identifier", "bound"]);
    assert!(success.child("bound", BIND2).is_some());
    // What is left to negotiate: no resource.
    assert_eq!(names(&features), ["ver", "sub", "sm", "csi", "c", "limits"]);
    let address = pair.session.address().unwrap().to_string();
    assert_eq!(identifier(&success), address);
    let name = address.strip_prefix("ann@office.example/Test/").unwrap();
    assert!(name.len() >= 12, "{name}");
    // Stanzas may come at once, and no other resource.
    pair.send("<presence/>");
    assert!(matches!(pair.actions.last(), Some(Action::Available(_))));
    pair.send(&bind("desk"));
    assert_eq!(pair.element().attribute("type").as_deref(), Some("error"));
}

#[test]
fn names_are_stable_for_a_client_and_new_without_one() {
    let name = |more: &str| {
        let mut pair = open();
        pair.send(&plain(more));
        identifier(&pair.entered().0)
    };
    let tagged = bind2("<tag>Test</tag>");
    let known = name(&format!("{tagged}{}", user_agent()));
    assert_eq!(known, name(&format!("{tagged}{}", user_agent())));
    assert!(known.starts_with("ann@office.example/Test/"));
    assert!(!known.contains(super::sasl2::CLIENT_ID) && !known.contains("7d9f2a4c"));
    let untagged = name(&format!("{}{}", bind2(""), user_agent()));
    assert_eq!(
        known.rsplit('/').next(),
        untagged.rsplit('/').next(),
        "the tag is a prefix"
    );
    // The random data of each session of these tests is the same; that of the server is not.
    assert_ne!(name(&tagged).rsplit('/').next(), known.rsplit('/').next());
    // A tag that no name can hold is left out.
    for tag in ["&#x2028;", &"x".repeat(1500)] {
        let odd = name(&format!(
            "{}{}",
            bind2(&format!("<tag>{tag}</tag>")),
            user_agent()
        ));
        assert_eq!(odd, untagged);
    }
}

#[test]
fn what_is_refused_can_be_asked_for_again() {
    for refusal in [
        presence::Refusal::Limit("sessions_per_account"),
        presence::Refusal::Fault,
    ] {
        let mut pair = open();
        pair.bindings = vec![Err(refusal)];
        pair.send(&plain(&bind2("")));
        let (success, features) = pair.entered();
        assert_eq!(names(&success), ["authorization-identifier"]);
        assert_eq!(identifier(&success), "ann@office.example");
        assert_eq!(names(&features)[0], "bind");
        pair.send(&bind("desk"));
        assert_eq!(pair.element().attribute("type").as_deref(), Some("result"));
    }
}

#[test]
fn only_a_login_that_succeeds_binds() {
    let mut pair = open();
    pair.answers = Answers::Disabled;
    pair.send(&plain(&bind2("")));
    assert_eq!(pair.failure2(), "account-disabled");
    assert!(
        pair.actions
            .iter()
            .all(|it| !matches!(it, Action::Bind { .. }))
    );
    // In the old profile it means nothing.
    let login = encode_payload(&plain_message(None, "ann", "pencil"));
    let mut pair = open();
    pair.send(&format!(
        "<auth xmlns='{SASL}' mechanism='PLAIN'>{login}{}</auth>",
        bind2("")
    ));
    assert_eq!(pair.failure(), "malformed-request");
}

#[test]
fn stanzas_behind_it_wait_for_the_answer() {
    let mut pair = open();
    pair.answers = Answers::Never;
    let login = plain(&bind2(""));
    pair.send(&format!("{login}<presence/>"));
    let right = Reply::Password(true);
    pair.session.handle_reply(pair.now, right);
    pair.drain();
    assert!(!pair.session.wants_bytes());
    pair.session
        .handle_reply(pair.now, Reply::Bound(Ok(Resource::from_prepared("x"))));
    pair.drain();
    assert_eq!(identifier(&pair.entered().0), "ann@office.example/x");
    assert!(matches!(pair.actions.last(), Some(Action::Available(_))));
    // A connection that is lost in between leaves nothing half done.
    let mut pair = open();
    pair.answers = Answers::Never;
    pair.send(&login);
    pair.session.handle_reply(pair.now, Reply::Password(true));
    pair.hang_up();
    assert!(pair.closed && pair.session.address().is_none());
    assert_eq!(pair.attempts, [AttemptOutcome::Succeeded]);
}

#[test]
fn what_a_session_can_have_from_its_first_moment_on() {
    let mut pair = Pair::direct();
    let (_, features) = pair.send(OPEN).opening();
    let offer = child(&features, "authentication");
    let inline = child(&child(&child(&offer, "inline"), "bind"), "inline");
    let told: Vec<_> = inline
        .children()
        .map(|feature| feature.attribute("var").unwrap().into_owned())
        .collect();
    assert_eq!(told, ["urn:xmpp:carbons:2"]);

    let carbons = "<enable xmlns='urn:xmpp:carbons:2'/>";
    let mut pair = open();
    pair.send(&plain(&bind2(carbons)));
    assert_eq!(
        names(&pair.entered().0),
        ["authorization-identifier", "bound"]
    );
    let position = |of: fn(&Action) -> bool| pair.actions.iter().position(of);
    let bound = position(|it| matches!(it, Action::Bind { .. })).unwrap();
    let carbons_on = position(|it| matches!(it, Action::CarbonsFromStart)).unwrap();
    assert_eq!(carbons_on, bound + 1, "nothing comes between");
    // Not where nothing was bound, and not outside of the bind.
    let mut pair = open();
    pair.bindings = vec![Err(presence::Refusal::Fault)];
    pair.send(&plain(&bind2(carbons)));
    pair.entered();
    pair.send(&bind("desk"));
    assert!(
        !pair
            .actions
            .iter()
            .any(|it| matches!(it, Action::CarbonsFromStart))
    );
    let mut pair = open();
    pair.send(&plain(&format!("{}{carbons}", bind2(""))));
    pair.entered();
    assert!(
        !pair
            .actions
            .iter()
            .any(|it| matches!(it, Action::CarbonsFromStart))
    );
}
