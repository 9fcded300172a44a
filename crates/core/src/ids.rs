//! Identities of stored things: one type each, so that none can stand in for another.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(/// A delivery: one campaign's sending.
    DeliveryId);
id!(/// A part of a delivery: the slice that is leased at once.
    PartId);
id!(/// A row of the delivery log: one recipient of one delivery. Named by the signed token.
    LogId);
id!(/// A stored list of recipients.
    ListId);
id!(/// A recipient of a stored list.
    RecipientId);
id!(/// An entry of the delivery log qualification: one normalised text.
    QualificationId);
id!(/// An event of the address ledger.
    EventId);
id!(/// A re-qualification: past failures that were given other verdicts.
    RequalificationId);
