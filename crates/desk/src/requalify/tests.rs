//! Orders on a store whose ledger was written as the recorder writes it.

use posthaste_core::address::Address as MailAddress;
use posthaste_core::delivery::Priority;
use posthaste_core::evidence::{Evidence, SaidBy, Stage};
use posthaste_core::ids::{ListId, LogId, RecipientId};
use posthaste_core::log::{AddressStatus, Channel, LogStatus};
use posthaste_core::qualify::{RuleRef, RuleSet, Verdict};
use posthaste_core::quarantine::{Event, Failed, decide};
use posthaste_store::rows::{
    Address, AddressFilter, FrozenRecipient, LedgerEvent, LogChange, LogFilter, NewDelivery,
};
use posthaste_store::sqlite::SqliteStore;
use posthaste_store::{Addresses, Deliveries, Preparing, Recording, Workflows};
use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600_000;
const TEXT: &str = "550-5.1.1 The email account that you tried to reach does not exist. gsmtp";
const OUTAGE: NewVerdict = NewVerdict::Given {
    kind: FailureType::Ignored,
    reason: FailureReason::Unreachable,
    party: Some(Party::Path),
};

struct Desk {
    store: SqliteStore,
    policy: Policy,
    _directory: tempfile::TempDir,
}

/// One thing that happens to a delivery log row or to its address.
#[derive(Debug, Clone, Copy)]
enum Step {
    Hard,
    Soft,
    Delivered,
    Set(AddressStatus),
}

impl Desk {
    /// A store with a delivery to these addresses, rows 1 to n.
    fn to(addresses: &[String]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(directory.path().join("store")).unwrap();
        let new = NewDelivery {
            label: "spring".to_owned(),
            channel: Channel::Email,
            list: ListId(1),
            spec: "{}".to_owned(),
            priority: Priority::Normal,
            contact_date: None,
            proof: false,
        };
        let id = store.create_delivery(&new, Timestamp(0)).unwrap();
        let frozen = |(n, text): (usize, &String)| FrozenRecipient {
            part: 0,
            part_domain: None,
            recipient: RecipientId(i64::try_from(n).unwrap()),
            address: text.clone(),
            key: text.clone(),
            domain: MailAddress::parse(text).unwrap().domain().to_owned(),
            attributes: format!("{{\"email\":\"{text}\",\"first name\":\"Kim, {n}\"}}"),
        };
        let kept: Vec<_> = addresses.iter().enumerate().map(frozen).collect();
        for slice in kept.chunks(1_000) {
            store.add_prepared(id, slice, &[]).unwrap();
        }
        let n = addresses.len() as u64;
        store.end_preparation(id, n, n).unwrap();
        Self {
            store,
            policy: Policy::default(),
            _directory: directory,
        }
    }

    fn people(n: usize) -> Self {
        let addresses: Vec<_> = (0..n).map(|i| format!("p{i}@gmail.example")).collect();
        Self::to(&addresses)
    }

    fn steps(&self, steps: &[(i64, Timestamp, Step)]) {
        self.store
            .record(&mut |tx| {
                steps
                    .iter()
                    .try_for_each(|(log, at, step)| self.step(tx, LogId(*log), *at, *step))
            })
            .unwrap();
    }

