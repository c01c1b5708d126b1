//! Digest: the vectors of RFC 2617 and RFC 7616, the headers of RFC 3261 and RFC 3665, both sides together.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use serde_json::Value;
use sip::{
    Method, Timestamp, Uri,
    digest::{
        Algorithm, Challenger, ChallengerConfig, DigestSession, Ha1Set, Rejection, Verdict,
        choose_challenge,
    },
    header::{Authorization, Challenge},
};

const REALM: &str = "example.com";
const NOW: Timestamp = Timestamp(1_000_000);

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn vectors_of_the_rfcs_are_met() {
    let all = vectors(include_str!("../testdata/digest/digest.json"));
    assert_eq!(all.len(), 4);
    for vector in all {
        let get = |name: &str| vector[name].as_str().unwrap();
        let challenge = format!(
            "Digest realm=\"{}\", nonce=\"{}\", qop=\"{}\", algorithm={}",
            get("realm"),
            get("nonce"),
            get("qop"),
            get("algorithm")
        );
        let challenge = Challenge::parse(&challenge).unwrap();
        let mut session = DigestSession::new(&challenge, get("username"), get("password")).unwrap();
        let method = Method::from_token(get("method")).unwrap();
        // The resource of the vectors is a path, which no URI of this crate is.
        let answer = session.authorize_text(&method, get("uri"), b"", get("cnonce"));
        let answer = Authorization::parse(&answer).unwrap();
        assert_eq!(answer.get("nc").as_deref(), Some(get("nc")));
        // RFC 7616 section 3.9.2 prints SHA-512 cut to 256 bits; the computed value is SHA-512/256.
        assert_eq!(
            answer.get("response").as_deref(),
            Some(get("response_computed")),
            "{}",
            get("source")
        );
    }
}

#[test]
fn headers_printed_in_rfcs_are_read() {
    let all = vectors(include_str!("../testdata/digest/sip-digest-headers.json"));
    assert!(all.len() > 5);
    for vector in all {
        let text = vector["header"].as_str().unwrap();
        let (name, value) = text.split_once(": ").unwrap();
        if name.ends_with("Authenticate") {
            let challenge = Challenge::parse(value).unwrap();
            assert!(challenge.get("realm").is_some(), "{text}");
            assert!(!challenge.is_stale());
        } else {
            let authorization = Authorization::parse(value).unwrap();
            assert!(authorization.get("realm").is_some(), "{text}");
        }
    }
}

struct Scene {
    server: Challenger,
    uri: Uri,
    ha1: Ha1Set,
}

impl Scene {
    fn new(change: impl FnOnce(&mut ChallengerConfig)) -> Self {
        let mut config = ChallengerConfig::new(REALM, [7; 32]);
        change(&mut config);
        let algorithms = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256];
        Self {
            server: Challenger::new(config),
            uri: Uri::parse("sip:ann@example.com").unwrap(),
            ha1: Ha1Set::of_password(&algorithms, "ann", REALM, "secret"),
        }
    }

    fn session(&mut self, now: Timestamp, password: &str) -> DigestSession {
        let lines = self.server.challenge(now, false);
        let challenges: Vec<_> = lines.iter().map(|l| Challenge::parse(l).unwrap()).collect();
        let challenge = choose_challenge(&challenges).unwrap();
        DigestSession::new(challenge, "ann", password).unwrap()
    }

    fn answer(&self, session: &mut DigestSession) -> String {
        session.authorize(&Method::Publish, &self.uri, b"", "c0ffee")
    }

    fn check(&mut self, now: Timestamp, answer: &str) -> Verdict {
        let answer = Authorization::parse(answer).unwrap();
        let (uri, ha1) = (self.uri.clone(), self.ha1.clone());
        self.server
            .check(now, &Method::Publish, &uri, &answer, Some(&ha1))
    }

    /// The answer to a challenge without `qop`, as phones of RFC 2069 make it.
    fn legacy(&mut self) -> String {
        let line = self.server.challenge(NOW, false).remove(0);
        let line = line.replace(", qop=\"auth\"", "");
        let mut session =
            DigestSession::new(&Challenge::parse(&line).unwrap(), "ann", "secret").unwrap();
        self.answer(&mut session)
    }
}

