//! An address: preparing it twice changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::Address;

fuzz_target!(|text: &str| {
    if let Ok(address) = Address::parse(text) {
        assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(&address));
    }
});
