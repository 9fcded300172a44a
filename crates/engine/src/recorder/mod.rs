//! The only writer of results.
//!
//! Outcomes come in by a bounded channel, are qualified, decided on and stored, one transaction
//! per group (group commit). Whoever hands in an outcome holds a [`Permit`] from before the first
//! byte was sent until the outcome is on disk: that bounds what a crash can leave in doubt.
//!
//! Neighbours: `verdict` asks the rules, `write` does one outcome inside the transaction.

mod verdict;
mod write;

use std::sync::Arc;
use std::time::Duration;

use posthaste_core::evidence::Outcome;
use posthaste_core::ids::{DeliveryId, LogId, PartId};
use posthaste_core::quarantine;
use posthaste_core::retry::RetryPolicy;
use posthaste_core::time::Timestamp;
use posthaste_store::{Store, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::patience::patiently;
use crate::progress::{Board, Step};
use crate::rules::LiveRules;

pub use verdict::Judge;
pub use verdict::{doubtful, with_person};

/// Most outcomes in one transaction.
const GROUP: usize = 128;
/// Most outcomes that may be accepted somewhere and not yet on disk here.
const IN_DOUBT: usize = 256;
/// Longest wait for a group to fill.
const GROUP_WAIT: Duration = Duration::from_millis(50);

/// The right to have one message between the first byte and the commit.
#[derive(Debug)]
pub struct Permit {
    _held: OwnedSemaphorePermit,
}

/// Whose outcome it is, and what the decision needs to know.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The delivery log row.
    pub log: LogId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its part.
    pub part: PartId,
    /// The key of its address.
    pub key: Arc<str>,
    /// End of the delivery's validity.
    pub valid_until: Timestamp,
    /// The delivery's retries.
    pub retries: Arc<RetryPolicy>,
}

/// What is handed to the recorder.
#[derive(Debug)]
pub struct Entry {
    /// Whose outcome.
    pub subject: Subject,
    /// What happened.
    pub fact: Fact,
    /// The right it was sent under; `None` when nothing was sent.
    pub permit: Option<Permit>,
}

/// What happened to one recipient.
#[derive(Debug)]
pub enum Fact {
    /// An attempt ended.
    Attempted {
        /// Its outcome.
        outcome: Outcome,
        /// The site as a whole was in trouble: failures of the path do not count.
        site_blocked: bool,
        /// How the stream was protected.
        tls: String,
        /// How long it took, in milliseconds.
        took_ms: u32,
    },
    /// Its address was listed after preparation: it is not tried.
    Listed {
        /// Denylisted rather than in quarantine.
        denylisted: bool,
        /// When this was seen.
        at: Timestamp,
    },
}

/// The handle by which outcomes are handed in.
#[derive(Debug, Clone)]
pub struct Recorder {
    entries: mpsc::Sender<Entry>,
    doubt: Arc<Semaphore>,
}

/// Why an outcome cannot be handed in any more.
#[derive(Debug, thiserror::Error)]
#[error("the recorder has stopped; outcomes can no longer be stored")]
pub struct Stopped;

impl Recorder {
    /// Waits for the right to send one message.
    ///
    /// # Errors
    /// [`Stopped`] when the recorder has ended.
    pub async fn permit(&self) -> Result<Permit, Stopped> {
        let held = Arc::clone(&self.doubt)
            .acquire_owned()
            .await
            .map_err(|_| Stopped)?;
        Ok(Permit { _held: held })
    }

    /// Hands in what happened; waits while the recorder is full.
    ///
    /// # Errors
    /// [`Stopped`] when the recorder has ended.
    pub async fn hand_in(&self, entry: Entry) -> Result<(), Stopped> {
        self.entries.send(entry).await.map_err(|_| Stopped)
    }
}

/// What the recorder works with.
pub struct Settings {
    /// Where results go.
    pub store: Arc<dyn Store>,
    /// Who says what failures mean.
    pub rules: Arc<LiveRules>,
    /// When addresses are quarantined.
    pub policy: quarantine::Policy,
    /// Where progress is shown.
    pub board: Arc<Board>,
}

/// What was committed, for whoever keeps count of leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The row.
    pub log: LogId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its part.
    pub part: PartId,
}

/// Makes a recorder: its handle, and the work that must be run for as long as handles exist.
/// `committed` learns of every group on disk.
pub fn start(
    settings: Settings,
    committed: mpsc::UnboundedSender<Vec<Committed>>,
) -> (Recorder, impl Future<Output = Result<(), StoreError>>) {
    let (entries, inbox) = mpsc::channel(IN_DOUBT);
    let doubt = Arc::new(Semaphore::new(IN_DOUBT));
    let recorder = Recorder {
        entries,
        doubt: Arc::clone(&doubt),
    };
    let settings = Arc::new(settings);
    let work = async move {
        let result = run(settings, inbox, committed).await;
        // Whoever waits for a permit must not wait for ever.
        doubt.close();
        result
    };
    (recorder, work)
}

async fn run(
    settings: Arc<Settings>,
    mut inbox: mpsc::Receiver<Entry>,
    committed: mpsc::UnboundedSender<Vec<Committed>>,
) -> Result<(), StoreError> {
    let judge = Arc::new(Judge::new(Arc::clone(&settings.rules)));
    while let Some(group) = next_group(&mut inbox).await {
        let (settings, judge) = (Arc::clone(&settings), Arc::clone(&judge));
        let stored = tokio::task::spawn_blocking(move || commit(&settings, &judge, group)).await;
        match stored {
            // Nobody listens once the services end; the group is on disk all the same.
            Ok(Ok(done)) => drop(committed.send(done)),
            Ok(Err(error)) => return Err(error),
            Err(crash) => {
                return Err(StoreError::Corrupt {
                    what: "a group of outcomes".to_owned(),
                    why: format!("storing it stopped unexpectedly: {crash}"),
                });
            }
        }
    }
    Ok(())
}

/// The next group: what is there, up to [`GROUP`], waiting at most [`GROUP_WAIT`] for more.
/// `None` when every handle is gone.
async fn next_group(inbox: &mut mpsc::Receiver<Entry>) -> Option<Vec<Entry>> {
    let mut group = vec![inbox.recv().await?];
    let until = tokio::time::Instant::now() + GROUP_WAIT;
    while group.len() < GROUP {
        let room = GROUP - group.len();
        match tokio::time::timeout_at(until, inbox.recv_many(&mut group, room)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Some(group)
}

fn commit(
    settings: &Settings,
    judge: &Judge,
    group: Vec<Entry>,
) -> Result<Vec<Committed>, StoreError> {
    let steps = patiently(|| {
        let mut steps: Vec<(DeliveryId, Step)> = Vec::new();
        settings.store.record(&mut |tx| {
            steps.clear();
            let mut writer = write::Writer::new(tx, judge, &settings.policy);
            for entry in &group {
                writer.write(&entry.subject, &entry.fact, &mut steps)?;
            }
            writer.finish()
        })?;
        Ok(steps)
    })?;
    settings.board.add(steps);
    Ok(group
        .into_iter()
        .map(|entry| Committed {
            log: entry.subject.log,
            delivery: entry.subject.delivery,
            part: entry.subject.part,
        })
        .collect())
}
