//! Exit codes, and the failures that lead to them. docs/cli.md has the same table; a test
//! compares them.

use std::fmt::Display;

use posthaste_desk::DeskError;
use posthaste_qualify::trial::CorpusError;
use posthaste_store::StoreError;

use crate::section::Problem;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked. Recipients that failed are a result, not a failure of the command.
    Done = 0,
    /// Our own trouble that no other code names.
    Trouble = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A file or a value that was given is wrong.
    Input = 3,
    /// The delivery is in a state that does not allow it.
    Illegal = 4,
    /// What was named does not exist.
    NotFound = 5,
    /// The store is missing, newer than this program, busy, damaged, or its disk is full.
    Store = 6,
    /// Another process runs the services of this data directory.
    Occupied = 7,
    /// The delivery did not finish: it was paused or stopped.
    Unfinished = 8,
    /// Interrupted.
    Interrupted = 130,
}

/// Every code with its meaning, for docs/cli.md and `--help`.
pub const TABLE: &[(Exit, &str)] = &[
    (
        Exit::Done,
        "done; recipients that failed are a result, not a failure of the command",
    ),
    (Exit::Trouble, "trouble that no other code names"),
    (Exit::Usage, "the command line is wrong"),
    (
        Exit::Input,
        "a file or a value that was given is wrong; nothing was sent",
    ),
    (
        Exit::Illegal,
        "the delivery is in a state that does not allow it",
    ),
    (Exit::NotFound, "what was named does not exist"),
    (
        Exit::Store,
        "the store is missing, newer, busy or damaged, or its disk is full",
    ),
    (
        Exit::Occupied,
        "another process runs the services of this data directory",
    ),
    (
        Exit::Unfinished,
        "the delivery did not finish: it was paused or stopped",
    ),
    (Exit::Interrupted, "interrupted (Ctrl-C)"),
];

/// Why a command was not carried out: an exit code, and a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The sentence.
    pub message: String,
}

/// Result of a command.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with this code and sentence.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
        }
    }

    /// A wrong file or value.
    pub fn input(message: impl Display) -> Self {
        Self::new(Exit::Input, message)
    }

    /// Everything that is wrong in a file.
    pub fn problems(file: impl Display, problems: &[Problem]) -> Self {
        let mut message = match problems.len() {
            1 => format!("{file} has a problem:"),
            n => format!("{file} has {n} problems:"),
        };
        for problem in problems {
            message.push_str(&format!("\n  {problem}"));
        }
        Self::input(message)
    }

    /// A file that cannot be read or written; `doing` says which and what for.
    pub fn file(doing: impl Display, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let kind = error.kind();
        let (exit, advice) = if kind == K::NotFound {
            (Exit::Input, "; check the path")
        } else if kind == K::PermissionDenied {
            (Exit::Input, "; check its owner and mode")
        } else if matches!(kind, K::StorageFull | K::QuotaExceeded) {
            (Exit::Store, "; make room, then do it again")
        } else {
            (Exit::Trouble, "")
        };
        Self::new(exit, format!("{doing}: {error}{advice}"))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NotFound { .. } => Exit::NotFound,
            StoreError::Exists { .. } => Exit::Input,
            StoreError::Newer { .. }
            | StoreError::Missing { .. }
            | StoreError::DiskFull { .. }
            | StoreError::Busy { .. }
            | StoreError::Database { .. }
            | StoreError::Corrupt { .. } => Exit::Store,
        };
        Self::new(exit, error)
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Store(error) => error.into(),
            DeskError::Illegal { .. } => Self::new(Exit::Illegal, error),
            DeskError::Contended(_) => Self::new(Exit::Store, error),
            DeskError::Input(_) => Self::input(error),
            DeskError::Unreadable { doing, source } => Self::file(doing, &source),
        }
    }
}

impl From<CorpusError> for Failure {
    fn from(error: CorpusError) -> Self {
        Self::input(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_guide_is_the_table_of_the_program() {
        let guide = include_str!("../../../docs/cli.md");
        for (exit, meaning) in TABLE {
            let line = format!("| {} | {meaning} |", *exit as u8);
            assert!(guide.contains(&line), "docs/cli.md lacks: {line}");
        }
    }

    #[test]
    fn failures_of_files_say_what_to_do() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let failure = Failure::file("reading a.toml", &missing);
        assert_eq!(failure.exit, Exit::Input);
        assert!(failure.message.contains("check the path"), "{failure}");
    }
}
