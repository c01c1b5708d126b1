//! Avatars, of which there are two kinds: in nodes (XEP-0084), and in cards (XEP-0054) with their hashes in presence (XEP-0153). What
//! one says is read, and made into what the other says (XEP-0398).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use sha1::{Digest, Sha1};
use xml::{Child, Element, Writer};

use crate::pubsub::alone;

/// The node of pictures, and the namespace of what lies there.
pub const DATA: &str = "urn:xmpp:avatar:data";
/// The node that says which picture is meant, and the namespace of what lies there.
pub const METADATA: &str = "urn:xmpp:avatar:metadata";
/// The feature of accounts whose avatars are converted (XEP-0398 §2).
pub const CONVERSION: &str = "urn:xmpp:pep-vcard-conversion:0";
/// The namespace of hashes in presence (XEP-0153).
const UPDATE: &str = "vcard-temp:x:update";
const VCARD: &str = "vcard-temp";

/// Whoever writes base64 may leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// The SHA-1 of its octets, in lower case.
    pub id: String,
    /// Its media type.
    pub kind: String,
    /// The picture.
    pub octets: Vec<u8>,
}

/// What is said about something that may be there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<T> {
    /// It is there, and is this.
    This(T),
    /// It is not there.
    Nothing,
    /// Something is there that nothing can be made of.
    Unclear,
}

impl Photo {
    fn new(octets: Vec<u8>, kind: Option<&str>) -> Self {
        let kind = kind.map(str::trim).filter(|k| k.starts_with("image/"));
        Self {
            id: hash(&octets),
            kind: kind.unwrap_or_else(|| looks_like(&octets)).to_owned(),
            octets,
        }
    }

    /// As it lies in its node.
    pub fn data(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.octets.len() * 4 / 3 + 64);
        let mut to = Writer::new(&mut out);
        to.start("data").attribute("xmlns", DATA);
        to.text(&BASE64.encode(&self.octets)).end();
        out.into()
    }
}

/// What the other node says of a picture, or that there is none (XEP-0084 §4.2).
pub fn metadata(photo: Option<&Photo>) -> Bytes {
    let mut out = Vec::with_capacity(200);
    let mut to = Writer::new(&mut out);
    to.start("metadata").attribute("xmlns", METADATA);
    if let Some(photo) = photo {
        to.start("info");
        to.attribute("bytes", &photo.octets.len().to_string());
        to.attribute("id", &photo.id);
        to.attribute("type", &photo.kind).end();
    }
    to.end();
    out.into()
}

/// The pictures that metadata says are in the node of pictures: hash and media type. The others are elsewhere.
pub fn in_metadata(payload: &Bytes) -> Said<Vec<(String, Option<String>)>> {
    let Ok(metadata) = Element::stored(payload.clone(), "") else {
        return Said::Unclear;
    };
    if !metadata.is("metadata", METADATA) {
        return Said::Unclear;
    }
    if metadata.children().next().is_none() {
        return Said::Nothing;
    }
    let here = |info: &Child<'_>| info.is("info", METADATA) && info.attribute("url").is_none();
    let infos = metadata.children().filter(here).filter_map(|info| {
        let kind = info.attribute("type").map(std::borrow::Cow::into_owned);
        Some((info.attribute("id")?.to_ascii_lowercase(), kind))
    });
    match infos.collect::<Vec<_>>() {
        infos if infos.is_empty() => Said::Unclear,
        infos => Said::This(infos),
    }
}

/// The picture in its node, when it is the one with this hash.
pub fn in_data(payload: &Bytes, id: &str, kind: Option<&str>) -> Option<Photo> {
    let data = Element::stored(payload.clone(), "").ok()?;
    if !data.is("data", DATA) {
        return None;
    }
    Some(Photo::new(octets(&data.text())?, kind)).filter(|photo| photo.id == id)
}

/// The picture of a card: the first that can be read.
pub fn in_card(card: &Child<'_>) -> Said<Photo> {
    let mut said = Said::Nothing;
    for photo in card.children().filter(|c| c.is("PHOTO", VCARD)) {
        let text = |name| photo.child(name, VCARD).map(|c| c.text().into_owned());
        let picture = text("BINVAL").unwrap_or_default();
        if let Some(octets) = octets(&picture) {
            return Said::This(Photo::new(octets, text("TYPE").as_deref()));
        }
        if !picture.trim().is_empty() || text("EXTVAL").is_some() {
            said = Said::Unclear;
        }
    }
    said
}

/// The picture of a card that is kept.
pub fn of_card(card: &Bytes) -> Said<Photo> {
    match Element::stored(card.clone(), "") {
        Ok(card) => in_card(&card.as_child()),
        Err(_) => Said::Unclear,
    }
}

