//! A presence document: what is read has a normal form that can be read again.

#![no_main]

use documents::pidf;
use libfuzzer_sys::fuzz_target;
use presence::Resource;

fuzz_target!(|octets: &[u8]| {
    if let Ok(published) = pidf::read(octets) {
        let normal = pidf::normalise(&published, &Resource::from_prepared("sip-00000000"));
        assert!(pidf::read(&normal).is_ok());
    }
});
