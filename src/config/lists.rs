//! The sections that may be repeated: `[[groups]]`, `[[aliases]]`, `[[peers]]`, `[[sources]]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::domain::Domain;
use super::read::{self, Read, Reader};
use super::tree::{Node, Place, Value};
use super::types::{
    Alias, AliasAddress, ExternalService, Group, Members, Peer, PeerAddress, PeerProtocol,
    PeerTransport, Source, SourceKind,
};

/// One entry of a list while it is read.
struct Entry<'r, 't> {
    reader: &'r mut Reader<'t>,
    list: &'static str,
    node: &'t Node,
}

impl Entry<'_, '_> {
    fn optional<T>(&mut self, name: &str, read: impl Fn(&Value) -> Read<T>) -> Option<T> {
        let node = self.node.get([name])?;
        read(&node.value)
            .map_err(|must| {
                self.reader.mistake(
                    Some(&node.place),
                    format!("{name} of [[{}]] {must}.", self.list),
                );
            })
            .ok()
    }

    fn required<T>(&mut self, name: &str, read: impl Fn(&Value) -> Read<T>) -> Option<T> {
        if self.node.get([name]).is_none() {
            let message = format!(
                "[[{}]] needs the key {name}; add it, or remove the entry.",
                self.list
            );
            self.reader.mistake(Some(&self.node.place), message);
        }
        self.optional(name, read)
    }
}

fn entries<'t, T>(
    reader: &mut Reader<'t>,
    list: &'static str,
    read: impl Fn(&mut Entry<'_, 't>) -> Option<T>,
) -> Vec<T> {
    let Some(Value::List(items)) = reader.root().get([list]).map(|node| &node.value) else {
        return Vec::new();
    };
    let tables = items
        .iter()
        .filter(|item| matches!(item.value, Value::Table(_)));
    tables
        .filter_map(|node| read(&mut Entry { reader, list, node }))
        .collect()
}

pub(crate) fn groups(reader: &mut Reader<'_>) -> Vec<Group> {
    entries(reader, "groups", |entry| {
        let name = entry.required("name", filled);
        let members = entry.required("members", members);
        Some(Group {
            name: name?,
            members: members?,
        })
    })
}

pub(crate) fn external_services(reader: &mut Reader<'_>) -> Vec<ExternalService> {
    const KINDS: &[(&str, &str)] = &[
        ("stun", "stun"),
        ("stuns", "stuns"),
        ("turn", "turn"),
        ("turns", "turns"),
    ];
    entries(reader, "external_services", |entry| {
        let kind = entry.required("type", read::choice(KINDS));
        let host = entry.required("host", filled);
        let port = entry.optional("port", read::number(1..=65535));
        let transport =
            entry.optional("transport", read::choice(&[("udp", "udp"), ("tcp", "tcp")]));
        let secret = entry.optional("secret", filled);
        let lifetime = entry.optional("lifetime", read::duration(Duration::from_secs(60)));
        let kind = kind?;
        let secure = kind.ends_with('s');
        let usual = if secure { 5349 } else { 3478 };
        Some(ExternalService {
            kind,
            host: host?,
            port: port
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or(usual),
            transport: transport.unwrap_or(if secure { "tcp" } else { "udp" }),
            secret,
            lifetime: lifetime.unwrap_or(Duration::from_secs(12 * 3600)),
        })
    })
}

pub(crate) fn peers(reader: &mut Reader<'_>) -> Vec<Peer> {
    entries(reader, "peers", |entry| {
        let domain = entry.required("domain", domain);
        let protocol = entry.required(
            "protocol",
            read::choice(&[("sip", PeerProtocol::Sip), ("xmpp", PeerProtocol::Xmpp)]),
        );
        let address = entry.required("address", peer_address);
        let trusted = entry.optional("trusted", read::boolean).unwrap_or(false);
        Some(Peer {
            domain: domain?,
            protocol: protocol?,
            address: address?,
            trusted,
        })
    })
}

