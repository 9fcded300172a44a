//! The ground of the end-to-end tests: a store, a sandbox, and services between them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use posthaste_core::address::Address;
use posthaste_core::delivery::{ApprovalMode, DeliveryState, Priority};
use posthaste_core::ids::{DeliveryId, RecipientId};
use posthaste_core::log::Channel;
use posthaste_core::qualify::RuleSet;
use posthaste_core::quarantine;
use posthaste_core::retry::RetryPolicy;
use posthaste_core::shaping::Limits;
use posthaste_core::tally::Tally;
use posthaste_engine::clock::{Clock, TimeLapse};
use posthaste_engine::progress::Board;
use posthaste_engine::sender::{Identities, SenderSettings};
use posthaste_engine::services::{self, Services, Until};
use posthaste_engine::spec::{Exclusions, Spec};
use posthaste_mail::token::Secret;
use posthaste_net::fake::FakeResolver;
use posthaste_net::plan::{PlanSettings, Router};
use posthaste_net::route::{DomainMask, Route};
use posthaste_net::tls::{TlsClient, TlsPolicy};
use posthaste_sandbox::{Config, Running};
use posthaste_smtp::client::ClientSettings;
use posthaste_smtp::stages::Timeouts;
use posthaste_store::Store;
use posthaste_store::rows::{FrozenRecipient, NewDelivery, NewRecipient};
use posthaste_store::sqlite::SqliteStore;
use tokio_util::sync::CancellationToken;

pub struct Ground {
    pub store: Arc<dyn Store>,
    pub sandbox: Running,
    pub clock: Arc<TimeLapse>,
    _directory: tempfile::TempDir,
}

pub fn spec() -> Spec {
    Spec {
        label: "spring".to_owned(),
        channel: Channel::Email,
        list: "all".to_owned(),
        from: "Shop <news@shop.example>".to_owned(),
        reply_to: None,
        error_address: "bounces@shop.example".to_owned(),
        subject: "Hello {{ first_name }}".to_owned(),
        html: Some("<p>Hello {{ first_name }}, <a href=\"https://shop.example/unsubscribe\">unsubscribe</a></p>".to_owned()),
        text: None,
        headers: Vec::new(),
        attachments: Vec::new(),
        priority: Priority::Normal,
        contact_date: None,
        validity: Duration::from_hours(24 * 5),
        retries: RetryPolicy::default(),
        batch_quantity: 0,
        exclusions: Exclusions::default(),
        approval: ApprovalMode::Manual,
        test_smtp: false,
    }
}

