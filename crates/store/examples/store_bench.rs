//! How fast the embedded store takes a target and its outcomes, and what that costs.
//!
//! `cargo run --release -p posthaste-store --example store_bench -- [ROWS] [OUTCOMES] [DIR]`
//! (1,000,000 rows, 100,000 outcomes and the system's directory for temporary files by default).

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that meets trouble has nothing better to do than to stop"
)]

use std::path::PathBuf;
use std::time::Instant;

use posthaste_core::delivery::{DeliveryState as S, Priority};
use posthaste_core::evidence::{Evidence, OutcomeKind, SaidBy, Stage};
use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::ids::{DeliveryId, ListId, RecipientId};
use posthaste_core::log::{Channel, LogStatus};
use posthaste_core::time::Timestamp;
use posthaste_store::rows::{Attempt, ClaimedRecipient, FrozenRecipient, LogChange, NewDelivery};
use posthaste_store::sqlite::SqliteStore;
use posthaste_store::{Deliveries, Preparing, Queue, Recording};

/// Recipients of a slice of preparation.
const SLICE: u32 = 1_000;
/// Outcomes of a group.
const GROUP: usize = 256;
/// Share of the domains, in percent of the target; the rest goes to small ones.
const DOMAINS: [(&str, u32); 4] = [
    ("big.example", 40),
    ("second.example", 20),
    ("third.example", 15),
    ("fourth.example", 10),
];

fn main() {
    let mut args = std::env::args().skip(1);
    let rows: u32 = args.next().map_or(1_000_000, |text| text.parse().unwrap());
    let outcomes: usize = args.next().map_or(100_000, |text| text.parse().unwrap());
    let dir = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(dir).unwrap();
    let path = dir.path().join("bench.db");
    let store = SqliteStore::create(&path).unwrap();

    let id = prepare(&store, rows);
    record(&store, outcomes);
    let began = Instant::now();
    let tally = store.tally(id).unwrap();
    println!(
        "tally: {:.3} s, adds up: {}",
        began.elapsed().as_secs_f64(),
        tally.adds_up()
    );
    let began = Instant::now();
    let found = store.log_of_address("user4711@big.example", 10).unwrap();
    println!(
        "address: {:.3} ms, {} rows",
        began.elapsed().as_secs_f64() * 1e3,
        found.len()
    );
    let size = std::fs::metadata(&path).unwrap().len();
    println!(
        "file: {} MB, peak memory: {} MB",
        size >> 20,
        status_kb("VmHWM") / 1024
    );
}

fn prepare(store: &SqliteStore, rows: u32) -> DeliveryId {
    let new = NewDelivery {
        label: "bench".to_owned(),
        channel: Channel::Email,
        list: ListId(1),
        spec: "{}".to_owned(),
        priority: Priority::Normal,
        contact_date: None,
        proof: false,
    };
    let id = store.create_delivery(&new, Timestamp(1)).unwrap();
    let before = Usage::now();
    let mut longest = 0.0_f64;
    for first in (0..rows).step_by(SLICE as usize) {
        let slice: Vec<_> = (first..rows.min(first + SLICE)).map(frozen).collect();
        let began = Instant::now();
        store.add_prepared(id, &slice, &[]).unwrap();
        longest = longest.max(began.elapsed().as_secs_f64());
    }
    store.end_preparation(id, rows.into(), rows.into()).unwrap();
    before.report("prepare", rows.into());
    println!("  longest slice: {:.0} ms", longest * 1e3);
    assert!(
        store
            .move_delivery(id, S::Edited, S::InProgress, Timestamp(2))
            .unwrap()
    );
    id
}

fn frozen(i: u32) -> FrozenRecipient {
    let mixed = i.wrapping_mul(2_654_435_761) >> 8;
    let mut share = mixed % 100;
    let mut part_domain = None;
    let mut base = 0;
    for (n, (name, percent)) in (1..).zip(DOMAINS) {
        if share < percent {
            part_domain = Some(name.to_owned());
            base = n * 100_000;
            break;
        }
        share -= percent;
    }
    let small = format!("d{}.example", mixed % 5_000);
    let domain = part_domain.clone().unwrap_or(small);
    let percent = DOMAINS
        .iter()
        .find(|(name, _)| *name == domain)
        .map_or(15, |(_, n)| *n);
    FrozenRecipient {
        part: base + u32::try_from(u64::from(i) * u64::from(percent) / 100 / 256).unwrap(),
        part_domain,
        recipient: RecipientId(i64::from(i) + 1),
        address: format!("user{i}@{domain}"),
        key: format!("user{i}@{domain}"),
        attributes: format!(
            "{{\"email\":\"user{i}@{domain}\",\"first_name\":\"Ada\",\"last_name\":\"Example\",\
             \"city\":\"Exampleton\",\"customer\":\"{i:08}\"}}"
        ),
        domain,
    }
}

