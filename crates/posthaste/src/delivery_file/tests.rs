//! Delivery files, good and bad, in directories of their own.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::section::Problem;

fn config() -> Config {
    let text = "
        [[domain]]
        name = \"example.com\"
        error_address = \"bounces@example.com\"
    ";
    config_of(text)
}

fn config_of(text: &str) -> Config {
    crate::config::check(text, Path::new("/"), &|_| None).unwrap()
}

fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("people.csv"),
        "email,name\na@example.net,A\n",
    )
    .unwrap();
    std::fs::write(
        home.path().join("mail.html"),
        "\u{feff}<p>Hello {{ name }}</p>",
    )
    .unwrap();
    std::fs::write(home.path().join("latin1.html"), b"<p>Gr\xfc\xdfe</p>").unwrap();
    std::fs::write(home.path().join("logo.png"), b"not really a picture").unwrap();
    home
}

fn checked(text: &str) -> std::result::Result<DeliveryFile, Vec<String>> {
    let home = home();
    let shown = format!("{}/", home.path().display());
    read::check(text, &home.path().join("spring.toml"), &config()).map_err(|problems| {
        let said = problems.iter().map(Problem::to_string);
        said.map(|problem| problem.replace(&shown, "")).collect()
    })
}

const LEAST: &str = "
    recipients = \"people.csv\"
    from = \"Example <news@example.com>\"
    subject = \"Hello\"
    html_file = \"mail.html\"
";

#[test]
fn the_least_file_gets_the_defaults() {
    let file = checked(LEAST).unwrap();
    let spec = file.spec;
    assert_eq!(spec.label, "spring");
    assert_eq!(spec.from, "Example <news@example.com>");
    assert_eq!(spec.error_address, "bounces@example.com");
    assert_eq!(spec.html.as_deref(), Some("<p>Hello {{ name }}</p>"));
    assert_eq!(spec.validity, std::time::Duration::from_hours(5 * 24));
    assert_eq!(spec.retries.waits.len(), 9);
    assert!(spec.exclusions.duplicates && !spec.test_smtp);
}

#[test]
fn every_key_is_read() {
    let text = r#"
        label = "Spring sale"
        channel = "email"
        list = "customers"
        from = "news@example.com"
        reply_to = "Service <service@example.com>"
        error_address = "returns@example.com"
        subject = "Hello {{ name }}"
        html = "<img src='cid:logo'>"
        text = "Hello"
        priority = "very_high"
        contact_date = 2026-12-01T09:00:00+01:00
        validity = "90s"
        batch_quantity = 64
        approval = "semi_automatic"
        test_smtp = true
        [headers]
        X-Campaign = "spring"
        [[attachment]]
        path = "logo.png"
        name = "Logo.png"
        type = "image/png"
        cid = "logo"
        [retries]
        waits = ["1s", "2s"]
        jitter_percent = 0
        doubtful_retries = 1
        [exclusions]
        duplicates = false
        denylisted = false
        quarantined = false
        minimum_quality = -1
        control_percent = 2.5
        control_seed = "spring"
        control_list = "control"
    "#;
    let file = checked(text).unwrap();
    assert_eq!(file.source, Source::List("customers".to_owned()));
    let spec = file.spec;
    assert_eq!(spec.contact_date.unwrap().0, 1_796_112_000_000);
    assert_eq!(spec.retries.waits.len(), 2);
    assert_eq!(
        spec.headers,
        [("X-Campaign".to_owned(), "spring".to_owned())]
    );
    assert_eq!(spec.attachments[0].content_id.as_deref(), Some("logo"));
    assert_eq!(spec.attachments[0].size, 20);
    assert_eq!(spec.attachments[0].sha256.len(), 64);
    assert_eq!(file.blobs[0].1, b"not really a picture");
    assert_eq!(spec.exclusions.minimum_quality, Some(-1));
    let guide = include_str!("../../../../docs/delivery-file.md");
    for line in text.lines().filter_map(|line| line.split_once(" = ")) {
        let key = format!("`{}`", line.0.trim());
        assert!(
            line.0.contains("X-") || guide.contains(&key),
            "docs/delivery-file.md lacks {key}"
        );
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = r#"
        recipients = "nobody.csv"
        list = "customers"
        from = "news at example.com"
        reply-to = "service@example.com"
        html_file = "gone.html"
        priority = "urgent"
        contact_date = "tomorrow"
        validity = "5"
        [exclusions]
        control_percent = 101
        [[attachment]]
        name = "logo"
    "#;
    let said = checked(text).unwrap_err();
    let beginnings = [
        "list: give \"recipients\" (a file) or \"list\"",
        "from: \"news at example.com\" is not a mailbox",
        "error_address: it is missing",
        "subject: it is missing",
        "html_file: gone.html cannot be read",
        "attachment[0].path: it is missing",
        "priority: \"urgent\" is none of very_low, low, normal, high, very_high",
        "contact_date: \"tomorrow\" is not a moment",
        "validity: \"5\" is not a duration",
        "exclusions.control_percent: it must be a share",
        "reply-to: unknown key; is \"reply_to\" meant?",
    ];
    assert_eq!(said.len(), beginnings.len(), "{said:#?}");
    for (said, beginning) in said.iter().zip(beginnings) {
        assert!(said.starts_with(beginning), "{said}\n{beginning}");
    }
}

#[test]
fn single_problems() {
    let rows = [
        (
            "a file that is not there",
            "people.csv",
            "none.csv",
            "recipients: none.csv cannot be read",
        ),
        (
            "an address that is none",
            "news@example.com",
            "news@localhost",
            "from: ",
        ),
        (
            "not UTF-8",
            "mail.html",
            "latin1.html",
            "html_file: latin1.html is not UTF-8",
        ),
        (
            "a template error",
            "\"Hello\"",
            "\"Hello {{ name\"",
            "subject: line 1: ",
        ),
        (
            "no bounce address",
            "news@example.com",
            "news@example.org",
            "error_address: it is missing",
        ),
        (
            "not TOML",
            "subject = ",
            "subject ",
            "line 4: it is not valid TOML",
        ),
    ];
    for (name, from, to, expected) in rows {
        let said = checked(&LEAST.replace(from, to)).unwrap_err();
        assert!(said[0].starts_with(expected), "{name}: {said:?}");
    }
}
