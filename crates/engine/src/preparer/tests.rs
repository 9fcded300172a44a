//! Preparations on the embedded store: states, counts, journals, interruptions.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use posthaste_core::delivery::{ApprovalMode, DeliveryEvent, Priority, next};
use posthaste_core::ids::ListId;
use posthaste_core::log::Channel;
use posthaste_core::retry::RetryPolicy;
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{LogFilter, NewDelivery, Page};
use posthaste_store::sqlite::SqliteStore;
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::import::{Importer, Options};
use crate::spec::{Exclusions, Spec};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

struct Bench {
    _dir: TempDir,
    store: SqliteStore,
    clock: ManualClock,
    cancel: AtomicBool,
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = SqliteStore::create(dir.path().join("store.db")).unwrap();
        Self {
            _dir: dir,
            store,
            clock: ManualClock::at(NOW),
            cancel: AtomicBool::new(false),
        }
    }

    fn list(&self, name: &str, csv: &str) -> ListId {
        let options = Options::for_file(std::path::Path::new("people.csv"), name);
        let cancel = AtomicBool::new(false);
        Importer::new(&self.store, NOW, &cancel)
            .import(csv.as_bytes(), &options, &mut |_| {})
            .unwrap()
            .list
    }

    fn delivery(&self, list: ListId, spec: &Spec) -> DeliveryId {
        let new = NewDelivery {
            label: spec.label.clone(),
            channel: spec.channel,
            list,
            spec: serde_json::to_string(spec).unwrap(),
            priority: spec.priority,
            contact_date: None,
            proof: false,
        };
        self.store.create_delivery(&new, NOW).unwrap()
    }

    fn prepare(&self, id: DeliveryId) -> Result<Prepared, PrepareError> {
        let settings = Settings {
            holder: "test".to_owned(),
            list_unsubscribe: true,
            threads: 2,
        };
        Preparer::new(&self.store, &self.clock, settings, &self.cancel).prepare(id, &mut |_| {})
    }

    fn state(&self, id: DeliveryId) -> DeliveryState {
        self.store.delivery(id).unwrap().unwrap().state
    }

    fn log_rows(&self, id: DeliveryId) -> usize {
        let filter = LogFilter {
            delivery: Some(id),
            ..LogFilter::default()
        };
        let page = Page {
            after: None,
            limit: 10_000,
        };
        self.store.log_page(&filter, page).unwrap().len()
    }
}

fn spec() -> Spec {
    Spec {
        label: "Spring".to_owned(),
        channel: Channel::Email,
        list: "people".to_owned(),
        from: "Shop <news@example.com>".to_owned(),
        reply_to: None,
        error_address: "bounces@example.com".to_owned(),
        subject: "Hello {{ name }}".to_owned(),
        html: Some(
            "<p>Hello {{ name }}</p>\n<a href=\"https://example.com/unsubscribe\">leave</a>"
                .to_owned(),
        ),
        text: None,
        headers: Vec::new(),
        attachments: Vec::new(),
        priority: Priority::Normal,
        contact_date: None,
        validity: Duration::from_hours(120),
        retries: RetryPolicy::default(),
        batch_quantity: 0,
        exclusions: Exclusions::default(),
        approval: ApprovalMode::SemiAutomatic,
        test_smtp: false,
    }
}

fn people(n: usize) -> String {
    let mut csv = "email,name\n".to_owned();
    for i in 0..n {
        writeln!(csv, "user{i}@example{}.org,Name {i}", i % 5).unwrap();
    }
    csv
}

fn errors(journal: &[JournalLine]) -> Vec<&str> {
    let of = journal.iter().filter(|line| line.level == Level::Error);
    of.map(|line| line.text.as_str()).collect()
}

