//! A whole delivery through Postfix: its numbers, and the mails as Python reads them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::child;
use super::postfix::{Postfix, Setup};
use super::program::Program;

const READ_MAIL: &str = include_str!("read_mail.py");

/// A PNG's first bytes and every octet there is: base64 must bring all of them back.
fn picture() -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n"[..], &(0..=255).collect::<Vec<u8>>()].concat()
}

const DELIVERY: &str = "\
label = \"spring\"
recipients = \"list.csv\"
from = \"Bücherei am Kai, Zürich <news@example.com>\"
reply_to = \"Ladenkasse <shop@example.com>\"
error_address = \"bounces@example.com\"
subject = \"{{ name }}: ein Gruß – und mehr, viel mehr, als in eine Zeile passt, {{ name }}!\"
html_file = \"mail.html\"
text_file = \"mail.txt\"
approval = \"automatic\"
retries.waits = [\"1s\"]
headers.X-Note = \"für {{ name }}\"
[[attachment]]
path = \"logo.png\"
cid = \"logo\"
[[attachment]]
path = \"plan.png\"
name = \"Übersicht 2026.png\"
";

const TEXT: &str = "Hallo {{ name }},\n.\n.Punkt\nFrom hier an = anders\n\n{{ filler }}\nfoo \t\n\
    Abmelden: https://example.com/unsubscribe\n";

/// Local parts of those who get a reply of their own, the replies, and what becomes of them.
const REFUSALS: [(&str, &str, &str); 5] = [
    ("gone", "", "user_unknown"),
    (
        "full",
        "452 4.2.2 Mailbox full, quota exceeded",
        "mailbox_full",
    ),
    (
        "closed",
        "550 5.2.1 The account is disabled",
        "account_disabled",
    ),
    (
        "later",
        "450 4.2.0 Greylisted, see http://postgrey.example/help",
        "unreachable",
    ),
    (
        "listed",
        "554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using bl.example",
        "refused",
    ),
];

const ACCEPTED: usize = 150;
const EACH: usize = 10;

fn prepared(postfix: &Postfix) -> (Program, Value) {
    let program = Program::new(&format!(
        "unsubscribe_url = \"https://example.com/unsubscribe\"\n\
         [[domain]]\nname = \"example.com\"\n\
         dkim = [{{ selector = \"r\", key_file = \"r.pem\" }}, {{ selector = \"e\", key_file = \"e.pem\" }}]\n\
         [[route]]\ndomains = [\"*\"]\nrelay = \"{}\"\n",
        postfix.addr
    ));
    let mut records = json!({});
    for (selector, kind) in [("r", "rsa"), ("e", "ed25519")] {
        let file = format!("{selector}.pem");
        let args = [
            "dkim",
            "generate",
            "example.com",
            selector,
            "--type",
            kind,
            "-o",
            &file,
        ];
        let made = program.json(&args);
        records[made["name"].as_str().unwrap()] = made["record"].clone();
    }
    program.write("delivery.toml", DELIVERY);
    program.write("mail.txt", TEXT);
    program.write(
        "mail.html",
        "<p>Hallo {{ name }},</p>\n<img src=\"cid:logo\">\n<p>{{ filler }}</p>\n\
         <a href=\"https://example.com/unsubscribe\">Abmelden</a>\n",
    );
    program.write("logo.png", picture());
    program.write("plan.png", picture());
    program.write("list.csv", list());
    (program, records)
}

/// Every fifth accepted one has a filler that must be broken: long, and not ASCII.
fn list() -> String {
    let mut csv = "email,name,filler\n".to_owned();
    for n in 0..ACCEPTED {
        let filler = if n.is_multiple_of(5) {
            "länger ".repeat(200)
        } else {
            "kurz".to_owned()
        };
        writeln!(csv, "person{n}@real.example,Jürgen <{n}> & Söhne,{filler}").unwrap();
    }
    for (local, ..) in REFUSALS {
        for n in 0..EACH {
            writeln!(csv, "{local}{n}@real.example,Kim,kurz").unwrap();
        }
    }
    csv
}

fn setup() -> Setup {
    let numbered = |local: &str, count: usize| {
        (0..count)
            .map(|n| format!("{local}{n}"))
            .collect::<Vec<_>>()
    };
    let refused = REFUSALS.iter().filter(|(_, reply, _)| !reply.is_empty());
    Setup {
        mailboxes: numbered("person", ACCEPTED),
        refusals: refused
            .flat_map(|(local, reply, _)| {
                numbered(local, EACH)
                    .into_iter()
                    .map(move |who| (who, *reply))
            })
            .collect(),
        // Otherwise it waits for a second after each refusal beyond the tenth of a session.
        settings: "smtpd_error_sleep_time = 0".to_owned(),
    }
}

#[test]
fn a_delivery_through_postfix_ends_with_the_right_numbers_and_mails() {
    let test = "a delivery through Postfix";
    if !child::is_importable(test, "dkim") {
        return;
    }
    let Some(postfix) = Postfix::start(test, &setup()) else {
        return;
    };
    let (program, records) = prepared(&postfix);
    let summary = program.json(&["send", "delivery.toml"]);
    assert_eq!(
        summary["target"],
        ACCEPTED + EACH * REFUSALS.len(),
        "{summary}"
    );
    assert_eq!(summary["sent"], ACCEPTED, "{summary}");
    let mut failed = json!({});
    for (local, _, reason) in REFUSALS {
        let log = program.json(&["log", "1", "--address", &format!("{local}3@real.example")]);
        let row = &log["items"][0];
        assert_eq!(row["reason"], reason, "{local}: {row}");
        failed[reason] = json!(failed[reason].as_u64().unwrap_or(0) + EACH as u64);
    }
    assert_eq!(summary["failed"], failed, "{summary}");
    child::until("the last mail", || count(&postfix) == ACCEPTED);
    mails_are_as_they_were_written(&postfix, &records, program.path());
}

fn count(postfix: &Postfix) -> usize {
    (0..ACCEPTED)
        .map(|n| postfix.mails(&format!("person{n}")).len())
        .sum()
}

fn mails_are_as_they_were_written(postfix: &Postfix, records: &Value, home: &std::path::Path) {
    let mail = postfix.mail();
    let args = [
        "-c",
        READ_MAIL,
        mail.to_str().unwrap(),
        &records.to_string(),
    ];
    let lines = child::run(child::PYTHON, &args, home);
    let mails: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(mails.len(), ACCEPTED);
    for mail in &mails {
        let n: usize = mail["box"]
            .as_str()
            .unwrap()
            .strip_prefix("person")
            .unwrap()
            .parse()
            .unwrap();
        one_is_as_it_was_written(mail, n);
    }
}

fn one_is_as_it_was_written(mail: &Value, n: usize) {
    let name = format!("Jürgen <{n}> & Söhne");
    let filler = if n.is_multiple_of(5) {
        "länger ".repeat(200).trim_end().to_owned()
    } else {
        "kurz".to_owned()
    };
    let expected = [
        (
            "subject",
            json!(format!(
                "{name}: ein Gruß – und mehr, viel mehr, als in eine Zeile passt, {name}!"
            )),
        ),
        (
            "from",
            json!([["Bücherei am Kai, Zürich", "news@example.com"]]),
        ),
        ("to", json!([["", format!("person{n}@real.example")]])),
        ("reply_to", json!([["Ladenkasse", "shop@example.com"]])),
        ("note", json!(format!("für {name}"))),
        ("list_unsubscribe_post", json!("List-Unsubscribe=One-Click")),
        (
            "structure",
            json!([
                "multipart/mixed",
                "multipart/alternative",
                "text/plain",
                "multipart/related",
                "text/html",
                "image/png",
                "image/png",
            ]),
        ),
        (
            "files",
            json!([null, null, "logo.png", "Übersicht 2026.png"]),
        ),
        ("ids", json!([null, null, "<logo>", null])),
        ("defects", json!([])),
        ("ascii", json!(true)),
        ("signatures", json!([true, true])),
    ];
    for (key, value) in expected {
        assert_eq!(mail[key], value, "{key} of person{n}: {mail}");
    }
    let text = mail["texts"][0].as_str().unwrap();
    let written = TEXT
        .replace("{{ name }}", &name)
        .replace("{{ filler }}", filler.as_str());
    assert_eq!(words(text), words(&written), "text of person{n}");
    let html = mail["texts"][1].as_str().unwrap();
    assert!(
        html.contains(&format!("Jürgen &lt;{n}&gt; &amp; Söhne")),
        "{html}"
    );
    let octets: Vec<Value> = mail["octets"].as_array().unwrap().clone();
    assert_eq!(octets[0], octets[1]);
    assert_eq!(
        octets[0].as_str().unwrap().len(),
        picture().len().div_ceil(3) * 4
    );
    assert!(mail["longest"].as_u64().unwrap() <= 998, "{mail}");
    assert!(
        mail["return_path"]
            .as_str()
            .unwrap()
            .starts_with("<bounces"),
        "{mail}"
    );
    assert!(
        mail["list_unsubscribe"]
            .as_str()
            .unwrap()
            .contains("<https://example.com/unsubscribe"),
        "{mail}"
    );
}

/// Lines without the white space at their ends, which mail does not promise to keep.
fn words(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}
