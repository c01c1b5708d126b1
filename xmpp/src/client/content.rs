//! What stands between the tags of a stanza, made fit to be put between other tags.

use bytes::Bytes;
use minidom::Node;

use crate::print::declares_namespaces;
use crate::stream::namespaces::CLIENT;

/// The content of a stanza, with `jabber:client` as default namespace: as written, unless it leans on declarations of the stanza's own
/// start tag. Without them it would be no XML any more, and end the streams of those who got it.
pub(super) fn content(element: &xml::Element) -> Bytes {
    let inner = element.inner();
    if inner.is_empty() || !declares_namespaces(element.raw(), CLIENT) {
        return inner;
    }
    let mut out = Vec::with_capacity(inner.len() + 64);
    for node in element.to_tree().nodes() {
        match node {
            // Writing to memory does not fail, and each child declares what it needs.
            Node::Element(child) => drop(child.write_to(&mut out)),
            Node::Text(text) => xml::escape(&mut out, text),
        }
    }
    out.into()
}
