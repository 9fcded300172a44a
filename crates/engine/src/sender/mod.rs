//! Claims recipients, finds their sites, and hands them to the site tasks.
//!
//! ```text
//! store ─claim─► sender ─by domain─► plan (MX, route) ─► site task ─► connections ─► recorder
//!                  ▲                                        │ gave back        committed │
//!                  └────────────────────────────────────────┴────────────────────────────┘
//! ```
//!
//! The sender holds a bounded number of recipients in all and per site. A site that has its fill
//! is passed over when more are claimed, so that one provider that does not answer slows no other.

mod appetite;
mod connection;
mod context;
mod crew;
mod holdings;
mod site;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use posthaste_core::ids::{DeliveryId, LogId, PartId};
use posthaste_core::log::AddressStatus;
use posthaste_core::shaping::Window;
use posthaste_core::time::Timestamp;
use posthaste_net::plan::{Plan, Planned};
use posthaste_net::site::SiteKey;
use posthaste_store::rows::ClaimedRecipient;
use posthaste_store::{Store, StoreError};

pub use context::{Context, Identities};
pub(crate) use crew::Crew;
pub use crew::SenderSettings;

use crate::patience::patiently;
use crate::recorder::{Committed, Entry, Fact, Subject};
use appetite::Appetite;
use holdings::Holdings;
use site::{Order, SiteHandle};

/// Parts are settled in one transaction for at least so many.
const SETTLE_AT: usize = 64;

/// A leased recipient on its way. Cheap to move.
#[derive(Debug)]
pub(crate) struct Job(Box<Held>);

/// What a job is about.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) recipient: ClaimedRecipient,
    pub(crate) context: Arc<Context>,
    pub(crate) plan: Arc<Plan>,
    /// A reused connection was lost before anything was said about it.
    pub(crate) was_lost: bool,
}

impl std::ops::Deref for Job {
    type Target = Held;

    fn deref(&self) -> &Held {
        &self.0
    }
}

impl Job {
    fn new(recipient: ClaimedRecipient, context: Arc<Context>, plan: Arc<Plan>) -> Self {
        Self(Box::new(Held {
            recipient,
            context,
            plan,
            was_lost: false,
        }))
    }

    /// The same, marked as lost by a connection that had served before.
    pub(crate) fn lost(mut self) -> Self {
        self.0.was_lost = true;
        self
    }

    pub(crate) fn delivery(&self) -> DeliveryId {
        self.recipient.delivery
    }

    pub(crate) fn subject(&self) -> Subject {
        subject(&self.recipient, &self.context)
    }
}

fn subject(recipient: &ClaimedRecipient, context: &Context) -> Subject {
    Subject {
        log: recipient.log,
        delivery: recipient.delivery,
        part: recipient.part,
        key: Arc::from(recipient.key.as_str()),
        valid_until: context.valid_until,
        retries: Arc::clone(&context.retries),
    }
}

/// What comes back to the sender.
#[derive(Debug)]
pub(crate) enum SenderEvent {
    /// These recipients go back; due at that time, or waiting as before.
    GaveBack {
        jobs: Vec<Job>,
        due: Option<Timestamp>,
    },
    /// The task of this site has ended; its window, to be kept.
    SiteEnded { site: SiteKey, window: Window },
    /// Outcomes are on disk.
    Committed(Vec<Committed>),
    /// A domain has been looked up for these recipients.
    Looked {
        waiting: Vec<(ClaimedRecipient, Arc<Context>)>,
        plan: Planned,
    },
}

/// See the module.
pub(crate) struct Sender {
    store: Arc<dyn Store>,
    crew: Arc<Crew>,
    owner: String,
    contexts: HashMap<DeliveryId, Arc<Context>>,
    identities: Arc<Identities>,
    sites: HashMap<SiteKey, SiteHandle>,
    windows: HashMap<SiteKey, Window>,
    full: HashMap<String, SiteKey>,
    holdings: Holdings,
    appetite: Appetite,
    to_settle: Vec<PartId>,
}

