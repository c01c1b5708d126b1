//! The tables of RFC 7622 §3.5 and RFC 8265 §3.5 and §4.3, and what they leave out.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn field<'a>(v: &'a Value, name: &str) -> &'a str {
    v.get(name).and_then(Value::as_str).unwrap()
}

fn flag(v: &Value, name: &str) -> bool {
    v.get(name).and_then(Value::as_bool).unwrap()
}

#[test]
fn rfc7622_tables_1_and_2() {
    let all = vectors(include_str!("../../testdata/jid-rfc7622.json"));
    assert_eq!(all.len(), 23);
    for v in &all {
        let parsed = Address::parse(field(v, "jid"));
        assert_eq!(parsed.is_ok(), flag(v, "valid"), "{v}");
    }
}

#[test]
fn rfc7622_which_are_equal() {
    let a = |t: &str| Address::parse(t).unwrap();
    assert_eq!(a("Σ@example.com/foo"), a("σ@example.com/foo"));
    assert_ne!(a("Σ@example.com/foo"), a("ς@example.com/foo"));
    assert_ne!(a("fussball@example.com"), a("fußball@example.com"));
    let fifteen = a("a.example.com/b@example.net");
    assert_eq!(
        (fifteen.bare.as_str(), fifteen.bare.local()),
        ("a.example.com", None)
    );
    assert_eq!(fifteen.resource.unwrap().as_str(), "b@example.net");
}

#[test]
fn rfc8265_userparts() {
    for v in vectors(include_str!("../../testdata/precis-rfc8265-userparts.json")) {
        // The @ is of the class but not of a local part.
        let wanted = flag(&v, "valid_userpart") && !field(&v, "string").contains('@');
        assert_eq!(prepare::local(field(&v, "string")).is_ok(), wanted, "{v}");
    }
}

#[test]
fn rfc8265_opaque_strings() {
    for v in vectors(include_str!("../../testdata/precis-rfc8265-passwords.json")) {
        let resource = Resource::parse(field(&v, "string"));
        assert_eq!(resource.is_ok(), flag(&v, "valid_password"), "{v}");
    }
    assert_eq!(
        Resource::parse("foo\u{1680}bar").unwrap().as_str(),
        "foo bar"
    );
    assert_ne!(
        Resource::parse("Foo").unwrap(),
        Resource::parse("foo").unwrap()
    );
}

#[test]
fn local_parts() {
    for (from, to) in [
        ("Juliet", "juliet"),
        (
            "a.b+c!#$%*-=?[]^_`{|}~(),;\\",
            "a.b+c!#$%*-=?[]^_`{|}~(),;\\",
        ),
        ("JOSÉ", "josé"),
        ("JOSE\u{301}", "josé"),
        ("\u{ff21}\u{ff22}", "ab"),
    ] {
        assert_eq!(prepare::local(from).as_deref(), Ok(to), "{from}");
    }
    for c in "\"&'/:<>@ \t\u{7f}\u{0}\u{a0}\u{200b}\u{ff20}\u{ff0f}\u{265a}".chars() {
        assert_eq!(
            prepare::local(&format!("a{c}b")),
            Err(AddressError::Local),
            "{c:?}"
        );
        assert_eq!(
            prepare::local(&format!("é{c}b")),
            Err(AddressError::Local),
            "{c:?}"
        );
    }
    assert!(prepare::local(&"a".repeat(1023)).is_ok());
    assert!(prepare::local(&"é".repeat(511)).is_ok());
    for long in [
        "a".repeat(1024),
        "é".repeat(512),
        "\u{ff21}".repeat(100_000),
    ] {
        assert_eq!(prepare::local(&long), Err(AddressError::Local));
    }
}

#[test]
fn resources() {
    assert_eq!(Resource::parse(""), Err(AddressError::Resource));
    assert_eq!(Resource::parse("a\nb"), Err(AddressError::Resource));
    assert!(Resource::parse("Mein Büro / 2 @ home ♚").is_ok());
    assert!(Resource::parse(&"x".repeat(1023)).is_ok());
    assert_eq!(
        Resource::parse(&"x".repeat(1024)),
        Err(AddressError::Resource)
    );
    assert_eq!(Address::parse("a@b/"), Err(AddressError::Resource));
}

