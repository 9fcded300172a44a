//! Runs all services of a data directory: recorder, sender, deliveries' moves, workflows.
//!
//! One loop turns: it moves deliveries on (start, pause, expiry, end), gathers recipients that are
//! due, claims, and takes in what came back. In time-lapse, when nothing is held and nothing can
//! be claimed, policy time jumps to the next due event.
//!
//! What dies here at any line is taken up again by the next start: leases of another owner are
//! void, states are compare-and-set, results are written by the recorder alone.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use posthaste_core::delivery::{DeliveryEvent, DeliveryState, Level, next};
use posthaste_core::ids::DeliveryId;
use posthaste_core::qualify::RuleSet;
use posthaste_core::quarantine;
use posthaste_core::time::Timestamp;
use posthaste_net::plan::Router;
use posthaste_store::rows::{Delivery, JournalLine};
use posthaste_store::{Store, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::progress::Board;
use crate::recorder;
use crate::rules::LiveRules;
use crate::sender::{Crew, Identities, Sender, SenderEvent, SenderSettings, blocking};
use crate::words;
use crate::workflows::{self, database_cleanup};

/// How often deliveries are looked at (real time): a command is seen within this.
const TURN: Duration = Duration::from_millis(200);
/// Due recipients gathered per turn.
const GATHER: usize = 5_000;

/// What the services need.
pub struct Services {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Policy time.
    pub clock: Arc<dyn Clock>,
    /// Names this process as the holder of leases; different for each start.
    pub owner: String,
    /// What failures mean, before the rules of the store are added.
    pub rules: Arc<RuleSet>,
    /// When addresses are quarantined.
    pub policy: quarantine::Policy,
    /// How long logs are kept.
    pub retention: Duration,
    /// Hour of the day (UTC) at which the database is cleaned up.
    pub cleanup_hour: u8,
    /// Where domains lead.
    pub router: Arc<Router>,
    /// Tokens and signing keys.
    pub identities: Arc<Identities>,
    /// How it sends.
    pub settings: SenderSettings,
    /// Where progress is shown.
    pub board: Arc<Board>,
}

/// When the services stop by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// Only when told to.
    Told,
    /// When these deliveries have ended or are paused; told to stop, they are paused.
    Ended(Vec<DeliveryId>),
}

/// Runs the services until `until` holds or `stop` is cancelled; then finishes what is on the
/// wire, stores every outcome and returns.
///
/// # Errors
/// Trouble with the store. Whatever was not stored is taken up again by the next start.
pub async fn run(
    services: Services,
    until: Until,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    let (committed, mut disk) = mpsc::unbounded_channel();
    let (store, base) = (Arc::clone(&services.store), Arc::clone(&services.rules));
    let rules = Arc::new(blocking(move || LiveRules::load(&base, store.as_ref())).await?);
    let (recorder, recording) = recorder::start(
        recorder::Settings {
            store: Arc::clone(&services.store),
            rules: Arc::clone(&rules),
            policy: services.policy.clone(),
            board: Arc::clone(&services.board),
        },
        committed,
    );
    let mut recording = tokio::spawn(recording);
    let (events, mut inbox) = mpsc::unbounded_channel();
    let forward = events.clone();
    let forwarding = tokio::spawn(async move {
        while let Some(done) = disk.recv().await {
            if forward.send(SenderEvent::Committed(done)).is_err() {
                break;
            }
        }
    });
    let crew = Crew::new(&services, recorder, events);
    let mut engine = Engine::new(&services, Arc::clone(&crew), rules);
    let result = tokio::select! {
        result = engine.work(&until, &stop, &mut inbox) => result,
        ended = &mut recording => Err(recorder_ended(ended)),
    };
    if result.is_ok() {
        // Only now does nobody hand in any more: the recorder writes its rest and ends.
        crew.tasks.close();
        crew.tasks.wait().await;
    }
    drop(engine);
    drop(crew);
    if result.is_ok() {
        recording
            .await
            .unwrap_or_else(|crash| Err(crashed(&crash)))?;
    }
    forwarding.abort();
    result
}

fn recorder_ended(ended: Result<Result<(), StoreError>, tokio::task::JoinError>) -> StoreError {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) => StoreError::Corrupt {
            what: "the recorder".to_owned(),
            why: "it ended while outcomes were still expected".to_owned(),
        },
        Err(crash) => crashed(&crash),
    }
}

fn crashed(crash: &tokio::task::JoinError) -> StoreError {
    StoreError::Corrupt {
        what: "the recorder".to_owned(),
        why: format!("it stopped unexpectedly: {crash}"),
    }
}