impl Ground {
    pub async fn new(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::create(directory.path().join("posthaste.db")).unwrap());
        let sandbox = posthaste_sandbox::run(config).await.unwrap();
        Self {
            store,
            sandbox,
            clock: Arc::new(TimeLapse::in_steps(Duration::from_mins(10))),
            _directory: directory,
        }
    }

    /// Stores a delivery to these addresses, prepared and confirmed.
    pub fn delivery(&self, spec: &Spec, addresses: &[String]) -> DeliveryId {
        use DeliveryState as S;
        let (store, now) = (&self.store, self.clock.now());
        let list = store.create_list(&spec.list, now).unwrap();
        let attributes = "{\"first_name\":\"Kim\"}".to_owned();
        let rows: Vec<NewRecipient> = addresses
            .iter()
            .map(|address| NewRecipient {
                address: address.clone(),
                key: address.clone(),
                attributes: attributes.clone(),
                line: 1,
                quality: None,
                denylisted: false,
            })
            .collect();
        store.add_recipients(list, &rows, now).unwrap();
        let new = NewDelivery {
            label: spec.label.clone(),
            channel: Channel::Email,
            list,
            spec: serde_json::to_string(spec).unwrap(),
            priority: spec.priority,
            contact_date: None,
            proof: false,
        };
        let id = store.create_delivery(&new, now).unwrap();
        for (from, to) in [(S::Edited, S::Counting), (S::Counting, S::Personalizing)] {
            assert!(store.move_delivery(id, from, to, now).unwrap());
        }
        let kept: Vec<FrozenRecipient> = addresses
            .iter()
            .enumerate()
            .map(|(n, text)| {
                let address = Address::parse(text).unwrap();
                FrozenRecipient {
                    part: u32::try_from(n / 20).unwrap(),
                    part_domain: None,
                    recipient: RecipientId(i64::try_from(n).unwrap() + 1),
                    address: text.clone(),
                    key: address.key().to_owned(),
                    domain: address.domain().to_owned(),
                    attributes: attributes.clone(),
                }
            })
            .collect();
        store.add_prepared(id, &kept, &[]).unwrap();
        let n = addresses.len() as u64;
        store.end_preparation(id, n, n).unwrap();
        store
            .set_schedule(id, None, now.plus(spec.validity))
            .unwrap();
        for (from, to) in [(S::Personalizing, S::Ready), (S::Ready, S::StartPending)] {
            assert!(store.move_delivery(id, from, to, now).unwrap());
        }
        id
    }

    /// The services with names as the sandbox's zone has them.
    pub fn services(&self, owner: &str) -> Services {
        self.services_by(owner, Vec::new())
    }

    fn services_by(&self, owner: &str, routes: Vec<Route>) -> Services {
        let mut names = FakeResolver::default();
        for zone in self.sandbox.zone() {
            for (preference, host) in &zone.mx {
                names = names.domain(&zone.domain, *preference, host);
            }
        }
        for place in self.sandbox.places() {
            for host in &place.mx {
                names = names.host(host, place.addr);
            }
        }
        let short = Duration::from_secs(3);
        Services {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            owner: owner.to_owned(),
            rules: Arc::new(RuleSet::shipped()),
            policy: quarantine::Policy::default(),
            retention: Duration::from_hours(24 * 180),
            cleanup_hour: 3,
            router: Arc::new(Router::new(
                Arc::new(names),
                PlanSettings {
                    routes,
                    ..PlanSettings::default()
                },
            )),
            identities: Arc::new(Identities {
                secret: Secret::new(&[7; 32]).unwrap(),
                signers: HashMap::new(),
                unsubscribe_endpoint: None,
            }),
            settings: SenderSettings {
                client: ClientSettings {
                    ehlo_name: "mta.shop.example".to_owned(),
                    timeouts: Timeouts {
                        connect: short,
                        greeting: short,
                        mail: short,
                        rcpt: short,
                        data: short,
                        final_dot: short,
                        ..Timeouts::default()
                    },
                    source: None,
                    tls: Arc::new(TlsClient::new(Vec::new()).unwrap()),
                },
                limits: Limits::default(),
                connections: 100,
                held: 4_000,
                held_per_site: 3_000,
                idle: Duration::from_millis(300),
                lease: Duration::from_hours(1),
                overflow_wait: Duration::from_secs(10),
                lookups: 64,
            },
            board: Arc::new(Board::default()),
        }
    }

    /// Sends until the delivery has ended; returns its numbers.
    pub async fn send(&self, id: DeliveryId) -> Tally {
        self.run(self.services("test"), id).await
    }

    /// The same, with all mail going to the first provider as a relay.
    pub async fn send_by_route(&self, id: DeliveryId) -> Tally {
        let addr = self.sandbox.places()[0].addr;
        let route = Route {
            domains: vec![DomainMask::parse("*").unwrap()],
            host: addr.ip().to_string(),
            port: addr.port(),
            tls: TlsPolicy::None,
            auth: None,
        };
        self.run(self.services_by("test", vec![route]), id).await
    }

    async fn run(&self, services: Services, id: DeliveryId) -> Tally {
        let until = Until::Ended(vec![id]);
        let run = services::run(services, until, CancellationToken::new());
        tokio::time::timeout(Duration::from_secs(60), run)
            .await
            .expect("in time")
            .unwrap();
        let tally = self.store.tally(id).unwrap();
        assert!(tally.adds_up(), "{tally:?}");
        tally
    }
}

pub fn addresses(n: usize, domain: &str) -> Vec<String> {
    (0..n).map(|i| format!("person{i}@{domain}")).collect()
}
