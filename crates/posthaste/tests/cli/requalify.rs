//! The procedure after a provider's outage, on a store that was prepared as a delivery leaves it.

use posthaste_core::evidence::{Evidence, SaidBy, Stage};
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::LogId;
use posthaste_core::log::{Channel, LogStatus};
use posthaste_core::qualify::{RuleRef, Verdict};
use posthaste_core::quarantine::{Event, Failed, Policy, decide};
use posthaste_core::time::Timestamp;
use posthaste_store::Recording;
use posthaste_store::rows::{Address, LedgerEvent, LogChange};
use posthaste_store::sqlite::SqliteStore;

use crate::place::Place;

const TEXT: &str = "550-5.1.1 The email account that you tried to reach does not exist";

/// Both recipients of the delivery were refused by a provider that had lost its accounts.
fn after_an_outage() -> Place {
    let place = Place::with_delivery();
    let id = place
        .run(&["--json", "delivery", "create", "spring.toml"])
        .json()["delivery"]
        .clone();
    place.run(&["delivery", "prepare", &id.to_string()]).done();
    let config = place.read("posthaste.toml");
    let path = ["posthaste.sqlite", "data/posthaste.sqlite"]
        .into_iter()
        .find(|name| place.has(name))
        .unwrap_or_else(|| panic!("no store: {config}"));
    let store = SqliteStore::open(place.path(path)).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let at = Timestamp(i64::try_from(now.as_millis()).unwrap());
    for log in [1, 2] {
        refuse(&store, LogId(log), at);
    }
    place
}

fn refuse(store: &SqliteStore, log: LogId, at: Timestamp) {
    let (kind, reason, party) = (
        FailureType::Hard,
        FailureReason::UserUnknown,
        Party::Recipient,
    );
    store
        .record(&mut |tx| {
            let row = tx.log_row(log)?.unwrap();
            let event = Event::Failed(Failed {
                log,
                kind,
                reason,
                party,
                first_of_its_text: false,
                site_blocked: false,
                revokes_success: false,
            });
            let entry = decide(&Policy::default(), None, &event, at).entry.unwrap();
            let rule = RuleRef {
                name: "no-such-user".into(),
                version: 1,
            };
            tx.add_event(&LedgerEvent {
                channel: Channel::Email,
                key: row.key.clone(),
                at,
                event,
                log: Some(log),
                delivery: Some(row.delivery),
                evidence: Some(Evidence {
                    said_by: SaidBy::Remote("mx.example.net".to_owned()),
                    stage: Stage::Rcpt,
                    code: Some(550),
                    enhanced: None,
                    text: TEXT.to_owned(),
                    at,
                }),
                verdict: Some(Verdict {
                    kind,
                    reason,
                    party,
                    retry: false,
                    confidence: 90,
                    rule,
                }),
                qualification: None,
                by: "recorder".to_owned(),
                because: "hard_error".to_owned(),
            })?;
            tx.put_address(&Address {
                channel: Channel::Email,
                key: row.key.clone(),
                entry,
                error_text: TEXT.to_owned(),
                log: Some(log),
                changed: at,
            })?;
            tx.change_log(&LogChange {
                id: log,
                status: LogStatus::Failed,
                kind,
                reason,
                party: Some(party),
                attempts: 1,
                doubtful: 0,
                due: None,
                changed: at,
                qualification: None,
                possibly_duplicate: false,
                complaint: false,
                quarantined: true,
            })
        })
        .unwrap();
}

fn quarantined(place: &Place) -> usize {
    let list = ["--json", "quarantine", "list", "--status", "quarantine"];
    place.run(&list).json()["items"].as_array().unwrap().len()
}

#[test]
fn an_outage_is_one_command_and_one_more_takes_it_back() {
    let place = after_an_outage();
    assert_eq!(quarantined(&place), 2);
    let order = [
        "requalify",
        "--text",
        "does not exist",
        "--domain",
        "example.net",
        "--from",
        "2020-01-01T00:00:00Z",
        "--as",
        "ignored/unreachable/path",
    ];
    let json = ["--json"];
    let seen = place.run(&[&json[..], &order[..]].concat()).json();
    assert_eq!(
        (&seen["failures"], &seen["leave_quarantine"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&seen["applied"], &seen["id"]),
        (&false.into(), &serde_json::Value::Null)
    );
    assert_eq!(seen["from"], "2020-01-01T00:00:00Z");
    assert_eq!(
        seen["first"]["leave_quarantine"][0]["address"],
        "ann@example.net"
    );
    let text = place.run(&order).done().out;
    assert!(
        text.contains("This is a preview") && text.contains("ann@example.net"),
        "{text}"
    );
    assert_eq!(quarantined(&place), 2);

    let apply = ["--apply", "--comment", "outage", "--export", "again.csv"];
    let said = place.run(&[&order[..], &apply[..]].concat()).done().out;
    assert!(said.contains("Re-qualification 1 is applied"), "{said}");
    assert!(said.contains("recipients import again.csv"), "{said}");
    assert_eq!(quarantined(&place), 1);
    let log = place
        .run(&["--json", "log", "1", "--reason", "unreachable"])
        .json();
    assert_eq!(log["items"][0]["status"], "failed");
    place
        .run(&["recipients", "import", "again.csv", "--list", "again"])
        .done();
    let again = place.run(&["--json", "recipients", "show", "again"]).json();
    assert_eq!(again["items"][0]["attributes"]["name"], "Ann");

    let twice = place
        .run(&[&json[..], &order[..], &["--apply"]].concat())
        .json();
    assert_eq!(
        (&twice["verdicts_changed"], &twice["applied"]),
        (&0.into(), &false.into())
    );
    let list = place.run(&["--json", "requalify", "list"]).json();
    assert_eq!(list["items"][0]["comment"], "outage");
    assert_eq!(
        list["items"][0]["selection"]["from"],
        "2020-01-01T00:00:00Z"
    );
    let shown = place.run(&["--json", "requalify", "show", "1"]).json();
    assert_eq!(shown["addresses"]["items"][0]["key"], "ann@example.net");

    place.run(&["requalify", "undo", "1"]).done();
    assert_eq!(quarantined(&place), 2);
    place
        .run(&["requalify", "undo", "1"])
        .failed(3, &["undone already"]);
    place
        .run(&["requalify", "undo", "7"])
        .failed(5, &["no re-qualification 7"]);
}

#[test]
fn orders_that_say_too_little_are_refused() {
    let place = Place::ready();
    place
        .run(&["requalify", "--text", "x"])
        .failed(2, &["--as type/reason/party"]);
    place
        .run(&["requalify", "--as", "soft/mailbox_full"])
        .failed(3, &["say which failures"]);
    place
        .run(&["requalify", "--text", "x", "--as", "soft"])
        .failed(2, &["type/reason"]);
    place
        .run(&["requalify", "show", "1"])
        .failed(5, &["no re-qualification 1"]);
}
