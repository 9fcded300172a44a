//! Tables of expected and given answers.

#![expect(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "tables of cases, written as JSON"
)]

use posthaste_core::qualify::RuleSet;
use serde_json::{Value, json};

use super::{Count, ExpectedMail, ExpectedReply, Group, Metric, Scoreboard};
use crate::answer::{Detail, QualifiedMail, Reply, mail, reply};

const MAIL: &[u8] = b"From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n\
    Hi. This is the qmail-send program at example.net.\n\n\
    <nobody@example.com>:\n192.0.2.1 does not like recipient.\n\
    Remote host said: 550 5.1.1 User unknown\n";

fn bounce() -> QualifiedMail {
    mail("a", MAIL, &RuleSet::shipped(), Detail::Verdict)
}

fn expected(fields: Value) -> ExpectedMail {
    let mut whole = json!({"file": "a", "source": "s", "module": "m", "kind": "bounce"});
    for (key, value) in fields.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn recipient(fields: Value) -> ExpectedMail {
    let mut whole = json!({"address": "<Nobody@Example.com>", "type": "hard", "reason": "user_unknown",
        "status": "5.1.1", "reply_code": 550});
    for (key, value) in fields.as_object().unwrap() {
        whole[key] = value.clone();
    }
    expected(json!({ "recipients": [whole] }))
}

fn count(right: u32, of: u32) -> Count {
    Count { right, of }
}

#[test]
fn each_field_is_counted_as_the_corpus_says() {
    use Metric as M;
    let rows = [
        ("as expected", recipient(json!({})), M::BothAlt, count(1, 1)),
        ("status", recipient(json!({})), M::Status, count(1, 1)),
        (
            "other status",
            recipient(json!({"status": "5.2.2"})),
            M::Status,
            count(0, 1),
        ),
        (
            "status left open",
            recipient(json!({"status": null})),
            M::Status,
            count(0, 0),
        ),
        (
            "reply code",
            recipient(json!({"reply_code": 551})),
            M::ReplyCode,
            count(0, 1),
        ),
        (
            "address",
            recipient(json!({"address": "x@example.com"})),
            M::Recipient,
            count(0, 1),
        ),
        (
            "alternate address",
            recipient(
                json!({"address": "x@example.com", "address_alt": ["rfc822; nobody@example.com"]}),
            ),
            M::Recipient,
            count(1, 1),
        ),
        (
            "address that is not scored",
            recipient(json!({"address": "x@example.com", "score_address": false})),
            M::Recipient,
            count(0, 0),
        ),
        (
            "one and one",
            recipient(json!({"address": "x@example.com"})),
            M::Reason,
            count(1, 1),
        ),
        (
            "primary",
            recipient(json!({"reason": "mailbox_full", "reason_alt": ["user_unknown"]})),
            M::Reason,
            count(0, 1),
        ),
        (
            "alternate",
            recipient(json!({"reason": "mailbox_full", "reason_alt": ["user_unknown"]})),
            M::ReasonAlt,
            count(1, 1),
        ),
        (
            "type only",
            recipient(json!({"score_reason": false, "score_type": true})),
            M::Type,
            count(1, 1),
        ),
        (
            "reason left open",
            recipient(json!({"score_reason": false})),
            M::Reason,
            count(0, 0),
        ),
        (
            "kind",
            expected(json!({"kind": "other"})),
            M::Kind,
            count(0, 1),
        ),
        (
            "alternate kind",
            expected(json!({"kind": "other", "kind_alt": ["bounce"]})),
            M::Kind,
            count(1, 1),
        ),
        (
            "nothing to detect",
            expected(json!({"kind": "other", "kind_alt": ["bounce"]})),
            M::Detection,
            count(0, 0),
        ),
        (
            "detection",
            expected(json!({"kind": "auto_reply"})),
            M::Detection,
            count(0, 1),
        ),
        (
            "a bystander is blamed",
            expected(json!({"kind": "other"})),
            M::NoExtra,
            count(0, 1),
        ),
    ];
    for (name, want, metric, counted) in rows {
        let mut board = Scoreboard::default();
        board.add_mail(&want, Some(&bounce()));
        assert_eq!(board.count(&Group::All, metric), counted, "{name}");
    }
}

#[test]
fn a_mail_that_is_not_there_is_no_failure_report_of_nobody() {
    let mut board = Scoreboard::default();
    board.add_mail(&recipient(json!({})), None);
    for metric in [
        Metric::Detection,
        Metric::Recipient,
        Metric::TypeAlt,
        Metric::Status,
    ] {
        assert_eq!(board.count(&Group::All, metric), count(0, 1), "{metric:?}");
    }
    assert_eq!(board.misses().len(), 5);
}

#[test]
fn recipients_are_taken_once_and_extra_ones_count_against() {
    let mut twice = bounce();
    twice.recipients.push(twice.recipients[0].clone());
    let mut board = Scoreboard::default();
    board.add_mail(&recipient(json!({})), Some(&twice));
    assert_eq!(board.count(&Group::All, Metric::NoExtra), count(0, 1));
    let one = json!({"address": "nobody@example.com", "type": "hard", "reason": "user_unknown"});
    let mut board = Scoreboard::default();
    board.add_mail(
        &expected(json!({"recipients": [one, one]})),
        Some(&bounce()),
    );
    assert_eq!(board.count(&Group::All, Metric::Recipient), count(1, 2));
    assert_eq!(
        board.count(&Group::Reason("user_unknown".into()), Metric::Reason),
        count(1, 2)
    );
}

#[test]
fn replies_are_counted_by_reason_module_and_source() {
    let want: ExpectedReply =
        serde_json::from_value(json!({"id": "1", "source": "s", "module": "m",
        "type": "hard", "reason": "user_unknown"}))
        .unwrap();
    let said = Reply::parse("550 5.1.1 User unknown", 1).unwrap().unwrap();
    let mut board = Scoreboard::default();
    board.add_reply(&want, &reply(said, &RuleSet::shipped(), Detail::Verdict));
    for group in [
        Group::All,
        Group::Reason("user_unknown".into()),
        Group::Module("m".into()),
        Group::Source("s".into()),
    ] {
        assert_eq!(
            board.count(&group, Metric::BothAlt),
            count(1, 1),
            "{group:?}"
        );
    }
}