#[test]
fn every_recipient_is_kept_or_excluded_with_its_reason() {
    let bench = Bench::new();
    let csv = "email,name,quality,denylisted\n\
               a@example.org,A,,\n\
               ,B,,\n\
               nobody,C,,\n\
               d@example.org,D,,yes\n\
               A@Example.org,E,,\n\
               f@example.org,F,1,\n\
               g@example.org,G,9,\n";
    let list = bench.list("people", csv);
    bench.list("control", "email\ng@example.org\n");
    let mut spec = spec();
    spec.exclusions.minimum_quality = Some(5);
    spec.exclusions.control_list = Some("control".to_owned());
    let id = bench.delivery(list, &spec);
    let prepared = bench.prepare(id).unwrap();
    assert_eq!(
        prepared.state,
        DeliveryState::Ready,
        "{:?}",
        prepared.journal
    );
    assert_eq!((prepared.target, prepared.kept), (7, 1));
    let excluded: Vec<_> = prepared
        .excluded
        .iter()
        .map(|(r, n)| (r.code(), *n))
        .collect();
    assert_eq!(excluded, [(7, 1), (8, 1), (10, 1), (14, 2), (127, 1)]);
    assert!(prepared.starts_by_itself);
    assert_eq!(bench.state(id), DeliveryState::Ready);
    let tally = bench.store.tally(id).unwrap();
    assert!(tally.adds_up(), "{tally:?}");
    assert_eq!((tally.target, tally.pending), (7, 1));
    assert_eq!(bench.store.journal_of(id).unwrap(), prepared.journal);
}

#[test]
fn preparing_again_starts_from_nothing() {
    let bench = Bench::new();
    let id = bench.delivery(bench.list("people", &people(2_500)), &spec());
    for _ in 0..2 {
        let prepared = bench.prepare(id).unwrap();
        assert_eq!((prepared.target, prepared.kept), (2_500, 2_500));
        assert_eq!(bench.log_rows(id), 2_500);
    }
    let counted = bench.store.journal_of(id).unwrap();
    let lines = counted
        .iter()
        .filter(|line| line.text.contains("the target has"));
    assert_eq!(lines.count(), 1);
}

#[test]
fn an_undefined_variable_names_recipient_and_line_and_blocks_sending() {
    let bench = Bench::new();
    let csv = "{\"email\":\"a@example.org\",\"name\":\"A\"}\n{\"email\":\"b@example.org\"}\n";
    let options = Options::for_file(std::path::Path::new("a.ndjson"), "people");
    let cancel = AtomicBool::new(false);
    let list = Importer::new(&bench.store, NOW, &cancel)
        .import(csv.as_bytes(), &options, &mut |_| {})
        .unwrap()
        .list;
    let mut spec = spec();
    spec.subject = "Hello".to_owned();
    spec.html = spec.html.map(|html| format!("<br>\n{html}"));
    let id = bench.delivery(list, &spec);
    let prepared = bench.prepare(id).unwrap();
    assert_eq!(prepared.state, DeliveryState::PreparationFailed);
    assert!(!prepared.starts_by_itself);
    let errors = errors(&prepared.journal);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].starts_with("line 2, recipient b@example.org: html, line 2:"),
        "{errors:?}"
    );
    assert!(bench.store.tally(id).unwrap().adds_up());
}

#[test]
fn after_twenty_such_errors_it_stops_and_keeps_nothing() {
    let bench = Bench::new();
    let mut spec = spec();
    spec.subject = "{{ name | shout }}".to_owned();
    let id = bench.delivery(bench.list("people", &people(5_000)), &spec);
    let prepared = bench.prepare(id).unwrap();
    assert_eq!(prepared.state, DeliveryState::PreparationFailed);
    let errors = errors(&prepared.journal);
    assert_eq!(errors.len(), 21);
    assert!(errors[20].contains("stopped after 20"), "{errors:?}");
    assert_eq!(bench.log_rows(id), 0);
    assert!(bench.store.tally(id).unwrap().adds_up());
}

#[test]
fn a_name_that_no_recipient_has_is_told_once() {
    let bench = Bench::new();
    let mut spec = spec();
    spec.subject = "{{ nmae }}".to_owned();
    let id = bench.delivery(bench.list("people", &people(5_000)), &spec);
    let prepared = bench.prepare(id).unwrap();
    assert_eq!(prepared.state, DeliveryState::PreparationFailed);
    assert_eq!(
        errors(&prepared.journal),
        ["subject, line 1: there is no column \"nmae\": did you mean \"name\"?"]
    );
    assert_eq!(bench.log_rows(id), 0);
}

