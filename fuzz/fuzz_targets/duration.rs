//! Durations: what is read is written as a text that is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::time::{format_duration, parse_duration};

fuzz_target!(|text: &str| {
    if let Ok(span) = parse_duration(text) {
        let written = format_duration(span);
        assert_eq!(parse_duration(&written), Ok(span), "{text:?} is written as {written:?}");
    }
});
