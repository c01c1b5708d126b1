//! Elements out of a stanza, made fit to be kept by themselves.

use bytes::Bytes;
use xml::{Child, Element, Limits};

/// The octets of a child, as written where they stand by themselves, else with every declaration they need.
pub fn standalone(child: &Child<'_>) -> Bytes {
    let alone = child.attribute("xmlns").is_some()
        && Element::parse(child.raw(), "", Limits::generous()).is_ok();
    if alone {
        return Bytes::copy_from_slice(child.raw());
    }
    let mut out = Vec::with_capacity(child.raw().len() + 64);
    // Writing to memory does not fail.
    drop(child.to_tree().write_to(&mut out));
    out.into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(stanza: &str) -> String {
        let element = Element::parse(stanza.as_bytes(), "jabber:client", Limits::generous());
        let octets = standalone(&element.unwrap().children().next().unwrap());
        String::from_utf8(octets.to_vec()).unwrap()
    }

    #[test]
    fn what_stands_by_itself_is_kept_as_written() {
        let own = "<a  xmlns='x'><b c=\"1\"/>&#65;</a>";
        assert_eq!(of(&format!("<q>{own}</q>")), own);
    }

    #[test]
    fn what_leans_on_its_surroundings_gets_their_declarations() {
        for stanza in [
            "<q xmlns:p='x'><p:a><p:b/></p:a></q>",
            "<q xmlns='x'><a><b/></a></q>",
        ] {
            let kept = of(stanza);
            let alone = Element::parse(kept.as_bytes(), "", Limits::generous()).unwrap();
            assert!(alone.is("a", "x"), "{kept}");
            assert!(alone.child("b", "x").is_some(), "{kept}");
        }
    }
}
