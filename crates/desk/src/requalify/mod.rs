//! Re-qualification: past failures are selected, given another verdict, and can be taken back.
//!
//! A preview and its application walk the same way: failures of the ledger page by page, each
//! address judged once (at its first selected failure) with its whole history, so that memory does
//! not grow with their number. A preview holds no transaction; an application is one transaction,
//! and whoever writes waits for its end.

mod case;
mod export;
mod select;
mod survey;
#[cfg(test)]
mod tests;
mod undo;
mod verdicts;

use std::sync::Arc;

use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::{DeliveryId, RequalificationId};

use posthaste_core::quarantine::Policy;
use posthaste_core::time::Timestamp;
use posthaste_store::requalifying::{
    HeldEvent, LedgerReads, NewRequalification, Requalification, RequalifyTx, Span,
};
use posthaste_store::rows::{LogRow, Page};
use posthaste_store::{Requalifying, Store, StoreError};
use serde::Serialize;

use self::case::{Case, Consequence};
use self::select::Filter;
use self::survey::Surveyor;
use self::verdicts::Verdicts;
use super::quarantine::Hand;
use super::times::rfc3339;
use super::{DeskError, Result, not_found};
use posthaste_engine::rules::LiveRules;

pub use self::export::CsvExport;
pub use self::survey::{DomainNumbers, First, Moved, SendAgain, Survey};
pub use self::undo::{Undone, undo};

type Stored<T> = posthaste_store::Result<T>;

/// Events of the ledger read at once.
const PAGE: usize = 500;

/// Which failures; what is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Part of the text, as said or normalised; upper and lower case are the same.
    pub text: Option<String>,
    /// Name of the rule that judged.
    pub rule: Option<String>,
    /// Its type.
    pub kind: Option<FailureType>,
    /// Its reason.
    pub reason: Option<FailureReason>,
    /// Domains of the address (A-label form, lower case): one of these.
    pub domains: Vec<String>,
    /// Mask of the host that said it, with `*` for anything.
    pub provider: Option<String>,
    /// Its delivery.
    pub delivery: Option<DeliveryId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}

/// What the selected failures are held to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NewVerdict {
    /// This; without a party, each keeps its own.
    Given {
        /// The type.
        kind: FailureType,
        /// The reason.
        reason: FailureReason,
        /// Whose trouble.
        party: Option<Party>,
    },
    /// What the rules and qualifications of now say.
    ByRules,
}

/// A re-qualification as it is asked for.
pub struct Order<'a> {
    /// Which failures.
    pub selection: &'a Selection,
    /// What they are held to be.
    pub verdict: NewVerdict,
    /// The rules of now.
    pub rules: Arc<LiveRules>,
    /// Who, when, under which policy.
    pub hand: Hand<'a>,
    /// Why; may be empty.
    pub comment: &'a str,
    /// Is told from time to time how many failures were looked at.
    pub told: &'a dyn Fn(u64),
}

/// What applying the order would do; nothing is written to the store. Recipients that could be sent
/// again go to `export`.
///
/// # Errors
/// When the order is empty or goes back past retention, or something cannot be read or written.
pub fn preview(
    store: &dyn Store,
    order: &Order<'_>,
    export: Option<&mut CsvExport>,
) -> Result<Survey> {
    let mut walk = Walk::new(store, order, export)?;
    let mut ground = Looking(store.ledger());
    let done = walk.through(&mut ground);
    walk.end(None, done)
}

/// Carries the order out in one transaction. When no verdict changes, nothing is stored and the
/// answer has no id.
///
/// # Errors
/// As [`preview`]; nothing is changed then.
pub fn apply(
    store: &dyn Store,
    order: &Order<'_>,
    export: Option<&mut CsvExport>,
) -> Result<Survey> {
    let new = NewRequalification {
        at: order.hand.at,
        by: order.hand.by.to_owned(),
        comment: order.comment.to_owned(),
        selection: json(order.selection)?,
        verdict: json(&order.verdict)?,
    };
    let mut walk = Walk::new(store, order, export)?;
    let mut id = None;
    let done = store.requalify(&mut |tx| {
        let mut ground = Writing {
            tx,
            new: &new,
            id: None,
        };
        walk.through(&mut ground)?;
        id = ground.id;
        let numbers = serde_json::to_string(&walk.surveyor.so_far(id)).unwrap_or_default();
        ground.id.map_or(Ok(()), |id| ground.tx.end(id, &numbers))
    });
    walk.end(id, done)
}

/// The re-qualification with this id.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub fn find<S: Requalifying + ?Sized>(store: &S, id: RequalificationId) -> Result<Requalification> {
    store
        .requalification(id)?
        .ok_or_else(|| not_found(unknown(id)))
}

fn unknown(id: RequalificationId) -> String {
    format!("re-qualification {id}; see `posthaste requalify list`")
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| DeskError::Input(format!("the order cannot be written as JSON: {e}")))
}

/// From when to when, unless that is past retention.
fn span_of(store: &dyn Store, order: &Order<'_>) -> Result<Span> {
    let selection = order.selection;
    if *selection == Selection::default() && order.verdict != NewVerdict::ByRules {
        return Err(DeskError::Input(
            "say which failures: by text, rule, type, reason, domain, provider, delivery or time"
                .to_owned(),
        ));
    }
    let earliest = store
        .folded_until()?
        .map_or(Timestamp(i64::MIN), first_second_after);
    let to = selection.to.unwrap_or(order.hand.at);
    let from = selection.from.unwrap_or(earliest);
    if from < earliest {
        return Err(DeskError::Input(format!(
            "failures before {date} cannot be judged again: they are past retention, and the \
             database cleanup has folded them into what they had come to; begin at --from {date} \
             or later",
            date = rfc3339(earliest)
        )));
    }
    if to < from {
        return Err(DeskError::Input(format!(
            "the time range ends ({}) before it begins ({})",
            rfc3339(to),
            rfc3339(from)
        )));
    }
    Ok(Span { from, to })
}

