//! Judges replies: JSON lines with `id`, `reply` and perhaps `host` and `command` in, JSON lines
//! with type and reason out.
//!
//! ```text
//! judge_replies [--explain] < replies.jsonl > judged.jsonl
//! ```

use std::io::{BufRead, Write};

use posthaste_core::evidence::Stage;
use posthaste_core::qualify::{Question, RuleSet, normalise};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let explain = std::env::args().any(|argument| argument == "--explain");
    let rules = RuleSet::shipped();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let row: Value = serde_json::from_str(&line)?;
        let Some(reply) = row.get("reply").and_then(Value::as_str) else {
            continue;
        };
        let field = |name: &str| row.get(name).and_then(Value::as_str);
        let mut question = Question::about(reply);
        question.host = field("host");
        question.stage = field("command").and_then(stage);
        let why = rules.judge_explained(&question);
        let verdict = why.verdict;
        let mut judged = json!({
            "id": row.get("id"), "type": verdict.kind, "reason": verdict.reason,
            "party": verdict.party, "rule": verdict.rule.name, "confidence": verdict.confidence,
            "text": normalise(reply),
        });
        if explain && let Some(object) = judged.as_object_mut() {
            object.insert("steps".to_owned(), json!(why.steps));
        }
        writeln!(out, "{judged}")?;
    }
    out.flush()
}

/// The stage that a command stands for.
fn stage(command: &str) -> Option<Stage> {
    let verb = command.split([' ', ':']).next().unwrap_or_default();
    match verb.to_ascii_uppercase().as_str() {
        "CONN" => Some(Stage::Greeting),
        "EHLO" | "HELO" => Some(Stage::Ehlo),
        "STARTTLS" => Some(Stage::StartTls),
        "AUTH" => Some(Stage::Auth),
        "MAIL" => Some(Stage::Mail),
        "RCPT" => Some(Stage::Rcpt),
        "DATA" => Some(Stage::Data),
        _ => None,
    }
}