/// What comes after a turn.
enum After {
    /// Wait for the next tick or event.
    Wait,
    /// Policy time has jumped: turn again at once.
    Again,
    /// The services are done.
    Done,
}

/// The loop's own state.
struct Engine<'a> {
    services: &'a Services,
    crew: Arc<Crew>,
    sender: Sender,
    rules: Arc<LiveRules>,
    /// Ended deliveries whose recipients have all been ended.
    swept: HashSet<DeliveryId>,
    /// Told to stop: nothing more is claimed.
    closing: bool,
}

impl<'a> Engine<'a> {
    fn new(services: &'a Services, crew: Arc<Crew>, rules: Arc<LiveRules>) -> Self {
        let sender = Sender::new(
            Arc::clone(&services.store),
            Arc::clone(&crew),
            services.owner.clone(),
            Arc::clone(&services.identities),
        );
        Self {
            services,
            crew,
            sender,
            rules,
            swept: HashSet::new(),
            closing: false,
        }
    }

    fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    async fn work(
        &mut self,
        until: &Until,
        stop: &CancellationToken,
        inbox: &mut mpsc::UnboundedReceiver<SenderEvent>,
    ) -> Result<(), StoreError> {
        let (store, owner, now) = (
            Arc::clone(&self.services.store),
            self.services.owner.clone(),
            self.now(),
        );
        blocking(move || store.release_leases(&owner, now)).await?;
        let mut turn = tokio::time::interval(TURN);
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = inbox.recv() => {
                    let Some(event) = event else { return Ok(()) };
                    self.sender.on_event(event).await?;
                    while let Ok(event) = inbox.try_recv() {
                        self.sender.on_event(event).await?;
                    }
                    if !self.closing {
                        self.sender.claim().await?;
                    }
                }
                _ = turn.tick() => match self.turn(until).await? {
                    After::Wait => {}
                    After::Again => turn.reset_immediately(),
                    After::Done => return Ok(()),
                },
                () = stop.cancelled(), if !self.closing => self.close(until).await?,
            }
        }
    }

    /// Told to stop: pauses what it was started for, and claims no more.
    async fn close(&mut self, until: &Until) -> Result<(), StoreError> {
        self.closing = true;
        if let Until::Ended(ids) = until {
            for id in ids {
                if let Some(delivery) = self.services.store.delivery(*id)? {
                    self.advance(&delivery, DeliveryEvent::Pause).await?;
                }
            }
        }
        self.crew.close();
        self.sender.stop_all();
        Ok(())
    }

    /// One turn; returns what comes after it.
    async fn turn(&mut self, until: &Until) -> Result<After, StoreError> {
        self.sender.settle().await?;
        self.refresh_rules().await?;
        let waiting_jobs = self.move_deliveries().await?;
        if self.closing {
            return Ok(if self.sender.held() == 0 {
                After::Done
            } else {
                After::Wait
            });
        }
        self.run_workflows().await?;
        let (store, now) = (Arc::clone(&self.services.store), self.now());
        let gathered = blocking(move || store.gather_due(now, GATHER)).await?;
        let claimed = self.sender.claim().await?;
        if let Until::Ended(ids) = until
            && self.sender.held() == 0
            && self.all_at_rest(ids).await?
        {
            self.crew.close();
            return Ok(After::Done);
        }
        let idle = gathered == 0 && claimed == 0 && !waiting_jobs && self.sender.held() == 0;
        if idle && self.jump().await? {
            Ok(After::Again)
        } else {
            Ok(After::Wait)
        }
    }

    /// Takes up rules that an operator has changed.
    async fn refresh_rules(&self) -> Result<(), StoreError> {
        let (store, rules) = (Arc::clone(&self.services.store), Arc::clone(&self.rules));
        blocking(move || rules.refresh(store.as_ref())).await?;
        Ok(())
    }

    /// Time-lapse: nothing is in flight, so policy time goes to the next due event. Returns
    /// whether it did.
    async fn jump(&mut self) -> Result<bool, StoreError> {
        if !self.services.clock.can_jump() {
            return Ok(false);
        }
        let (store, now) = (Arc::clone(&self.services.store), self.now());
        let due = blocking(move || store.next_due(now)).await?;
        Ok(due.is_some_and(|due| self.services.clock.jump(due)))
    }

    async fn all_at_rest(&self, ids: &[DeliveryId]) -> Result<bool, StoreError> {
        let (store, ids) = (Arc::clone(&self.services.store), ids.to_vec());
        blocking(move || {
            for id in &ids {
                let state = store.delivery(*id)?.map(|d| d.state);
                if !state.is_none_or(|s| s.has_ended() || s == DeliveryState::Paused) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }

    /// Moves every delivery whose time has come; returns whether some recipients remain to be
    /// ended.
    async fn move_deliveries(&mut self) -> Result<bool, StoreError> {
        use DeliveryState as S;
        let states = [
            S::StartPending,
            S::InProgress,
            S::PauseRequested,
            S::Stopped,
        ];
        let store = Arc::clone(&self.services.store);
        let deliveries = blocking(move || store.deliveries_in(&states)).await?;
        let now = self.now();
        let stopped: HashSet<DeliveryId> = deliveries
            .iter()
            .filter(|d| !may_send(d, now))
            .map(|d| d.id)
            .collect();
        self.sender.stop_sending(&stopped);
        let mut remaining = false;
        for delivery in &deliveries {
            let expired = delivery.valid_until.is_some_and(|until| until <= now);
            let held = self.sender.held_of(delivery.id) > 0;
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "only the states asked for come"
            )]
            match delivery.state {
                S::StartPending if expired => self.expire(delivery).await?,
                S::StartPending => self.start_if_due(delivery, now).await?,
                _ if held => remaining |= delivery.state == S::Stopped,
                S::InProgress | S::PauseRequested if expired => self.expire(delivery).await?,
                S::InProgress => self.finish_if_drained(delivery).await?,
                S::PauseRequested => self.advance(delivery, DeliveryEvent::Drained).await?,
                S::Stopped => self.sweep(delivery.id).await?,
                _ => {}
            }
        }
        Ok(remaining)
    }

    async fn start_if_due(&self, delivery: &Delivery, now: Timestamp) -> Result<(), StoreError> {
        let due = delivery.contact_date.is_none_or(|date| date <= now);
        if due && !self.closing {
            self.advance(delivery, DeliveryEvent::Start).await?;
        }
        Ok(())
    }

    async fn finish_if_drained(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        let (store, id) = (Arc::clone(&self.services.store), delivery.id);
        if blocking(move || store.is_drained(id)).await? {
            self.advance(delivery, DeliveryEvent::AllEnded).await?;
            self.sender.forget(delivery.id);
        }
        Ok(())
    }

    /// The validity has passed: who still waits is ended, then the delivery.
    async fn expire(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        self.end_waiting(delivery.id).await?;
        self.advance(delivery, DeliveryEvent::Expire).await?;
        self.sender.forget(delivery.id);
        Ok(())
    }

    /// A stopped delivery: who still waits is ended, once.
    async fn sweep(&mut self, id: DeliveryId) -> Result<(), StoreError> {
        if self.swept.insert(id) {
            self.end_waiting(id).await?;
            self.sender.forget(id);
        }
        Ok(())
    }

    async fn end_waiting(&mut self, id: DeliveryId) -> Result<(), StoreError> {
        self.sender.settle().await?;
        let (store, now) = (Arc::clone(&self.services.store), self.now());
        blocking(move || database_cleanup::end_waiting(store.as_ref(), id, now)).await?;
        Ok(())
    }

    /// Makes a legal move by compare-and-set and notes it in the journal. A move that has become
    /// illegal, or that somebody else made first, is left to the next turn.
    async fn advance(&self, delivery: &Delivery, event: DeliveryEvent) -> Result<(), StoreError> {
        let Ok(to) = next(delivery.state, event) else {
            return Ok(());
        };
        let (store, now) = (Arc::clone(&self.services.store), self.now());
        let (id, from) = (delivery.id, delivery.state);
        blocking(move || {
            if store.move_delivery(id, from, to, now)? {
                let text = format!("the delivery is {}", words::state(to));
                store.journal(
                    id,
                    &[JournalLine {
                        at: now,
                        level: Level::Info,
                        text,
                    }],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Runs the workflows whose hour has come.
    async fn run_workflows(&self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.services.store);
        let (now, retention) = (self.now(), self.services.retention);
        let cleanup_hour = self.services.cleanup_hour;
        let policy = self.services.policy.clone();
        blocking(move || {
            for workflow in workflows::all(cleanup_hour) {
                let last = store.runs(workflow.name(), 1)?;
                if workflows::is_due(workflow.hour(), last.first(), now) {
                    let context = workflows::Context {
                        store: store.as_ref(),
                        now,
                        policy: &policy,
                        retention,
                    };
                    // Its error is stored with the run, where operators look for it; the
                    // services go on.
                    if let Err(error) = workflows::run(workflow.as_ref(), &context) {
                        tracing::error!(workflow = workflow.name(), %error, "a workflow failed");
                    }
                }
            }
            Ok(())
        })
        .await
    }
}

/// Whether recipients of this delivery may be on their way.
fn may_send(delivery: &Delivery, now: Timestamp) -> bool {
    delivery.state.is_sending() && delivery.valid_until.is_none_or(|until| until > now)
}
