//! A stream of SIP messages: the same frames however it is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::framing::Framer;
use sip::message::Limits;

fn frames(pieces: &[&[u8]]) -> usize {
    let mut framer = Framer::new(Limits::default());
    let mut count = 0;
    for piece in pieces {
        framer.push(piece);
        while let Some(Ok(_)) = framer.next_frame() {
            count += 1;
        }
    }
    count
}

fuzz_target!(|octets: &[u8]| {
    let (first, rest) = octets.split_at(octets.len() / 3);
    assert_eq!(frames(&[first, rest]), frames(&[octets]));
});