    fn step(
        &self,
        tx: &mut dyn posthaste_store::RecordTx,
        log: LogId,
        at: Timestamp,
        step: Step,
    ) -> Stored<()> {
        let row = tx.log_row(log)?.unwrap();
        let before = tx.address(Channel::Email, &row.key)?;
        let verdict = verdict(step);
        let event = match (step, &verdict) {
            (Step::Set(status), _) => Event::Set {
                status,
                reason: FailureReason::NotDefined,
            },
            (_, Some(verdict)) => Event::Failed(Failed {
                log,
                kind: verdict.kind,
                reason: verdict.reason,
                party: verdict.party,
                first_of_its_text: false,
                site_blocked: false,
                revokes_success: false,
            }),
            (_, None) if before.is_none() => return Ok(()),
            (_, None) => Event::Delivered { log },
        };
        let decision = decide(&self.policy, before.as_ref().map(|b| &b.entry), &event, at);
        let evidence = verdict.as_ref().map(|v| evidence(v, at));
        let has_row = !matches!(step, Step::Set(_));
        tx.add_event(&LedgerEvent {
            channel: Channel::Email,
            key: row.key.clone(),
            at,
            event,
            log: has_row.then_some(log),
            delivery: has_row.then_some(row.delivery),
            evidence: evidence.clone(),
            verdict: verdict.clone(),
            qualification: None,
            by: "recorder".to_owned(),
            because: decision.because.slug().to_owned(),
        })?;
        let old = before.as_ref().map(|b| &b.entry);
        if let Some(entry) = decision.entry.filter(|entry| Some(entry) != old) {
            let kept = before.clone();
            let said = evidence.map(|e| e.text);
            tx.put_address(&Address {
                channel: Channel::Email,
                key: row.key.clone(),
                entry,
                log: if said.is_some() {
                    Some(log)
                } else {
                    kept.as_ref().and_then(|k| k.log)
                },
                error_text: said.or(kept.map(|k| k.error_text)).unwrap_or_default(),
                changed: at,
            })?;
        }
        if has_row {
            tx.change_log(&change(log, verdict.as_ref(), at))?;
        }
        Ok(())
    }

    fn hand(&self, at: Timestamp) -> Hand<'_> {
        Hand {
            policy: &self.policy,
            by: "operator",
            at,
        }
    }

    fn order<'a>(&'a self, selection: &'a Selection, verdict: NewVerdict) -> Order<'a> {
        Order {
            selection,
            verdict,
            rules: Arc::new(LiveRules::load(&RuleSet::shipped(), &self.store).unwrap()),
            hand: self.hand(Timestamp(1_000 * HOUR)),
            comment: "outage",
            told: &|_| (),
        }
    }

    /// Everything that a re-qualification may change.
    fn state(&self) -> (Vec<Address>, Vec<LogRow>, Vec<Vec<LedgerEvent>>) {
        let page = Page {
            after: None,
            limit: 10_000,
        };
        let addresses = self
            .store
            .addresses(&AddressFilter::default(), page)
            .unwrap();
        let page = Page {
            after: None,
            limit: 10_000,
        };
        let rows = self.store.log_page(&LogFilter::default(), page).unwrap();
        let ledgers = rows
            .iter()
            .map(|row| {
                self.store
                    .address_history(Channel::Email, &row.key)
                    .unwrap()
                    .events
            })
            .collect();
        (addresses, rows, ledgers)
    }

    fn status(&self, key: &str) -> Option<AddressStatus> {
        let history = self.store.address_history(Channel::Email, key).unwrap();
        history.address.map(|a| a.entry.status)
    }
}

fn verdict(step: Step) -> Option<Verdict> {
    let (kind, reason, rule) = match step {
        Step::Hard => (
            FailureType::Hard,
            FailureReason::UserUnknown,
            "no-such-user",
        ),
        Step::Soft => (FailureType::Soft, FailureReason::MailboxFull, "full"),
        Step::Delivered | Step::Set(_) => return None,
    };
    Some(Verdict {
        kind,
        reason,
        party: Party::Recipient,
        retry: false,
        confidence: 90,
        rule: RuleRef {
            name: rule.into(),
            version: 1,
        },
    })
}

fn evidence(verdict: &Verdict, at: Timestamp) -> Evidence {
    let hard = verdict.kind == FailureType::Hard;
    Evidence {
        said_by: SaidBy::Remote("mx1.gmail.example".to_owned()),
        stage: Stage::Rcpt,
        code: Some(if hard { 550 } else { 452 }),
        enhanced: None,
        text: if hard { TEXT } else { "452 4.2.2 mailbox full" }.to_owned(),
        at,
    }
}

