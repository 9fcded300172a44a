//! Qualifying mails and replies by themselves: no store, no configuration, nothing is recorded.
//!
//! In go bytes or a line, and the rules; out comes what a face shows or writes as JSON. The forms are those
//! of the corpus: one object per mail with `file`, `kind`, `recipients`; one per reply with `id`, `type`,
//! `reason`.

use std::sync::Arc;

use posthaste_core::enhanced::EnhancedStatus;
use posthaste_core::evidence::Stage;
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::log::Channel;
use posthaste_core::qualify::{Question, RuleSet, normalise};
use posthaste_mail::read::{Action, FailedRecipient, Kind, MailRules, Problem, read_with};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QualifiedMail {
    /// Where it was found.
    pub file: String,
    /// What it is.
    pub kind: Kind,
    /// One per failed or complaining recipient.
    pub recipients: Vec<QualifiedRecipient>,
    /// Type of a feedback report.
    pub feedback_type: Option<String>,
    /// The dialect it is written in.
    pub dialect: Option<String>,
    /// Why it could not be read; `None` when it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// What stood in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// The steps of reading, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<String>>,
}

/// One recipient of a [`QualifiedMail`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QualifiedRecipient {
    /// The address.
    pub address: String,
    /// How final it is.
    #[serde(rename = "type")]
    pub kind: FailureType,
    /// Why.
    pub reason: FailureReason,
    /// The enhanced status that applies.
    pub status: Option<EnhancedStatus>,
    /// The reply code that the mail quotes.
    pub reply_code: Option<u16>,
    /// Whose trouble it is.
    pub party: Party,
    /// Which rule said so.
    pub rule: Arc<str>,
    /// The rule's version.
    pub version: u32,
    /// How sure, in percent.
    pub confidence: u8,
    /// Failed, delayed or complained.
    pub action: Action,
    /// The text, normalised.
    pub text: String,
    /// The steps of judging, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<String>>,
}

/// Whether the steps taken are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The verdict alone.
    Verdict,
    /// With the steps that led to it.
    Steps,
}

/// Reads a mail and judges every recipient it speaks of.
#[must_use]
pub fn mail(file: &str, bytes: &[u8], rules: &RuleSet, detail: Detail) -> QualifiedMail {
    mail_with(file, bytes, (rules, &MailRules::default()), detail)
}

/// As [`mail`], with inbound e-mail rules of one's own before what the reading says.
#[must_use]
pub fn mail_with(
    file: &str,
    bytes: &[u8],
    (rules, own): (&RuleSet, &MailRules),
    detail: Detail,
) -> QualifiedMail {
    let report = read_with(bytes, rules, own);
    QualifiedMail {
        file: file.to_owned(),
        unreadable: report.unreadable().map(str::to_owned),
        kind: report.kind,
        recipients: report
            .recipients
            .into_iter()
            .map(|failed| recipient(failed, rules, detail))
            .collect(),
        feedback_type: report.feedback_type,
        dialect: report.dialect,
        problems: report.problems,
        steps: (detail == Detail::Steps).then_some(report.steps),
    }
}

fn recipient(failed: FailedRecipient, rules: &RuleSet, detail: Detail) -> QualifiedRecipient {
    QualifiedRecipient {
        steps: (detail == Detail::Steps).then(|| steps(&failed, rules)),
        address: failed.address,
        kind: failed.kind,
        reason: failed.reason,
        status: failed.status,
        reply_code: failed.reply_code,
        party: failed.party,
        rule: failed.rule,
        version: failed.version,
        confidence: failed.confidence,
        action: failed.action,
        text: failed.normalised,
    }
}

/// How the rules came to the verdict. Where the form of the report decided instead (a complaint, a dialect
/// that means one thing), there is nothing to add to the mail's own steps.
fn steps(failed: &FailedRecipient, rules: &RuleSet) -> Vec<String> {
    let permanent = match (failed.action, failed.reply_code, failed.status) {
        (Action::Delayed, _, _) => Some(false),
        (_, Some(code), _) => Some(code >= 500),
        (_, None, status) => status.map(|s| s.class == 5),
    };
    let explained = rules.judge_explained(&Question {
        channel: Channel::Email,
        host: failed.host.as_deref(),
        said_by_us: false,
        stage: None,
        code: failed.reply_code,
        enhanced: failed.status,
        permanent,
        text: &failed.diagnostic,
    });
    if explained.verdict.rule.name == failed.rule {
        explained.steps
    } else {
        vec![format!(
            "\"{}\" decided, by the form of the report",
            failed.rule
        )]
    }
}

/// A reply to judge, as in the corpus.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Reply {
    /// Its name: any JSON value; the number of the line when there is none.
    #[serde(default)]
    pub id: Value,
    /// The reply as the server said it.
    pub reply: String,
    /// The host that said it.
    #[serde(default)]
    pub host: Option<String>,
    /// The command it answers.
    #[serde(default)]
    pub command: Option<String>,
}

