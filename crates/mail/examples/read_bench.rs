//! Measures how many mails a second are read and judged, on one core: median of five rounds, in CPU time.
//!
//! ```text
//! cargo run --release -p posthaste-mail --example read_bench -- FOLDER…
//! ```
//!
//! Without a folder: the mails of the corpus (`POSTHASTE_CORPUS`, else `../shared/corpus`), else our own samples.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use posthaste_core::qualify::RuleSet;
use posthaste_mail::read::{Kind, read};

/// CPU time of one round, at least.
const ROUND: Duration = Duration::from_secs(1);

/// The program's allocator, as the program is what users run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    let mut folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if folders.is_empty() {
        folders.push(usual_folder());
        println!("mails of {}", usual_folder().display());
    }
    let mut mails = Vec::new();
    for folder in &folders {
        load(folder, &mut mails)?;
    }
    if mails.is_empty() {
        eprintln!("name folders that hold mails");
        std::process::exit(2);
    }
    let rules = RuleSet::shipped();
    let bytes: usize = mails.iter().map(Vec::len).sum();
    let mut bounces = 0_usize;
    // Rules and vocabulary are compiled by the first mail; that is not measured.
    for mail in &mails {
        bounces += usize::from(read(mail, &rules).kind == Kind::Bounce);
    }
    let mut rates: Vec<f64> = (0..5).map(|_| round(&mails, &rules)).collect();
    rates.sort_by(f64::total_cmp);
    let median = rates.get(2).copied().unwrap_or_default();
    let average = bytes / mails.len();
    println!(
        "{} mails ({bounces} bounces), {average} bytes each on average: {median:.0} mails a second, {:.1} MB a second",
        mails.len(),
        median * average as f64 / 1e6,
    );
    Ok(())
}

fn usual_folder() -> PathBuf {
    let named = std::env::var_os("POSTHASTE_CORPUS").map(PathBuf::from);
    let mails = named
        .unwrap_or_else(|| PathBuf::from("../shared/corpus"))
        .join("async");
    if mails.is_dir() {
        return mails;
    }
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/read"))
}

/// Mails a second, in CPU time of this thread.
fn round(mails: &[Vec<u8>], rules: &RuleSet) -> f64 {
    let began = Instant::now();
    let start = cpu_time(began);
    let mut count = 0_usize;
    loop {
        for mail in mails {
            black_box(read(mail, rules));
        }
        count += mails.len();
        let taken = cpu_time(began).saturating_sub(start);
        if taken >= ROUND {
            return count as f64 / taken.as_secs_f64();
        }
    }
}

/// CPU time of this thread, where the kernel tells it (Linux); otherwise the time that has passed.
fn cpu_time(began: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| began.elapsed(), Duration::from_nanos)
}

fn load(folder: &Path, mails: &mut Vec<Vec<u8>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            load(&path, mails)?;
        } else if path.extension().is_none_or(|e| e != "json" && e != "jsonl") {
            mails.push(std::fs::read(&path)?);
        }
    }
    Ok(())
}
