//! What only a file can do: be missing, be newer, be full, be shared, be cut off.

use std::sync::Barrier;

use posthaste_core::delivery::{DeliveryState as S, Priority};
use posthaste_core::ids::{DeliveryId, LogId, RecipientId};
use posthaste_core::log::{Channel, LogStatus};
use posthaste_core::time::Timestamp;

use super::SqliteStore;
use crate::rows::{FrozenRecipient, LogChange, NewDelivery};
use crate::{Deliveries, Preparing, Queue, Recipients, Recording, StoreError};

fn frozen(n: u32) -> Vec<FrozenRecipient> {
    (0..n)
        .map(|i| FrozenRecipient {
            part: i / 20,
            part_domain: None,
            recipient: RecipientId(i.into()),
            address: format!("user{i}@example.com"),
            key: format!("user{i}@example.com"),
            domain: "example.com".to_owned(),
            attributes: "{}".to_owned(),
        })
        .collect()
}

fn sending(store: &SqliteStore, n: u32) -> DeliveryId {
    let new = NewDelivery {
        label: "spring".to_owned(),
        channel: Channel::Email,
        list: posthaste_core::ids::ListId(1),
        spec: "{}".to_owned(),
        priority: Priority::Normal,
        contact_date: None,
        proof: false,
    };
    let id = store.create_delivery(&new, Timestamp(1)).unwrap();
    store.add_prepared(id, &frozen(n), &[]).unwrap();
    store.end_preparation(id, n.into(), n.into()).unwrap();
    assert!(
        store
            .move_delivery(id, S::Edited, S::InProgress, Timestamp(2))
            .unwrap()
    );
    id
}

fn sent(id: LogId) -> LogChange {
    LogChange {
        id,
        status: LogStatus::Sent,
        kind: posthaste_core::failure::FailureType::NotDefined,
        reason: posthaste_core::failure::FailureReason::NotDefined,
        party: None,
        attempts: 1,
        doubtful: 0,
        due: None,
        changed: Timestamp(9),
        qualification: None,
        possibly_duplicate: false,
        complaint: false,
        quarantined: false,
    }
}

#[test]
fn a_store_is_created_once_and_opened_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posthaste.db");
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::Missing { .. })
    ));
    drop(SqliteStore::create(&path).unwrap());
    assert!(matches!(
        SqliteStore::create(&path),
        Err(StoreError::Exists { .. })
    ));
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.path(), path);
    assert_eq!(
        SqliteStore::open_or_create(&path)
            .unwrap()
            .deliveries(9)
            .unwrap(),
        []
    );
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posthaste.db");
    drop(SqliteStore::create(&path).unwrap());
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let refused = SqliteStore::open(&path);
    assert!(
        matches!(refused, Err(StoreError::Newer { found: 99, .. })),
        "{refused:?}"
    );
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posthaste.db");
    std::fs::write(
        &path,
        "not a database, but a text that is long enough".repeat(40),
    )
    .unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::Database { .. })
    ));
}

#[test]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(dir.path().join("posthaste.db")).unwrap();
    let id = sending(&store, 40);
    store.cap_pages(1);
    let full = store.add_prepared(id, &frozen(5_000), &[]);
    assert!(matches!(full, Err(StoreError::DiskFull { .. })), "{full:?}");
    assert_eq!(store.tally(id).unwrap().pending, 40);
    store.cap_pages(1_000_000);
    let claimed = store.claim("me", Timestamp(99), 40, &[]).unwrap();
    assert_eq!(claimed.len(), 40);
    assert!(store.tally(id).unwrap().adds_up());
}