impl Reply {
    /// Reads a line: an object with `reply`, or the reply itself. `None` when the line is empty.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn parse(line: &str, number: u64) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(None);
        }
        if !line.starts_with('{') {
            return Ok(Some(Self {
                id: number.into(),
                reply: line.to_owned(),
                host: None,
                command: None,
            }));
        }
        let mut reply: Self = serde_json::from_str(line).map_err(|error| {
            format!(
                "line {number} is no reply: {error}; it must be a reply, or an object such as \
                 {{\"id\": \"1\", \"reply\": \"550 5.1.1 user unknown\"}}"
            )
        })?;
        if reply.id.is_null() {
            reply.id = number.into();
        }
        Ok(Some(reply))
    }
}

/// What a reply means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QualifiedReply {
    /// As given.
    pub id: Value,
    /// How final it is.
    #[serde(rename = "type")]
    pub kind: FailureType,
    /// Why.
    pub reason: FailureReason,
    /// Whose trouble it is.
    pub party: Party,
    /// Which rule said so.
    pub rule: Arc<str>,
    /// The rule's version.
    pub version: u32,
    /// How sure, in percent.
    pub confidence: u8,
    /// The text, normalised.
    pub text: String,
    /// The steps of judging, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<String>>,
}

/// Judges a reply.
#[must_use]
pub fn reply(reply: Reply, rules: &RuleSet, detail: Detail) -> QualifiedReply {
    let host = reply.host.as_deref().map(str::to_ascii_lowercase);
    let mut question = Question::about(&reply.reply);
    question.host = host.as_deref();
    question.stage = reply.command.as_deref().and_then(stage);
    let (verdict, steps) = match detail {
        Detail::Verdict => (rules.judge(&question), None),
        Detail::Steps => {
            let explained = rules.judge_explained(&question);
            (explained.verdict, Some(explained.steps))
        }
    };
    QualifiedReply {
        kind: verdict.kind,
        reason: verdict.reason,
        party: verdict.party,
        rule: verdict.rule.name,
        version: verdict.rule.version,
        confidence: verdict.confidence,
        text: normalise(&reply.reply),
        steps,
        id: reply.id,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MAIL: &[u8] = b"From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n\
        Hi. This is the qmail-send program at example.net.\n\n\
        <nobody@example.com>:\n192.0.2.1 does not like recipient.\n\
        Remote host said: 550 5.1.1 User unknown\n";

    #[test]
    fn a_mail_is_written_in_the_form_of_the_corpus() {
        let rules = RuleSet::shipped();
        let told = serde_json::to_value(mail("a.eml", MAIL, &rules, Detail::Verdict)).unwrap();
        let first = &told["recipients"][0];
        assert_eq!(told["file"], "a.eml");
        assert_eq!(told["kind"], "bounce");
        assert_eq!(first["address"], "nobody@example.com");
        assert_eq!(
            (&first["type"], &first["reason"]),
            (&json!("hard"), &json!("user_unknown"))
        );
        assert_eq!(
            (&first["status"], &first["reply_code"]),
            (&json!("5.1.1"), &json!(550))
        );
        assert!(told.get("steps").is_none() && first.get("steps").is_none());
    }

    #[test]
    fn steps_are_given_when_asked_for() {
        let told = mail("a.eml", MAIL, &RuleSet::shipped(), Detail::Steps);
        assert!(told.steps.is_some_and(|s| !s.is_empty()));
        let steps = told.recipients[0].steps.as_ref().unwrap();
        assert!(
            steps.iter().any(|s| s.contains("hard, user_unknown")),
            "{steps:?}"
        );
    }

    #[test]
    fn a_reply_is_a_line_or_an_object() {
        let plain = Reply::parse("550 5.1.1 unknown\r\n", 7).unwrap().unwrap();
        assert_eq!(
            (plain.id, plain.reply.as_str()),
            (json!(7), "550 5.1.1 unknown")
        );
        let object = r#"{"id": "a", "reply": "452 4.2.2 full", "host": "MX.example.net", "command": "RCPT"}"#;
        let object = Reply::parse(object, 1).unwrap().unwrap();
        let told = reply(object, &RuleSet::shipped(), Detail::Verdict);
        assert_eq!(
            (told.id, told.reason),
            (json!("a"), FailureReason::MailboxFull)
        );
        assert_eq!(Reply::parse("  ", 1), Ok(None));
        let wrong = Reply::parse("{\"id\": 1}", 3).unwrap_err();
        assert!(
            wrong.starts_with("line 3 is no reply: missing field `reply`"),
            "{wrong}"
        );
    }
}
