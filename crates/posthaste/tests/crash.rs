//! kill -9 at random moments of a delivery, judged by the sandbox's own ledger.
//!
//! No recipient may be lost; recipients that got it twice are no more than what was in doubt at
//! the kills (connections open, one group of outcomes); a message sent again is the same message.
//! `./dev crash` runs it larger: POSTHASTE_CRASH_KILLS, POSTHASTE_CRASH_RECIPIENTS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it meets what it does not expect"
)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use posthaste_sandbox::{Entry, Ledger};
use serde_json::Value;

/// Messages that may be accepted and not yet on disk: the recorder's permits.
const IN_DOUBT: usize = 256;

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Ends the process with the test, however that ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

struct Place {
    directory: tempfile::TempDir,
    ledger: PathBuf,
    _sandbox: Ended,
}

impl Place {
    fn new(recipients: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(
            at("sandbox.toml"),
            "[[provider]]\nname = \"all\"\ndomains = [\"*\"]\n",
        )
        .unwrap();
        let ledger = at("ledger.jsonl");
        let mut sandbox = posthaste()
            .args(["sandbox", "--providers"])
            .arg(at("sandbox.toml"))
            .arg("--ledger")
            .arg(&ledger)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(sandbox.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let addr = ready["providers"][0]["addr"].as_str().unwrap().to_owned();
        let place = Self {
            directory,
            ledger,
            _sandbox: Ended(sandbox),
        };
        assert!(place.run(&["init", "."]).status.success());
        let config = format!(
            "ehlo_name = \"mta.example.com\"\n[[domain]]\nname = \"example.com\"\n\
             [[route]]\ndomains = [\"*\"]\nrelay = \"{addr}\"\ntls = \"none\"\n"
        );
        std::fs::write(place.directory.path().join("posthaste.toml"), config).unwrap();
        place.write_delivery(recipients);
        place
    }

    fn write_delivery(&self, recipients: usize) {
        let mut csv = "email,name\n".to_owned();
        for n in 0..recipients {
            writeln!(csv, "person{n}@d{}.example,Kim", n % 7).unwrap();
        }
        std::fs::write(self.directory.path().join("list.csv"), csv).unwrap();
        let delivery = "label = \"crash\"\nrecipients = \"list.csv\"\nfrom = \"news@example.com\"\n\
            error_address = \"bounces@example.com\"\nsubject = \"Hello {{ name }}\"\n\
            text = \"Hello {{ name }}. Unsubscribe: https://example.com/unsubscribe\"\n";
        std::fs::write(self.directory.path().join("delivery.toml"), delivery).unwrap();
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        posthaste()
            .args(args)
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{args:?}: {text}{said}"))
    }

    fn serve(&self) -> Ended {
        let child = posthaste()
            .arg("serve")
            .current_dir(self.directory.path())
            .spawn()
            .unwrap();
        Ended(child)
    }
}

fn posthaste() -> Command {
    Command::new(env!("CARGO_BIN_EXE_posthaste"))
}

/// Waits for what another process does; the condition is looked at again and again, and the test
/// fails after two minutes.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{what} did not happen"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn accepted(ledger: &Path) -> usize {
    std::fs::read(ledger).map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count())
}

#[test]
fn nothing_is_lost_and_little_is_doubled_when_the_process_is_killed() {
    let kills = setting("POSTHASTE_CRASH_KILLS", 3);
    let recipients = setting("POSTHASTE_CRASH_RECIPIENTS", 5_000);
    let place = Place::new(recipients);
    place.json(&["delivery", "create", "delivery.toml"]);
    place.json(&["delivery", "prepare", "1"]);
    place.json(&["delivery", "confirm", "1"]);
    let mut done = 0;
    let mut seed = u64::from(std::process::id());
    for kill in 0..kills {
        let mut services = place.serve();
        // A moment between what was reached and this kill's share of the whole.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = recipients * (kill + 1) / (kills + 1);
        let span = share.saturating_sub(done).max(1) as u64;
        let at = done + usize::try_from((seed >> 33) % span).unwrap();
        until("sending", || accepted(&place.ledger) > at);
        services.0.kill().unwrap();
        services.0.wait().unwrap();
        done = accepted(&place.ledger);
        println!("kill {}: {done} accepted so far", kill + 1);
    }
    let mut services = place.serve();
    until("the end of the delivery", || {
        place.json(&["delivery", "status", "1"])["state"] == "finished"
    });
    terminate(&mut services);
    judge(&place, kills, recipients);
}

/// SIGTERM drains the services and ends them well.
fn terminate(services: &mut Ended) {
    let pid = services.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(services.0.wait().unwrap().success());
}

fn judge(place: &Place, kills: usize, recipients: usize) {
    let status = place.json(&["delivery", "status", "1"]);
    assert_eq!(status["sent"], recipients, "{status}");
    assert_eq!(status["target"], recipients, "{status}");
    let mut got: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in Ledger::read(&place.ledger).unwrap() {
        got.entry(entry.recipient.clone()).or_default().push(entry);
    }
    assert_eq!(got.len(), recipients, "everyone got it");
    let twice: Vec<_> = got.values().filter(|entries| entries.len() > 1).collect();
    println!(
        "{} of {recipients} got it twice after {kills} kills",
        twice.len()
    );
    // Ten connections are open at most; they hold permits, so they are within what is in doubt.
    assert!(
        twice.len() <= kills * IN_DOUBT,
        "{} got it twice",
        twice.len()
    );
    for entries in twice {
        assert!(entries.len() <= kills + 1);
        for entry in entries {
            assert_eq!(
                entry.content_hash, entries[0].content_hash,
                "the same message"
            );
            assert_eq!(entry.message_id, entries[0].message_id);
        }
    }
}
