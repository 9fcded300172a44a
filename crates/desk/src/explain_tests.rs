//! Facts in, paragraph out.

use std::collections::BTreeMap;

use posthaste_core::delivery::{DeliveryState, Level, Priority};
use posthaste_core::evidence::{OutcomeKind, Stage};
use posthaste_core::failure::{FailureType, Party};
use posthaste_core::ids::{DeliveryId, ListId, LogId, PartId, RecipientId};
use posthaste_core::quarantine::Failed;
use posthaste_core::tally::Tally;
use posthaste_store::rows::{Address, Delivery, JournalLine};

use super::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn entry(status: AddressStatus, reason: FailureReason) -> Address {
    Address {
        channel: Channel::Email,
        key: "u@example.com".to_owned(),
        entry: Entry {
            status,
            reason,
            errors: 2,
            last_counted: Some(Timestamp(HOUR)),
            since: Timestamp(HOUR),
        },
        error_text: String::new(),
        log: None,
        changed: Timestamp(HOUR),
    }
}

fn evidence(text: &str) -> Evidence {
    Evidence {
        said_by: SaidBy::Remote("mx1.example.com".to_owned()),
        stage: Stage::Rcpt,
        code: Some(550),
        enhanced: None,
        text: text.to_owned(),
        at: Timestamp(HOUR),
    }
}

fn event(event: Event) -> LedgerEvent {
    LedgerEvent {
        channel: Channel::Email,
        key: "u@example.com".to_owned(),
        at: Timestamp(HOUR),
        event,
        log: None,
        delivery: None,
        evidence: Some(evidence("550 5.1.1 no such user")),
        verdict: None,
        qualification: None,
        by: "operator".to_owned(),
        because: String::new(),
    }
}

fn failed(kind: FailureType) -> Event {
    Event::Failed(Failed {
        log: LogId(1),
        kind,
        reason: FailureReason::UserUnknown,
        party: Party::Recipient,
        first_of_its_text: false,
        site_blocked: false,
        revokes_success: false,
    })
}

fn row(status: LogStatus, attempts: u32, due: Option<i64>) -> LogRow {
    LogRow {
        id: LogId(1),
        delivery: DeliveryId(4),
        part: PartId(1),
        recipient: RecipientId(1),
        address: "u@example.com".to_owned(),
        key: "u@example.com".to_owned(),
        domain: "example.com".to_owned(),
        status,
        kind: FailureType::Soft,
        reason: FailureReason::MailboxFull,
        party: Some(Party::Recipient),
        attempts,
        doubtful: 0,
        due: due.map(Timestamp),
        changed: Timestamp(2 * HOUR),
        qualification: None,
        possibly_duplicate: false,
        complaint: false,
    }
}

fn facts(address: Option<Address>, events: Vec<LedgerEvent>, rows: Vec<LogRow>) -> AddressFacts {
    AddressFacts {
        key: "u@example.com".to_owned(),
        profiles: 1,
        denylisted: false,
        history: AddressHistory { address, events },
        rows,
        last_attempt: None,
    }
}

#[test]
fn an_address_is_explained_with_cause_and_prospect() {
    use AddressStatus as S;
    use FailureReason as R;
    let rows = [
        (
            "unknown to everybody",
            facts(None, vec![], vec![]),
            "u@example.com is not in the quarantine list; it is in the stored lists once. \
             No delivery has it in its log.",
        ),
        (
            "hard error",
            facts(
                Some(entry(S::Quarantine, R::UserUnknown)),
                vec![event(failed(FailureType::Hard))],
                vec![row(LogStatus::Failed, 1, None)],
            ),
            "u@example.com is in quarantine since 1970-01-01 01:00 because the address does not \
             exist (user_unknown); it is in the stored lists once. The hard error of 1970-01-01 \
             01:00 decided: mx1.example.com said \"550 5.1.1 no such user\". Deliveries exclude \
             it (quarantine, 9) until somebody lets it out: `posthaste quarantine set \
             u@example.com valid`. Its latest delivery, 4, failed at 1970-01-01 02:00 because \
             the mailbox is full (mailbox_full, soft).",
        ),
        (
            "valid again",
            facts(Some(entry(S::Valid, R::Unreachable)), vec![], vec![]),
            "u@example.com is valid since 1970-01-01 01:00, after the error \"there was an \
             incident on the way\" (unreachable); it is in the stored lists once. It is sent to as \
             any other, and its line goes with the next database cleanup. No delivery has it in its \
             log.",
        ),
        (
            "full mailbox",
            facts(
                Some(entry(S::WithErrors, R::MailboxFull)),
                vec![],
                vec![row(LogStatus::Pending, 2, Some(3 * HOUR))],
            ),
            "u@example.com is listed with errors since 1970-01-01 01:00 because the mailbox is \
             full (mailbox_full); it is in the stored lists once. It is still sent to; it has 2 \
             counted errors of 5, and an error counts when 1d have passed since the last counted \
             one. It becomes valid with its next success, or with the database cleanup after \
             1970-01-11 01:00. Attempt 2 of delivery 4 failed because the mailbox is full \
             (mailbox_full, soft); the next one comes after 1970-01-01 03:00.",
        ),
        (
            "set by hand",
            facts(
                Some(entry(S::Allowlist, R::NotDefined)),
                vec![event(Event::Set {
                    status: S::Allowlist,
                    reason: R::NotDefined,
                })],
                vec![row(LogStatus::Pending, 0, None)],
            ),
            "u@example.com is allowlisted since 1970-01-01 01:00 because nobody has qualified \
             the text yet (not_defined); it is in the stored lists once. It was set by hand at \
             1970-01-01 01:00 (operator). It is always sent to, and its errors are ignored \
             (error_ignored, 25). Delivery 4 has it waiting for its first attempt.",
        ),
    ];
    for (name, facts, expected) in rows {
        let said = recipient(&facts, &Policy::default(), Timestamp(2 * HOUR));
        assert_eq!(said, expected, "{name}");
    }
}

