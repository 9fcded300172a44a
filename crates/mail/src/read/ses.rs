//! Notifications of Amazon SES, which SNS sends by mail: JSON instead of a report.
//!
//! Source: «Amazon SNS notification contents for Amazon SES» and «event data» of the SES developer guide. An object has
//! `notificationType` (`eventType` where events are published) and, beside `mail`, the part that the type names.

use posthaste_core::enhanced::EnhancedStatus;
use posthaste_core::qualify::RuleSet;
use serde::Deserialize;

use super::addresses;
use super::feedback::Complaint;
use super::judge::{Said, judge};
use super::report::{Kind, Problem, Report};

/// Recipients that are taken.
const MAX_RECIPIENTS: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Notification {
    #[serde(alias = "eventType")]
    notification_type: String,
    mail: Mail,
    bounce: Failure,
    complaint: Complained,
    delivery_delay: Failure,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mail {
    source: String,
    common_headers: CommonHeaders,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CommonHeaders {
    message_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failure {
    #[serde(alias = "delayType")]
    bounce_type: String,
    bounce_sub_type: String,
    #[serde(alias = "delayedRecipients")]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Complained {
    complained_recipients: Vec<Recipient>,
    complaint_feedback_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recipient {
    email_address: String,
    status: String,
    diagnostic_code: String,
}

/// What a notification is.
pub(super) enum Told {
    /// A bounce or a delay; it is in the report.
    Bounce,
    /// A complaint.
    Complaint(Complaint),
}

/// Reads a notification; `None` when the text is none, or one of a delivery.
pub(super) fn read(text: &str, rules: &RuleSet, report: &mut Report) -> Option<Told> {
    let notification = find(text)?;
    let (failure, delayed) = match notification.notification_type.as_str() {
        "Bounce" => (notification.bounce, false),
        "DeliveryDelay" => (notification.delivery_delay, true),
        "Complaint" => return Some(Told::Complaint(complaint(notification.complaint))),
        _ => return None,
    };
    let original = &mut report.original;
    let id = notification.mail.common_headers.message_id;
    original.message_id = Some(id.trim_matches(['<', '>']).to_owned()).filter(|id| !id.is_empty());
    original.return_path = addresses::first(&notification.mail.source).map(str::to_owned);
    report.kind = Kind::Bounce;
    report.dialect = Some("amazon-ses-notification".to_owned());
    report
        .steps
        .push("a notification of Amazon SES tells of a failure".to_owned());
    let meant = meaning(&failure);
    let named = failure.bounced_recipients.into_iter().take(MAX_RECIPIENTS);
    report.recipients = named
        .filter_map(|recipient| {
            let address = addresses::of_field(&recipient.email_address)?;
            let said = Said {
                addresses: vec![address],
                texts: vec![recipient.diagnostic_code, meant.clone()],
                status: EnhancedStatus::parse(recipient.status.trim()),
                delayed,
                ..Said::default()
            };
            Some(judge(said, rules))
        })
        .collect();
    if report.recipients.is_empty() {
        report.problems.push(Problem::NobodyNamed);
    }
    Some(Told::Bounce)
}

/// The first object in a text that has one of the two names; a line end within it may be the mail's.
fn find(text: &str) -> Option<Notification> {
    // Most notices have no brace at all.
    memchr::memchr(b'{', text.as_bytes())?;
    let key = ["\"notificationType\"", "\"eventType\""]
        .iter()
        .find_map(|key| text.find(key))?;
    let begin = text.get(..key)?.rfind('{')?;
    let json = text.get(begin..)?;
    parse(json).or_else(|| parse(&json.replace('\n', "")))
}

fn parse(json: &str) -> Option<Notification> {
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<Notification>();
    values.next()?.ok()
}

/// What type and subtype say, in words; nothing where they say only whether it is final.
fn meaning(failure: &Failure) -> String {
    let words = match (
        failure.bounce_type.as_str(),
        failure.bounce_sub_type.as_str(),
    ) {
        (_, "MailboxFull") | ("MailboxFull", _) => "mailbox full",
        (_, "MessageTooLarge") => "message too large",
        (_, "ContentRejected" | "AttachmentRejected") => "message content rejected",
        (_, "Suppressed" | "OnAccountSuppressionList") => "address is on the suppression list",
        ("Permanent", _) => "550 permanent failure",
        ("SpamDetected", _) => "message was detected as spam",
        ("RecipientServerError" | "TransientCommunicationFailure", _) => {
            "could not connect to the host"
        }
        ("IPFailure" | "SamplingNoMailbox", _) => {
            "blocked because of the reputation of the IP address"
        }
        _ => "",
    };
    words.to_owned()
}

fn complaint(told: Complained) -> Complaint {
    let named = told.complained_recipients.into_iter().take(MAX_RECIPIENTS);
    Complaint {
        feedback_type: told
            .complaint_feedback_type
            .unwrap_or_else(|| "abuse".to_owned()),
        recipients: named
            .filter_map(|recipient| addresses::of_field(&recipient.email_address))
            .collect(),
        dialect: "amazon-ses-notification",
        step: "a notification of Amazon SES tells of a complaint",
    }
}
