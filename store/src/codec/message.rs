//! [`Message`].

use presence::{Address, Bare, Message, MessageKind, MessageNative, Resource};

use super::primitive::{Reader, Writer};
use super::{CodecError, document};

/// How many octets the native form has.
pub(crate) fn native_len(message: &Message) -> usize {
    match &message.native {
        MessageNative::Xmpp(octets) => octets.len(),
        MessageNative::Sip { content_type, body } => content_type.len() + body.len(),
    }
}

/// Writes the whole, but for its place in an archive.
pub(crate) fn encode(message: &Message) -> Vec<u8> {
    let texts: usize = message
        .bodies
        .iter()
        .chain(&message.subjects)
        .map(|n| n.text.len())
        .sum();
    let mut w = Writer::new(192 + native_len(message) + texts);
    put_address(&mut w, &message.from);
    put_address(&mut w, &message.to);
    w.octet(match message.kind {
        MessageKind::Normal => 0,
        MessageKind::Chat => 1,
        MessageKind::Groupchat => 2,
        MessageKind::Headline => 3,
        MessageKind::Error => 4,
    });
    w.option(message.id.as_deref(), Writer::text);
    w.option(message.thread.as_deref(), Writer::text);
    document::put_notes(&mut w, &message.subjects);
    document::put_notes(&mut w, &message.bodies);
    match &message.native {
        MessageNative::Xmpp(octets) => {
            w.octet(0);
            w.octets(octets);
        }
        MessageNative::Sip { content_type, body } => {
            w.octet(1);
            w.text(content_type);
            w.octets(body);
        }
    }
    w.time(message.received);
    w.finish()
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(octets: &[u8]) -> Result<Message, CodecError> {
    let mut r = Reader::open(octets)?;
    let message = Message {
        from: get_address(&mut r)?,
        to: get_address(&mut r)?,
        kind: match r.octet()? {
            0 => MessageKind::Normal,
            1 => MessageKind::Chat,
            2 => MessageKind::Groupchat,
            3 => MessageKind::Headline,
            4 => MessageKind::Error,
            other => return Err(CodecError::Tag("message type", other)),
        },
        id: r.option(Reader::shared)?,
        thread: r.option(Reader::shared)?,
        subjects: document::get_notes(&mut r)?,
        bodies: document::get_notes(&mut r)?,
        native: match r.octet()? {
            0 => MessageNative::Xmpp(r.bytes()?),
            1 => MessageNative::Sip {
                content_type: r.shared()?,
                body: r.bytes()?,
            },
            other => return Err(CodecError::Tag("native form", other)),
        },
        received: r.time()?,
        archived: None,
    };
    r.close()?;
    Ok(message)
}

pub(super) fn put_address(w: &mut Writer, address: &Address) {
    w.text(address.bare.as_str());
    w.option(address.resource.as_ref(), |w, resource| {
        w.text(resource.as_str());
    });
}

pub(super) fn get_address(r: &mut Reader<'_>) -> Result<Address, CodecError> {
    Ok(Address {
        bare: Bare::from_prepared(r.text()?),
        resource: r.option(|r| r.text().map(Resource::from_prepared))?,
    })
}

pub(super) fn skip_address(r: &mut Reader<'_>) -> Result<(), CodecError> {
    r.text()?;
    r.option(|r| r.text().map(drop)).map(drop)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::samples;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn comes_back(message in samples::message().prop_map(|m| Message { archived: None, ..m })) {
            let octets = encode(&message);
            prop_assert_eq!(decode(&octets).unwrap(), message);
            for end in 0..octets.len() {
                prop_assert!(decode(&octets[..end]).is_err());
            }
        }
    }
}