pub(crate) fn sources(reader: &mut Reader<'_>) -> Vec<Source> {
    const KINDS: &[(&str, SourceKind)] = &[
        ("registrar", SourceKind::Registrar),
        ("pbx", SourceKind::Pbx),
        ("sip", SourceKind::Sip),
        ("xmpp", SourceKind::Xmpp),
        ("http", SourceKind::Http),
        ("calendar", SourceKind::Calendar),
    ];
    entries(reader, "sources", |entry| {
        let kind = entry.required("kind", read::choice(KINDS));
        let address = entry.optional("address", filled);
        let identity = entry.optional("identity", filled);
        let accounts = entry.optional("accounts", filled);
        let only_when_watched = entry
            .optional("only_when_watched", read::boolean)
            .unwrap_or(true);
        Some(Source {
            kind: kind?,
            address,
            identity,
            accounts,
            only_when_watched,
        })
    })
}

pub(crate) fn aliases(reader: &mut Reader<'_>, domains: &[Domain]) -> Vec<Alias> {
    let found: Vec<(Alias, Place)> = entries(reader, "aliases", |entry| {
        let account = entry.required("account", |value| served_account(value, domains));
        let of = account
            .clone()
            .unwrap_or_else(|| "user@localhost".to_owned());
        let addresses = entry.required("addresses", |value| alias_addresses(value, &of));
        let place = entry
            .node
            .get(["addresses"])
            .map(|node| node.place.clone())?;
        Some((
            Alias {
                account: account?,
                addresses: addresses?,
            },
            place,
        ))
    });
    let mut owners: BTreeMap<AliasAddress, String> = BTreeMap::new();
    for (alias, place) in &found {
        for address in &alias.addresses {
            let before = owners.insert(address.clone(), alias.account.clone());
            if let Some(other) = before.filter(|other| *other != alias.account) {
                let message = format!(
                    "{} leads to {other} and to {}; remove it from one of them.",
                    show(address),
                    alias.account
                );
                reader.mistake(Some(place), message);
            }
        }
    }
    found.into_iter().map(|(alias, _)| alias).collect()
}

fn show(address: &AliasAddress) -> String {
    match address {
        AliasAddress::Tel(number) => format!("tel:{number}"),
        AliasAddress::Address(address) => address.clone(),
    }
}

fn filled(value: &Value) -> Read<String> {
    read::optional(value)?.ok_or_else(|| "must not be empty".to_owned())
}

fn domain(value: &Value) -> Read<Domain> {
    let text = read::text(value)?;
    Domain::parse(&text)
        .map_err(|wrong| format!("\"{text}\" {wrong}; write a name such as \"office.example\""))
}

fn members(value: &Value) -> Read<Members> {
    if matches!(value, Value::Text(text) if text == "all") {
        return Ok(Members::All);
    }
    let all =
        read::texts(value).map_err(|_| "must be a list of accounts, or \"all\"".to_owned())?;
    all.iter()
        .map(|text| account(text))
        .collect::<Read<Vec<_>>>()
        .map(Members::Accounts)
}

/// `user@domain` with the domain normalised; the user part is left to the rules of addresses.
fn account(text: &str) -> Read<String> {
    let must = || format!("holds \"{text}\", which is not an account; write \"user@domain\"");
    let (user, domain) = text.split_once('@').ok_or_else(must)?;
    if user.is_empty() || user.contains(['/', ' ', '"', '<', '>']) {
        return Err(must());
    }
    let domain =
        Domain::parse(domain).map_err(|wrong| format!("holds \"{text}\", whose domain {wrong}"))?;
    Ok(format!("{}@{}", user.to_lowercase(), domain.unicode))
}

fn served_account(value: &Value, domains: &[Domain]) -> Read<String> {
    let account = account(&read::text(value)?)?;
    let served = domains
        .iter()
        .any(|domain| account.rsplit('@').next() == Some(domain.unicode.as_str()));
    if served {
        Ok(account)
    } else {
        Err(format!(
            "\"{account}\" is not of a domain served here; add its domain to domains"
        ))
    }
}

fn alias_addresses(value: &Value, owner: &str) -> Read<Vec<AliasAddress>> {
    let domain = owner.rsplit('@').next().unwrap_or_default();
    read::texts(value)?
        .iter()
        .map(|text| alias_address(text, domain))
        .collect()
}

