//! Tests of the rules: their own samples, the reader's samples, and a corpus.
//!
//! A corpus is a folder with `async/expected.jsonl` beside the mails it names, and `sync/expected.jsonl` beside
//! `sync/replies.jsonl`; its own description says what the fields mean.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use posthaste_core::qualify::RuleSet;
use posthaste_mail::read::{MAX_BYTES, samples};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::{self, Detail, Reply};
use crate::scoreboard::{ExpectedMail, ExpectedReply, Scoreboard};

/// Why a corpus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file of it cannot be read.
    #[error("reading {file}: {source}; check the path of the corpus")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of it is not what its description says.
    #[error("reading {file}, line {line}: {source}; correct the line, or leave its source out")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// What became of the samples.
#[derive(Debug, Default, Serialize)]
pub struct SampleReport {
    /// How many were tried.
    pub tried: usize,
    /// What is not as written beside them, one sentence each.
    pub wrong: Vec<String>,
}

/// Tries every sample of the reply rules: each must be judged by its own rule, and none that a rule must not match
/// by that rule.
#[must_use]
pub fn of_rules(rules: &RuleSet) -> SampleReport {
    let all: Vec<_> = rules.rules().cloned().collect();
    let tried = all
        .iter()
        .map(|r| r.samples.len() + r.not_samples.len())
        .sum();
    let wrong = match RuleSet::build(all) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    SampleReport { tried, wrong }
}

/// Reads every sample mail of the dialects and formats.
#[must_use]
pub fn of_reader(rules: &RuleSet) -> SampleReport {
    let mut report = SampleReport::default();
    for sample in samples() {
        report.tried += 1;
        let got = posthaste_mail::read::read(sample.mail, rules);
        match (
            serde_json::from_str(sample.expected),
            serde_json::to_value(&got),
        ) {
            (Ok(want), Ok(got)) => compare(sample.name, &want, &got, &mut report.wrong),
            (Err(error), _) | (_, Err(error)) => {
                report.wrong.push(format!("{}: {error}", sample.name));
            }
        }
    }
    report
}

/// Notes where `got` differs from what `want` says; fields that `want` does not have do not matter.
fn compare(place: &str, want: &Value, got: &Value, wrong: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(fields), _) => {
            for (field, want) in fields.iter().filter(|(_, want)| !want.is_null()) {
                // The message that is answered stands one level deeper.
                let original = got.get("original").and_then(|o| o.get(field));
                let got = got.get(field).or(original).unwrap_or(&Value::Null);
                compare(&format!("{place}: {field}"), want, got, wrong);
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            for (at, (want, got)) in want.iter().zip(got).enumerate() {
                compare(&format!("{place} {}", at + 1), want, got, wrong);
            }
        }
        _ if want == got => {}
        _ => wrong.push(format!("{place}: want {want}, got {got}")),
    }
}

/// A folder with samples and expected answers.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// The folder.
    pub folder: PathBuf,
    /// Sources that are left out, unread.
    pub without: Vec<String>,
}

impl Corpus {
    /// Reads and scores every mail.
    ///
    /// # Errors
    /// When the list of expected answers cannot be read. A mail that cannot be read is a mail without an answer.
    pub fn mails(&self, rules: &RuleSet) -> Result<Scoreboard, CorpusError> {
        let home = self.folder.join("async");
        let mut board = Scoreboard::default();
        self.each(&home.join("expected.jsonl"), |want: ExpectedMail| {
            let mail = first_bytes(&home.join(&want.file)).ok();
            let got = mail.map(|m| answer::mail(&want.file, &m, rules, Detail::Verdict));
            board.add_mail(&want, got.as_ref());
        })?;
        Ok(board)
    }

    /// Judges and scores every reply.
    ///
    /// # Errors
    /// When the list of expected answers or that of replies cannot be read.
    pub fn replies(&self, rules: &RuleSet) -> Result<Scoreboard, CorpusError> {
        let home = self.folder.join("sync");
        let mut wanted = std::collections::HashMap::new();
        self.each(&home.join("expected.jsonl"), |want: ExpectedReply| {
            wanted.insert(want.id.clone(), want);
        })?;
        let mut board = Scoreboard::default();
        let every = Self {
            folder: self.folder.clone(),
            without: Vec::new(),
        };
        every.each(&home.join("replies.jsonl"), |reply: Reply| {
            let want = reply.id.as_str().and_then(|id| wanted.get(id));
            if let Some(want) = want {
                let got = answer::reply(reply, rules, Detail::Verdict);
                board.add_reply(want, &got);
            }
        })?;
        Ok(board)
    }

