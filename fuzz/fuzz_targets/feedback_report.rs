//! The fields of a feedback report (RFC 5965) inside a report that is otherwise in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::qualify::RuleSet;
use posthaste_mail::read::{Action, Kind, read};

const BEFORE: &[u8] = b"From: complaints@example.net\nTo: fbl@example.com\nSubject: complaint\n\
    MIME-Version: 1.0\n\
    Content-Type: multipart/report; report-type=feedback-report; boundary=\"=-b-=\"\n\n\
    --=-b-=\n\nThis is a complaint.\n\n--=-b-=\nContent-Type: message/feedback-report\n\n";
const AFTER: &[u8] = b"\n\n--=-b-=\nContent-Type: text/rfc822-headers\n\n\
    From: news@example.com\nTo: jane@example.net\nSubject: news\n\n--=-b-=--\n";

fuzz_target!(|fields: &[u8]| {
    let mail = [BEFORE, fields, AFTER].concat();
    let report = read(&mail, &RuleSet::shipped());
    if report.kind == Kind::Feedback {
        assert!(report.recipients.iter().all(|r| r.action == Action::Complained));
    }
});
