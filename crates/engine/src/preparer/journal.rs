//! The lines of a preparation's journal, gathered until it ends.

use std::collections::BTreeMap;

use posthaste_core::delivery::Level;
use posthaste_core::failure::FailureReason;
use posthaste_core::prepare::rules::Finding;
use posthaste_core::time::Timestamp;
use posthaste_store::rows::JournalLine;

/// Lines in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Journal {
    lines: Vec<JournalLine>,
}

impl Journal {
    pub(super) fn add(&mut self, at: Timestamp, level: Level, text: impl Into<String>) {
        let text = text.into();
        self.lines.push(JournalLine { at, level, text });
    }

    pub(super) fn findings(&mut self, at: Timestamp, findings: Vec<Finding>) {
        for Finding { level, text } in findings {
            self.add(at, level, text);
        }
    }

    /// The counts: one line for the whole, one for each reason.
    pub(super) fn counts(
        &mut self,
        at: Timestamp,
        target: u64,
        excluded: &BTreeMap<FailureReason, u64>,
    ) {
        let sum: u64 = excluded.values().sum();
        let kept = target - sum.min(target);
        self.add(
            at,
            Level::Info,
            format!("the target has {target} recipients: {kept} kept, {sum} excluded"),
        );
        for (reason, count) in excluded {
            let code = reason.code();
            self.add(
                at,
                Level::Info,
                format!("excluded as {reason} ({code}): {count}"),
            );
        }
    }

    pub(super) fn has_error(&self) -> bool {
        self.lines.iter().any(|line| line.level == Level::Error)
    }

    pub(super) fn lines(&self) -> &[JournalLine] {
        &self.lines
    }

    pub(super) fn into_lines(self) -> Vec<JournalLine> {
        self.lines
    }
}