fn change(log: LogId, verdict: Option<&Verdict>, at: Timestamp) -> LogChange {
    LogChange {
        id: log,
        status: if verdict.is_some() {
            LogStatus::Failed
        } else {
            LogStatus::Sent
        },
        kind: verdict.map_or(FailureType::NotDefined, |v| v.kind),
        reason: verdict.map_or(FailureReason::NotDefined, |v| v.reason),
        party: verdict.map(|v| v.party),
        attempts: 1,
        doubtful: 0,
        due: None,
        changed: at,
        qualification: None,
        possibly_duplicate: false,
        complaint: false,
        quarantined: false,
    }
}

fn by_text() -> Selection {
    Selection {
        text: Some("Does Not exist".to_owned()),
        domains: vec!["gmail.example".to_owned()],
        provider: Some("mx*.gmail.example".to_owned()),
        ..Selection::default()
    }
}

#[test]
fn an_outage_is_previewed_applied_and_undone() {
    let desk = Desk::people(3);
    let at = |hour: i64| Timestamp(hour * HOUR);
    desk.steps(&[
        (1, at(1), Step::Hard),
        (2, at(2), Step::Hard),
        (3, at(2), Step::Soft),
    ]);
    let before = desk.state();
    let selection = Selection {
        from: Some(at(1)),
        to: Some(at(2)),
        ..by_text()
    };
    let order = Order {
        hand: desk.hand(at(24)),
        ..desk.order(&selection, OUTAGE)
    };
    let seen = preview(&desk.store, &order, None).unwrap();
    assert_eq!(
        (seen.failures, seen.verdicts_changed, seen.addresses),
        (2, 2, 2)
    );
    assert_eq!((seen.leave_quarantine, seen.enter_quarantine), (2, 0));
    assert_eq!((seen.log_rows, seen.send_again), (2, 2));
    assert_eq!(seen.domains[0].domain, "gmail.example");
    assert_eq!(desk.state(), before);
    let done = apply(&desk.store, &order, None).unwrap();
    assert_eq!(
        Survey {
            id: None,
            ..done.clone()
        },
        seen
    );
    let id = done.id.unwrap();
    assert_eq!(desk.status("p0@gmail.example"), None);
    let row = desk.store.log_row(LogId(1)).unwrap().unwrap();
    assert_eq!(
        (row.status, row.reason),
        (LogStatus::Failed, FailureReason::Unreachable)
    );
    let ledger = desk
        .store
        .address_history(Channel::Email, "p0@gmail.example")
        .unwrap();
    assert_eq!(
        ledger.events[0].by,
        format!("recorder, then re-qualification {id}")
    );
    let again = apply(&desk.store, &order, None).unwrap();
    assert_eq!(
        (again.id, again.failures, again.verdicts_changed),
        (None, 2, 0)
    );
    assert_eq!(desk.store.requalifications(9).unwrap().len(), 1);
    let undone = undo(&desk.store, id, desk.hand(at(25)), &|_| ()).unwrap();
    assert_eq!(
        (undone.addresses, undone.entries, undone.log_rows),
        (2, 2, 2)
    );
    assert_eq!(desk.state(), before);
    let said = undo(&desk.store, id, desk.hand(at(26)), &|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("was undone already, at 1970-01-02T01:00:00Z"),
        "{said}"
    );
    let gone = undo(
        &desk.store,
        RequalificationId(9),
        desk.hand(at(26)),
        &|_| (),
    )
    .unwrap_err();
    assert!(gone.to_string().contains("no re-qualification 9"), "{gone}");
}

#[test]
fn an_older_order_under_a_newer_one_is_undone_by_itself() {
    let desk = Desk::people(1);
    desk.steps(&[(1, Timestamp(HOUR), Step::Hard)]);
    let before = desk.state();
    let selection = by_text();
    let first = apply(&desk.store, &desk.order(&selection, OUTAGE), None)
        .unwrap()
        .id
        .unwrap();
    let soft = NewVerdict::Given {
        kind: FailureType::Soft,
        reason: FailureReason::MailboxFull,
        party: Some(Party::Recipient),
    };
    let second = apply(&desk.store, &desk.order(&selection, soft), None)
        .unwrap()
        .id
        .unwrap();
    let between = desk.state();
    assert_eq!(
        desk.status("p0@gmail.example"),
        Some(AddressStatus::WithErrors)
    );
    undo(&desk.store, first, desk.hand(Timestamp(HOUR)), &|_| ()).unwrap();
    assert_eq!(desk.state(), between);
    undo(&desk.store, second, desk.hand(Timestamp(HOUR)), &|_| ()).unwrap();
    assert_eq!(desk.state(), before);
}

