//! Technical workflows: what runs on schedule, and on demand.
//!
//! A workflow is a name, a schedule and a `run` that may be repeated at any time: idempotent, in
//! short transactions, with a report of counts. It acts only through the store's traits and the
//! pure decisions. Each run is stored with its result, so that an operator sees when a workflow
//! last ran and what it did.

pub mod database_cleanup;

use std::collections::BTreeMap;
use std::time::Duration;

use posthaste_core::quarantine;
use posthaste_core::time::Timestamp;
use posthaste_store::rows::WorkflowRun;
use posthaste_store::{Store, StoreError};

/// What a workflow may use.
pub struct Context<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// When the run began.
    pub now: Timestamp,
    /// When addresses are quarantined and lifted.
    pub policy: &'a quarantine::Policy,
    /// How long logs are kept.
    pub retention: Duration,
}

/// What a run did: named counts.
pub type Report = BTreeMap<&'static str, u64>;

/// A technical workflow.
pub trait Workflow: Send + Sync {
    /// Its name, as in the CLI.
    fn name(&self) -> &'static str;
    /// What it does, in one sentence.
    fn purpose(&self) -> &'static str;
    /// Hour of the day (UTC) at which it runs.
    fn hour(&self) -> u8;
    /// Does the work.
    ///
    /// # Errors
    /// Those of the store; what was committed before stays.
    fn run(&self, context: &Context<'_>) -> Result<Report, StoreError>;
}

/// Every workflow; `cleanup_hour` is the hour of the day (UTC) of the database cleanup.
#[must_use]
pub fn all(cleanup_hour: u8) -> Vec<Box<dyn Workflow>> {
    vec![Box::new(database_cleanup::DatabaseCleanup {
        hour: cleanup_hour,
    })]
}

/// Runs a workflow now and stores the run with its result.
///
/// # Errors
/// Those of the workflow, after they were stored with the run.
pub fn run(workflow: &dyn Workflow, context: &Context<'_>) -> Result<Report, StoreError> {
    let run = context.store.begin_run(workflow.name(), context.now)?;
    let result = workflow.run(context);
    let stored = match &result {
        Ok(report) => {
            let text = serde_json::to_string(report).unwrap_or_default();
            context.store.end_run(run, context.now, Ok(&text))
        }
        Err(error) => context
            .store
            .end_run(run, context.now, Err(&error.to_string())),
    };
    result.and_then(|report| stored.map(|()| report))
}

/// Whether a daily workflow is due: its hour has come since its last run began.
#[must_use]
pub fn is_due(hour: u8, last: Option<&WorkflowRun>, now: Timestamp) -> bool {
    last.is_none_or(|run| run.began < latest_slot(hour, now))
}

/// The moment a daily workflow is due next.
#[must_use]
pub fn next_slot(hour: u8, now: Timestamp) -> Timestamp {
    latest_slot(hour, now).plus(DAY)
}

const DAY: Duration = Duration::from_hours(24);

fn latest_slot(hour: u8, now: Timestamp) -> Timestamp {
    const DAY_MS: i64 = 86_400_000;
    let midnight = now.0.div_euclid(DAY_MS) * DAY_MS;
    let slot = Timestamp(midnight + i64::from(hour) * 3_600_000);
    if slot > now { slot.minus(DAY) } else { slot }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn began(at: i64) -> WorkflowRun {
        WorkflowRun {
            id: 1,
            name: String::new(),
            began: Timestamp(at),
            ended: None,
            report: None,
            error: None,
        }
    }

    #[test]
    fn a_daily_workflow_is_due_once_its_hour_has_come_again() {
        let four = 100 * 24 * HOUR + 4 * HOUR;
        let rows = [
            (None, four, true),
            (Some(four - 1), four, true),
            (Some(four), four, false),
            (Some(four), four + 24 * HOUR - 1, false),
            (Some(four), four + 24 * HOUR, true),
        ];
        for (last, now, due) in rows {
            let last = last.map(began);
            assert_eq!(is_due(4, last.as_ref(), Timestamp(now)), due, "{now}");
        }
        assert_eq!(next_slot(4, Timestamp(four)), Timestamp(four + 24 * HOUR));
        assert_eq!(next_slot(4, Timestamp(four - 1)), Timestamp(four));
    }
}