/// Newer than the tables of the profile crate, which end with Unicode 6.3.
#[test]
fn resources_of_todays_unicode() {
    for good in ["🤖", "🥳 party 🫠", "é🤖e\u{301}", "\u{1c90}"] {
        assert!(Resource::parse(good).is_ok(), "{good}");
    }
    assert_eq!(
        Resource::parse("🤖e\u{301}\u{1680}🤖").unwrap().as_str(),
        "🤖é 🤖"
    );
    // Never assigned, a format character (Unicode 7), a non-character, ignorable ones, a joiner without its letter.
    for bad in [
        "\u{5ffff}",
        "\u{378}",
        "\u{1bca0}",
        "\u{fdd0}",
        "\u{fe0f}",
        "\u{e0001}",
        "🤖\u{200d}🤖",
        "🤖\u{7f}",
    ] {
        assert_eq!(Resource::parse(bad), Err(AddressError::Resource), "{bad:?}");
    }
}

#[test]
fn domains() {
    for (from, to) in [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ("[::1].", "[::1]"),
        ("BÜCHER.example", "bücher.example"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("XN--BCHER-KVA.example", "bücher.example"),
        ("straße.example", "straße.example"),
        ("b\u{fc}cher\u{3002}example", "bücher.example"),
        ("\u{ff45}xample.com", "example.com"),
    ] {
        assert_eq!(prepare::domain(from).as_deref(), Ok(to), "{from}");
    }
    let label = "a".repeat(64);
    let long = [label.get(1..).unwrap(); 5].join(".");
    for bad in [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a..",
        "-a.b",
        "a-.b",
        "a_b",
        "a b",
        "a@b",
        "a:5222",
        "[::1",
        "[::1]x",
        "[fe80::1%eth0]",
        "::1",
        "xn--",
        "xn--a",
        "xn--zzzzzz",
        "ab--cd",
        "ex\u{ff20}mple",
        "\u{200d}a",
        "é_a",
        &label,
        &long,
    ] {
        assert_eq!(prepare::domain(bad), Err(AddressError::Domain), "{bad:?}");
    }
}

#[test]
fn parts_of_an_address() {
    let full = Address::parse("Juliet@Example.com./Balcony").unwrap();
    assert_eq!(full.to_string(), "juliet@example.com/Balcony");
    assert!(full.is_full() && !full.is_bare());
    assert_eq!(
        (full.bare.local(), full.bare.domain()),
        (Some("juliet"), "example.com")
    );
    let domain = full.bare.domain_bare();
    assert!(domain.is_domain() && !full.bare.is_domain());
    assert_eq!(
        (domain.as_str(), domain.domain_bare()),
        ("example.com", domain.clone())
    );
    assert_eq!(Bare::parse("a@b/c"), Err(AddressError::Resource));
    assert_eq!("a@b".parse::<Bare>(), Bare::new(Some("A"), "B"));
    assert_eq!(
        Bare::parse("a@b")
            .unwrap()
            .with(Resource::parse("c").unwrap()),
        "a@b/c".parse().unwrap()
    );
}

#[test]
fn maps_are_searched_by_text() {
    let bare = Bare::parse("A@b").unwrap();
    let hashed: HashMap<Bare, u8> = HashMap::from([(bare.clone(), 1)]);
    let sorted: BTreeMap<Bare, u8> = BTreeMap::from([(bare, 2)]);
    assert_eq!((hashed.get("a@b"), sorted.get("a@b")), (Some(&1), Some(&2)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn prepared_is_prepared(text in any::<String>()) {
        if let Ok(address) = Address::parse(&text) {
            let again = Address::parse(&address.to_string());
            prop_assert_eq!(again, Ok(address));
        }
    }

    #[test]
    fn prepared_is_prepared_likely(text in "[a-zA-ZÀ-ÿΑ-ω０-ｚ.]{1,6}@[a-zA-Zà-ÿα-ω\\-]{1,6}(\\.[a-zà-ÿ]{1,3}){0,2}/?[ -~à-ÿ]{0,4}") {
        if let Ok(address) = Address::parse(&text) {
            let again = Address::parse(&address.to_string());
            prop_assert_eq!(again, Ok(address));
        }
    }

    /// The look at the bytes says what the profiles say.
    #[test]
    fn ascii_agrees_with_precis(text in "[ -~]{0,8}") {
        use precis_profiles::precis_core::profile::PrecisFastInvocation;
        use precis_profiles::{OpaqueString, UsernameCaseMapped};
        let slow = UsernameCaseMapped::enforce(text.as_str()).ok()
            .filter(|t| !t.contains(['"', '&', '\'', '/', ':', '<', '>', '@']));
        prop_assert_eq!(prepare::local(&text).ok(), slow);
        let slow = OpaqueString::enforce(text.as_str()).ok().filter(|t| !t.starts_with(' '));
        prop_assert_eq!(prepare::resource(&text).ok(), slow);
    }
}
