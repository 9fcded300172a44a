//! The sender, the recorder and the store against providers of the sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it meets what it does not expect"
)]

mod ground;

use ground::{Ground, addresses, spec};
use posthaste_core::delivery::DeliveryState;
use posthaste_core::failure::FailureReason;
use posthaste_core::log::{AddressStatus, Channel, LogStatus};
use posthaste_core::quarantine::Entry;
use posthaste_engine::clock::Clock;
use posthaste_sandbox::{Config, Fate, Presence, Provider, Shares};
use posthaste_store::rows::{Address, LogFilter, Page};

fn one(provider: Provider) -> Config {
    Config {
        providers: vec![provider],
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_gets_the_delivery_once() {
    let ground = Ground::new(one(Provider::new("good", ["good.example"]))).await;
    let id = ground.delivery(&spec(), &addresses(500, "good.example"));
    let tally = ground.send(id).await;
    assert_eq!((tally.sent, tally.target), (500, 500));
    assert_eq!(ground.sandbox.ledger().accepted(), 500);
    assert_eq!(
        ground.store.delivery(id).unwrap().unwrap().state,
        DeliveryState::Finished
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn greylisted_recipients_get_it_at_a_retry() {
    let mut grey = Provider::new("grey", ["grey.example"]);
    grey.shares = Shares::all(Fate::Greylisted);
    let ground = Ground::new(one(grey)).await;
    let id = ground.delivery(&spec(), &addresses(100, "grey.example"));
    let tally = ground.send(id).await;
    assert_eq!(tally.sent, 100, "{tally:?}");
    let totals = ground.store.totals(id).unwrap();
    assert_eq!(totals.retried, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_users_fail_hard_and_are_quarantined() {
    let mut gone = Provider::new("gone", ["gone.example"]);
    gone.shares = Shares::all(Fate::UserUnknown);
    let ground = Ground::new(one(gone)).await;
    let id = ground.delivery(&spec(), &addresses(60, "gone.example"));
    let tally = ground.send(id).await;
    assert_eq!(tally.failed.get("user_unknown"), Some(&60), "{tally:?}");
    assert_eq!(ground.store.totals(id).unwrap().quarantined_new, 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_domains_fail_without_a_connection() {
    let ground = Ground::new(one(Provider::new("good", ["good.example"]))).await;
    let id = ground.delivery(&spec(), &addresses(5, "nowhere.example"));
    let tally = ground.send(id).await;
    assert_eq!(tally.failed.get("invalid_domain"), Some(&5), "{tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_answer_slows_no_other() {
    let mut silent = Provider::new("silent", ["silent.example"]);
    silent.presence = Presence::Silent;
    let providers = vec![silent, Provider::new("good", ["good.example"])];
    let ground = Ground::new(Config {
        providers,
        ..Config::default()
    })
    .await;
    let mut all = addresses(300, "silent.example");
    all.extend(addresses(300, "good.example"));
    let mut spec = spec();
    spec.retries.waits.truncate(1);
    let id = ground.delivery(&spec, &all);
    let tally = ground.send(id).await;
    assert_eq!(
        (tally.sent, tally.failed.get("unreachable")),
        (300, Some(&300)),
        "{tally:?}"
    );
    let ended = |status| {
        let filter = LogFilter {
            delivery: Some(id),
            status: Some(status),
            ..LogFilter::default()
        };
        let rows = ground
            .store
            .log_page(
                &filter,
                Page {
                    after: None,
                    limit: 1_000,
                },
            )
            .unwrap();
        rows.into_iter().map(|row| row.changed)
    };
    let last_sent = ended(LogStatus::Sent).max().unwrap();
    let first_failed = ended(LogStatus::Failed).min().unwrap();
    assert!(
        last_sent < first_failed,
        "the good provider's recipients did not wait"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_domains_fit_one_delivery() {
    let ground = Ground::new(one(Provider::new("all", ["*"]))).await;
    let all: Vec<String> = (0..10_000)
        .map(|n| format!("person@d{n}.example"))
        .collect();
    let id = ground.delivery(&spec(), &all);
    let tally = ground.send_by_route(id).await;
    assert_eq!(tally.sent, 10_000, "{tally:?}");
    assert_eq!(ground.sandbox.ledger().accepted(), 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_lets_nobody_be_lost_or_doubled() {
    let mut slow = Provider::new("slow", ["slow.example"]);
    slow.latency_ms = 5;
    let ground = Ground::new(one(slow)).await;
    let id = ground.delivery(&spec(), &addresses(2_000, "slow.example"));
    let (store, ledger) = (ground.store.clone(), ground.sandbox.ledger().clone());
    let pause = tokio::spawn(async move {
        while ledger.accepted() < 100 {
            tokio::task::yield_now().await;
        }
        let now = store.delivery(id).unwrap().unwrap().changed;
        let (from, to) = (DeliveryState::InProgress, DeliveryState::PauseRequested);
        assert!(store.move_delivery(id, from, to, now).unwrap());
    });
    let tally = ground.send(id).await;
    pause.await.unwrap();
    assert_eq!(
        ground.store.delivery(id).unwrap().unwrap().state,
        DeliveryState::Paused
    );
    assert!(tally.pending > 0, "{tally:?}");
    assert_eq!(ground.sandbox.ledger().accepted(), tally.sent);
    let now = ground.clock.now();
    let (from, to) = (DeliveryState::Paused, DeliveryState::InProgress);
    assert!(ground.store.move_delivery(id, from, to, now).unwrap());
    let tally = ground.send(id).await;
    assert_eq!(
        (tally.sent, ground.sandbox.ledger().accepted()),
        (2_000, 2_000)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_a_delivery_is_stopped_is_cancelled() {
    let mut slow = Provider::new("slow", ["slow.example"]);
    slow.latency_ms = 5;
    let ground = Ground::new(one(slow)).await;
    let id = ground.delivery(&spec(), &addresses(2_000, "slow.example"));
    let (store, ledger) = (ground.store.clone(), ground.sandbox.ledger().clone());
    let stop = tokio::spawn(async move {
        while ledger.accepted() < 100 {
            tokio::task::yield_now().await;
        }
        let now = store.delivery(id).unwrap().unwrap().changed;
        let (from, to) = (DeliveryState::InProgress, DeliveryState::Stopped);
        assert!(store.move_delivery(id, from, to, now).unwrap());
    });
    let tally = ground.send(id).await;
    stop.await.unwrap();
    assert_eq!(tally.pending, 0, "{tally:?}");
    assert!(tally.cancelled > 0, "{tally:?}");
    assert_eq!(ground.sandbox.ledger().accepted(), tally.sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_validity_ends_what_is_still_deferred() {
    let mut full = Provider::new("full", ["full.example"]);
    full.shares = Shares::all(Fate::Deferred);
    let ground = Ground::new(one(full)).await;
    let mut spec = spec();
    spec.validity = std::time::Duration::from_hours(3);
    let id = ground.delivery(&spec, &addresses(50, "full.example"));
    let tally = ground.send(id).await;
    assert_eq!(tally.failed.values().sum::<u64>(), 50, "{tally:?}");
    let row = ground
        .store
        .log_row(posthaste_core::ids::LogId(1))
        .unwrap()
        .unwrap();
    assert!(
        (2..=3).contains(&row.attempts),
        "hourly within three hours: {}",
        row.attempts
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_doubt_is_sent_again_twice_at_most_as_the_same_message() {
    let mut drops = Provider::new("drops", ["drops.example"]);
    drops.shares = Shares::all(Fate::DroppedAfterDot);
    drops.drop_attempts = 99;
    let ground = Ground::new(one(drops)).await;
    let id = ground.delivery(&spec(), &addresses(10, "drops.example"));
    let tally = ground.send(id).await;
    assert_eq!(tally.failed.get("unreachable"), Some(&10), "{tally:?}");
    assert_eq!(ground.store.totals(id).unwrap().possibly_duplicate, 10);
    let mut by_recipient = std::collections::HashMap::<String, Vec<u64>>::new();
    for entry in ground.sandbox.ledger().entries() {
        by_recipient
            .entry(entry.recipient)
            .or_default()
            .push(entry.content_hash);
    }
    for hashes in by_recipient.values() {
        assert_eq!(hashes.len(), 3);
        assert!(hashes.iter().all(|hash| *hash == hashes[0]));
    }
    let key = "person0@drops.example";
    let history = ground.store.address_history(Channel::Email, key).unwrap();
    assert!(history.address.is_none(), "doubt never counts: {history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_listed_after_preparation_is_not_sent_to() {
    let ground = Ground::new(one(Provider::new("good", ["good.example"]))).await;
    let id = ground.delivery(&spec(), &addresses(3, "good.example"));
    let entry = |status| Entry {
        status,
        reason: FailureReason::UserUnknown,
        errors: 1,
        last_counted: None,
        since: ground.clock.now(),
    };
    for (n, status) in [(0, AddressStatus::Quarantine), (1, AddressStatus::Denylist)] {
        let address = Address {
            channel: Channel::Email,
            key: format!("person{n}@good.example"),
            entry: entry(status),
            error_text: String::new(),
            log: None,
            changed: ground.clock.now(),
        };
        ground
            .store
            .record(&mut |tx| tx.put_address(&address))
            .unwrap();
    }
    let tally = ground.send(id).await;
    assert_eq!(tally.sent, 1, "{tally:?}");
    assert_eq!(tally.failed.get("quarantine"), Some(&1));
    assert_eq!(tally.failed.get("denylisted"), Some(&1));
    assert_eq!(ground.sandbox.ledger().accepted(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_left_alone_and_tried_again() {
    let mut down = Provider::new("down", ["down.example"]);
    down.down_connections = 3;
    let ground = Ground::new(one(down)).await;
    let id = ground.delivery(&spec(), &addresses(200, "down.example"));
    let tally = ground.send(id).await;
    assert_eq!(tally.sent, 200, "{tally:?}");
    let history = ground
        .store
        .address_history(Channel::Email, "person9@down.example")
        .unwrap();
    let counted = history
        .address
        .is_some_and(|address| address.entry.errors > 0);
    assert!(!counted, "nobody is blamed for a site that is down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_delivery_quits_before_data() {
    let ground = Ground::new(one(Provider::new("good", ["good.example"]))).await;
    let mut spec = spec();
    spec.test_smtp = true;
    let id = ground.delivery(&spec, &addresses(20, "good.example"));
    let tally = ground.send(id).await;
    assert_eq!((tally.sent, ground.sandbox.ledger().accepted()), (20, 0));
}
