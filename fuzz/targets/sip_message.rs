//! A datagram: what is read prints and reads again as the same.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    match sip::parse(&Bytes::copy_from_slice(octets)) {
        Ok(message) => {
            let headers = message.headers();
            let _ = (headers.via(), headers.contacts(), headers.event(), headers.accept());
            let _ = (headers.authorizations().count(), headers.cseq(), headers.from());
            let printed = message.to_bytes();
            assert!(sip::parse(&printed).is_ok());
        }
        Err(error) => drop(error.answer()),
    }
});
