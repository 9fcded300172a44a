//! Between columns and facts: numbers of enums, ids, optional texts, and what the database reports.

use posthaste_core::delivery::{DeliveryState, Level, Priority};
use posthaste_core::evidence::{OutcomeKind, Stage};
use posthaste_core::failure::{FailureReason, FailureType, Party};
use posthaste_core::log::{AddressStatus, Channel, LogStatus, QualificationStatus};
use posthaste_core::part::PartState;
use posthaste_core::time::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, Type};

use crate::StoreError;

/// Trouble inside a transaction, before it is known what was being done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database reports it.
    Sql(rusqlite::Error),
    /// It has its words already.
    Said(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Said(error)
    }
}

impl Trouble {
    /// Says what was being done.
    pub(super) fn while_doing(self, doing: &str) -> StoreError {
        match self {
            Self::Said(error) => error,
            Self::Sql(error) => named(error, doing),
        }
    }
}

/// What the database reports, with what was being done.
pub(super) fn named(error: rusqlite::Error, doing: &str) -> StoreError {
    use rusqlite::ErrorCode as C;
    let doing = doing.to_owned();
    match error.sqlite_error_code() {
        Some(C::DiskFull) => return StoreError::DiskFull { doing },
        Some(C::DatabaseBusy | C::DatabaseLocked) => return StoreError::Busy { doing },
        _ => {}
    }
    if let rusqlite::Error::FromSqlConversionFailure(column, _, why) = &error {
        return StoreError::Corrupt {
            what: format!("column {column} ({doing})"),
            why: why.to_string(),
        };
    }
    StoreError::Database {
        doing,
        source: error.into(),
    }
}

/// Result of work inside a transaction.
pub(super) type Inner<T> = Result<T, Trouble>;

/// An enum that is stored as a number.
pub(super) trait Coded: Sized {
    /// What it is, for messages.
    const WHAT: &'static str;
    /// The value with this number.
    fn of(code: u8) -> Option<Self>;
}

macro_rules! coded {
    ($($name:ident: $what:literal),* $(,)?) => {
        $(impl Coded for $name {
            const WHAT: &'static str = $what;
            fn of(code: u8) -> Option<Self> {
                Self::from_code(code)
            }
        })*
    };
}

coded!(
    DeliveryState: "state of a delivery", PartState: "state of a part", LogStatus: "status",
    Priority: "priority", Level: "level", Channel: "channel", FailureReason: "failure reason",
    FailureType: "failure type", Party: "party", OutcomeKind: "outcome", Stage: "stage",
    AddressStatus: "status of an address", QualificationStatus: "status of a qualification",
);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreadable(String);

/// A value that is not what it should be, as an error of the row it stands in.
pub(super) fn unreadable(column: usize, why: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, Unreadable(why.into()).into())
}

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'a, 'stmt> {
    row: &'a Row<'stmt>,
    next: usize,
}

impl<'a, 'stmt> Columns<'a, 'stmt> {
    /// From the first column.
    pub(super) const fn of(row: &'a Row<'stmt>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn get<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column, an unsigned number.
    pub(super) fn unsigned(&mut self) -> rusqlite::Result<u64> {
        let column = self.next;
        u64::try_from(self.get::<i64>()?).map_err(|e| unreadable(column, e.to_string()))
    }

    /// The next column, an enum.
    pub(super) fn code<T: Coded>(&mut self) -> rusqlite::Result<T> {
        let column = self.next;
        let code: u8 = self.get()?;
        T::of(code).ok_or_else(|| unreadable(column, format!("{code} is no {}", T::WHAT)))
    }

    /// The next column, an enum or nothing.
    pub(super) fn code_or_null<T: Coded>(&mut self) -> rusqlite::Result<Option<T>> {
        let column = self.next;
        let Some(code) = self.get::<Option<u8>>()? else {
            return Ok(None);
        };
        let value = T::of(code);
        value
            .map(Some)
            .ok_or_else(|| unreadable(column, format!("{code} is no {}", T::WHAT)))
    }

    /// The next column, a moment.
    pub(super) fn time(&mut self) -> rusqlite::Result<Timestamp> {
        self.get().map(Timestamp)
    }

    /// The next column, a moment or nothing.
    pub(super) fn time_or_null(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp))
    }
}

/// A count as the database stores it.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A limit as the database takes it.
pub(super) fn limit(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// How many rows, for a caller.
pub(super) fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The key as it is stored beside its address: `None` when both are the same.
pub(super) fn key_unless_same<'a>(key: &'a str, address: &str) -> Option<&'a str> {
    (key != address).then_some(key)
}

/// A number by which an address key is found: FNV-1a, folded to 32 bits. It is stored, so it must
/// stay as it is; whoever finds by it compares the key as well.
pub(super) fn hash(key: &str) -> i32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
    i32::from_le_bytes([a ^ e, b ^ f, c ^ g, d ^ h])
}
