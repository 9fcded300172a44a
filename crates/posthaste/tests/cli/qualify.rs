//! `qualify` and `rules test`, without store and configuration.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::place::Place;

const BOUNCE: &str = "From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n\
    Hi. This is the qmail-send program at example.net.\n\n\
    <nobody@example.com>:\n192.0.2.1 does not like recipient.\n\
    Remote host said: 550 5.1.1 User unknown\n";

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Runs with something on standard input; gives what was written and the exit code.
fn fed(place: &Place, args: &[&str], input: &str) -> (String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_posthaste"))
        .args(args)
        .current_dir(place.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.code().unwrap(),
    )
}

#[test]
fn mails_are_qualified_wherever_they_lie() {
    let place = Place::empty();
    // Broken on purpose: nothing here may look for a configuration.
    place.write("posthaste.toml", "nonsense");
    for folder in ["mails", "box", "box/cur", "box/new"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    place.write("mails/b.eml", BOUNCE);
    place.write("mails/a.txt", "Subject: hello\n\nhello\n");
    place.write("box/cur/1:2,S", BOUNCE);
    let line = "From MAILER-DAEMON Sat Nov 21 10:00:00 2026\n";
    place.write("all.mbox", &format!("{line}{BOUNCE}\n{line}{BOUNCE}"));
    let ran = place
        .run(&["qualify", "--json", "mails/", "box", "all.mbox"])
        .done();
    let told = lines(&ran.out);
    let files: Vec<&str> = told.iter().map(|t| t["file"].as_str().unwrap()).collect();
    assert_eq!(
        files,
        [
            "mails/a.txt",
            "mails/b.eml",
            "box/cur/1:2,S",
            "all.mbox#1",
            "all.mbox#2"
        ]
    );
    assert_eq!(told[0]["kind"], "other");
    for bounce in &told[1..] {
        assert_eq!(bounce["kind"], "bounce");
        assert_eq!(
            bounce["recipients"][0]["reason"], "user_unknown",
            "{bounce}"
        );
    }
    let (out, code) = fed(&place, &["qualify", "--json", "-"], BOUNCE);
    assert_eq!((lines(&out)[0]["file"].as_str(), code), (Some("-"), 0));
}

#[test]
fn people_get_a_table_and_the_steps() {
    let place = Place::empty();
    place.write("a.eml", BOUNCE);
    let out = place.run(&["qualify", "--explain", "a.eml"]).done().out;
    assert!(out.starts_with("a.eml: bounce, qmail\n"), "{out}");
    assert!(
        out.contains("nobody@example.com  hard  user_unknown  5.1.1"),
        "{out}"
    );
    assert!(out.contains("\n  - "), "{out}");
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_done() {
    let place = Place::empty();
    place.write("a.eml", BOUNCE);
    let ran = place.run(&["qualify", "--json", "gone.eml", "a.eml"]);
    assert_eq!(lines(&ran.out).len(), 1);
    ran.failed(3, &["reading gone.eml", "check the path"]);
    place.run(&["qualify"]).failed(2, &["PATH"]);
}

#[test]
fn a_huge_mail_is_unreadable_with_the_reason() {
    let place = Place::empty();
    place.write("huge.eml", &"x".repeat(20 << 20));
    let told = lines(&place.run(&["qualify", "--json", "huge.eml"]).done().out);
    assert_eq!(told[0]["kind"], "other");
    assert!(told[0]["unreadable"].is_string(), "{told:?}");
}

#[test]
fn replies_are_judged_as_lines_or_objects() {
    let place = Place::empty();
    place.write("r", "550 5.1.1 User unknown\n\n{\"id\": \"x\", \"reply\": \"452 4.2.2 mailbox full\"}\n{\"id\": 2}\n");
    let ran = place.run(&["qualify", "--replies", "r", "--json"]);
    let told = lines(&ran.out);
    assert_eq!(told.len(), 2, "{ran:?}");
    assert_eq!(
        (&told[0]["id"], &told[0]["type"]),
        (&1.into(), &"hard".into())
    );
    assert_eq!(
        (&told[1]["id"], &told[1]["reason"]),
        (&"x".into(), &"mailbox_full".into())
    );
    ran.failed(3, &["r: line 4 is no reply", "missing field `reply`"]);
    let (out, _) = fed(
        &place,
        &["qualify", "--replies", "-"],
        "550 5.1.1 User unknown",
    );
    assert!(
        out.starts_with("1: hard, user_unknown, trouble of recipient, "),
        "{out}"
    );
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let place = Place::empty();
    place.write("r", &"550 5.1.1 User unknown\n".repeat(20_000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_posthaste"))
        .args(["qualify", "--replies", "r"])
        .current_dir(place.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}

#[test]
fn the_rules_are_tried_on_their_samples() {
    let place = Place::empty();
    let out = place.run(&["rules", "test"]).done().out;
    assert!(out.contains("all as expected"), "{out}");
    place
        .run(&["rules", "test", "--corpus", "nowhere"])
        .failed(3, &["nowhere is no corpus"]);
}
