//! The numbers of a delivery and its journal as tables.

use posthaste_core::failure::FailureReason;
use posthaste_desk::deliveries::Summary;
use posthaste_desk::times::minute;
use posthaste_engine::words;
use posthaste_store::rows::JournalLine;

use crate::output::{Columns, number};

/// The numbers of a delivery, one line each; they add up to the target.
pub fn numbers(summary: &Summary) -> String {
    let mut table = Columns::new(&["", "#recipients", "reason"]);
    let mut line = |what: &str, count: u64, slug: &str| {
        let why = FailureReason::from_slug(slug).map_or("", words::reason);
        let reason = if slug.is_empty() {
            String::new()
        } else {
            format!("{slug}: {why}")
        };
        table.row(vec![what.to_owned(), number(count), reason]);
    };
    for (slug, count) in &summary.excluded {
        line("excluded", *count, slug);
    }
    line("pending", summary.pending, "");
    line("sent", summary.sent, "");
    for (slug, count) in &summary.failed {
        line("failed", *count, slug);
    }
    line("cancelled", summary.cancelled, "");
    line("target", summary.target, "");
    let quarantined = match summary.quarantined_new {
        0 => String::new(),
        n => format!("\naddresses newly in quarantine: {}", number(n)),
    };
    format!(
        "Delivery {}: {}.\n{}{quarantined}",
        summary.delivery,
        words::state(summary.state),
        table.text("")
    )
}

/// A journal, oldest line first.
pub fn journal(lines: &[JournalLine]) -> String {
    let mut table = Columns::new(&["when", "level", "what"]);
    for line in lines {
        table.row(vec![
            minute(line.at),
            line.level.to_string(),
            line.text.clone(),
        ]);
    }
    table.text("The journal is empty.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthaste_core::delivery::DeliveryState;
    use posthaste_core::ids::DeliveryId;

    #[test]
    fn the_numbers_stand_in_one_table() {
        let summary = Summary {
            delivery: DeliveryId(3),
            state: DeliveryState::Finished,
            target: 1_204,
            excluded: [("double".to_owned(), 3)].into(),
            pending: 0,
            sent: 1_200,
            failed: [("mailbox_full".to_owned(), 1)].into(),
            cancelled: 0,
            quarantined_new: 1,
            started: None,
            ended: None,
        };
        let expected = "\
Delivery 3: finished.
            recipients  reason
 excluded            3  double: the address is already in this delivery
 pending             0
 sent            1,200
 failed              1  mailbox_full: the mailbox is full
 cancelled           0
 target          1,204

addresses newly in quarantine: 1";
        assert_eq!(numbers(&summary), expected.replace("\n\n", "\n"));
    }
}
