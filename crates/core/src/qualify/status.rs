//! The table of enhanced status codes: what each one means, and how far it is to be believed.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::meaning::Meaning;
use super::vocabulary::{Clue, Origin};
use crate::enhanced::EnhancedStatus;

/// One entry of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `subject.detail`, or `subject.*` for what is not listed.
    code: String,
    /// Name in the registry.
    name: String,
    /// What it means.
    means: Meaning,
    /// How far it is to be believed, against the weights of the vocabulary.
    weight: i32,
    /// Where it is defined.
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    status: Vec<Entry>,
}

/// The table.
#[derive(Debug)]
pub struct StatusTable {
    exact: HashMap<(u16, u16), Entry>,
    subject: HashMap<u16, Entry>,
}

static SHIPPED: LazyLock<StatusTable> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the shipped file is part of the build and tested"
    )]
    let table = StatusTable::parse(super::shipped::STATUS).expect("the status table is correct");
    table
});

impl StatusTable {
    /// The table shipped with the product.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut table = Self {
            exact: HashMap::new(),
            subject: HashMap::new(),
        };
        for entry in file.status {
            let wrong = || {
                format!(
                    "status \"{}\": write subject.detail or subject.*",
                    entry.code
                )
            };
            let (subject, detail) = entry.code.split_once('.').ok_or_else(wrong)?;
            let subject = subject.parse().map_err(|_| wrong())?;
            let twice = if detail == "*" {
                table.subject.insert(subject, entry)
            } else {
                let detail = detail.parse().map_err(|_| wrong())?;
                table.exact.insert((subject, detail), entry)
            };
            if let Some(twice) = twice {
                return Err(format!("status \"{}\" stands twice", twice.code));
            }
        }
        Ok(table)
    }

    /// What a status says; `None` when it says nothing.
    pub fn clue(&self, status: EnhancedStatus) -> Option<Clue<'_>> {
        let entry = self
            .exact
            .get(&(status.subject, status.detail))
            .or_else(|| self.subject.get(&status.subject))?;
        (entry.weight > 0).then_some(Clue {
            means: entry.means,
            weight: entry.weight,
            because: ["status", &entry.name],
            origin: Origin::Status,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_complete() {
        // IANA, «Simple Mail Transfer Protocol (SMTP) Enhanced Status Codes Registry».
        let details = [
            (0, 0..=0),
            (1, 0..=10),
            (2, 0..=4),
            (3, 0..=6),
            (4, 0..=7),
            (5, 0..=6),
            (6, 0..=10),
            (7, 0..=30),
        ];
        let table = StatusTable::shipped();
        for (subject, range) in details {
            for detail in range {
                assert!(
                    table.exact.contains_key(&(subject, detail)),
                    "{subject}.{detail}"
                );
            }
        }
    }

    #[test]
    fn statuses_outside_of_the_registry_fall_back_on_their_subject() {
        let status = EnhancedStatus::parse("5.7.606").unwrap();
        assert_eq!(
            StatusTable::shipped().clue(status).unwrap().means,
            Meaning::Policy
        );
        let nothing = EnhancedStatus::parse("5.0.0").unwrap();
        assert_eq!(StatusTable::shipped().clue(nothing), None);
    }
}
