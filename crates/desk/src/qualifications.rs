//! The delivery log qualification: what a person says a text means.

use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::QualificationId;
use posthaste_core::log::QualificationStatus;
use posthaste_core::time::Timestamp;
use posthaste_store::Qualifications;
use posthaste_store::rows::{MAX_OCCURRENCES, Qualification};

use super::{DeskError, Result, not_found};

/// What a person changes; `None` leaves a value as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// Its type.
    pub kind: Option<FailureType>,
    /// Its reason.
    pub reason: Option<FailureReason>,
    /// Whose trouble it is.
    pub party: Option<Party>,
    /// To qualify, keep or ignore. A type or reason without a status means *keep*.
    pub status: Option<QualificationStatus>,
    /// How often it was met: set by hand, 0 to begin anew.
    pub occurrences: Option<u32>,
}

/// The entry with this id.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub fn find<S: Qualifications + ?Sized>(store: &S, id: QualificationId) -> Result<Qualification> {
    store.qualification_by_id(id)?.ok_or_else(|| {
        not_found(format!(
            "qualification {id}; see `posthaste qualifications list`"
        ))
    })
}

/// Applies a person's change to an entry and stores it.
///
/// # Errors
/// When the change says nothing, too many occurrences are given, there is no such entry, or the
/// store cannot be written.
pub fn set<S: Qualifications + ?Sized>(
    store: &S,
    id: QualificationId,
    change: &Change,
    at: Timestamp,
) -> Result<Qualification> {
    let changed = apply(&find(store, id)?, change)?;
    store.set_qualification(&changed, at)?;
    Ok(changed)
}

fn apply(entry: &Qualification, change: &Change) -> Result<Qualification> {
    if *change == Change::default() {
        return Err(DeskError::Input(
            "nothing to change: give a type, a reason, a party, a status or occurrences".to_owned(),
        ));
    }
    if change.occurrences.is_some_and(|n| n > MAX_OCCURRENCES) {
        return Err(DeskError::Input(format!(
            "occurrences are counted up to {MAX_OCCURRENCES}: give a number up to that"
        )));
    }
    let judged = change.kind.is_some() || change.reason.is_some() || change.party.is_some();
    let implied = judged.then_some(QualificationStatus::Keep);
    let status = change.status.or(implied).unwrap_or(entry.status);
    let said = entry.by_person || judged || change.status.is_some();
    Ok(Qualification {
        kind: change.kind.unwrap_or(entry.kind),
        reason: change.reason.unwrap_or(entry.reason),
        party: change.party.unwrap_or(entry.party),
        status,
        occurrences: change.occurrences.unwrap_or(entry.occurrences),
        // «To qualify» gives the word back to the rules.
        by_person: said && status != QualificationStatus::ToQualify,
        ..entry.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthaste_core::log::Channel;

    fn entry() -> Qualification {
        Qualification {
            id: QualificationId(1),
            channel: Channel::Email,
            first_text: "550 no such user u1".to_owned(),
            text: "550 no such user #xxx#".to_owned(),
            occurrences: 7,
            kind: FailureType::NotDefined,
            reason: FailureReason::NotDefined,
            party: Party::Recipient,
            status: QualificationStatus::ToQualify,
            by_person: false,
            rule: "not-defined".to_owned(),
            first_seen: Timestamp(0),
            last_seen: Timestamp(1),
        }
    }

    #[test]
    fn a_type_or_reason_keeps_the_entry_and_marks_it_as_a_persons() {
        let change = Change {
            kind: Some(FailureType::Hard),
            reason: Some(FailureReason::UserUnknown),
            ..Change::default()
        };
        let changed = apply(&entry(), &change).unwrap();
        assert_eq!(changed.status, QualificationStatus::Keep);
        assert!(changed.by_person);
        assert_eq!(changed.occurrences, 7);
        assert_eq!(changed.text, entry().text);
    }

    #[test]
    fn a_reset_of_the_counter_alone_leaves_the_judgement_to_the_rules() {
        let change = Change {
            occurrences: Some(0),
            ..Change::default()
        };
        let changed = apply(&entry(), &change).unwrap();
        assert_eq!((changed.occurrences, changed.by_person), (0, false));
        assert_eq!(changed.status, QualificationStatus::ToQualify);
    }

    #[test]
    fn a_text_that_is_to_be_qualified_again_is_judged_by_the_rules() {
        let kept = Qualification {
            by_person: true,
            status: QualificationStatus::Keep,
            ..entry()
        };
        let change = Change {
            status: Some(QualificationStatus::ToQualify),
            ..Change::default()
        };
        assert!(!apply(&kept, &change).unwrap().by_person);
        let ignore = Change {
            status: Some(QualificationStatus::Ignore),
            ..Change::default()
        };
        assert!(apply(&entry(), &ignore).unwrap().by_person);
    }

    #[test]
    fn empty_and_excessive_changes_are_refused() {
        assert!(apply(&entry(), &Change::default()).is_err());
        let change = Change {
            occurrences: Some(MAX_OCCURRENCES + 1),
            ..Change::default()
        };
        assert!(apply(&entry(), &change).is_err());
    }
}