#[test]
fn every_algorithm_is_accepted_and_the_strongest_is_asked_first() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256] {
        let mut scene = Scene::new(|config| config.algorithms = vec![algorithm, Algorithm::Md5]);
        let lines = scene.server.challenge(NOW, false);
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].ends_with(&format!("algorithm={algorithm}")),
            "{lines:?}"
        );
        let mut session = scene.session(NOW, "secret");
        let answer = scene.answer(&mut session);
        assert!(answer.contains(&format!("algorithm={algorithm}")));
        assert_eq!(scene.check(NOW, &answer), Verdict::Accept);
    }
}

#[test]
fn a_count_is_good_once_and_the_next_one_too() {
    let mut scene = Scene::new(|_| ());
    let mut session = scene.session(NOW, "secret");
    let first = scene.answer(&mut session);
    let second = scene.answer(&mut session);
    assert_eq!(scene.check(NOW, &second), Verdict::Accept);
    assert_eq!(scene.check(NOW, &first), Verdict::Accept);
    assert_eq!(scene.check(NOW, &first), Verdict::Stale);
    assert_eq!(scene.check(NOW, &second), Verdict::Stale);
}

#[test]
fn stale_needs_the_right_password() {
    let mut scene = Scene::new(|_| ());
    let late = NOW + Duration::from_secs(301);
    let mut good = scene.session(NOW, "secret");
    let mut bad = scene.session(NOW, "guess");
    let (good, bad) = (scene.answer(&mut good), scene.answer(&mut bad));
    let wrong = Verdict::Reject(Rejection::WrongPassword);
    assert_eq!(scene.check(late, &bad), wrong);
    assert_eq!(scene.check(late, &good), Verdict::Stale);
    assert_eq!(scene.check(NOW, &bad), wrong);
    assert_eq!(scene.check(NOW, &good), Verdict::Accept);
    assert!(scene.server.challenge(NOW, true)[0].contains("stale=true"));

    // A nonce of an earlier start of the server, or made up.
    let mut other = Scene::new(|config| config.key = [8; 32]);
    let mut session = other.session(NOW, "secret");
    let answer = other.answer(&mut session);
    assert_eq!(scene.check(NOW, &answer), Verdict::Stale);
}

#[test]
fn who_or_what_is_not_known_is_rejected() {
    let mut scene = Scene::new(|_| ());
    let mut session = scene.session(NOW, "secret");
    let answer = scene.answer(&mut session);
    let read = Authorization::parse(&answer).unwrap();
    let uri = scene.uri.clone();
    let verdict = scene.server.check(NOW, &Method::Publish, &uri, &read, None);
    assert_eq!(verdict, Verdict::Reject(Rejection::UnknownUser));
    let ha1 = scene.ha1.clone();
    let other = Uri::parse("sip:bob@example.com").unwrap();
    let verdict = scene
        .server
        .check(NOW, &Method::Publish, &other, &read, Some(&ha1));
    assert_eq!(verdict, Verdict::Reject(Rejection::OtherUri));
    let verdict = scene
        .server
        .check(NOW, &Method::Register, &uri, &read, Some(&ha1));
    assert_eq!(verdict, Verdict::Reject(Rejection::WrongPassword));
    for (from, to, rejection) in [
        (
            "realm=\"example.com\"",
            "realm=\"other\"",
            Rejection::OtherRealm,
        ),
        ("algorithm=MD5", "algorithm=SHA-256", Rejection::Algorithm),
        ("algorithm=MD5", "algorithm=X", Rejection::Algorithm),
        ("qop=auth", "qop=auth-int", Rejection::Qop),
    ] {
        let changed = answer.replace(from, to);
        assert_ne!(changed, answer);
        assert_eq!(
            scene.check(NOW, &changed),
            Verdict::Reject(rejection),
            "{to}"
        );
    }
}

