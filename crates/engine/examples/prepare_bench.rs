//! Measures import and preparation on the embedded store: `prepare_bench [RECIPIENTS] [DOMAINS]`.
//!
//! Generates a CSV stream of recipients, imports it, and prepares a delivery of 20 KB of
//! personalised HTML to them. Prints rows a second and the peak memory after each step. Set
//! `TMPDIR` to a directory on the disk to be measured.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use posthaste_core::delivery::{ApprovalMode, Priority};
use posthaste_core::log::Channel;
use posthaste_core::retry::RetryPolicy;
use posthaste_engine::clock::{Clock, SystemClock};
use posthaste_engine::import::{Importer, Options};
use posthaste_engine::preparer::{Preparer, Settings};
use posthaste_engine::spec::{Exclusions, Spec};
use posthaste_store::Deliveries;
use posthaste_store::rows::NewDelivery;
use posthaste_store::sqlite::SqliteStore;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A CSV file that is made while it is read: every hundredth row is a double.
struct Generated {
    rows: u64,
    domains: u64,
    next: u64,
    ready: Vec<u8>,
    given: usize,
}

impl Generated {
    fn new(rows: u64, domains: u64) -> Self {
        Self {
            rows,
            domains,
            next: 0,
            ready: b"email,first_name,last_name,city,points\n".to_vec(),
            given: 0,
        }
    }
}

impl Read for Generated {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.ready.len() {
            self.ready.clear();
            self.given = 0;
            for _ in 0..200.min(self.rows - self.next) {
                let n = self.next - u64::from(self.next % 100 == 99);
                // Half of the recipients are on the first eight domains, as in life.
                let domain = if n.is_multiple_of(2) {
                    n / 2 % 8
                } else {
                    n % self.domains
                };
                let row = format!(
                    "user{n}@d{domain}.example,First{n},Last{n},City {},{}\n",
                    n % 1_000,
                    n % 5_000
                );
                self.ready.extend_from_slice(row.as_bytes());
                self.next += 1;
            }
        }
        let mut rest = self.ready.get(self.given..).unwrap_or_default();
        let n = rest.read(out)?;
        self.given += n;
        Ok(n)
    }
}

fn spec() -> Spec {
    let line = "<tr><td style=\"padding:4px\">Dear {{ first_name }}, here is an offer for you in our shop.</td></tr>\n";
    let filler = "<tr><td style=\"padding:4px;font-family:sans-serif\">An offer of this week, at a good price.</td></tr>\n";
    let html = format!(
        "<html><body><table>{}{}</table><p>{{{{ city }}}}: {{{{ points }}}} points, {{{{ last_name }}}}</p>\
         <a href=\"https://shop.example/unsubscribe\">unsubscribe</a></body></html>",
        line.repeat(5),
        filler.repeat(190)
    );
    Spec {
        label: "bench".to_owned(),
        channel: Channel::Email,
        list: "bench".to_owned(),
        from: "Shop <news@shop.example>".to_owned(),
        reply_to: None,
        error_address: "bounces@shop.example".to_owned(),
        subject: "{{ first_name }}, news for you".to_owned(),
        html: Some(html),
        text: None,
        headers: Vec::new(),
        attachments: Vec::new(),
        priority: Priority::Normal,
        contact_date: None,
        validity: Duration::from_hours(120),
        retries: RetryPolicy::default(),
        batch_quantity: 0,
        exclusions: Exclusions::default(),
        approval: ApprovalMode::Manual,
        test_smtp: false,
    }
}

/// Peak resident memory of this process in MB, where the system tells.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kb: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kb / 1024)
}

fn report(step: &str, rows: u64, began: Instant) {
    let took = began.elapsed().as_secs_f64();
    let rate = rows as f64 / took;
    let peak = peak_mb().map_or_else(String::new, |mb| format!(", peak {mb} MB"));
    println!("{step}: {rows} in {took:.2} s = {rate:.0} a second{peak}");
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let domains: u64 = arguments.next().map_or(Ok(10_000), |n| n.parse())?;
    let dir = tempfile::tempdir()?;
    let store = SqliteStore::create(dir.path().join("store.db"))?;
    let cancel = AtomicBool::new(false);
    let clock = SystemClock;

    let began = Instant::now();
    let mut options = Options::for_file(Path::new("bench.csv"), "bench");
    options.rejects = dir.path().join("rejects.csv");
    let source = Generated::new(rows, domains.max(1));
    let imported =
        Importer::new(&store, clock.now(), &cancel).import(source, &options, &mut |_| {})?;
    report("import", imported.imported, began);

    let spec = spec();
    let id = store.create_delivery(
        &NewDelivery {
            label: spec.label.clone(),
            channel: spec.channel,
            list: imported.list,
            spec: serde_json::to_string(&spec)?,
            priority: spec.priority,
            contact_date: None,
            proof: false,
        },
        clock.now(),
    )?;
    let settings = Settings {
        holder: "bench".to_owned(),
        list_unsubscribe: true,
        threads: 0,
    };
    let began = Instant::now();
    let prepared = Preparer::new(&store, &clock, settings, &cancel).prepare(id, &mut |_| {})?;
    report("prepare", prepared.target, began);
    for line in &prepared.journal {
        println!("  {} {}", line.level, line.text);
    }
    Ok(())
}
