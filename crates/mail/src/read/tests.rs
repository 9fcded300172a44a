//! Samples of our own for every dialect and format, hostile input, and the shared corpus with floors.

use std::path::{Path, PathBuf};

use posthaste_core::qualify::RuleSet;
use proptest::prelude::*;
use serde_json::Value;

use super::{Kind, Problem, Report, read};

fn sample_files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/read");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .collect();
    files.sort();
    files
}

/// What differs between the reading of a sample and what is written beside it.
fn differences(report: &Report, want: &Value) -> Vec<String> {
    let got = serde_json::to_value(report).unwrap();
    let mut found = Vec::new();
    let mut compare = |what: String, got: &Value, want: &Value| {
        if got != want {
            found.push(format!("{what}: want {want}, got {got}"));
        }
    };
    compare("kind".into(), &got["kind"], &want["kind"]);
    for field in ["dialect", "feedback_type"] {
        if !want[field].is_null() {
            compare(field.into(), &got[field], &want[field]);
        }
    }
    if !want["message_id"].is_null() {
        compare(
            "message_id".into(),
            &got["original"]["message_id"],
            &want["message_id"],
        );
    }
    let (some, expected) = (
        got["recipients"].as_array().unwrap(),
        want["recipients"].as_array().unwrap(),
    );
    compare(
        "recipients".into(),
        &some.len().into(),
        &expected.len().into(),
    );
    for (got, want) in some.iter().zip(expected) {
        for (field, value) in want.as_object().unwrap() {
            compare(
                format!("{} of {}", field, want["address"]),
                &got[field],
                value,
            );
        }
    }
    found
}