#[test]
fn answers_without_qop_are_taken_once_where_the_configuration_allows() {
    let mut strict = Scene::new(|_| ());
    let answer = strict.legacy();
    assert_eq!(strict.check(NOW, &answer), Verdict::Reject(Rejection::Qop));

    let mut scene = Scene::new(|config| config.legacy = true);
    // With the stray quoted count that libpurple sends.
    let answer = format!("{}, nc=\"00000001\"", scene.legacy());
    assert_eq!(scene.check(NOW, &answer), Verdict::Accept);
    assert_eq!(scene.check(NOW, &answer), Verdict::Stale);

    let mut sha = Scene::new(|config| {
        config.legacy = true;
        config.algorithms = vec![Algorithm::Sha256];
    });
    let answer = sha.legacy();
    assert_eq!(sha.check(NOW, &answer), Verdict::Reject(Rejection::Qop));
}

#[test]
fn what_phones_send_is_read() {
    let changes = [
        ("Digest ", "Digest  "),
        ("Digest ", "digest "),
        ("nc=00000001", "nc=\"00000001\""),
        ("qop=auth", "qop=\"auth\""),
        ("algorithm=MD5", "algorithm=\"MD5\""),
        (", algorithm=MD5", ""),
        (", ", ","),
        (", uri", " uri"),
        ("uri=", "URI = "),
    ];
    for (from, to) in changes {
        let mut scene = Scene::new(|_| ());
        let mut session = scene.session(NOW, "secret");
        let answer = scene.answer(&mut session);
        let changed = answer.replace(from, to);
        assert_ne!(changed, answer);
        assert_eq!(scene.check(NOW, &changed), Verdict::Accept, "{changed}");
    }
}

#[test]
fn broken_credentials_are_malformed() {
    let mut scene = Scene::new(|_| ());
    let mut session = scene.session(NOW, "secret");
    let answer = scene.answer(&mut session);
    for (from, to) in [
        ("Digest ", "Basic "),
        ("nc=00000001", "nc=xyz"),
        (", nc=00000001", ""),
        ("cnonce=\"c0ffee\", ", ""),
        ("username=\"ann\"", "username=\"ann\", username=\"bob\""),
        ("response=", "answer="),
    ] {
        let changed = answer.replace(from, to);
        assert_ne!(changed, answer);
        let verdict = scene.check(NOW, &changed);
        assert!(matches!(verdict, Verdict::Malformed(_)), "{changed}");
    }
}

#[test]
fn clients_answer_what_servers_of_others_ask() {
    let uri = Uri::parse("sip:example.com").unwrap();
    let ask = |text: &str| {
        let challenge = Challenge::parse(text).unwrap();
        let usable = choose_challenge([&challenge]).is_some();
        usable.then(|| {
            let mut session = DigestSession::new(&challenge, "ann", "secret").unwrap();
            session.authorize(&Method::Message, &uri, b"hello", "c")
        })
    };
    let legacy = ask("Digest realm=\"r\", nonce=\"n\", opaque=\"\"").unwrap();
    assert!(!legacy.contains("qop") && legacy.contains("opaque=\"\""));
    assert!(!legacy.contains("algorithm"));
    let session = ask("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=MD5-sess").unwrap();
    let plain = ask("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=MD5").unwrap();
    let response = |text: &str| {
        Authorization::parse(text)
            .unwrap()
            .get("response")
            .unwrap()
            .into_owned()
    };
    assert_ne!(response(&session), response(&plain));
    let whole = ask("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"").unwrap();
    assert!(whole.contains("qop=auth-int"));
    assert_eq!(
        ask("Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5"),
        None
    );
    assert_eq!(ask("Digest realm=\"r\", nonce=\"n\", qop=\"other\""), None);
    assert_eq!(ask("Negotiate abc"), None);
}
