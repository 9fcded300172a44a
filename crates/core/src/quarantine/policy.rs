//! The numbers of the quarantine policy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Thresholds and spans; each is a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The counted error that quarantines: the fifth.
    pub max_errors: u32,
    /// An error counts when at least this long has passed since the last counted one.
    pub significant_after: Duration,
    /// When the last counted error is older than this, the counter starts anew.
    pub forget_after: Duration,
    /// A full mailbox is lifted after this.
    pub mailbox_full_for: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_errors: 5,
            significant_after: Duration::from_hours(24),
            forget_after: Duration::from_hours(24 * 10),
            mailbox_full_for: Duration::from_hours(24 * 30),
        }
    }
}