#[test]
fn an_empty_target_is_an_error_and_the_exclusions_stay_to_be_seen() {
    let bench = Bench::new();
    let id = bench.delivery(bench.list("people", "email,name\n,A\n"), &spec());
    let prepared = bench.prepare(id).unwrap();
    assert_eq!(prepared.state, DeliveryState::PreparationFailed);
    assert!(errors(&prepared.journal)[0].contains("every recipient is excluded"));
    let page = Page {
        after: None,
        limit: 10,
    };
    assert_eq!(bench.store.exclusions(id, None, page).unwrap().len(), 1);
    let tally = bench.store.tally(id).unwrap();
    assert!(tally.adds_up() && tally.target == 1, "{tally:?}");
    let none = bench.delivery(bench.list("none", "email,name\n"), &spec());
    assert!(errors(&bench.prepare(none).unwrap().journal)[0].contains("no recipients"));
}

#[test]
fn a_template_that_does_not_parse_is_a_line_of_the_journal() {
    let bench = Bench::new();
    let mut spec = spec();
    spec.html = Some("<p>\n{{ name".to_owned());
    let id = bench.delivery(bench.list("people", &people(3)), &spec);
    let prepared = bench.prepare(id).unwrap();
    assert_eq!(prepared.state, DeliveryState::PreparationFailed);
    assert!(
        errors(&prepared.journal)[0].contains("html, line 2"),
        "{:?}",
        prepared.journal
    );
    assert_eq!(bench.state(id), DeliveryState::PreparationFailed);
}

#[test]
fn a_warning_holds_a_semi_automatic_delivery_back() {
    let bench = Bench::new();
    let mut spec = spec();
    spec.html = Some("<p>Hello {{ name }}</p>".to_owned());
    let id = bench.delivery(bench.list("people", &people(3)), &spec);
    let prepared = bench.prepare(id).unwrap();
    assert_eq!(prepared.worst(), Some(Level::Warning));
    assert_eq!(prepared.state, DeliveryState::Ready);
    assert!(!prepared.starts_by_itself);
    spec.approval = ApprovalMode::Automatic;
    let id = bench.delivery(bench.list("more", &people(3)), &spec);
    assert!(bench.prepare(id).unwrap().starts_by_itself);
}

#[test]
fn an_interruption_leaves_nothing_half_ready() {
    let bench = Bench::new();
    let id = bench.delivery(bench.list("people", &people(3_000)), &spec());
    bench.cancel.store(true, Ordering::Relaxed);
    let error = bench.prepare(id).unwrap_err();
    assert!(matches!(error, PrepareError::Interrupted(_)), "{error}");
    assert_eq!(bench.state(id), DeliveryState::PreparationFailed);
    assert_eq!(bench.log_rows(id), 0);
    bench.cancel.store(false, Ordering::Relaxed);
    assert_eq!(bench.prepare(id).unwrap().kept, 3_000);
}

#[test]
fn what_a_killed_preparer_left_is_cleared_once_its_lease_has_ended() {
    let bench = Bench::new();
    let id = bench.delivery(bench.list("people", &people(10)), &spec());
    let until = NOW.plus(Duration::from_secs(20));
    assert!(
        bench
            .store
            .hold_preparation(id, "killed", NOW, until)
            .unwrap()
    );
    let counting = next(DeliveryState::Edited, DeliveryEvent::Prepare).unwrap();
    assert!(
        bench
            .store
            .move_delivery(id, DeliveryState::Edited, counting, NOW)
            .unwrap()
    );
    let error = bench.prepare(id).unwrap_err();
    assert!(matches!(error, PrepareError::Held(_)), "{error}");
    bench.clock.jump(until.plus(Duration::from_secs(1)));
    assert_eq!(bench.prepare(id).unwrap().kept, 10);
    assert_eq!(bench.state(id), DeliveryState::Ready);
}

#[test]
fn a_delivery_that_is_being_sent_cannot_be_prepared() {
    let bench = Bench::new();
    let id = bench.delivery(bench.list("people", &people(10)), &spec());
    bench.prepare(id).unwrap();
    let pending = DeliveryState::StartPending;
    assert!(
        bench
            .store
            .move_delivery(id, DeliveryState::Ready, pending, NOW)
            .unwrap()
    );
    let error = bench.prepare(id).unwrap_err();
    assert!(matches!(error, PrepareError::Illegal { .. }), "{error}");
    assert_eq!((bench.log_rows(id), bench.state(id)), (10, pending));
}
