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
    ("detection", 98.3, 1_200),
    ("recipient", 96.8, 1_300),
    ("no_extra", 99.5, 1_200),
    ("type_alt", 96.0, 1_300),
    ("reason_alt", 95.1, 1_300),
    ("status", 99.0, 450),
];

const OWN_REPLIES: [(&str, f64, u64); 2] = [("reason_alt", 97.0, 1_200), ("type_alt", 98.3, 1_200)];

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
    let mut below = Vec::new();
    for (metric, floor, least) in floors {
        let count = &scores[of]["all"][metric];
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
    let mut all = below(&scores, "mails", &MAILS);
    all.extend(below(&scores, "replies", &REPLIES));
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn our_own_corpus_is_answered_above_its_floors() {
    let scores = scores(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/corpus"));
    let mut all = below(&scores, "mails", &OWN_MAILS);
    all.extend(below(&scores, "replies", &OWN_REPLIES));
    assert!(all.is_empty(), "{}", all.join("\n"));
}
