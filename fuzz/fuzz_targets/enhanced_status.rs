//! Enhanced status codes: what is read is written as a code that is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::enhanced::EnhancedStatus;

fuzz_target!(|text: &str| {
    if let Some(status) = EnhancedStatus::parse(text) {
        assert_eq!(EnhancedStatus::parse(&status.to_string()), Some(status));
    }
    let (status, rest) = EnhancedStatus::split_from(text);
    assert!(text.ends_with(rest));
    assert!(status.is_some() || rest == text);
});
