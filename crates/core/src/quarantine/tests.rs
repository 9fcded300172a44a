//! Tables and properties of the quarantine decision.

use super::*;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn failed(kind: FailureType, reason: FailureReason, party: Party) -> Failed {
    Failed {
        log: LogId(1),
        kind,
        reason,
        party,
        first_of_its_text: false,
        site_blocked: false,
        revokes_success: false,
    }
}

fn soft() -> Event {
    Event::Failed(failed(
        FailureType::Soft,
        FailureReason::MailboxFull,
        Party::Recipient,
    ))
}

fn history(events: &[(i64, Event)]) -> Option<Entry> {
    let events: Vec<_> = events
        .iter()
        .map(|(at, e)| (Timestamp(*at), e.clone()))
        .collect();
    derive(&Policy::default(), &events)
}

fn status(entry: Option<&Entry>) -> &'static str {
    entry.map_or("unlisted", |e| e.status.slug())
}

#[test]
fn the_fifth_counted_error_quarantines() {
    for (n, want) in [
        (1, "with_errors"),
        (4, "with_errors"),
        (5, "quarantine"),
        (6, "quarantine"),
    ] {
        let events: Vec<_> = (0..n).map(|i| (i * DAY, soft())).collect();
        assert_eq!(status(history(&events).as_ref()), want, "{n} errors");
    }
}

#[test]
fn errors_within_a_day_of_the_last_counted_one_do_not_count() {
    let entry = history(&[(0, soft()), (23 * HOUR, soft()), (24 * HOUR, soft())]).unwrap();
    assert_eq!(entry.errors, 2);
    assert_eq!(entry.last_counted, Some(Timestamp(24 * HOUR)));
}

#[test]
fn the_counter_starts_anew_after_ten_days() {
    let mut events: Vec<_> = (0..4).map(|i| (i * DAY, soft())).collect();
    events.push((3 * DAY + 10 * DAY + 1, soft()));
    assert_eq!(history(&events).unwrap().errors, 1);
}

#[test]
fn one_failure_each() {
    use {FailureReason as R, FailureType as T, Party as P};
    let rows = [
        (
            "hard",
            failed(T::Hard, R::UserUnknown, P::Recipient),
            "quarantine",
        ),
        (
            "hard, the sender's trouble",
            failed(T::Hard, R::Refused, P::Sender),
            "unlisted",
        ),
        (
            "hard, content",
            failed(T::Hard, R::Refused, P::Content),
            "unlisted",
        ),
        (
            "soft, ours",
            failed(T::Soft, R::Unreachable, P::Ourselves),
            "unlisted",
        ),
        (
            "ignored",
            failed(T::Ignored, R::Unreachable, P::Path),
            "unlisted",
        ),
        (
            "soft path",
            failed(T::Soft, R::Unreachable, P::Path),
            "with_errors",
        ),
        (
            "soft path, site blocked",
            Failed {
                site_blocked: true,
                ..failed(T::Soft, R::Unreachable, P::Path)
            },
            "unlisted",
        ),
        (
            "soft recipient, site blocked",
            Failed {
                site_blocked: true,
                ..failed(T::Soft, R::MailboxFull, P::Recipient)
            },
            "with_errors",
        ),
        (
            "new text",
            Failed {
                first_of_its_text: true,
                ..failed(T::NotDefined, R::NotDefined, P::Path)
            },
            "unlisted",
        ),
        (
            "text seen before",
            failed(T::NotDefined, R::NotDefined, P::Path),
            "with_errors",
        ),
    ];
    for (name, event, want) in rows {
        assert_eq!(
            status(history(&[(0, Event::Failed(event))]).as_ref()),
            want,
            "{name}"
        );
    }
}

