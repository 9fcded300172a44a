//! The normaliser: bounded, idempotent, and the same whether it writes into a buffer or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::qualify::{MAX_OUTPUT, normalise, normalise_bytes, normalise_into};

fuzz_target!(|bytes: &[u8]| {
    let once = normalise_bytes(bytes);
    assert!(once.len() <= MAX_OUTPUT);
    assert_eq!(normalise(&once), once);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mut out = "of before".to_owned();
        normalise_into(text, &mut out);
        assert_eq!(out, once);
    }
});