impl Sender {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        crew: Arc<Crew>,
        owner: String,
        identities: Arc<Identities>,
    ) -> Self {
        let appetite = Appetite::new(crew.settings.held, crew.settings.held_per_site);
        Self {
            store,
            appetite,
            crew,
            owner,
            contexts: HashMap::new(),
            identities,
            sites: HashMap::new(),
            windows: HashMap::new(),
            full: HashMap::new(),
            holdings: Holdings::default(),
            to_settle: Vec::new(),
        }
    }

    /// Recipients that are leased and not settled.
    pub(crate) const fn held(&self) -> usize {
        self.holdings.total()
    }

    /// Leased recipients of one delivery.
    pub(crate) fn held_of(&self, delivery: DeliveryId) -> u32 {
        self.holdings.of(delivery)
    }

    /// Claims more when there is room; returns how many were claimed.
    pub(crate) async fn claim(&mut self) -> Result<usize, StoreError> {
        let room = self
            .crew
            .settings
            .held
            .saturating_sub(self.holdings.total());
        let fullest = self
            .sites
            .values()
            .map(|s| s.waiting.load(Ordering::Relaxed))
            .max()
            .unwrap_or(0);
        let size = self.appetite.size(room, fullest, std::time::Instant::now());
        if size == 0 {
            return Ok(0);
        }
        self.drop_full_mark();
        let skip: Vec<String> = self.full.keys().cloned().collect();
        let (store, owner) = (Arc::clone(&self.store), self.owner.clone());
        let until = self.crew.clock.now().plus(self.crew.settings.lease);
        let claimed = blocking(move || store.claim(&owner, until, size, &skip)).await?;
        let n = claimed.len();
        self.holdings.take(&claimed);
        self.dispatch(claimed).await?;
        Ok(n)
    }

    /// Domains whose site has room again may be claimed again.
    fn drop_full_mark(&mut self) {
        let limit = self.crew.settings.held_per_site / 2;
        let sites = &self.sites;
        self.full.retain(|_, site| {
            sites
                .get(site)
                .is_some_and(|s| s.waiting.load(Ordering::Relaxed) > limit)
        });
    }

    /// Sends each recipient on its way: listed ones to the recorder, the others by domain.
    async fn dispatch(&mut self, claimed: Vec<ClaimedRecipient>) -> Result<(), StoreError> {
        let mut domains: HashMap<String, Vec<(ClaimedRecipient, Arc<Context>)>> = HashMap::new();
        for recipient in claimed {
            let context = self.context(recipient.delivery).await?;
            match listed(&recipient, &context) {
                Some(denylisted) => {
                    let fact = Fact::Listed {
                        denylisted,
                        at: self.crew.clock.now(),
                    };
                    self.record(&recipient, &context, fact).await;
                }
                None => domains
                    .entry(recipient.domain.clone())
                    .or_default()
                    .push((recipient, context)),
            }
        }
        for (domain, waiting) in domains {
            self.look_up(domain, waiting);
        }
        Ok(())
    }

    /// What all recipients of a delivery share; read once.
    async fn context(&mut self, id: DeliveryId) -> Result<Arc<Context>, StoreError> {
        if let Some(context) = self.contexts.get(&id) {
            return Ok(Arc::clone(context));
        }
        let (store, identities) = (Arc::clone(&self.store), Arc::clone(&self.identities));
        let context = blocking(move || Context::load(store.as_ref(), &identities, id))
            .await
            .map(Arc::new)?;
        self.contexts.insert(id, Arc::clone(&context));
        Ok(context)
    }

    fn look_up(&self, domain: String, waiting: Vec<(ClaimedRecipient, Arc<Context>)>) {
        let crew = Arc::clone(&self.crew);
        self.crew.tasks.spawn(async move {
            // Bounds the questions that are open at a time.
            let _turn = crew.lookups.acquire().await;
            let plan = crew.router.plan(&domain, crew.monotonic_ms()).await;
            crew.tell(SenderEvent::Looked { waiting, plan });
        });
    }

    /// Hands recipients of one domain to their site, or records why there is none.
    async fn looked(&mut self, waiting: Vec<(ClaimedRecipient, Arc<Context>)>, plan: Planned) {
        match plan {
            Ok(plan) => self.hand_to_site(waiting, &plan),
            Err(unroutable) => {
                for (recipient, context) in waiting {
                    let outcome = unroutable.outcome(self.crew.clock.now());
                    let fact = Fact::Attempted {
                        outcome,
                        site_blocked: false,
                        tls: String::new(),
                        took_ms: 0,
                    };
                    self.record(&recipient, &context, fact).await;
                }
            }
        }
    }

    fn hand_to_site(&mut self, waiting: Vec<(ClaimedRecipient, Arc<Context>)>, plan: &Arc<Plan>) {
        let limit = self.crew.settings.held_per_site;
        let mut overflow = Vec::new();
        for (recipient, context) in waiting {
            let job = Job::new(recipient, context, Arc::clone(plan));
            let handle = self.site(&plan.site);
            if handle.waiting.load(Ordering::Relaxed) >= limit {
                overflow.push(job);
                continue;
            }
            self.order(&plan.site, job);
        }
        self.appetite
            .fed(overflow.is_empty(), std::time::Instant::now());
        if let Some(job) = overflow.first() {
            self.full
                .insert(job.recipient.domain.clone(), plan.site.clone());
            let due = self.crew.clock.now().plus(self.crew.settings.overflow_wait);
            self.crew.give_back(overflow, Some(due));
        }
    }

    fn order(&mut self, site: &SiteKey, job: Job) {
        let mut order = Order::Take(job);
        // A task that has just ended refuses; the one that takes its place does not.
        for _ in 0..2 {
            let handle = self.site(site);
            match handle.orders.send(order) {
                Ok(()) => {
                    handle.waiting.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(refused) => {
                    self.sites.remove(site);
                    order = refused.0;
                }
            }
        }
        if let Order::Take(job) = order {
            self.crew.give_back(vec![job], None);
        }
    }

    fn site(&mut self, key: &SiteKey) -> &SiteHandle {
        let (windows, crew) = (&mut self.windows, &self.crew);
        self.sites.entry(key.clone()).or_insert_with(|| {
            let window = windows
                .remove(key)
                .unwrap_or_else(|| Window::new(crew.settings.limits.clone()));
            site::start(key.clone(), crew, window)
        })
    }

    async fn record(&self, recipient: &ClaimedRecipient, context: &Context, fact: Fact) {
        let entry = Entry {
            subject: subject(recipient, context),
            fact,
            permit: None,
        };
        // The recorder only stops when the services end; the recipient then waits in the store.
        drop(self.crew.recorder.hand_in(entry).await);
    }

    /// Takes in what came back.
    pub(crate) async fn on_event(&mut self, event: SenderEvent) -> Result<(), StoreError> {
        match event {
            SenderEvent::Committed(done) => {
                for one in done {
                    self.to_settle
                        .extend(self.holdings.release(one.part, one.delivery));
                }
                if self.to_settle.len() >= SETTLE_AT {
                    self.settle().await?;
                }
            }
            SenderEvent::GaveBack { jobs, due } => self.on_gave_back(jobs, due).await?,
            SenderEvent::SiteEnded { site, window } => {
                if self
                    .sites
                    .get(&site)
                    .is_some_and(|handle| handle.orders.is_closed())
                {
                    self.sites.remove(&site);
                }
                if !window.is_plain(self.crew.clock.now()) {
                    self.windows.insert(site, window);
                }
            }
            SenderEvent::Looked { waiting, plan } => self.looked(waiting, plan).await,
        }
        Ok(())
    }

    async fn on_gave_back(
        &mut self,
        jobs: Vec<Job>,
        due: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        if let Some(due) = due {
            let ids: Vec<LogId> = jobs.iter().map(|job| job.recipient.log).collect();
            let store = Arc::clone(&self.store);
            blocking(move || store.give_back(&ids, due)).await?;
        }
        for job in jobs {
            self.to_settle
                .extend(self.holdings.release(job.recipient.part, job.delivery()));
        }
        Ok(())
    }

    /// Closes or gives back the parts of which nothing is held any more.
    pub(crate) async fn settle(&mut self) -> Result<(), StoreError> {
        if self.to_settle.is_empty() {
            return Ok(());
        }
        let (store, parts) = (Arc::clone(&self.store), std::mem::take(&mut self.to_settle));
        blocking(move || store.settle_parts(&parts)).await
    }

    /// Gives back everything that waits at a site.
    pub(crate) fn stop_all(&self) {
        for handle in self.sites.values() {
            // A site that has ended has nothing to sweep.
            drop(handle.orders.send(Order::Sweep));
        }
    }

    /// Stops sending these deliveries: what waits goes back, what is on the wire is finished.
    pub(crate) fn stop_sending(&mut self, stopped: &HashSet<DeliveryId>) {
        if self.crew.set_stopped(stopped) {
            self.stop_all();
        }
        self.contexts
            .retain(|id, _| !stopped.contains(id) || self.holdings.of(*id) > 0);
    }

    /// Forgets what is known of a delivery that has ended.
    pub(crate) fn forget(&mut self, id: DeliveryId) {
        self.contexts.remove(&id);
    }
}

/// Whether the address was listed after preparation: `Some(denylisted)`.
fn listed(recipient: &ClaimedRecipient, context: &Context) -> Option<bool> {
    match recipient.standing? {
        AddressStatus::Quarantine => context.excludes_quarantined.then_some(false),
        AddressStatus::Denylist => context.excludes_denylisted.then_some(true),
        AddressStatus::WithErrors | AddressStatus::Valid | AddressStatus::Allowlist => None,
    }
}

/// Runs a blocking call of the store off the async threads, again while another process keeps it busy.
pub(crate) async fn blocking<T, F>(call: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: Fn() -> Result<T, StoreError> + Send + 'static,
{
    match tokio::task::spawn_blocking(move || patiently(call)).await {
        Ok(result) => result,
        Err(crash) => Err(StoreError::Corrupt {
            what: "a call of the store".to_owned(),
            why: format!("it stopped unexpectedly: {crash}"),
        }),
    }
}
