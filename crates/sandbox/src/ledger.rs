//! The sandbox's own ledger: which message was accepted for whom, how often, and when.
//!
//! The judge of crash tests: what it says does not come from the program under test. A line is
//! written to the file before the client hears the reply, so nothing that was accepted is missing.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::SandboxError;

/// A message accepted for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The recipient's address in lower case.
    pub recipient: String,
    /// The Message-ID header's value; empty when there is none or content is not looked at.
    pub message_id: String,
    /// The return path.
    pub return_path: String,
    /// A hash of the content: equal for equal bytes, within one version of the program. 0 when content is
    /// not looked at.
    pub content_hash: u64,
    /// Size of the content in bytes.
    pub size: u64,
    /// The provider's name.
    pub provider: String,
    /// Accepted, but the connection was dropped instead of the reply: the sender cannot know.
    pub doubtful: bool,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
}

/// What is known of one address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Account {
    attempts: u32,
    accepted: u32,
    doubtful: u32,
}

#[derive(Debug, Default)]
struct Book {
    accounts: HashMap<String, Account>,
    entries: Vec<Entry>,
    file: Option<File>,
    trouble: Option<String>,
}

/// The ledger of a sandbox; shared by its connections.
#[derive(Debug, Default)]
pub struct Ledger {
    book: Mutex<Book>,
    accepted: AtomicU64,
    counts_only: bool,
}

impl Ledger {
    /// A ledger, also kept in `file` (JSON lines, appended). `counts_only`: entries are not kept
    /// in memory, as a bench wants it.
    ///
    /// # Errors
    /// [`SandboxError::Ledger`] when the file cannot be opened.
    pub fn open(file: Option<&Path>, counts_only: bool) -> Result<Self, SandboxError> {
        let file = file
            .map(|path| {
                let opened = OpenOptions::new().create(true).append(true).open(path);
                opened.map_err(|source| SandboxError::Ledger {
                    path: path.to_owned(),
                    source,
                })
            })
            .transpose()?;
        Ok(Self {
            book: Mutex::new(Book {
                file,
                ..Book::default()
            }),
            counts_only,
            ..Self::default()
        })
    }

    /// Reads the entries of a ledger's file; a last line that is cut off is left out.
    ///
    /// # Errors
    /// [`SandboxError::Ledger`] when the file cannot be read.
    pub fn read(path: &Path) -> Result<Vec<Entry>, SandboxError> {
        let text = std::fs::read_to_string(path).map_err(|source| SandboxError::Ledger {
            path: path.to_owned(),
            source,
        })?;
        Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an attempt (RCPT); the number of attempts until now, this one included.
    pub(crate) fn attempt(&self, address: &str) -> u32 {
        let mut book = self.book();
        note(&mut book, address, |account| {
            account.attempts += 1;
            account.attempts
        })
    }

    /// Notes an accepted message. False when the file could not be written: then it must not be
    /// accepted.
    pub(crate) fn accept(&self, entry: Entry) -> bool {
        let mut book = self.book();
        if let Err(why) = append(&mut book, &entry) {
            book.trouble = Some(why.to_string());
            return false;
        }
        note(&mut book, &entry.recipient, |account| {
            account.accepted += 1;
            account.doubtful += u32::from(entry.doubtful);
        });
        if !self.counts_only {
            book.entries.push(entry);
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// How many messages were accepted in all, doubtful ones included.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many different addresses got at least one message.
    #[must_use]
    pub fn recipients(&self) -> usize {
        let book = self.book();
        book.accounts.values().filter(|a| a.accepted > 0).count()
    }

    /// How many messages were accepted for an address (in lower case), doubtful ones included.
    #[must_use]
    pub fn count(&self, address: &str) -> u32 {
        self.account(address).accepted
    }

    /// How often an address (in lower case) was offered by RCPT.
    #[must_use]
    pub fn attempts(&self, address: &str) -> u32 {
        self.account(address).attempts
    }

    fn account(&self, address: &str) -> Account {
        let book = self.book();
        book.accounts.get(address).copied().unwrap_or_default()
    }

    /// Addresses that got more than one message, and how many, in order.
    #[must_use]
    pub fn duplicates(&self) -> Vec<(String, u32)> {
        self.more_than_once(|account| account.accepted)
    }

    /// As [`Ledger::duplicates`], without the messages whose reply never came: sending those
    /// again is right.
    #[must_use]
    pub fn unexplained_duplicates(&self) -> Vec<(String, u32)> {
        self.more_than_once(|account| account.accepted - account.doubtful)
    }

    fn more_than_once(&self, count: impl Fn(&Account) -> u32) -> Vec<(String, u32)> {
        let book = self.book();
        let mut more: Vec<_> = book
            .accounts
            .iter()
            .map(|(address, account)| (address.clone(), count(account)))
            .filter(|(_, count)| *count > 1)
            .collect();
        more.sort();
        more
    }

    /// The entries in the order of their acceptance; none when only counts are kept.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.book().entries.clone()
    }

    /// Why the file could not be written, if that happened.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.book().trouble.clone()
    }
}

/// Changes what is known of an address, without an allocation when it is known already.
fn note<T>(book: &mut Book, address: &str, change: impl FnOnce(&mut Account) -> T) -> T {
    match book.accounts.get_mut(address) {
        Some(account) => change(account),
        None => change(book.accounts.entry(address.to_owned()).or_default()),
    }
}

/// One line, one write: a reader never sees half of it in the middle of the file.
fn append(book: &mut Book, entry: &Entry) -> std::io::Result<()> {
    let Some(file) = &mut book.file else {
        return Ok(());
    };
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}
