//! The fields of a delivery status part (RFC 3464) inside a report that is otherwise in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::qualify::RuleSet;
use posthaste_mail::read::{Kind, read};

const BEFORE: &[u8] = b"From: MAILER-DAEMON@mx.example.net\nTo: bounces@example.com\n\
    Subject: Delivery Status Notification\nMIME-Version: 1.0\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=\"=-b-=\"\n\n\
    --=-b-=\n\nThis is a report.\n\n--=-b-=\nContent-Type: message/delivery-status\n\n";

fuzz_target!(|fields: &[u8]| {
    let mail = [BEFORE, fields, b"\n\n--=-b-=--\n"].concat();
    let report = read(&mail, &RuleSet::shipped());
    assert!(report.recipients.len() <= 1_001);
    assert!(report.kind == Kind::Bounce || report.recipients.is_empty());
});
