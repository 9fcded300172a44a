//! Values of the command line: ids, slugs, moments, pages.

use std::path::PathBuf;

use clap::Args;
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::ids::{DeliveryId, QualificationId};
use posthaste_core::log::{AddressStatus, LogStatus, QualificationStatus};
use posthaste_core::time::Timestamp;
use posthaste_desk::times::parse_rfc3339;

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Configuration file [default: posthaste.toml of the data directory or of this one]
    #[arg(
        short = 'c',
        long = "config",
        value_name = "FILE",
        global = true,
        display_order = 900
    )]
    pub config: Option<PathBuf>,
    /// Data directory: replaces the one of the configuration
    #[arg(long, value_name = "DIR", global = true, display_order = 901)]
    pub data: Option<PathBuf>,
    /// Write JSON for machines
    #[arg(long, global = true, display_order = 902)]
    pub json: bool,
}

macro_rules! slug_or_number {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(text: &str) -> Result<$type, String> {
            let number = || text.parse().ok().and_then(<$type>::from_code);
            <$type>::from_slug(text).or_else(number).ok_or_else(|| {
                let known: Vec<&str> = <$type>::ALL.iter().map(|v| v.slug()).collect();
                format!("known are {}", known.join(", "))
            })
        })*
    };
}

slug_or_number! {
    /// A status of the delivery log.
    log_status -> LogStatus;
    /// A type of failure.
    failure_type -> FailureType;
    /// A reason.
    reason -> FailureReason;
    /// A party.
    party -> Party;
    /// A status of the quarantine list.
    address_status -> AddressStatus;
    /// A status of a qualification.
    qualification_status -> QualificationStatus;
}

/// Id of a delivery.
pub fn delivery_id(text: &str) -> Result<DeliveryId, String> {
    number(text).map(DeliveryId)
}

/// Id of a qualification.
pub fn qualification_id(text: &str) -> Result<QualificationId, String> {
    number(text).map(QualificationId)
}

fn number(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| "an id is a whole number".to_owned())
}

/// A moment with its offset.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    parse_rfc3339(text)
}

/// How many lines a page may have.
pub fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=10_000) => Ok(n),
        _ => Err("a page has 1 to 10000 lines".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_and_numbers_are_both_understood() {
        assert_eq!(reason("mailbox_full"), Ok(FailureReason::MailboxFull));
        assert_eq!(reason("5"), Ok(FailureReason::MailboxFull));
        assert!(
            reason("13")
                .unwrap_err()
                .starts_with("known are not_defined")
        );
        assert_eq!(address_status("denylist"), Ok(AddressStatus::Denylist));
        assert_eq!(limit("0").ok(), None);
    }
}
