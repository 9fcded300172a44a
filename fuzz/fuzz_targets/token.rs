//! Signed tokens: found in any text, and only when they are ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::ids::LogId;
use posthaste_mail::token::{Purpose, Secret};

fuzz_target!(|text: &str| {
    let Ok(secret) = Secret::new(&[7; 32]) else { return };
    let _ = secret.parse(Purpose::Delivery, text);
    if let Ok(row) = secret.find(Purpose::Delivery, text) {
        let token = secret.token(Purpose::Delivery, row);
        assert!(text.to_ascii_lowercase().contains(token.as_str()));
    }
    let token = secret.token(Purpose::Delivery, LogId(42));
    let within = format!("{text} <{}@example.com>", token.as_str());
    let _ = secret.find(Purpose::Delivery, &within);
});
