//! Addresses: what is accepted can be written in an envelope, and its key is the key of its key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::address::{Address, domain_key};

fuzz_target!(|text: &str| {
    if let Ok(address) = Address::parse(text) {
        assert!(!address.envelope().contains(['\r', '\n', '\0']));
        assert!(!address.domain().is_empty());
        let again = Address::parse(address.key()).map(|a| a.key().to_owned());
        assert_eq!(again.as_deref(), Ok(address.key()), "{text:?}");
    }
    if let Ok(key) = domain_key(text) {
        assert_eq!(domain_key(&key).as_deref(), Ok(key.as_str()), "{text:?}");
    }
});