#[test]
fn a_lift_that_is_over_due_comes_with_the_next_cleanup() {
    let listed = entry(AddressStatus::Quarantine, FailureReason::MailboxFull);
    let facts = facts(Some(listed), vec![], vec![]);
    let early = recipient(&facts, &Policy::default(), Timestamp(2 * DAY));
    let late = recipient(&facts, &Policy::default(), Timestamp(40 * DAY));
    assert!(early.contains("after 1970-01-31 01:00"), "{early}");
    assert!(late.contains("with the next database cleanup"), "{late}");
}

#[test]
fn the_last_attempt_is_quoted() {
    let mut facts = facts(None, vec![], vec![row(LogStatus::Sent, 1, None)]);
    facts.last_attempt = Some(Attempt {
        log: LogId(1),
        number: 1,
        outcome: OutcomeKind::Delivered,
        evidence: evidence("250 ok"),
        verdict: None,
        qualification: None,
        tls: String::new(),
        took_ms: 3,
    });
    let said = recipient(&facts, &Policy::default(), Timestamp(0));
    assert!(
        said.contains("was sent at 1970-01-01 02:00: mx1.example.com said \"250 ok\"."),
        "{said}"
    );
}

fn delivery_in(state: DeliveryState) -> DeliveryFacts {
    DeliveryFacts {
        delivery: Delivery {
            id: DeliveryId(4),
            label: "Spring".to_owned(),
            channel: Channel::Email,
            list: ListId(1),
            state,
            spec: String::new(),
            priority: Priority::Normal,
            contact_date: Some(Timestamp(5 * HOUR)),
            valid_until: Some(Timestamp(5 * DAY)),
            proof: false,
            target: 10,
            to_send: 9,
            created: Timestamp(0),
            changed: Timestamp(HOUR),
            started: None,
            ended: None,
        },
        tally: Tally {
            target: 10,
            excluded: BTreeMap::from([("double".to_owned(), 1)]),
            pending: 4,
            sent: 3,
            failed: BTreeMap::from([("user_unknown".to_owned(), 2)]),
            cancelled: 0,
        },
        journal: vec![],
        next_due: Some(Timestamp(3 * HOUR)),
    }
}

#[test]
fn a_delivery_is_explained_with_its_numbers_and_next_step() {
    use DeliveryState as S;
    let numbers = "Of 10 recipients 1 are excluded, 3 sent, 2 failed, 4 pending and 0 cancelled. \
                   Most of the excluded ones (1) are so because the address is already in this \
                   delivery (double). Most of the failed ones (2) are so because the address does \
                   not exist (user_unknown). ";
    let rows = [
        (
            S::Edited,
            "being edited",
            "",
            "Next: prepare it with `posthaste delivery prepare 4`.",
        ),
        (
            S::Ready,
            "ready",
            numbers,
            "Next: confirm it with `posthaste delivery confirm 4`.",
        ),
        (
            S::StartPending,
            "waiting to start",
            numbers,
            "Next: it starts at its contact date, 1970-01-01 05:00, while `posthaste serve` runs.",
        ),
        (
            S::InProgress,
            "in progress",
            numbers,
            "Next: while `send` or `serve` runs, the next thing due in this store comes at \
             1970-01-01 03:00; it is valid until 1970-01-06 00:00.",
        ),
        (
            S::Paused,
            "paused",
            numbers,
            "Next: nothing, until `posthaste delivery resume 4` or `posthaste delivery stop 4`; \
             it is valid until 1970-01-06 00:00.",
        ),
    ];
    for (state, word, numbers, next) in rows {
        let said = delivery(&delivery_in(state), Timestamp(2 * HOUR));
        let expected =
            format!("Delivery 4 (\"Spring\") is {word} since 1970-01-01 01:00. {numbers}{next}");
        assert_eq!(said, expected, "{state}");
    }
}

#[test]
fn a_failed_preparation_names_the_error_of_its_journal() {
    let mut facts = delivery_in(DeliveryState::PreparationFailed);
    facts.journal = vec![JournalLine {
        at: Timestamp(0),
        level: Level::Error,
        text: "html line 3: undefined variable \"nmae\"".to_owned(),
    }];
    let said = delivery(&facts, Timestamp(0));
    assert!(said.contains("reported this error: html line 3"), "{said}");
    assert!(said.contains("posthaste delivery prepare 4"), "{said}");
}
