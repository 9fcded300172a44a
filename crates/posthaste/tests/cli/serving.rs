//! `serve` and `send` as processes, against a sandbox that is one too.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::Place;

/// Long enough for a loaded machine, short against an endless loop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Running {
    fn start(place: &Place, args: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_posthaste"))
            .args(args)
            .current_dir(place.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn terminate(&self) {
        let pid = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("the process ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(
            began.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::yield_now();
    }
}

/// A sandbox that accepts everything, and a route to it for all domains.
fn sandbox(place: &Place) -> Running {
    let mut sandbox = Running::start(place, &["sandbox", "--fates", "accept"]);
    let mut line = String::new();
    let out = sandbox.0.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let addr = ready["providers"][0]["addr"].as_str().unwrap();
    place.append(
        "posthaste.toml",
        &format!("[[route]]\ndomains = [\"*\"]\nrelay = \"{addr}\"\ntls = \"none\"\n"),
    );
    sandbox
}

/// Confirms a delivery to 4,000 recipients of as many domains.
fn start_delivery(place: &Place) {
    let mut people = "email,name\n".to_owned();
    for n in 0..4_000 {
        people.push_str(&format!("user{n}@domain{n}.example,N\n"));
    }
    place.write("people.csv", &people);
    place.run(&["delivery", "create", "spring.toml"]).done();
    place.run(&["delivery", "prepare", "1"]).done();
    place.run(&["delivery", "start", "1"]).done();
}

fn numbers(place: &Place) -> Value {
    place.run(&["delivery", "status", "1", "--json"]).json()
}

/// Many domains keep look-ups open when the end is asked for: what they bring in afterwards must
/// go back to the store.
#[test]
fn serve_ends_in_the_middle_of_a_delivery_and_the_next_one_finishes_it() {
    let place = Place::with_delivery();
    let _sandbox = sandbox(&place);
    start_delivery(&place);
    let mut serve = Running::start(&place, &["serve"]);
    until("some are sent", || {
        numbers(&place)["sent"].as_u64() > Some(0)
    });
    place.run(&["delivery", "pause", "1"]).done();
    place.run(&["delivery", "resume", "1"]).done();
    serve.terminate();
    assert!(serve.ended().success());
    let held = numbers(&place);
    assert_eq!(
        held["sent"].as_u64().unwrap() + held["pending"].as_u64().unwrap(),
        4_000,
        "{held}"
    );
    let mut serve = Running::start(&place, &["serve"]);
    until("it is finished", || numbers(&place)["state"] == "finished");
    assert_eq!(numbers(&place)["sent"], 4_000);
    serve.terminate();
    assert!(serve.ended().success());
}

/// A confirmed delivery is sent by whichever services run next, so that what keeps the services
/// from starting has to be found before.
#[test]
fn a_missing_dkim_key_stops_send_before_anything_is_written() {
    let place = Place::with_delivery();
    let _sandbox = sandbox(&place);
    let config = place.read("posthaste.toml");
    let with_key =
        "name = \"example.com\"\ndkim = [{ selector = \"s1\", key_file = \"no.pem\" }]\n";
    place.write(
        "posthaste.toml",
        &config.replace("\nname = \"example.com\"\n", &format!("\n{with_key}")),
    );
    place
        .run(&["send", "spring.toml"])
        .failed(3, &["no.pem", "check the path"]);
    let left = place.run(&["delivery", "list", "--json"]).json();
    assert_eq!(left["items"], Value::Array(Vec::new()));
    let lists = place.run(&["recipients", "list", "--json"]).json();
    assert_eq!(lists["items"], Value::Array(Vec::new()));
}

#[test]
fn send_tells_its_numbers_as_json_even_when_preparation_fails() {
    let place = Place::with_delivery();
    place.write("people.csv", "email,name\nno address,Nobody\n");
    let ran = place.run(&["send", "spring.toml", "--json"]);
    let numbers: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(numbers["state"], "preparation_failed");
    assert_eq!(numbers["excluded"]["bad_quality"], 1);
    ran.failed(3, &["the target is empty", "Nothing was sent"]);
}

#[test]
fn a_pending_row_without_attempt_shows_no_moment() {
    let place = Place::with_delivery();
    place.run(&["delivery", "create", "spring.toml"]).done();
    place.run(&["delivery", "prepare", "1"]).done();
    let log = place.run(&["log", "1"]).done();
    assert!(
        log.out.contains("pending") && !log.out.contains("1970"),
        "{log:?}"
    );
}

#[test]
fn a_stop_after_a_crash_leaves_nobody_pending() {
    let place = Place::with_delivery();
    let _sandbox = sandbox(&place);
    start_delivery(&place);
    let serve = Running::start(&place, &["serve"]);
    until("some are sent", || {
        numbers(&place)["sent"].as_u64() > Some(0)
    });
    drop(serve);
    place.run(&["delivery", "stop", "1", "--yes"]).done();
    let after = numbers(&place);
    assert_eq!(after["pending"], 0, "{after}");
    assert_eq!(
        after["sent"].as_u64().unwrap() + after["cancelled"].as_u64().unwrap(),
        4_000,
        "{after}"
    );
}