/// A card with this as its only picture, or without any. `None` when nothing is left in it, or it is no card.
pub fn into_card(card: Option<&Bytes>, photo: Option<&Photo>) -> Option<Bytes> {
    let mut out = Vec::new();
    let mut to = Writer::new(&mut out);
    to.start("vCard").attribute("xmlns", VCARD);
    let mut says = photo.is_some();
    if let Some(card) = card {
        let card = Element::stored(card.clone(), "").ok()?;
        if !card.is("vCard", VCARD) {
            return None;
        }
        for (name, value) in card.attributes() {
            to.attribute(name, &value);
        }
        let plain = card.raw().starts_with(b"<vCard") && !holds(card.raw(), b"xmlns:");
        for child in card.children().filter(|c| !c.is("PHOTO", VCARD)) {
            says = true;
            if plain {
                to.raw(child.raw());
            } else {
                to.raw(&alone(&child)?);
            }
        }
    }
    if let Some(photo) = photo {
        to.start("PHOTO");
        to.start("TYPE").text(&photo.kind).end();
        to.start("BINVAL").text(&BASE64.encode(&photo.octets)).end();
        to.end();
    }
    to.end();
    says.then(|| out.into())
}

/// What a presence says about the picture, when the server says it.
pub fn update(id: Option<&str>) -> Bytes {
    let mut out = Vec::with_capacity(100);
    let mut to = Writer::new(&mut out);
    to.start("x").attribute("xmlns", UPDATE);
    to.start("photo").text(id.unwrap_or_default()).end().end();
    out.into()
}

/// The content of a presence with what it says about the picture (XEP-0398 §4). `None` where the client says it.
pub fn shown(content: &Bytes, id: Option<&str>) -> Option<Bytes> {
    let update = update(id);
    if !holds(content, UPDATE.as_bytes()) {
        return Some([&content[..], &update].concat().into());
    }
    let mut whole = Vec::with_capacity(content.len() + 32);
    Writer::new(&mut whole).start("presence").raw(content).end();
    let presence = Element::stored(whole.into(), "jabber:client").ok()?;
    let mut out = Vec::with_capacity(content.len() + update.len());
    for child in presence.children() {
        if !child.is("x", UPDATE) {
            out.extend_from_slice(child.raw());
        } else if child.child("photo", UPDATE).is_some() {
            return None;
        }
    }
    out.extend_from_slice(&update);
    Some(out.into())
}

/// The content without what [`shown`] put at its end.
pub fn unshown(content: &Bytes) -> Bytes {
    let start = format!("<x xmlns='{UPDATE}'>");
    let last = content
        .windows(start.len())
        .rposition(|w| w == start.as_bytes());
    last.map_or_else(|| content.clone(), |end| content.slice(..end))
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    BASE64.decode(text).ok().filter(|octets| !octets.is_empty())
}

fn hash(octets: &[u8]) -> String {
    use std::fmt::Write;
    let mut id = String::with_capacity(40);
    for octet in Sha1::digest(octets) {
        // Writing to memory does not fail.
        let _ = write!(id, "{octet:02x}");
    }
    id
}

