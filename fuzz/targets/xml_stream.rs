//! A stream in two pieces: the same tokens as in one, and no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xml::{Limits, StreamReader, Token};

fn read(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
    let limits = Limits {
        max_bytes: 8192,
        max_depth: 16,
        max_elements: Some(64),
        max_attributes: 16,
    };
    let mut reader = StreamReader::new(limits);
    let mut elements = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(Token::Element(element))) => {
                    let _ = (element.to_tree(), element.text(), element.children().count());
                    elements.push(element.raw().to_vec());
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return (elements, true),
            }
        }
    }
    (elements, false)
}

fuzz_target!(|octets: &[u8]| {
    let (first, rest) = octets.split_at(octets.len() / 2);
    assert_eq!(read(&[first, rest]).0, read(&[octets]).0);
});