#[test]
fn what_was_committed_is_there_after_a_cut_and_the_rest_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posthaste.db");
    let copy = dir.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    let store = SqliteStore::create(&path).unwrap();
    let id = sending(&store, 40);
    let claimed = store.claim("me", Timestamp(99), 20, &[]).unwrap();
    store
        .record(&mut |tx| {
            claimed
                .iter()
                .try_for_each(|one| tx.change_log(&sent(one.log)))
        })
        .unwrap();
    let rest = store.claim("me", Timestamp(99), 20, &[]).unwrap();
    store
        .record(&mut |tx| {
            rest.iter()
                .try_for_each(|one| tx.change_log(&sent(one.log)))?;
            // As a power cut would find the files: in the middle of a transaction.
            for suffix in ["", "-wal"] {
                let from = dir.path().join(format!("posthaste.db{suffix}"));
                std::fs::copy(from, copy.join(format!("posthaste.db{suffix}"))).unwrap();
            }
            Ok(())
        })
        .unwrap();
    let found = SqliteStore::open(copy.join("posthaste.db")).unwrap();
    let tally = found.tally(id).unwrap();
    assert_eq!((tally.sent, tally.pending, tally.adds_up()), (20, 20, true));
    assert_eq!(
        found
            .release_leases("a new process", Timestamp(100))
            .unwrap(),
        2
    );
    let again = found
        .claim("a new process", Timestamp(200), 99, &[])
        .unwrap();
    assert_eq!(
        again.iter().map(|one| one.log).collect::<Vec<_>>(),
        rest.iter().map(|one| one.log).collect::<Vec<_>>()
    );
}

#[test]
fn a_panic_inside_a_transaction_leaves_the_store_usable() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(dir.path().join("posthaste.db")).unwrap();
    let id = sending(&store, 20);
    let claimed = store.claim("me", Timestamp(99), 20, &[]).unwrap();
    let cut = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.record(&mut |tx| {
            tx.change_log(&sent(claimed[0].log))?;
            panic!("cut off");
        })
    }));
    assert!(cut.is_err());
    assert_eq!(store.tally(id).unwrap().sent, 0);
    store
        .record(&mut |tx| tx.change_log(&sent(claimed[0].log)))
        .unwrap();
    assert_eq!(store.tally(id).unwrap().sent, 1);
}

#[test]
fn a_change_by_another_process_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posthaste.db");
    let (here, there) = (
        SqliteStore::create(&path).unwrap(),
        SqliteStore::open(&path).unwrap(),
    );
    let before = here.change_mark().unwrap();
    assert_eq!(here.change_mark().unwrap(), before);
    there.create_list("a", Timestamp(1)).unwrap();
    let between = here.change_mark().unwrap();
    assert_ne!(between, before);
    here.create_list("b", Timestamp(1)).unwrap();
    assert_ne!(here.change_mark().unwrap(), between);
    assert_eq!(there.lists().unwrap().len(), 2);
}

#[test]
fn two_processes_share_a_store_and_nobody_is_claimed_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posthaste.db");
    let first = SqliteStore::create(&path).unwrap();
    let second = SqliteStore::open(&path).unwrap();
    let id = sending(&first, 1_000);
    let begin = Barrier::new(3);
    let work = |store: &SqliteStore, owner: &str| -> Vec<LogId> {
        begin.wait();
        let mut done = Vec::new();
        loop {
            let claimed = store.claim(owner, Timestamp(99), 20, &[]).unwrap();
            if claimed.is_empty() {
                return done;
            }
            let logs: Vec<_> = claimed.iter().map(|one| one.log).collect();
            store
                .record(&mut |tx| logs.iter().try_for_each(|&log| tx.change_log(&sent(log))))
                .unwrap();
            store.settle_parts(&[claimed[0].part]).unwrap();
            done.extend(logs);
        }
    };
    let mut all = std::thread::scope(|scope| {
        let a = scope.spawn(|| work(&first, "first"));
        let b = scope.spawn(|| work(&second, "second"));
        begin.wait();
        let third = SqliteStore::open(&path).unwrap();
        let other = third
            .create_delivery(
                &NewDelivery {
                    label: "other".to_owned(),
                    channel: Channel::Email,
                    list: posthaste_core::ids::ListId(1),
                    spec: "{}".to_owned(),
                    priority: Priority::Normal,
                    contact_date: None,
                    proof: false,
                },
                Timestamp(1),
            )
            .unwrap();
        for slice in frozen(1_000).chunks(100) {
            third.add_prepared(other, slice, &[]).unwrap();
        }
        let mut all = a.join().unwrap();
        all.extend(b.join().unwrap());
        all
    });
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 1_000);
    assert_eq!(second.tally(id).unwrap().sent, 1_000);
    assert!(first.is_drained(id).unwrap());
}
