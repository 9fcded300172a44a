//! A whole mail that came back: read without panic, within bounds, alike for LF and CRLF.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::qualify::RuleSet;
use posthaste_mail::read::{Kind, Report, read};

fn holds(report: &Report) {
    assert!(report.recipients.len() <= 1_001);
    let blamed = matches!(report.kind, Kind::Bounce | Kind::Feedback);
    assert!(blamed || report.recipients.is_empty());
    for recipient in &report.recipients {
        assert!(recipient.diagnostic.len() <= 2_100);
        assert!(recipient.confidence <= 100);
    }
}

fuzz_target!(|mail: &[u8]| {
    let rules = RuleSet::shipped();
    let report = read(mail, &rules);
    holds(&report);
    if !mail.contains(&b'\r') {
        let crlf = mail.split(|b| *b == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
        assert_eq!(read(&crlf, &rules), report);
    }
});