#[test]
fn success_frees_an_address_with_errors_and_no_other() {
    let delivered = Event::Delivered { log: LogId(9) };
    let hard = Event::Failed(failed(
        FailureType::Hard,
        FailureReason::UserUnknown,
        Party::Recipient,
    ));
    let entry = history(&[(0, soft()), (1, delivered.clone())]);
    assert_eq!(
        (status(entry.as_ref()), entry.unwrap().errors),
        ("valid", 0)
    );
    assert_eq!(
        status(history(&[(0, hard), (1, delivered.clone())]).as_ref()),
        "quarantine"
    );
    assert_eq!(
        status(history(&[(0, Event::Complained), (1, delivered.clone())]).as_ref()),
        "denylist"
    );
    assert_eq!(status(history(&[(1, delivered)]).as_ref()), "unlisted");
}

#[test]
fn a_later_bounce_revokes_the_success() {
    let delivered = Event::Delivered { log: LogId(1) };
    let bounce = Event::Failed(Failed {
        revokes_success: true,
        ..failed(
            FailureType::Soft,
            FailureReason::MailboxFull,
            Party::Recipient,
        )
    });
    let events = [(0, soft()), (DAY, delivered), (2 * DAY, bounce)];
    assert_eq!(history(&events).unwrap().errors, 2);
}

#[test]
fn an_allowlisted_address_takes_no_notice_of_errors() {
    let allow = Event::Set {
        status: AddressStatus::Allowlist,
        reason: FailureReason::ErrorIgnored,
    };
    let hard = Event::Failed(failed(
        FailureType::Hard,
        FailureReason::UserUnknown,
        Party::Recipient,
    ));
    assert_eq!(
        status(history(&[(0, allow), (1, hard)]).as_ref()),
        "allowlist"
    );
}

#[test]
fn an_import_never_frees() {
    let import = |status| Event::Imported {
        status,
        reason: FailureReason::Denylisted,
    };
    let events = [
        (0, Event::Complained),
        (1, import(AddressStatus::Quarantine)),
    ];
    assert_eq!(status(history(&events).as_ref()), "denylist");
    assert_eq!(
        status(history(&[(0, import(AddressStatus::Denylist))]).as_ref()),
        "denylist"
    );
}

#[test]
fn what_cleanup_lifts() {
    use {AddressStatus as S, FailureReason as R};
    let rows = [
        (S::WithErrors, R::Unreachable, 10 * DAY, false),
        (S::WithErrors, R::Unreachable, 10 * DAY + 1, true),
        (S::WithErrors, R::MailboxFull, 30 * DAY, true),
        (S::Quarantine, R::MailboxFull, 30 * DAY - 1, false),
        (S::Quarantine, R::MailboxFull, 30 * DAY, true),
        (S::Quarantine, R::UserUnknown, 300 * DAY, false),
        (S::Denylist, R::Refused, 300 * DAY, false),
        (S::Allowlist, R::MailboxFull, 300 * DAY, false),
    ];
    for (status, reason, age, lifted) in rows {
        let entry = Entry {
            status,
            reason,
            errors: 1,
            last_counted: Some(Timestamp(0)),
            since: Timestamp(0),
        };
        let got = is_lifted(&Policy::default(), &entry, Timestamp(age));
        assert_eq!(got, lifted, "{status} {reason} {age}");
    }
}

proptest! {
    #[test]
    fn soft_errors_alone_quarantine_exactly_when_five_are_counted(
        gaps in prop::collection::vec(0..(12 * DAY), 1..40),
    ) {
        let policy = Policy::default();
        let (mut entry, mut at, mut counted) = (None, 0, 0u32);
        for gap in gaps {
            at += gap;
            let before = entry.clone();
            let decision = decide(&policy, before.as_ref(), &soft(), Timestamp(at));
            if decision.counted {
                let forgotten = before.as_ref().and_then(|e: &Entry| e.last_counted)
                    .is_some_and(|last| Timestamp(at).since(last) > policy.forget_after);
                counted = if forgotten { 1 } else { counted + 1 };
            }
            entry = decision.entry;
            let full = entry.as_ref().is_some_and(|e| e.status == AddressStatus::Quarantine);
            prop_assert_eq!(full, counted >= policy.max_errors);
        }
    }
}