/// The media type of a picture that nobody names, by how it begins.
fn looks_like(octets: &[u8]) -> &'static str {
    match octets {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => "image/png",
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// SHA-1 of `abc` (FIPS 180).
    const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    fn element(text: &str) -> Element {
        Element::stored(Bytes::copy_from_slice(text.as_bytes()), "").unwrap()
    }

    fn read(inner: &str) -> Said<Photo> {
        let card = format!("<vCard xmlns='vcard-temp'>{inner}</vCard>");
        in_card(&element(&card).as_child())
    }

    fn abc() -> Photo {
        Photo::new(b"abc".to_vec(), None)
    }

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn text(octets: &Bytes) -> &str {
        std::str::from_utf8(octets).unwrap()
    }

    #[test]
    fn a_photo_in_a_card() {
        let photo = |kind: &str| Said::This(Photo::new(b"abc".to_vec(), Some(kind)));
        let this = "<PHOTO><TYPE>image/gif</TYPE><BINVAL> YW\n Jj </BINVAL></PHOTO>";
        assert_eq!(read(this), photo("image/gif"));
        assert_eq!(abc().id, ABC);
        // What is no media type, or is not named, is guessed.
        for (kind, octets, expected) in [
            ("PNG", "YWJj", "image/png"),
            ("", "/9j/4A==", "image/jpeg"),
            ("", "R0lGODlh", "image/gif"),
            ("", "UklGRgAAAABXRUJQVlA4", "image/webp"),
        ] {
            let card = format!("<PHOTO><TYPE>{kind}</TYPE><BINVAL>{octets}</BINVAL></PHOTO>");
            let Said::This(found) = read(&card) else {
                panic!("{card}")
            };
            assert_eq!(found.kind, expected);
        }
        // Of several the first that can be read.
        let bad = "<PHOTO><BINVAL>!!</BINVAL></PHOTO>";
        let second = "<PHOTO><BINVAL>eHl6</BINVAL></PHOTO>";
        assert_eq!(read(&[bad, this, second].concat()), photo("image/gif"));
        assert_eq!(read(bad), Said::Unclear);
        assert_eq!(
            read("<PHOTO><EXTVAL>http://x</EXTVAL></PHOTO>"),
            Said::Unclear
        );
        for none in ["", "<FN>x</FN>", "<PHOTO/>", "<PHOTO><BINVAL/></PHOTO>"] {
            assert_eq!(read(none), Said::Nothing, "{none}");
        }
    }

    #[test]
    fn a_photo_in_nodes() {
        let photo = abc();
        assert_eq!(in_data(&photo.data(), ABC, None), Some(photo.clone()));
        assert_eq!(
            in_metadata(&metadata(Some(&photo))),
            Said::This(vec![(ABC.to_owned(), Some("image/png".to_owned()))])
        );
        assert_eq!(in_metadata(&metadata(None)), Said::Nothing);
        // A hash that is not that of the picture, and what is no picture.
        assert_eq!(in_data(&photo.data(), "0", None), None);
        let data = |inner: &str| bytes(&format!("<data xmlns='{DATA}'>{inner}</data>"));
        assert_eq!(in_data(&data("%%"), ABC, None), None);
        assert_eq!(in_data(&data(""), ABC, None), None);
        assert_eq!(in_data(&bytes("<data>YWJj</data>"), ABC, None), None);
        assert_eq!(in_data(&data("YWJj"), ABC, None), Some(photo));
    }

    #[test]
    fn metadata_of_several() {
        let read = |inner: &str| {
            in_metadata(&bytes(&format!(
                "<metadata xmlns='{METADATA}'>{inner}</metadata>"
            )))
        };
        let several = "<info id='1' type='image/gif' url='http://x'/><info id='AB' bytes='3' type='image/png'/><info id='3'/>";
        let png = ("ab".to_owned(), Some("image/png".to_owned()));
        assert_eq!(read(several), Said::This(vec![png, ("3".to_owned(), None)]));
        assert_eq!(read("<info id='1' url='http://x'/>"), Said::Unclear);
        assert_eq!(read("<pointer/>"), Said::Unclear);
        assert_eq!(in_metadata(&bytes("<x/>")), Said::Unclear);
        assert_eq!(in_metadata(&bytes("<x")), Said::Unclear);
    }

    #[test]
    fn a_card_gets_and_loses_a_photo() {
        let photo = "<PHOTO><TYPE>image/png</TYPE><BINVAL>YWJj</BINVAL></PHOTO>";
        let made = into_card(None, Some(&abc())).unwrap();
        assert_eq!(
            text(&made),
            format!("<vCard xmlns='vcard-temp'>{photo}</vCard>")
        );
        assert_eq!(into_card(Some(&made), None), None);
        let old = bytes(
            "<vCard version='2' xmlns='vcard-temp'><PHOTO/><FN>A &amp; B</FN><PHOTO><X/></PHOTO></vCard>",
        );
        let new = into_card(Some(&old), Some(&abc())).unwrap();
        assert_eq!(
            text(&new),
            format!("<vCard xmlns='vcard-temp' version='2'><FN>A &amp; B</FN>{photo}</vCard>")
        );
        let without = into_card(Some(&new), None).unwrap();
        assert!(!text(&without).contains("PHOTO"), "{without:?}");
        // A card with prefixes says the same afterwards.
        let prefixed =
            bytes("<v:vCard xmlns:v='vcard-temp'><v:FN>A</v:FN><e xmlns='urn:e'/></v:vCard>");
        let new = into_card(Some(&prefixed), Some(&abc())).unwrap();
        let new = element(text(&new));
        assert_eq!(new.child("FN", VCARD).unwrap().text(), "A");
        assert!(new.child("e", "urn:e").is_some());
        assert_eq!(in_card(&new.as_child()), Said::This(abc()));
        assert_eq!(into_card(Some(&bytes("<x/>")), Some(&abc())), None);
    }

    #[test]
    fn presence_says_which_photo() {
        let update = format!("<x xmlns='{UPDATE}'><photo>{ABC}</photo></x>");
        let says = |content: &str| shown(&bytes(content), Some(ABC)).map(|c| text(&c).to_owned());
        assert_eq!(says("").unwrap(), update);
        let show = "<show>away</show>";
        assert_eq!(says(show).unwrap(), format!("{show}{update}"));
        // One that does not say which is written over; a client that says it has none, or another, is left alone.
        let unready = format!("<x xmlns='{UPDATE}'/>{show}");
        assert_eq!(says(&unready).unwrap(), format!("{show}{update}"));
        for own in ["<photo/>", "<photo>abcd</photo>"] {
            assert_eq!(says(&format!("<x xmlns='{UPDATE}'>{own}</x>{show}")), None);
        }
        // What the server said can be taken back.
        let whole = bytes(&says(show).unwrap());
        assert_eq!(text(&unshown(&whole)), show);
        assert_eq!(text(&unshown(&bytes(show))), show);
        assert_eq!(
            text(&shown(&bytes(show), None).unwrap())
                .matches("<photo")
                .count(),
            1
        );
    }
}
