//! One preparation: the steps, the moves of the state, and what happens when a step fails.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use posthaste_compose::Template;
use posthaste_core::delivery::{DeliveryEvent, DeliveryState, Level, next};
use posthaste_core::ids::DeliveryId;
use posthaste_core::prepare::rules::{self, Phase, Summary};
use posthaste_core::prepare::{batch_quantity, starts_by_itself};
use posthaste_core::time::Timestamp;
use posthaste_store::StoreError;
use posthaste_store::rows::Delivery;

use super::journal::Journal;
use super::messages::ENOUGH;
use super::options::{exclusion_options, summary};
use super::target::{Counts, Target};
use super::{PrepareError, PrepareStore, Prepared, Preparer, Progress};
use crate::content::content_of;
use crate::spec::Spec;

/// Recipients whose attributes are looked at to tell a misspelt name.
const SAMPLE: usize = 1_000;

/// A preparation that has begun: the delivery is *counting* and holds nothing of an earlier one.
pub(super) struct Run<'a, S: PrepareStore + ?Sized> {
    preparer: &'a Preparer<'a, S>,
    delivery: Delivery,
    spec: Spec,
    lost: &'a AtomicBool,
    state: DeliveryState,
    journal: Journal,
}

impl<'a, S: PrepareStore + ?Sized> Run<'a, S> {
    /// Moves the delivery to *counting* and clears what an earlier preparation left.
    pub(super) fn begin(
        preparer: &'a Preparer<'a, S>,
        id: DeliveryId,
        lost: &'a AtomicBool,
    ) -> Result<Self, PrepareError> {
        let delivery = preparer.store.delivery(id)?;
        let delivery = delivery.ok_or_else(|| StoreError::NotFound {
            what: format!("delivery {id}"),
        })?;
        let spec = serde_json::from_str(&delivery.spec).map_err(|error| PrepareError::Spec {
            id,
            why: error.to_string(),
        })?;
        let mut run = Self {
            preparer,
            state: delivery.state,
            delivery,
            spec,
            lost,
            journal: Journal::default(),
        };
        // We hold the right to prepare, so whoever left it in the middle is gone.
        if matches!(
            run.state,
            DeliveryState::Counting | DeliveryState::Personalizing
        ) {
            run.go(DeliveryEvent::PreparationFailed)?;
        }
        run.go(DeliveryEvent::Prepare)?;
        Ok(run)
    }

    /// Does the work; what fails on the way leaves the delivery in *preparation failed*.
    pub(super) fn finish(
        mut self,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Prepared, PrepareError> {
        match self.work(progress) {
            Ok(counts) => self.close(counts),
            Err(error) => {
                if !matches!(error, PrepareError::Changed(_)) {
                    self.give_up(&error);
                }
                Err(error)
            }
        }
    }

    fn work(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<Counts, PrepareError> {
        let store = self.preparer.store;
        store.clear_preparation(self.delivery.id)?;
        let options = exclusion_options(store, &self.spec.exclusions)?;
        let content = content_of(&self.spec, store)?;
        let template = match Template::compile(&content) {
            Ok(template) => template,
            Err(error) => {
                self.journal
                    .add(self.now(), Level::Error, error.to_string());
                self.rules(Phase::StartOfTargeting, 0, 0);
                return Ok(Counts {
                    cut_short: true,
                    ..Counts::default()
                });
            }
        };
        let message_bytes = template.estimated_size() as u64;
        self.rules(Phase::StartOfTargeting, message_bytes, 0);
        let target = Target {
            store,
            delivery: &self.delivery,
            options: &options,
            template: &template,
            threads: self.threads(),
            stop: [self.preparer.cancel, self.lost],
        };
        let quantity = batch_quantity(self.spec.batch_quantity, message_bytes);
        let mut counts = target.read(quantity, progress)?;
        if !counts.trouble.is_empty() {
            let columns = self.columns()?;
            counts.name_unknown_variables(&template, &columns);
        }
        if !counts.cut_short {
            self.rules(Phase::AfterTargeting, message_bytes, counts.kept);
            self.rules(Phase::EndOfAnalysis, message_bytes, counts.kept);
        }
        Ok(counts)
    }

    /// Names of the attributes that the first recipients have.
    fn columns(&self) -> Result<BTreeSet<String>, PrepareError> {
        let store = self.preparer.store;
        let rows = store.recipients(self.delivery.list, None, SAMPLE)?;
        let parsed = rows.iter().filter_map(|row| {
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&row.attributes).ok()
        });
        Ok(parsed
            .flat_map(|map| map.into_iter().map(|(name, _)| name))
            .collect())
    }

    fn threads(&self) -> usize {
        match self.preparer.settings.threads {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get().min(8)),
            given => given,
        }
    }