/// The whole second after a moment, since moments are written in seconds.
fn first_second_after(at: Timestamp) -> Timestamp {
    Timestamp(
        at.0.div_euclid(1_000)
            .saturating_add(1)
            .saturating_mul(1_000),
    )
}

/// Where a walk reads, and what it does with what it finds.
trait Ground {
    fn reads(&mut self) -> &mut dyn LedgerReads;
    /// The re-qualification that is being written: its verdicts are not looked at.
    fn own(&self) -> Option<RequalificationId>;
    fn settle(&mut self, found: &Consequence) -> Stored<()>;
}

/// A preview: nothing is done.
struct Looking<'a>(Box<dyn LedgerReads + 'a>);

impl Ground for Looking<'_> {
    fn reads(&mut self) -> &mut dyn LedgerReads {
        &mut *self.0
    }

    fn own(&self) -> Option<RequalificationId> {
        None
    }

    fn settle(&mut self, _: &Consequence) -> Stored<()> {
        Ok(())
    }
}

/// An application: begun with the first verdict that changes.
struct Writing<'a> {
    tx: &'a mut dyn RequalifyTx,
    new: &'a NewRequalification,
    id: Option<RequalificationId>,
}

impl Ground for Writing<'_> {
    fn reads(&mut self) -> &mut dyn LedgerReads {
        self.tx
    }

    fn own(&self) -> Option<RequalificationId> {
        self.id
    }

    fn settle(&mut self, found: &Consequence) -> Stored<()> {
        if found.given.is_empty() {
            return Ok(());
        }
        let id = match self.id {
            Some(id) => id,
            None => self.tx.begin(self.new)?,
        };
        self.id = Some(id);
        for given in &found.given {
            self.tx
                .requalify_event(id, given.event, &given.old, &given.new)?;
        }
        self.tx.requalify_address(id, &found.address)?;
        for (row, ruling) in &found.rows {
            self.tx.rejudge_row(row.id, *ruling)?;
        }
        Ok(())
    }
}

/// One way through the selected failures.
struct Walk<'a> {
    filter: Filter,
    verdicts: Verdicts<'a>,
    surveyor: Surveyor<'a>,
    policy: &'a Policy,
    span: Span,
    export: Option<&'a mut CsvExport>,
    /// Why the recipients to be sent again could not be written.
    unwritten: Option<std::io::Error>,
    told: &'a dyn Fn(u64),
}

impl<'a> Walk<'a> {
    fn new(
        store: &'a dyn Store,
        order: &Order<'a>,
        export: Option<&'a mut CsvExport>,
    ) -> Result<Self> {
        let span = span_of(store, order)?;
        Ok(Self {
            filter: Filter::new(order.selection),
            verdicts: Verdicts::new(store, order.verdict, &order.rules),
            surveyor: Surveyor::new(store, span, order.hand.at),
            policy: order.hand.policy,
            span,
            export,
            unwritten: None,
            told: order.told,
        })
    }

    /// Every selected failure in the order of time; an address is judged at its first one.
    fn through(&mut self, ground: &mut dyn Ground) -> Stored<()> {
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = Page { after, limit: PAGE };
            let own = ground.own();
            let events = ground.reads().events_in(self.span, page, own)?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            after = Some((last.event.at, last.id));
            for held in &events {
                if self.filter.takes(&held.event) {
                    self.address_of(held, ground)?;
                }
            }
            seen += events.len() as u64;
            (self.told)(seen);
        }
    }

    fn address_of(&mut self, held: &HeldEvent, ground: &mut dyn Ground) -> Stored<()> {
        let (channel, key) = (held.event.channel, &held.event.key);
        let own = ground.own();
        let events = ground.reads().held_events(channel, key, own)?;
        let span = self.span;
        let picked: Vec<usize> = events
            .iter()
            .enumerate()
            .filter(|(_, held)| (span.from..=span.to).contains(&held.event.at))
            .filter(|(_, held)| self.filter.takes(&held.event))
            .map(|(place, _)| place)
            .collect();
        let first = picked.first().and_then(|place| events.get(*place));
        if first.is_none_or(|first| first.id != held.id) {
            return Ok(());
        }
        let case = Case { events, picked };
        let found = case.judge(self.policy, ground.reads(), &mut self.verdicts)?;
        ground.settle(&found)?;
        for row in self.surveyor.add(&case, &found)? {
            self.write_out(row, ground)?;
        }
        Ok(())
    }

    fn write_out(&mut self, row: &LogRow, ground: &mut dyn Ground) -> Stored<()> {
        let Some(export) = &mut self.export else {
            return Ok(());
        };
        let attributes = ground.reads().attributes(row.id)?.unwrap_or_default();
        export.add(&row.address, &attributes).map_err(|error| {
            let said = error.to_string();
            self.unwritten = Some(error);
            StoreError::Database {
                doing: "writing recipients to be sent again".to_owned(),
                source: said.into(),
            }
        })
    }

    fn end(self, id: Option<RequalificationId>, done: Stored<()>) -> Result<Survey> {
        if let Some(source) = self.unwritten {
            return Err(DeskError::Unreadable {
                doing: "writing recipients to be sent again".to_owned(),
                source,
            });
        }
        done?;
        Ok(self.surveyor.so_far(id))
    }
}
