//! Stanzas from one stream to the other: the same but for the namespace they stand in (XEP-0114 §3).

use bytes::Bytes;
use presence::Address;
use xml::Element;

use crate::stream::StreamCondition;
use crate::stream::namespaces::{CLIENT, COMPONENT};

/// A stanza of a component as a client would have sent it, and the address that it is from: one of the component's domain.
pub(super) fn from_component(
    element: &Element,
    domain: &str,
) -> Result<(Address, Element), StreamCondition> {
    if element.namespace() != COMPONENT || !matches!(element.name(), "message" | "presence" | "iq")
    {
        return Err(StreamCondition::UnsupportedStanzaType);
    }
    let from = element.attribute("from");
    let from = from.and_then(|from| Address::parse(&from).ok());
    let from = from
        .filter(|from| from.bare.domain() == domain)
        .ok_or(StreamCondition::InvalidFrom)?;
    let mut octets = Vec::new();
    element.write_patched(&mut octets, &[("xmlns", Some(CLIENT))]);
    let stanza = Element::stored(Bytes::from(octets), CLIENT)
        .ok()
        .filter(|stanza| stanza.namespace() == CLIENT)
        // It leans on prefixes of the stream header.
        .ok_or(StreamCondition::BadNamespacePrefix)?;
    // Stamped by its own address, however that was spelled.
    let mut octets = Vec::new();
    stanza.write_patched(
        &mut octets,
        &[("xmlns", None), ("from", Some(&from.to_string()))],
    );
    let stanza =
        Element::stored(Bytes::from(octets), CLIENT).map_err(|_| StreamCondition::NotWellFormed)?;
    Ok((from, stanza))
}

/// A printed stanza as it stands in a component's stream: without a declaration of the namespace that clients' streams have.
pub fn for_component(stanza: Vec<u8>) -> Vec<u8> {
    let start = stanza.iter().position(|octet| *octet == b'>');
    let tag = &stanza[..start.unwrap_or(stanza.len())];
    let declares = tag.windows(6).any(|w| w == b" xmlns");
    if !declares {
        return stanza;
    }
    match Element::stored(Bytes::from(stanza.clone()), CLIENT) {
        Ok(element) => {
            let mut out = Vec::with_capacity(stanza.len());
            element.write_patched(&mut out, &[("xmlns", None)]);
            out
        }
        Err(_) => stanza,
    }
}
