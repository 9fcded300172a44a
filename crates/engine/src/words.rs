//! The words of the tables and sentences: what a slug means to a person.

use posthaste_core::delivery::DeliveryState;
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::log::AddressStatus;

/// A reason in words, as the end of «because …».
#[must_use]
pub const fn reason(reason: FailureReason) -> &'static str {
    use FailureReason as R;
    match reason {
        R::NotDefined => "nobody has qualified the text yet",
        R::UserUnknown => "the address does not exist",
        R::InvalidDomain => "the domain is wrong or gone",
        R::Unreachable => "there was an incident on the way",
        R::AccountDisabled => "the account is not active",
        R::MailboxFull => "the mailbox is full",
        R::NotConnected => "the phone is off or out of the network",
        R::AddressNotSpecified => "there is no address",
        R::Denylisted => "the address or the profile is on the denylist",
        R::Quarantine => "the address is in quarantine",
        R::Double => "the address is already in this delivery",
        R::ExcludedSqlRule => "a filtering rule excludes it",
        R::ExcludedArbitration => "a pressure rule excludes it",
        R::BadQuality => "the address is malformed or its quality too low",
        R::Unqualified => "the postal address is not qualified",
        R::NotEligible => "it is not eligible for the offers",
        R::TargetLimited => "the delivery has reached its maximum size",
        R::Refused => "the message was refused for security, reputation, policy or content",
        R::ErrorIgnored => "the address is allowlisted, so its error is ignored",
        R::Control => "it belongs to the control group",
    }
}

/// A type of failure in one word.
#[must_use]
pub const fn kind(kind: FailureType) -> &'static str {
    match kind {
        FailureType::NotDefined => "not defined",
        FailureType::Ignored => "ignored",
        FailureType::Soft => "soft",
        FailureType::Hard => "hard",
    }
}

/// A status of the quarantine list, as in «the address is …».
#[must_use]
pub const fn standing(status: AddressStatus) -> &'static str {
    match status {
        AddressStatus::WithErrors => "listed with errors",
        AddressStatus::Valid => "valid",
        AddressStatus::Quarantine => "in quarantine",
        AddressStatus::Denylist => "on the denylist",
        AddressStatus::Allowlist => "allowlisted",
    }
}

/// A state of a delivery in words.
#[must_use]
pub const fn state(state: DeliveryState) -> &'static str {
    use DeliveryState as S;
    match state {
        S::Edited => "being edited",
        S::TargetingPending => "waiting for its preparation",
        S::Counting => "counting its target",
        S::Personalizing => "checking its messages",
        S::PreparationFailed => "preparation failed",
        S::Ready => "ready",
        S::StartPending => "waiting to start",
        S::InProgress => "in progress",
        S::PauseRequested => "being paused",
        S::Paused => "paused",
        S::Stopped => "stopped",
        S::Failed => "failed",
        S::Finished => "finished",
    }
}

/// Whose trouble it is, as in «the trouble is …».
#[must_use]
pub const fn party(party: Party) -> &'static str {
    match party {
        Party::Recipient => "the recipient's",
        Party::Path => "the path's",
        Party::Sender => "the sender's",
        Party::Content => "the content's",
        Party::Ourselves => "our own",
    }
}