#[test]
fn a_setting_by_hand_that_came_later_stays_through_order_and_undo() {
    let desk = Desk::people(1);
    desk.steps(&[(1, Timestamp(HOUR), Step::Hard)]);
    let selection = by_text();
    let id = apply(&desk.store, &desk.order(&selection, OUTAGE), None)
        .unwrap()
        .id
        .unwrap();
    desk.steps(&[(1, Timestamp(2 * HOUR), Step::Set(AddressStatus::Denylist))]);
    undo(&desk.store, id, desk.hand(Timestamp(3 * HOUR)), &|_| ()).unwrap();
    assert_eq!(
        desk.status("p0@gmail.example"),
        Some(AddressStatus::Denylist)
    );
    apply(&desk.store, &desk.order(&selection, OUTAGE), None).unwrap();
    assert_eq!(
        desk.status("p0@gmail.example"),
        Some(AddressStatus::Denylist)
    );
}

#[test]
fn what_is_past_retention_is_refused_with_the_date_from_which_it_works() {
    let desk = Desk::people(2);
    let day = |n: i64| Timestamp(n * 24 * HOUR);
    desk.steps(&[(1, day(1), Step::Hard), (2, day(5), Step::Hard)]);
    let selection = by_text();
    let id = apply(&desk.store, &desk.order(&selection, OUTAGE), None)
        .unwrap()
        .id
        .unwrap();
    let snapshot = LedgerEvent {
        event: Event::Snapshot(None),
        ..desk
            .store
            .address_history(Channel::Email, "p0@gmail.example")
            .unwrap()
            .events[0]
            .clone()
    };
    desk.store
        .fold_events(Channel::Email, "p0@gmail.example", day(2), &snapshot)
        .unwrap();
    let early = Selection {
        from: Some(day(1)),
        ..by_text()
    };
    let said = preview(&desk.store, &desk.order(&early, OUTAGE), None)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("begin at --from 1970-01-02T00:00:01Z"),
        "{said}"
    );
    let seen = preview(&desk.store, &desk.order(&selection, OUTAGE), None).unwrap();
    assert_eq!(
        (seen.failures, seen.from),
        (1, Some(Timestamp(24 * HOUR + 1_000)))
    );
    let said = undo(&desk.store, id, desk.hand(day(9)), &|_| ())
        .unwrap_err()
        .to_string();
    assert!(said.contains("cannot be undone any more"), "{said}");
    let nothing = Selection::default();
    let said = preview(&desk.store, &desk.order(&nothing, OUTAGE), None)
        .unwrap_err()
        .to_string();
    assert!(said.contains("say which failures"), "{said}");
    let turned = Selection {
        from: Some(day(9)),
        to: Some(day(8)),
        ..by_text()
    };
    let said = preview(&desk.store, &desk.order(&turned, OUTAGE), None)
        .unwrap_err()
        .to_string();
    assert!(said.contains("before it begins"), "{said}");
}

type Criterion = fn(&mut Selection);

