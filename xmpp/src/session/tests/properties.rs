//! Whatever comes, the session stands, and what it says is a well-formed stream with one end.

use super::*;
use proptest::prelude::*;

/// A conversation that goes well, in the pieces between which the driver acts.
fn script(extensible: bool) -> Vec<String> {
    let rest = [
        "<presence/><message to='bob@office.example' type='chat'><body>Hi &amp; bye</body></message>".to_owned(),
        "<iq type='get' id='q'><query xmlns='jabber:iq:roster'/></iq> </stream:stream>".to_owned(),
    ];
    if extensible {
        let wishes = "<user-agent id='7d9f2a4c-51b6-4e08-9c3d-a1b2c3d4e5f6'/><bind xmlns='urn:xmpp:bind:0'><tag>T</tag></bind>\
             <request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>";
        let begin = [
            format!("{OPEN}{START_TLS}"),
            format!(
                "{OPEN}{}",
                super::sasl2::authenticate("PLAIN", None, wishes)
            ),
            format!("<response xmlns='{SASL2}'>AGFubgBwZW5jaWw=</response>"),
        ];
        return begin.into_iter().chain(rest).collect();
    }
    let login = encode_payload(&plain_message(None, "ann", "pencil"));
    vec![
        format!("{OPEN}{START_TLS}"),
        format!("{OPEN}<auth xmlns='{SASL}' mechanism='PLAIN'>{login}</auth>"),
        format!("{OPEN}{BIND_ANY}"),
    ]
    .into_iter()
    .chain(rest)
    .collect()
}

/// How a piece is spoilt.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let words = prop::sample::select(vec![
        "<",
        ">",
        "/",
        "'",
        "&",
        "&lt;",
        "<!--",
        "<?",
        "<![CDATA[",
        "]]>",
        "</stream:stream>",
        "<stream:error/>",
        "xmlns='jabber:client'",
        " ",
        "\0",
        START_TLS,
        OPEN,
        BIND_ANY,
        "<presence/>",
    ]);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, octet)| Change::Set(at, octet)),
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), 1..9_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<usize>(), 1..40_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        (any::<usize>(), words).prop_map(|(at, word)| Change::Insert(at, word)),
    ]
}

fn spoil(octets: &mut Vec<u8>, change: &Change) {
    let length = octets.len().max(1);
    let end = |at: usize, count: usize, octets: &[u8]| (at + count).min(octets.len());
    match *change {
        Change::Set(at, octet) => {
            if let Some(old) = octets.get_mut(at % length) {
                *old = octet;
            }
        }
        Change::Cut(at) => octets.truncate(at % length),
        Change::Remove(at, count) => {
            let at = (at % length).min(octets.len());
            let end = end(at, count, octets);
            octets.drain(at..end);
        }
        Change::Repeat(at, count) => {
            let at = (at % length).min(octets.len());
            let piece = octets[at..end(at, count, octets)].to_vec();
            octets.splice(at..at, piece);
        }
        Change::Insert(at, word) => {
            let at = (at % length).min(octets.len());
            octets.splice(at..at, word.bytes());
        }
    }
}

/// The conversation, spoilt, in chunks of this size.
fn converse(extensible: bool, changes: &[(usize, Change)], chunk: usize) -> Pair {
    let mut pair = Pair::plain();
    for (index, piece) in script(extensible).into_iter().enumerate() {
        let mut octets = piece.into_bytes();
        for (_, change) in changes.iter().filter(|(at, _)| *at == index) {
            spoil(&mut octets, change);
        }
        for chunk in octets.chunks(chunk) {
            pair.send_octets(chunk);
        }
        if pair.in_handshake && !pair.closed {
            pair.finish_handshake();
        }
    }
    pair
}

/// Ends the conversation in one of the ways that there are. The pair itself checks that every word it hears is well-formed.
fn check_end(pair: &mut Pair, how: u8) {
    match how % 3 {
        0 => {
            pair.hang_up();
        }
        1 => {
            pair.session.end(StreamCondition::SystemShutdown, None);
            pair.drain();
        }
        _ => {
            for _ in 0..4 {
                pair.wait(Duration::from_secs(100));
            }
        }
    }
    assert!(pair.closed && pair.session.poll_timeout().is_none());
    if !pair.in_handshake {
        assert!(matches!(pair.heard.last(), Some(Token::Close)));
    }
    assert_eq!(pair.begun, pair.attempts.len());
}

/// Nobody is in who was not let in, and nobody has an address or a token for whom none was made.
fn check_entry(pair: &Pair) {
    let succeeded = pair.attempts.contains(&AttemptOutcome::Succeeded);
    assert!(pair.session.account().is_none() || succeeded);
    let bound = pair
        .actions
        .iter()
        .any(|it| matches!(it, Action::Bind { .. }));
    assert!(pair.session.address().is_none() || bound);
    assert!(pair.tokens.is_empty() || succeeded);
}

#[test]
fn the_conversations_go_well_unspoilt() {
    for extensible in [false, true] {
        let pair = converse(extensible, &[], usize::MAX);
        assert!(pair.session.address().is_some() && pair.closed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_octets(octets in prop::collection::vec(any::<u8>(), 0..300), direct: bool, how: u8) {
        let mut pair = if direct { Pair::direct() } else { Pair::plain() };
        pair.send_octets(&octets);
        check_entry(&pair);
        check_end(&mut pair, how);
    }

    #[test]
    fn spoilt_conversations(
        extensible: bool,
        changes in prop::collection::vec((0..5_usize, change()), 0..4),
        chunk in 1..200_usize,
        how: u8,
    ) {
        let mut whole = converse(extensible, &changes, usize::MAX);
        let mut pieces = converse(extensible, &changes, chunk);
        check_entry(&whole);
        check_entry(&pieces);
        check_end(&mut whole, how);
        check_end(&mut pieces, how);
        // Where several things are wrong, what comes in pieces may show another one first.
        let said = |pair: Pair| {
            let said = String::from_utf8(pair.octets).unwrap();
            said.replace("unsupported-encoding", "not-well-formed")
        };
        prop_assert_eq!(format!("{:?}", whole.actions), format!("{:?}", pieces.actions));
        prop_assert_eq!(said(whole), said(pieces));
    }

    #[test]
    fn random_octets_on_a_bound_stream(octets in prop::collection::vec(any::<u8>(), 0..100), how: u8) {
        let mut pair = Pair::bound();
        pair.send_octets(&octets);
        check_end(&mut pair, how);
    }
}