#[test]
fn our_samples_are_read_as_written_beside_them() {
    let rules = RuleSet::shipped();
    let mut problems = Vec::new();
    let files = sample_files();
    assert!(files.len() >= 100, "{} samples", files.len());
    for file in files {
        let want = std::fs::read_to_string(file.with_extension("json")).unwrap();
        let want: Value = serde_json::from_str(&want).unwrap();
        let report = read(&std::fs::read(&file).unwrap(), &rules);
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for difference in differences(&report, &want) {
            problems.push(format!("{name}: {difference} {:?}", report.steps));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_dialect_has_a_sample() {
    let names: Vec<String> = sample_files()
        .iter()
        .map(|f| f.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    for dialect in super::descriptions() {
        assert!(
            names.iter().any(|n| n == dialect.name),
            "{} has no sample",
            dialect.name
        );
    }
}

fn with_line_ends(mail: &[u8], end: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in super::lines::normalise(mail).split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(bare) => {
                out.extend_from_slice(bare);
                out.extend_from_slice(end);
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

#[test]
fn all_line_ends_give_the_same_answer() {
    let rules = RuleSet::shipped();
    for file in sample_files() {
        let mail = std::fs::read(&file).unwrap();
        let report = read(&mail, &rules);
        for end in [&b"\r\n"[..], b"\r", b"\n"] {
            assert_eq!(
                read(&with_line_ends(&mail, end), &rules),
                report,
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn truncations_anywhere_are_read() {
    let rules = RuleSet::shipped();
    for name in [
        "rfc3464-several",
        "qmail",
        "arf-abuse",
        "headers-only-base64",
        "ezweb",
        "utf-7",
    ] {
        let file = format!("{}/testdata/read/{name}.eml", env!("CARGO_MANIFEST_DIR"));
        let mail = std::fs::read(file).unwrap();
        for end in 0..mail.len() {
            let report = read(&mail[..end], &rules);
            assert!(report.recipients.len() <= 3, "{name} cut at {end}");
        }
    }
}

#[test]
fn a_mail_nested_too_deep_is_told_as_unreadable() {
    let multiparts: String = (0..10_000)
        .map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"))
        .collect();
    for mail in [
        multiparts,
        "Content-Type: message/rfc822\n\n".repeat(10_000),
    ] {
        let report = read(mail.as_bytes(), &RuleSet::shipped());
        let told = |wanted: fn(&Problem) -> bool| report.problems.iter().any(wanted);
        assert!(
            told(|p| matches!(p, Problem::TooDeep(_))),
            "{:?}",
            report.problems
        );
        assert!(
            told(|p| matches!(p, Problem::Unreadable(_))),
            "{:?}",
            report.problems
        );
    }
}

#[test]
fn hostile_mails_are_read_within_limits() {
    let rules = RuleSet::shipped();
    let nested: String = (0..10_000)
        .map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"))
        .collect();
    let messages = "Content-Type: message/rfc822\n\n".repeat(10_000);
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\n\nx\n".repeat(100_000)
    );
    let at_signs = format!(
        "From: MAILER-DAEMON\nSubject: failure notice\n\n{}",
        "a@b.".repeat(500_000)
    );
    let recipients = format!(
        "From: MAILER-DAEMON@x.example\nContent-Type: message/delivery-status\n\n{}",
        "Final-Recipient: rfc822; a@example.org\nAction: failed\n\n".repeat(100_000),
    );
    let mails: Vec<Vec<u8>> = vec![
        nested.into_bytes(),
        messages.into_bytes(),
        parts.into_bytes(),
        at_signs.into_bytes(),
        recipients.into_bytes(),
        vec![b'x'; 20 << 20],
        "Original message:\n\n----\n".repeat(20_000).into_bytes(),
        vec![0; 1 << 20],
        b"\n".repeat(3 << 20),
        "Subject: =?".repeat(200_000).into_bytes(),
        "Content-Type: multipart/mixed; boundary=\""
            .repeat(50_000)
            .into_bytes(),
        "Content-Type: text/plain; charset=utf-7\n\n+"
            .repeat(50_000)
            .into_bytes(),
        "Content-Type: text/html\n\n<<<<&&&&"
            .repeat(50_000)
            .into_bytes(),
        b"From: MAILER-DAEMON\nSubject: Undeliverable\n\n"
            .iter()
            .copied()
            .chain(b"550 4.".repeat(700_000))
            .collect(),
        Vec::new(),
    ];
    for mail in mails {
        let report = read(&mail, &rules);
        assert!(report.recipients.len() <= 1_001);
        assert!(
            report
                .recipients
                .iter()
                .all(|r| r.diagnostic.len() <= 2_100)
        );
    }
}

#[test]
fn what_is_past_the_limits_is_unreadable_with_the_reason() {
    let report = read(&vec![b'x'; 20 << 20], &RuleSet::shipped());
    assert_eq!(report.kind, Kind::Other);
    assert!(report.unreadable().is_some());
    let ordinary = read(b"Subject: hello\n\nhello\n", &RuleSet::shipped());
    assert_eq!(ordinary.unreadable(), None);
}

#[test]
fn a_report_that_names_nobody_of_several_blames_nobody() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/testdata/read/several-nobody-named.eml"
    );
    let report = read(&std::fs::read(file).unwrap(), &RuleSet::shipped());
    assert_eq!(report.kind, Kind::Bounce);
    assert!(report.recipients.is_empty());
    assert!(report.problems.contains(&super::Problem::NobodyNamed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_are_read(mail in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&mail, &RuleSet::shipped());
    }

    #[test]
    fn arbitrary_text_behind_a_reports_headers_is_read(text in "(\\PC|\n|@|<|>|:|=){0,400}") {
        let mail = format!("From: MAILER-DAEMON@mx.example.net\nSubject: failure notice\n\n{text}");
        let report = read(mail.as_bytes(), &RuleSet::shipped());
        prop_assert!(report.recipients.iter().all(|r| !r.address.is_empty()));
    }

    #[test]
    fn samples_with_a_byte_changed_are_read(which in 0_usize..1_000, at in 0_usize..100_000, byte: u8) {
        let files = sample_files();
        let mut mail = std::fs::read(&files[which % files.len()]).unwrap();
        let at = at % mail.len();
        mail[at] = byte;
        let _ = read(&mail, &RuleSet::shipped());
    }
}

/// The source of the corpus that is held out: nothing is tuned to it, so it is not read here.
const HELD_OUT: &str = "flufl.bounce";

/// Where the shared corpus lies, if it is there.
fn corpus() -> Option<PathBuf> {
    let given = std::env::var_os("POSTHASTE_CORPUS").map(PathBuf::from);
    let folder = given
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"));
    let there = folder.join("async/expected.jsonl").exists();
    if !there {
        println!(
            "no corpus at {}: set POSTHASTE_CORPUS to check the floors",
            folder.display()
        );
    }
    there.then_some(folder)
}

#[derive(Default)]
struct Count {
    right: usize,
    all: usize,
}

impl Count {
    fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.all += 1;
    }

    fn percent(&self) -> f64 {
        100.0 * self.right as f64 / self.all.max(1) as f64
    }
}

#[test]
fn the_corpus_is_read_above_its_floors() {
    let Some(folder) = corpus() else { return };
    let rules = RuleSet::shipped();
    let lines = std::fs::read_to_string(folder.join("async/expected.jsonl")).unwrap();
    let [
        mut kinds,
        mut addresses,
        mut reasons,
        mut primary,
        mut statuses,
    ] = [const { Count { right: 0, all: 0 } }; 5];
    for line in lines.lines() {
        let want: Value = serde_json::from_str(line).unwrap();
        if want["source"] == HELD_OUT {
            continue;
        }
        let file = folder.join("async").join(want["file"].as_str().unwrap());
        let Ok(mail) = std::fs::read(file) else {
            continue;
        };
        let report = read(&mail, &rules);
        assert_eq!(
            read(&with_line_ends(&mail, b"\r\n"), &rules),
            report,
            "{}",
            want["file"]
        );
        assert_eq!(
            read(&with_line_ends(&mail, b"\r"), &rules),
            report,
            "{}",
            want["file"]
        );
        let got = serde_json::to_value(&report).unwrap();
        let alternates = want["kind_alt"].as_array().cloned().unwrap_or_default();
        kinds.add(got["kind"] == want["kind"] || alternates.contains(&got["kind"]));
        for recipient in want["recipients"].as_array().into_iter().flatten() {
            let found = report
                .recipients
                .iter()
                .find(|r| is_named(&r.address, recipient));
            if recipient["score_address"] == true {
                addresses.add(found.is_some());
            }
            if recipient["score_reason"] == true && !recipient["address"].is_null() {
                let reason = found.map_or("", |r| r.reason.slug());
                let others = recipient["reason_alt"].as_array().unwrap();
                primary.add(recipient["reason"] == reason);
                reasons.add(recipient["reason"] == reason || others.iter().any(|r| r == reason));
            }
            if let Some(status) = recipient["status"].as_str() {
                let got = found.and_then(|r| r.status).map(|s| s.to_string());
                statuses.add(got.as_deref() == Some(status));
            }
        }
    }
    let floors = [
        ("kind", &kinds, 99.0),
        ("recipient", &addresses, 99.0),
        ("primary reason", &primary, 96.4),
        ("reason or alternate", &reasons, 98.7),
        ("status", &statuses, 99.0),
    ];
    for (what, count, floor) in floors {
        println!("{what}: {:.1} % of {}", count.percent(), count.all);
        assert!(
            count.percent() >= floor,
            "{what}: {:.1} % of {}",
            count.percent(),
            count.all
        );
    }
}

fn is_named(address: &str, want: &Value) -> bool {
    let alternates = want["address_alt"].as_array().into_iter().flatten();
    std::iter::once(&want["address"])
        .chain(alternates)
        .filter_map(Value::as_str)
        .any(|a| a.eq_ignore_ascii_case(address))
}
