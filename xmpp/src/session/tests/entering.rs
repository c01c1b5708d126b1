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
    assert_eq!(
        told,
        ["urn:xmpp:carbons:2", "urn:xmpp:csi:0", "urn:xmpp:sm:3"]
    );

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

/// What was wanted of the outside, by name, from the binding on.
fn wanted(pair: &Pair) -> Vec<String> {
    let from = pair
        .actions
        .iter()
        .position(|it| matches!(it, Action::Bind { .. }));
    pair.actions[from.unwrap()..]
        .iter()
        .map(|action| {
            format!("{action:?}")
                .split([' ', '('])
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[test]
fn client_state_from_the_start() {
    for (state, seen) in [("active", true), ("inactive", false)] {
        let mut pair = open();
        pair.send(&plain(&bind2(&format!(
            "<{state} xmlns='urn:xmpp:csi:0'/>"
        ))));
        pair.entered();
        assert_eq!(wanted(&pair), ["Bind", "Attention"]);
        assert!(matches!(pair.actions.last(), Some(Action::Attention(it)) if *it == seen));
    }
}

#[test]
fn managed_from_the_start() {
    let enable = |more: &str| bind2(&format!("<enable xmlns='urn:xmpp:sm:3' {more}/>"));
    let begun = |more: &str| {
        let mut pair = open();
        pair.send(&plain(&enable(more)));
        let (success, features) = pair.entered();
        // What is on already is not offered again: some clients would take it up.
        assert!(!names(&features).contains(&"sm".to_owned()));
        let enabled = child(&child(&success, "bound"), "enabled");
        assert_eq!(enabled.namespace(), "urn:xmpp:sm:3");
        let told = |name| enabled.attribute(name).map(std::borrow::Cow::into_owned);
        (told("id"), told("resume"), told("max"), pair)
    };
    let (id, resume, most, mut pair) = begun("resume='true'");
    assert_eq!(wanted(&pair), ["Bind", "ManagedFromStart"]);
    let Some(Action::ManagedFromStart {
        id: name,
        most: time,
    }) = pair.actions.last()
    else {
        panic!("{:?}", pair.actions)
    };
    assert_eq!((name, *time), (&id, Duration::from_secs(600)));
    assert!(id.unwrap().len() >= 20);
    assert_eq!(
        (resume.as_deref(), most.as_deref()),
        (Some("true"), Some("600"))
    );
    // From here on stanzas are counted, and it cannot begin again.
    pair.send("<presence/><r xmlns='urn:xmpp:sm:3'/>");
    assert_eq!(wanted(&pair)[2..], ["Available", "Counted", "Ask"]);
    pair.send("<enable xmlns='urn:xmpp:sm:3'/>");
    assert_eq!(pair.error().0, "policy-violation");

    let (.., most, _) = begun("resume='1' max='90'");
    assert_eq!(most.as_deref(), Some("90"));
    for more in ["", "resume='true' max='0'"] {
        let (id, resume, _, pair) = begun(more);
        assert_eq!((id, resume), (None, None), "{more}");
        assert!(matches!(
            pair.actions.last(),
            Some(Action::ManagedFromStart { id: None, .. })
        ));
    }
    // Not without a resource.
    let mut pair = open();
    pair.bindings = vec![Err(presence::Refusal::Fault)];
    pair.send(&plain(&enable("")));
    assert_eq!(names(&pair.entered().0), ["authorization-identifier"]);
    assert_eq!(wanted(&pair), ["Bind"]);
}

const RESUME: &str = "<resume xmlns='urn:xmpp:sm:3' previd='earlier' h='3'/>";

#[test]
fn an_earlier_stream_that_does_not_go_on() {
    let mut pair = open();
    pair.send(&plain(&format!("{RESUME}{}", bind2(""))));
    let Some(Action::Resume { account, previous }) = pair.actions.last() else {
        panic!("{:?}", pair.actions)
    };
    assert_eq!(account.as_str(), "ann@office.example");
    assert_eq!((previous.id.as_str(), previous.handled), ("earlier", 3));
    assert!(pair.heard.is_empty() && !pair.session.wants_bytes());
    pair.session
        .handle_reply(pair.now, Reply::NotResumed(Some(7)));
    pair.drain();
    let (success, features) = pair.entered();
    assert_eq!(
        names(&success),
        ["authorization-identifier", "failed", "bound"]
    );
    let failed = child(&success, "failed");
    assert_eq!(failed.attribute("h").as_deref(), Some("7"));
    assert_eq!(names(&failed), ["item-not-found"]);
    assert_eq!(names(&features)[0], "ver");
    // Without a wish to bind it is done afterwards.
    let mut pair = open();
    pair.send(&plain(RESUME));
    pair.session.handle_reply(pair.now, Reply::NotResumed(None));
    pair.drain();
    let (success, features) = pair.entered();
    assert_eq!(names(&success), ["authorization-identifier", "failed"]);
    assert_eq!(names(&features)[0], "bind");
    // One that cannot be meant is not asked for.
    let mut pair = open();
    pair.send(&plain("<resume xmlns='urn:xmpp:sm:3' previd='earlier'/>"));
    let (success, _) = pair.entered();
    assert_eq!(names(&child(&success, "failed")), ["bad-request"]);
    assert!(
        !pair
            .actions
            .iter()
            .any(|it| matches!(it, Action::Resume { .. }))
    );
    // Where none is ever resumed, none is asked for.
    let never = Settings {
        resume_timeout: Duration::ZERO,
        ..settings()
    };
    let mut pair = Pair::new(never, Some(secured()));
    pair.send(OPEN).opening();
    pair.send(&plain(&format!(
        "{RESUME}{}",
        bind2("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    )));
    let (success, _) = pair.entered();
    assert_eq!(
        names(&child(&success, "failed")),
        ["feature-not-implemented"]
    );
    let enabled = child(&child(&success, "bound"), "enabled");
    assert_eq!(enabled.attribute("resume"), None);
    assert_eq!(wanted(&pair), ["Bind", "ManagedFromStart"]);
    // Who did not log in resumes nothing.
    let mut pair = open();
    pair.answers = Answers::Disabled;
    pair.send(&plain(RESUME));
    assert_eq!(pair.failure2(), "account-disabled");
    assert!(
        !pair
            .actions
            .iter()
            .any(|it| matches!(it, Action::Resume { .. }))
    );
}

#[test]
fn an_earlier_stream_that_goes_on() {
    let mut pair = open();
    let token = format!(
        "{}<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>",
        user_agent()
    );
    pair.send(&plain(&format!("{RESUME}{}{token}", bind2(""))));
    let address = Address::parse("ann@office.example/desk").unwrap();
    let mut said = Vec::new();
    pair.session.go_on(&mut said, &address, "earlier", 5);
    pair.hear(&said);
    // No features: the stream has what it has.
    let success = pair.element();
    assert_eq!(
        names(&success),
        ["authorization-identifier", "resumed", "token"],
        "and nothing is bound"
    );
    assert_eq!(identifier(&success), "ann@office.example/desk");
    let resumed = child(&success, "resumed");
    assert_eq!(resumed.attribute("previd").as_deref(), Some("earlier"));
    assert_eq!(resumed.attribute("h").as_deref(), Some("5"));
    assert!(
        !pair
            .actions
            .iter()
            .any(|it| matches!(it, Action::Bind { .. }))
    );
}

/// Whoever binds is told where the archive begins and ends, where there is one.
#[test]
fn the_archive_at_the_time_of_binding() {
    const MAM: &str = "urn:xmpp:mam:2";
    let archiving = || {
        let mut settings = settings();
        Arc::get_mut(&mut settings.service).unwrap().archive = true;
        let mut pair = Pair::new(settings, Some(secured()));
        pair.send(OPEN).opening();
        pair
    };
    let ends = [5 << 20, 7 << 20].map(presence::ArchiveId);
    let mut pair = archiving();
    pair.archive = Some(ends.into());
    pair.send(&plain(&bind2("")));
    let (success, _) = pair.entered();
    let bound = child(&success, "bound");
    let metadata = bound.children().find(|it| it.is("metadata", MAM)).unwrap();
    let told = metadata.children().map(|it| {
        let id = it.attribute("id").unwrap().into_owned();
        (it.name().to_owned(), id)
    });
    let expected = [("start", ends[0]), ("end", ends[1])];
    let expected = expected.map(|(name, id)| (name.to_owned(), id.to_string()));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    // An empty one is told as empty.
    let mut pair = archiving();
    pair.send(&plain(&bind2("")));
    let (success, _) = pair.entered();
    let bound = child(&success, "bound");
    let metadata = bound.children().find(|it| it.is("metadata", MAM)).unwrap();
    assert_eq!(metadata.children().count(), 0);
    // Nothing is told of what is not known, is off, or was not bound.
    let mut unread = archiving();
    unread.send(&plain(&user_agent()));
    let (success, _) = unread.entered();
    assert!(success.child("bound", BIND2).is_none());
    let mut off = open();
    off.send(&plain(&bind2("")));
    let mut refused = archiving();
    refused.bindings = vec![Err(presence::Refusal::Fault)];
    refused.send(&plain(&bind2("")));
    for mut pair in [unread, off, refused] {
        pair.said();
        let asked = |it: &Action| matches!(it, Action::ReadsArchive { .. });
        assert!(!pair.actions.iter().any(asked));
    }
}