    /// Gives each line's value, those of left-out sources excepted.
    fn each<T: DeserializeOwned>(
        &self,
        path: &Path,
        mut take: impl FnMut(T),
    ) -> Result<(), CorpusError> {
        let unreadable = |source| CorpusError::Unreadable {
            file: path.to_owned(),
            source,
        };
        let reader = BufReader::new(File::open(path).map_err(unreadable)?);
        for (number, line) in (1..).zip(reader.lines()) {
            let line = line.map_err(unreadable)?;
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |source| CorpusError::Damaged {
                file: path.to_owned(),
                line: number,
                source,
            };
            let value: Value = serde_json::from_str(&line).map_err(wrong)?;
            let source = value.get("source").and_then(Value::as_str);
            if source.is_some_and(|s| self.without.iter().any(|w| w == s)) {
                continue;
            }
            take(serde_json::from_value(value).map_err(wrong)?);
        }
        Ok(())
    }
}

/// As much of a mail as the reader looks at, and one byte more.
fn first_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoreboard::{Group, Metric};

    #[test]
    fn all_samples_are_as_written_beside_them() {
        let rules = RuleSet::shipped();
        for report in [of_rules(&rules), of_reader(&rules)] {
            assert!(report.tried > 100, "{report:?}");
            assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
        }
    }

    #[test]
    fn differences_are_told_with_their_place() {
        let want = serde_json::json!({"kind": "bounce", "message_id": "m", "recipients": [{"status": "5.1.1"}]});
        let same = serde_json::json!({"kind": "bounce", "original": {"message_id": "m"},
            "recipients": [{"status": "5.1.1", "rule": "x"}]});
        let mut wrong = Vec::new();
        compare("s", &want, &same, &mut wrong);
        assert_eq!(wrong, [""; 0]);
        let other = serde_json::json!({"kind": "bounce", "original": {"message_id": "m"},
            "recipients": [{"status": "5.2.2"}]});
        compare("s", &want, &other, &mut wrong);
        assert_eq!(
            wrong,
            ["s: recipients 1: status: want \"5.1.1\", got \"5.2.2\""]
        );
    }

    fn write(home: &Path, name: &str, text: &str) {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_corpus_is_scored_without_what_is_left_out() {
        let home = tempfile::tempdir().unwrap();
        let line = |file: &str, source: &str| {
            format!(r#"{{"file": "{file}", "source": "{source}", "module": "m", "kind": "other"}}"#)
        };
        let lines = format!(
            "{}\n{}\n{}\n",
            line("a.eml", "one"),
            line("b.eml", "two"),
            line("gone.eml", "one")
        );
        write(home.path(), "async/expected.jsonl", &lines);
        write(home.path(), "async/a.eml", "Subject: hello\n\nhello\n");
        write(
            home.path(),
            "sync/expected.jsonl",
            r#"{"id": "1", "source": "one", "module": "m", "type": "hard", "reason": "user_unknown"}"#,
        );
        write(
            home.path(),
            "sync/replies.jsonl",
            "{\"id\": \"1\", \"reply\": \"550 5.1.1 User unknown\"}\n\n{\"id\": \"2\", \"reply\": \"x\"}\n",
        );
        let corpus = Corpus {
            folder: home.path().to_owned(),
            without: vec!["two".to_owned()],
        };
        let rules = RuleSet::shipped();
        let mails = corpus.mails(&rules).unwrap();
        assert_eq!(mails.scored(), 2);
        assert_eq!(mails.count(&Group::All, Metric::Kind).right, 2);
        let replies = corpus.replies(&rules).unwrap();
        assert_eq!(replies.scored(), 1);
        assert_eq!(replies.count(&Group::All, Metric::Reason).right, 1);
    }

    #[test]
    fn a_corpus_that_is_not_there_or_damaged_is_told() {
        let home = tempfile::tempdir().unwrap();
        let corpus = Corpus {
            folder: home.path().to_owned(),
            without: Vec::new(),
        };
        let rules = RuleSet::shipped();
        let missing = corpus.mails(&rules).unwrap_err().to_string();
        assert!(missing.contains("expected.jsonl"), "{missing}");
        write(home.path(), "async/expected.jsonl", "{}\nx\n");
        let damaged = corpus.mails(&rules).unwrap_err().to_string();
        assert!(
            damaged.contains("line 1: missing field `file`"),
            "{damaged}"
        );
    }
}