#[test]
fn each_criterion_selects() {
    let desk = Desk::to(&["a@gmail.example".to_owned(), "b@yahoo.example".to_owned()]);
    let (first, second) = (Timestamp(HOUR), Timestamp(2 * HOUR));
    desk.steps(&[(1, first, Step::Hard), (2, second, Step::Soft)]);
    let rows: [(&str, Criterion, u64); 11] = [
        ("text", |s| s.text = Some("MAILBOX".into()), 1),
        ("other text", |s| s.text = Some("greylisted".into()), 0),
        ("rule", |s| s.rule = Some("no-such-user".into()), 1),
        ("type", |s| s.kind = Some(FailureType::Soft), 1),
        ("reason", |s| s.reason = Some(FailureReason::UserUnknown), 1),
        ("domain", |s| s.domains.push("yahoo.example".into()), 1),
        (
            "provider",
            |s| s.provider = Some("*.GMAIL.example".into()),
            2,
        ),
        (
            "other provider",
            |s| s.provider = Some("mx.example".into()),
            0,
        ),
        ("delivery", |s| s.delivery = Some(DeliveryId(1)), 2),
        ("from", |s| s.from = Some(Timestamp(HOUR + 1)), 1),
        ("to", |s| s.to = Some(Timestamp(HOUR)), 1),
    ];
    for (name, criterion, want) in rows {
        let mut selection = Selection::default();
        criterion(&mut selection);
        let seen = preview(&desk.store, &desk.order(&selection, OUTAGE), None).unwrap();
        assert_eq!(seen.failures, want, "{name}");
    }
}

#[test]
fn the_rules_of_now_judge_what_an_older_rule_misjudged() {
    let desk = Desk::people(1);
    desk.steps(&[(1, Timestamp(HOUR), Step::Soft)]);
    let selection = by_text();
    let wrong = NewVerdict::Given {
        kind: FailureType::Hard,
        reason: FailureReason::Refused,
        party: None,
    };
    let any = Selection {
        text: Some("mailbox full".to_owned()),
        ..selection
    };
    apply(&desk.store, &desk.order(&any, wrong), None).unwrap();
    assert_eq!(
        desk.status("p0@gmail.example"),
        Some(AddressStatus::Quarantine)
    );
    let done = apply(&desk.store, &desk.order(&any, NewVerdict::ByRules), None).unwrap();
    assert_eq!((done.verdicts_changed, done.leave_quarantine), (1, 1));
    let row = desk.store.log_row(LogId(1)).unwrap().unwrap();
    assert_eq!(
        (row.kind, row.reason),
        (FailureType::Soft, FailureReason::MailboxFull)
    );
}

#[test]
fn recipients_that_could_be_sent_again_become_a_csv_file() {
    let desk = Desk::people(2);
    desk.steps(&[
        (1, Timestamp(HOUR), Step::Hard),
        (2, Timestamp(HOUR), Step::Soft),
    ]);
    let selection = by_text();
    let order = Order {
        hand: desk.hand(Timestamp(24 * HOUR)),
        ..desk.order(&selection, OUTAGE)
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("again.csv");
    let mut export = CsvExport::create(&path).unwrap();
    preview(&desk.store, &order, Some(&mut export)).unwrap();
    assert_eq!(export.finish().unwrap(), 1);
    let csv = std::fs::read_to_string(&path).unwrap();
    assert_eq!(csv, "email,first name\np0@gmail.example,\"Kim, 0\"\n");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    // A delivery of long ago is not sent again.
    let order = desk.order(&selection, OUTAGE);
    assert_eq!(preview(&desk.store, &order, None).unwrap().send_again, 0);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Hard),
        6 => Just(Step::Soft),
        2 => Just(Step::Delivered),
        1 => prop::sample::select(AddressStatus::ALL).prop_map(Step::Set),
    ]
}

/// Steps on six rows of three addresses, from one moment on.
fn steps(most: usize) -> impl Strategy<Value = Vec<(i64, i64, Step)>> {
    prop::collection::vec((1..7_i64, 1..(60 * HOUR), step()), 1..most)
}

fn timed(steps: &[(i64, i64, Step)], from: i64) -> (Vec<(i64, Timestamp, Step)>, i64) {
    let mut at = from;
    let timed = steps.iter().map(|(log, gap, step)| {
        at += gap;
        (*log, Timestamp(at), *step)
    });
    (timed.collect(), at)
}

