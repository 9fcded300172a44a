//! The sender, the recorder and the store against providers of the sandbox.

mod ground;

use ground::{Ground, addresses, spec};
use posthaste_core::delivery::DeliveryState;
use posthaste_sandbox::{Config, Fate, Provider, Shares};

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