fn record(store: &SqliteStore, outcomes: usize) {
    let before = Usage::now();
    let (mut done, mut commits) = (0, 1);
    let (mut waiting, mut parts) = (Vec::new(), Vec::new());
    while done < outcomes {
        if waiting.len() < GROUP {
            let claimed = store
                .claim("bench", Timestamp(1 << 50), 2_000, &[])
                .unwrap();
            if claimed.is_empty() {
                break;
            }
            commits += 1;
            parts.extend(claimed.iter().map(|one| one.part));
            waiting.extend(claimed);
        }
        let group = waiting.split_off(waiting.len().saturating_sub(GROUP));
        store
            .record(&mut |tx| {
                for one in &group {
                    let row = tx.log_row(one.log)?.unwrap();
                    tx.address(Channel::Email, &row.key)?;
                    tx.change_log(&sent(one))?;
                    tx.add_attempt(&attempt(one))?;
                }
                Ok(())
            })
            .unwrap();
        done += group.len();
        commits += 1;
    }
    parts.sort_unstable();
    parts.dedup();
    store.settle_parts(&parts).unwrap();
    before.report("claim and record", u64::try_from(done).unwrap());
    println!("  commits (each flushes the write-ahead log once): {commits}");
}

fn sent(one: &ClaimedRecipient) -> LogChange {
    LogChange {
        id: one.log,
        status: LogStatus::Sent,
        kind: FailureType::NotDefined,
        reason: FailureReason::NotDefined,
        party: None,
        attempts: 1,
        doubtful: 0,
        due: None,
        changed: Timestamp(1_700_000_000_000),
        qualification: None,
        possibly_duplicate: false,
        complaint: false,
        quarantined: false,
    }
}

fn attempt(one: &ClaimedRecipient) -> Attempt {
    Attempt {
        log: one.log,
        number: 1,
        outcome: OutcomeKind::Delivered,
        evidence: Evidence {
            said_by: SaidBy::Remote(format!("mx1.{}", one.domain)),
            stage: Stage::FinalDot,
            code: Some(250),
            enhanced: None,
            text: format!("250 2.0.0 Ok: queued as 4Wn{:08X}", one.log.0),
            at: Timestamp(1_700_000_000_000),
        },
        verdict: None,
        qualification: None,
        tls: "TLSv1.3 TLS_AES_256_GCM_SHA384".to_owned(),
        took_ms: 131,
    }
}

/// What the process has used so far.
struct Usage {
    wall: Instant,
    cpu_s: f64,
    written: u64,
}

impl Usage {
    fn now() -> Self {
        Self {
            wall: Instant::now(),
            cpu_s: cpu_seconds(),
            written: number_in("/proc/self/io", "wchar"),
        }
    }

    fn report(&self, what: &str, rows: u64) {
        let (wall, cpu) = (
            self.wall.elapsed().as_secs_f64(),
            cpu_seconds() - self.cpu_s,
        );
        let rows = rows as f64;
        let written = (number_in("/proc/self/io", "wchar") - self.written) as f64;
        println!(
            "{what}: {rows} rows, {:.0} rows/s, {:.0} rows per CPU second, {:.1} us CPU a row, \
             {:.0} bytes written a row, {} MB resident",
            rows / wall,
            rows / cpu,
            cpu / rows * 1e6,
            written / rows,
            status_kb("VmRSS") / 1024
        );
    }
}

fn status_kb(name: &str) -> u64 {
    number_in("/proc/self/status", name)
}

fn number_in(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// User and system time, from the 14th and 15th field of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = text.rsplit(')').next().unwrap();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    ticks as f64 / 100.0
}