fn verdicts() -> impl Strategy<Value = NewVerdict> {
    let reasons = vec![FailureReason::Unreachable, FailureReason::UserUnknown];
    (
        prop::sample::select(FailureType::ALL),
        prop::sample::select(reasons),
        prop::option::of(prop::sample::select(Party::ALL)),
    )
        .prop_map(|(kind, reason, party)| NewVerdict::Given {
            kind,
            reason,
            party,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_was_previewed_is_applied_once_and_undone_exactly(
        history in steps(14), soft in any::<bool>(), verdict in verdicts(),
    ) {
        let addresses: Vec<_> = (0..6).map(|i| format!("p{}@gmail.example", i % 3)).collect();
        let desk = Desk::to(&addresses);
        desk.steps(&timed(&history, 0).0);
        let before = desk.state();
        let kind = if soft { FailureType::Soft } else { FailureType::Hard };
        let selection = Selection { kind: Some(kind), ..Selection::default() };
        let order = desk.order(&selection, verdict);
        let seen = preview(&desk.store, &order, None).unwrap();
        let done = apply(&desk.store, &order, None).unwrap();
        prop_assert_eq!(Survey { id: None, ..done.clone() }, seen);
        let after = desk.state();
        prop_assert_eq!(apply(&desk.store, &order, None).unwrap().id, None);
        prop_assert_eq!(desk.state(), after);
        if let Some(id) = done.id {
            undo(&desk.store, id, desk.hand(Timestamp(0)), &|_| ()).unwrap();
        }
        prop_assert_eq!(desk.state(), before);
    }

    #[test]
    fn undone_after_more_has_happened_it_is_as_if_it_had_not_been(
        history in steps(8), later in steps(8), verdict in verdicts(),
    ) {
        let addresses: Vec<_> = (0..6).map(|i| format!("p{}@gmail.example", i % 3)).collect();
        let (desk, other) = (Desk::to(&addresses), Desk::to(&addresses));
        let (first, end) = timed(&history, 0);
        let rest: Vec<_> = later
            .iter()
            .filter(|(_, _, step)| !matches!(step, Step::Delivered))
            .copied()
            .collect();
        let (rest, _) = timed(&rest, end);
        let selection = Selection { reason: Some(FailureReason::UserUnknown), ..Selection::default() };
        desk.steps(&first);
        other.steps(&first);
        let id = apply(&desk.store, &desk.order(&selection, verdict), None).unwrap().id;
        desk.steps(&rest);
        other.steps(&rest);
        if let Some(id) = id {
            undo(&desk.store, id, desk.hand(Timestamp(0)), &|_| ()).unwrap();
        }
        let entries = |desk: &Desk| -> Vec<_> {
            let listed = |a: &Address| a.entry.status != AddressStatus::Valid;
            let all = desk.state().0.into_iter().filter(listed);
            all.map(|a| (a.key, a.entry)).collect()
        };
        prop_assert_eq!(entries(&desk), entries(&other));
        prop_assert_eq!(desk.state().1, other.state().1);
    }
}

/// Not a promise but a measure: `cargo test --release -p posthaste-desk -- --ignored hundred`.
#[test]
#[ignore = "a measure of some seconds"]
fn a_hundred_thousand_failures_are_judged_again() {
    let desk = Desk::people(100_000);
    let steps: Vec<_> = (1..=100_000)
        .map(|n| (n, Timestamp(n), Step::Hard))
        .collect();
    steps.chunks(1_000).for_each(|slice| desk.steps(slice));
    let selection = by_text();
    let order = desk.order(&selection, OUTAGE);
    let took = |what: &str, since: std::time::Instant| println!("{what}: {:?}", since.elapsed());
    let begun = std::time::Instant::now();
    let seen = preview(&desk.store, &order, None).unwrap();
    took("preview", begun);
    let begun = std::time::Instant::now();
    let done = apply(&desk.store, &order, None).unwrap();
    took("apply", begun);
    assert_eq!(
        Survey {
            id: None,
            ..done.clone()
        },
        seen
    );
    assert_eq!(done.leave_quarantine, 100_000);
    let begun = std::time::Instant::now();
    let undone = undo(
        &desk.store,
        done.id.unwrap(),
        desk.hand(Timestamp(0)),
        &|_| (),
    )
    .unwrap();
    took("undo", begun);
    assert_eq!((undone.entries, undone.log_rows), (100_000, 100_000));
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!(
        "{:?}",
        memory.lines().find(|line| line.starts_with("VmHWM"))
    );
}
