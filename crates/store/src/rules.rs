//! Rules of operators and packages: facts and trait.
//!
//! A rule is stored as its text with the place it is asked at; what it means, and whether it may
//! be stored at all, is decided by whoever calls. A change names the version of the rule set that
//! it was decided on, so that two operators never overwrite each other unseen. Every change is
//! kept with who, when and what; a backup keeps all rules under a name.

use posthaste_core::qualify::Place;
use posthaste_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Result;

/// What a rule judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Replies of servers, and the texts that bounce mails quote.
    Reply,
    /// Whole mails that came back: inbound e-mail rules.
    Mail,
}

impl RuleKind {
    /// The word that the store and every face use.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Mail => "mail",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        match slug {
            "reply" => Some(Self::Reply),
            "mail" => Some(Self::Mail),
            _ => None,
        }
    }
}

/// Where a rule came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An operator wrote or changed it.
    User,
    /// A package brought it.
    Package {
        /// The package's name.
        name: String,
        /// Its version, in its own notation.
        version: String,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Package { name, version } => write!(f, "package {name} {version}"),
        }
    }
}

/// A stored rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRule {
    /// Its name: unique among all stored rules.
    pub name: String,
    /// What it judges.
    pub kind: RuleKind,
    /// Where it came from.
    pub origin: Origin,
    /// Where it is asked among the shipped rules.
    pub place: Place,
    /// Its order within that place: lower is asked first.
    pub position: i64,
    /// Whether it is asked.
    pub active: bool,
    /// Rises with every edit, also past a removal; stored with each verdict.
    pub version: u32,
    /// When it last changed.
    pub changed: Timestamp,
    /// The rule itself, in TOML.
    pub body: String,
}

/// What was done to one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChange {
    /// What: added, edited, removed and so on.
    pub what: String,
    /// The rule before; `None` when it was not there.
    pub before: Option<StoredRule>,
    /// The rule after; `None` when it is gone.
    pub after: Option<StoredRule>,
}

/// A change of the rule set: all of it is written, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEdit {
    /// Version of the rule set that it was decided on.
    pub decided_on: u64,
    /// Changes, each rule at most once.
    pub changes: Vec<RuleChange>,
    /// First keep all rules as they stand under this name.
    pub backup: Option<String>,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHistory {
    /// Version of the rule set that it led to.
    pub set_version: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Name of the rule.
    pub name: String,
    /// What was done.
    #[serde(flatten)]
    pub change: RuleChange,
}

/// A named snapshot of all stored rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleBackup {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// How many rules it holds.
    pub rules: u64,
}

/// All stored rules, and the version of the set they make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleShelf {
    /// Rises with every change; 0 when nothing was ever stored.
    pub version: u64,
    /// The rules, by position.
    pub rules: Vec<StoredRule>,
}

/// Rules of operators and packages.
pub trait Rules: Send + Sync {
    /// Version of the rule set: cheap enough to ask several times a second.
    fn rule_set_version(&self) -> Result<u64>;
    /// All stored rules by position, with the version of the set, from one moment.
    fn rules(&self) -> Result<RuleShelf>;
    /// Writes a change with its history; returns the new version of the set, or `None`, with
    /// nothing written, when the set is no longer the one that the change was decided on.
    ///
    /// # Errors
    /// [`crate::StoreError::Exists`] when there is a backup of that name already.
    fn change_rules(&self, edit: &RuleEdit) -> Result<Option<u64>>;
    /// History, newest first, optionally of one rule; at most `limit` lines.
    fn rule_history(&self, name: Option<&str>, limit: usize) -> Result<Vec<RuleHistory>>;
    /// Backups, newest first.
    fn rule_backups(&self) -> Result<Vec<RuleBackup>>;
    /// The rules of a backup; `None` when there is none of that name.
    fn rule_backup(&self, name: &str) -> Result<Option<Vec<StoredRule>>>;
}