fn alias_address(text: &str, domain: &str) -> Read<AliasAddress> {
    if let Some(number) = strip_scheme(text, "tel:") {
        let digits: String = number
            .chars()
            .filter(|c| !matches!(c, '-' | '.' | '(' | ')'))
            .collect();
        let plain = digits.strip_prefix('+').unwrap_or(&digits);
        if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_digit()) {
            return Err(format!(
                "holds \"{text}\", which is not a number; write it as \"tel:+4930123456\""
            ));
        }
        return Ok(AliasAddress::Tel(digits));
    }
    let address = strip_scheme(text, "sip:")
        .or_else(|| strip_scheme(text, "sips:"))
        .unwrap_or(text);
    let whole = if address.contains('@') {
        address.to_owned()
    } else {
        format!("{address}@{domain}")
    };
    match account(&whole) {
        Ok(address) => Ok(AliasAddress::Address(address)),
        Err(_) => Err(format!(
            "holds \"{text}\", which is no address; write \"101\", \"tel:+4930123456\" or \"sip:user@domain\""
        )),
    }
}

fn strip_scheme<'s>(text: &'s str, scheme: &str) -> Option<&'s str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn peer_address(value: &Value) -> Read<PeerAddress> {
    let text = read::text(value)?;
    let must =
        || format!("must be transport:host:port such as \"udp:192.0.2.7:5060\", not \"{text}\"");
    let (transport, rest) = text.split_once(':').ok_or_else(must)?;
    let (host, port) = rest.rsplit_once(':').ok_or_else(must)?;
    let transport = match transport.to_ascii_lowercase().as_str() {
        "udp" => PeerTransport::Udp,
        "tcp" => PeerTransport::Tcp,
        "tls" => PeerTransport::Tls,
        _ => return Err(must()),
    };
    let port = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(must)?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(inner) => inner
            .parse::<std::net::Ipv6Addr>()
            .map_err(|_| must())?
            .to_string(),
        None => Domain::parse(host).map_err(|_| must())?.ascii,
    };
    Ok(PeerAddress {
        transport,
        host,
        port,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::tree;
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn alias_addresses_are_normalised() {
        let read = |text: &str| alias_address(text, "office.example").unwrap();
        assert_eq!(
            read("101"),
            AliasAddress::Address("101@office.example".to_owned())
        );
        assert_eq!(
            read("tel:+49-30-(123)456"),
            AliasAddress::Tel("+4930123456".to_owned())
        );
        assert_eq!(
            read("sip:Ann@Old.Example"),
            AliasAddress::Address("ann@old.example".to_owned())
        );
        assert_eq!(
            read("ann@old.example"),
            AliasAddress::Address("ann@old.example".to_owned())
        );
        for bad in [
            "", "tel:", "tel:+", "tel:abc", "sip:", "@x", "a b", "sip:ann@", "a@b@c",
        ] {
            assert!(alias_address(bad, "office.example").is_err(), "{bad}");
        }
    }

    #[test]
    fn peer_addresses() {
        let address = peer_address(&text("tls:[2001:db8::1]:5061")).unwrap();
        assert_eq!(
            address,
            PeerAddress {
                transport: PeerTransport::Tls,
                host: "2001:db8::1".to_owned(),
                port: 5061
            }
        );
        assert_eq!(
            peer_address(&text("udp:192.0.2.7:5060")).unwrap().host,
            "192.0.2.7"
        );
        for bad in [
            "udp:x",
            "x:y:5060",
            "udp:host:0",
            "udp:host:70000",
            "udp::5060",
            "udp:2001:db8::1:5060",
        ] {
            assert!(peer_address(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_address_leads_to_one_account() {
        let source = "[[aliases]]\naccount = \"ann@localhost\"\naddresses = [\"101\"]\n[[aliases]]\naccount = \"bob@localhost\"\naddresses = [\"sip:101@localhost\"]\n";
        let (root, _) = tree::parse(source);
        let mut reader = Reader::new(&root, "f");
        let found = aliases(&mut reader, &[Domain::parse("localhost").unwrap()]);
        assert_eq!(found.len(), 2);
        let mistakes = reader.into_mistakes();
        assert_eq!(mistakes.len(), 1);
        assert_eq!(
            mistakes[0].to_string(),
            "f:6: 101@localhost leads to ann@localhost and to bob@localhost; remove it from one of them."
        );
    }
}
