//! Measures how many mails a second are read and judged, on one core.
//!
//! ```text
//! cargo run --release -p posthaste-mail --example read_bench -- FOLDER [SECONDS]
//! ```

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use posthaste_core::qualify::RuleSet;
use posthaste_mail::read::{Kind, read};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("name the folder that holds the mails");
        std::process::exit(2);
    };
    let seconds = arguments.next().and_then(|s| s.parse().ok()).unwrap_or(5);
    let rules = RuleSet::shipped();
    let mut mails = Vec::new();
    load(&folder, &mut mails)?;
    let bytes: usize = mails.iter().map(Vec::len).sum();
    let mut bounces = 0_usize;
    // Rules and vocabulary are compiled by the first mail; that is not measured.
    for mail in &mails {
        bounces += usize::from(read(mail, &rules).kind == Kind::Bounce);
    }
    let start = Instant::now();
    let mut rounds = 0_usize;
    while start.elapsed() < Duration::from_secs(seconds) {
        for mail in &mails {
            std::hint::black_box(read(mail, &rules));
        }
        rounds += 1;
    }
    let taken = start.elapsed().as_secs_f64();
    let read_in_all = (rounds * mails.len()) as f64;
    println!(
        "{} mails ({} bounces), {} bytes each on average: {:.0} mails a second, {:.1} MB a second",
        mails.len(),
        bounces,
        bytes / mails.len().max(1),
        read_in_all / taken,
        (rounds * bytes) as f64 / taken / 1e6,
    );
    Ok(())
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
