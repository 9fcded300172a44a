//! What the faces call: reading views and operator commands.
//!
//! A face (the command line, later the API) translates words into these calls and answers into
//! tables or JSON; it holds no rule of its own. Commands on a delivery go through
//! [`posthaste_core::delivery::next`] and compare-and-set; commands on an address go through the
//! ledger, as results do, but are marked as set by a person or imported. Nothing here sends.

pub mod deliveries;
pub mod explain;
mod explain_delivery;
pub mod proof;
pub mod provider;
pub mod qualifications;
pub mod quarantine;
pub mod quarantine_list;
pub mod requalify;
pub mod rules;
pub mod rules_edit;
pub mod rules_packages;
pub mod times;
pub mod todo;

use posthaste_core::delivery::IllegalMove;
use posthaste_core::ids::DeliveryId;
use posthaste_store::StoreError;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The delivery is in a state that does not allow it.
    #[error("delivery {delivery}: {illegal}; {advice}", advice = illegal.advice())]
    Illegal {
        /// The delivery.
        delivery: DeliveryId,
        /// The move that was asked for.
        illegal: IllegalMove,
    },
    /// Other processes changed the delivery again and again while it was being changed.
    #[error("delivery {0} is being changed by another process; ask its status, then try again")]
    Contended(DeliveryId),
    /// What was given cannot be used.
    #[error("{0}")]
    Input(String),
    /// What was given cannot be read.
    #[error("{doing}: {source}")]
    Unreadable {
        /// What was being read or written.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// Result of a command.
pub type Result<T> = std::result::Result<T, DeskError>;

/// A store error that says what was looked for and where to look.
pub(crate) fn not_found(what: impl Into<String>) -> DeskError {
    DeskError::Store(StoreError::NotFound { what: what.into() })
}