    fn rules(&mut self, phase: Phase, message_bytes: u64, to_send: u64) {
        let files: Vec<(&str, u64)> = self
            .spec
            .attachments
            .iter()
            .map(|file| (file.name.as_str(), file.size))
            .collect();
        let summary = Summary {
            message_bytes,
            proof: self.delivery.proof,
            to_send,
            ..summary(&self.spec, &files, &self.preparer.settings)
        };
        let findings = rules::check(phase, &summary);
        let now = self.now();
        self.journal.findings(now, findings);
    }

    /// Writes the journal, freezes what was counted, and moves to the last state.
    fn close(mut self, counts: Counts) -> Result<Prepared, PrepareError> {
        let store = self.preparer.store;
        let now = self.now();
        self.describe(now, &counts);
        let counts = if counts.cut_short {
            store.clear_preparation(self.delivery.id)?;
            Counts::default()
        } else {
            store.end_preparation(self.delivery.id, counts.target, counts.kept)?;
            counts
        };
        store.journal(self.delivery.id, self.journal.lines())?;
        self.go(DeliveryEvent::Targeted)?;
        self.go(if self.journal.has_error() {
            DeliveryEvent::PreparationFailed
        } else {
            DeliveryEvent::Prepared
        })?;
        let journal = self.journal.into_lines();
        Ok(Prepared {
            state: self.state,
            target: counts.target,
            kept: counts.kept,
            excluded: counts.excluded,
            starts_by_itself: starts_by_itself(
                self.spec.approval,
                posthaste_store::worst(&journal),
            ),
            journal,
        })
    }

    fn describe(&mut self, now: Timestamp, counts: &Counts) {
        for text in &counts.unknown {
            self.journal.add(now, Level::Error, text);
        }
        for (_, text) in &counts.trouble {
            self.journal.add(now, Level::Error, text);
        }
        if counts.cut_short && counts.unknown.is_empty() && counts.target > 0 {
            let text = format!(
                "preparation stopped after {ENOUGH} recipients whose message cannot be made, \
                 {} recipients into the target: correct the template or the recipients",
                counts.target
            );
            self.journal.add(now, Level::Error, text);
        }
        if counts.cut_short {
            return;
        }
        self.journal.counts(now, counts.target, &counts.excluded);
        if counts.kept == 0 {
            let text = if counts.target == 0 {
                "the target is empty: its list has no recipients; import some"
            } else {
                "the target is empty: every recipient is excluded; see the exclusions"
            };
            self.journal.add(now, Level::Error, text);
        }
    }

    /// Leaves nothing half-ready. What cannot be done now (the store may be what failed) the next
    /// preparation does, as it clears first.
    fn give_up(&mut self, error: &PrepareError) {
        let store = self.preparer.store;
        self.journal
            .add(self.now(), Level::Error, error.to_string());
        let left = store
            .clear_preparation(self.delivery.id)
            .and_then(|()| store.journal(self.delivery.id, self.journal.lines()))
            .map_err(PrepareError::from)
            .and_then(|()| self.go(DeliveryEvent::PreparationFailed));
        if let Err(left) = left {
            tracing::warn!(delivery.id = self.delivery.id.0, error = %left, "a failed preparation could not be cleared; the next one will");
        }
    }

    fn go(&mut self, event: DeliveryEvent) -> Result<(), PrepareError> {
        let id = self.delivery.id;
        let to =
            next(self.state, event).map_err(|illegal| PrepareError::Illegal { id, illegal })?;
        let moved = self
            .preparer
            .store
            .move_delivery(id, self.state, to, self.now())?;
        if !moved {
            return Err(PrepareError::Changed(id));
        }
        self.state = to;
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.preparer.clock.now()
    }
}
