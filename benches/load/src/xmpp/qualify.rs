//! Stanzas as they must stand where no stream's header names their namespace.

use super::frame;

const CLIENT: &[u8] = b" xmlns='jabber:client'";

/// Gives each whole element of `bytes` to `take` as the part up to the end of its name, what has to stand there (where it
/// is a stanza: its namespace) and the rest.
pub(crate) fn each(bytes: &[u8], mut take: impl FnMut([&[u8]; 3])) {
    let mut rest = bytes;
    while let Some(length) = Some(frame::length(rest).unwrap_or(rest.len())).filter(|n| *n > 0) {
        let (item, after) = rest.split_at(length);
        let stanza = [&b"<message"[..], b"<presence", b"<iq"]
            .into_iter()
            .find(|name| item.starts_with(name));
        let (name, remains) = item.split_at(stanza.map_or(0, <[u8]>::len));
        take([name, stanza.map_or(&[], |_| CLIENT), remains]);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_get_their_namespace_and_others_stay() {
        let mut all = Vec::new();
        each(
            b"<presence/><auth xmlns='s'>x</auth><iq id='1'><a/></iq>",
            |parts| {
                all.push(String::from_utf8(parts.concat()).expect("text"));
            },
        );
        let expected = [
            "<presence xmlns='jabber:client'/>",
            "<auth xmlns='s'>x</auth>",
            "<iq xmlns='jabber:client' id='1'><a/></iq>",
        ];
        assert_eq!(all, expected);
    }
}
