//! Corpora, scored by the program itself, with floors: the project's own always, the shared one where it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it meets what it does not expect"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A source that the rules were never shown; it is scored by hand when they are finished.
const UNSEEN: &str = "flufl.bounce";

/// Least percentage of each metric, and how many were counted at least.
const MAILS: [(&str, f64, u64); 8] = [
    ("detection", 99.5, 300),
    ("recipient", 99.5, 300),
    ("no_extra", 99.5, 300),
    ("type_alt", 99.5, 200),
    ("reason", 97.0, 200),
    ("reason_alt", 99.5, 200),
    ("status", 99.5, 200),
    ("reply_code", 99.0, 200),
];

const REPLIES: [(&str, f64, u64); 2] = [("reason_alt", 98.0, 130), ("type_alt", 99.0, 130)];

/// The same for the project's own notices and replies, many of them odd on purpose.
const OWN_MAILS: [(&str, f64, u64); 6] = [
    ("detection", 98.5, 1_500),
    ("recipient", 96.6, 1_800),
    ("no_extra", 99.5, 1_400),
    ("type_alt", 95.4, 1_750),
    ("reason_alt", 94.6, 1_750),
    ("status", 99.0, 600),
];

/// Replies by what they are about: servers and people of all kinds; words of blame said of something else than the
/// recipient; recipients that are gone, told in sentences of every length.
const OWN_REPLIES: [(&str, &str, f64, u64); 8] = [
    ("servers", "reason_alt", 98.3, 540),
    ("servers", "type_alt", 98.7, 540),
    ("administrators", "reason_alt", 94.9, 470),
    ("administrators", "type_alt", 98.5, 470),
    ("sentences", "reason_alt", 96.3, 260),
    ("sentences", "type_alt", 96.3, 260),
    ("aside", "reason_alt", 95.5, 1_100),
    ("gone", "reason_alt", 78.5, 600),
];

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("POSTHASTE_CORPUS").map(PathBuf::from);
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = named.unwrap_or_else(usual);
    let there = folder.join("async/expected.jsonl").is_file();
    if !there {
        println!("no corpus at {}: set POSTHASTE_CORPUS", folder.display());
    }
    there.then_some(folder)
}

fn scores(folder: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_posthaste"))
        .args(["rules", "test", "--json", "--exclude", UNSEEN, "--corpus"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is below its floor.
fn below(scores: &Value, of: &str, floors: &[(&str, f64, u64)]) -> Vec<String> {
    below_of(&scores["all"], of, floors)
}

fn below_of(counts: &Value, of: &str, floors: &[(&str, f64, u64)]) -> Vec<String> {
    let mut below = Vec::new();
    for (metric, floor, least) in floors {
        let count = &counts[metric];
        let (right, all) = (
            count["right"].as_u64().unwrap(),
            count["of"].as_u64().unwrap(),
        );
        let percent = 100.0 * right as f64 / all as f64;
        println!("{of}, {metric}: {percent:.1} % of {all}");
        if percent < *floor || all < *least {
            below.push(format!(
                "{of}, {metric}: {percent:.1} % of {all}, floor {floor} % of {least}"
            ));
        }
    }
    below
}

#[test]
fn the_corpus_is_answered_above_its_floors() {
    let Some(folder) = corpus() else { return };
    let scores = scores(&folder);
    assert!(scores["mails"]["source"].get(UNSEEN).is_none());
    let mut all = below(&scores["mails"], "mails", &MAILS);
    all.extend(below(&scores["replies"], "replies", &REPLIES));
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn our_own_corpus_is_answered_above_its_floors() {
    let scores = scores(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/corpus"));
    let mut all = below(&scores["mails"], "mails", &OWN_MAILS);
    for (source, metric, floor, least) in OWN_REPLIES {
        let counts = &scores["replies"]["source"][source];
        all.extend(below_of(counts, source, &[(metric, floor, least)]));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// The worst mistake: a recipient is blamed for what is said of a server, a certificate, a sender.
#[test]
fn hardly_anybody_is_blamed_for_others() {
    let replies = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/corpus/sync/replies.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_posthaste"))
        .args(["qualify", "--json", "--replies"])
        .arg(replies)
        .output()
        .unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers = answers
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let aside: Vec<Value> = answers
        .filter(|answer| answer["id"].as_str().unwrap().starts_with("aside-"))
        .collect();
    let blamed: Vec<&Value> = aside
        .iter()
        .filter(|answer| {
            let reason = answer["reason"].as_str().unwrap();
            matches!(reason, "user_unknown" | "account_disabled")
        })
        .collect();
    assert!(aside.len() >= 1_100);
    assert!(blamed.len() <= 30, "{} blamed: {blamed:#?}", blamed.len());
}
