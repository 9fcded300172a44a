//! What bad input gets: a sentence with what to do, an exit code of the table, nothing written.

use crate::place::{DELIVERY, Place};

/// Nothing of a refused delivery is left: no delivery, no list.
#[track_caller]
fn nothing_was_written(place: &Place) {
    for what in [
        ["--json", "delivery", "list"],
        ["--json", "recipients", "list"],
    ] {
        let json = place.run(&what).json();
        assert_eq!(json["items"].as_array().unwrap().len(), 0, "{json}");
    }
}

#[test]
fn wrong_delivery_files_name_every_problem_and_write_nothing() {
    let place = Place::with_delivery();
    let wrong = DELIVERY
        .replace("news@example.com", "news@localhost")
        .replace("html_file", "html-file")
        .replace("people.csv", "gone.csv");
    place.write("spring.toml", &wrong);
    let said = [
        "recipients: ",
        "gone.csv",
        "from: ",
        "html-file: unknown key; is \"html_file\" meant?",
    ];
    for verb in [&["send"][..], &["delivery", "create"]] {
        place
            .run(&[verb, &["spring.toml"]].concat())
            .failed(3, &said);
        nothing_was_written(&place);
    }
    place
        .run(&["send", "autumn.toml"])
        .failed(3, &["autumn.toml", "check the path"]);
    place.write("mail.html", "<p>\nHello {{ name }</p>");
    place.write("spring.toml", DELIVERY);
    place
        .run(&["send", "spring.toml"])
        .failed(3, &["html: line 2"]);
    nothing_was_written(&place);
    place.write("spring.toml", "label = ");
    place
        .run(&["send", "spring.toml"])
        .failed(3, &["line 1: it is not valid TOML"]);
}

#[test]
fn wrong_recipients_files_are_refused_and_leave_nothing() {
    for (name, text, said) in [
        (
            "no address column",
            "name,city\nAnn,Turin\n",
            "no column holds addresses",
        ),
        (
            "doubled header",
            "email,name,name\na@example.net,A,B\n",
            "is there twice",
        ),
        ("nothing", "", "is empty"),
    ] {
        let place = Place::with_delivery();
        place.write("people.csv", text);
        let ran = place.run(&["send", "spring.toml"]);
        assert!(ran.err.contains(said), "{name}: {ran:?}");
        assert_eq!(ran.code, 3, "{name}");
        nothing_was_written(&place);
    }
}

#[test]
fn a_misspelt_column_is_found_before_anything_is_written() {
    let place = Place::with_delivery();
    place.write("mail.html", "<p>\n{{ nmae }} {{ zip }}</p>");
    place.run(&["send", "spring.toml"]).failed(
        3,
        &[
            "html: line 2: there is no column \"nmae\": did you mean \"name\"?",
            "there is no column \"zip\"",
        ],
    );
    nothing_was_written(&place);
}

#[test]
fn a_misspelt_name_in_ndjson_is_told_once_and_not_for_every_recipient() {
    let place = Place::with_delivery();
    let mut people = String::new();
    for n in 0..50 {
        people.push_str(&format!(
            "{{\"email\": \"a{n}@example.net\", \"name\": \"A\"}}\n"
        ));
    }
    place.write("people.ndjson", &people);
    place.write(
        "spring.toml",
        &DELIVERY.replace("people.csv", "people.ndjson"),
    );
    place.write("mail.html", "<p>{{ nmae }}</p>");
    let ran = place.run(&["send", "spring.toml"]);
    assert_eq!(ran.err.matches("nmae").count(), 1, "{ran:?}");
    ran.failed(3, &["did you mean \"name\"?"]);
}

#[test]
fn a_list_that_is_not_stored_is_not_found() {
    let place = Place::with_delivery();
    let text = DELIVERY.replace("recipients = \"people.csv\"", "list = \"customers\"");
    place.write("spring.toml", &text);
    place
        .run(&["send", "spring.toml"])
        .failed(5, &["no list named \"customers\"", "recipients list"]);
    place.append("people.csv", "");
    let control = format!("{DELIVERY}[exclusions]\ncontrol_list = \"control\"\n");
    place.write("spring.toml", &control);
    place
        .run(&["send", "spring.toml"])
        .failed(5, &["no list named \"control\""]);
    nothing_was_written(&place);
}

#[test]
fn an_empty_target_is_refused_and_leaves_nothing() {
    for (name, people, said) in [
        ("a header only", "email,name\n", "a header and no recipient"),
        (
            "rejected lines only",
            "email,name\na@example.net,A,B,C\n",
            "every line of it was rejected",
        ),
    ] {
        let place = Place::with_delivery();
        place.write("people.csv", people);
        for verb in [&["send"][..], &["delivery", "create"]] {
            let ran = place.run(&[verb, &["spring.toml"]].concat());
            assert!(ran.err.contains("the target is empty"), "{name}: {ran:?}");
            ran.failed(3, &["people.csv", said]);
            nothing_was_written(&place);
        }
    }
}

/// A first recipient who is fine, and one whose name breaks a header.
const A_BROKEN_HEADER: &str = "email,name\nann@example.net,Ann\nbob@example.net,\"B\nob\"\n";

#[test]
fn what_preparation_finds_blocks_sending_and_send_takes_everything_back() {
    let place = Place::with_delivery();
    place.write("people.csv", A_BROKEN_HEADER);
    place.run(&["send", "spring.toml"]).failed(
        3,
        &[
            "line 3, recipient bob@example.net",
            "holds a line break",
            "send again",
        ],
    );
    nothing_was_written(&place);
    let ran = place.run(&["--json", "send", "spring.toml"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let numbers: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(numbers["state"], "preparation_failed");
    nothing_was_written(&place);
}

#[test]
fn what_preparation_finds_stays_readable_step_by_step() {
    let place = Place::with_delivery();
    place.write("people.csv", A_BROKEN_HEADER);
    place.run(&["delivery", "create", "spring.toml"]).done();
    place
        .run(&["delivery", "prepare", "1"])
        .failed(3, &["holds a line break", "delivery prepare 1"]);
    let json = place.run(&["--json", "delivery", "status", "1"]).json();
    assert_eq!(json["state"], "preparation_failed");
    let explained = place.run(&["explain", "delivery", "1"]).done().out;
    assert!(explained.contains("reported this error"), "{explained}");
}

#[test]
fn a_target_that_is_excluded_whole_is_kept_with_its_exclusions() {
    let place = Place::with_delivery();
    place.write("people.csv", "email,name\nno address,Nobody\n,Missing\n");
    place.run(&["send", "spring.toml"]).failed(
        3,
        &["every recipient is excluded", "posthaste exclusions 1"],
    );
    let rows = place.run(&["--json", "exclusions", "1"]).json();
    assert_eq!(rows["items"].as_array().unwrap().len(), 2, "{rows}");
}

#[test]
fn configuration_and_secret_are_checked() {
    let place = Place::with_delivery();
    place.append("posthaste.toml", "color = \"red\"\nerror-address = 3\n");
    place
        .run(&["delivery", "list"])
        .failed(3, &["2 problems", "domain[0].color: unknown key"]);
    let empty = Place::empty();
    empty
        .run(&["delivery", "list"])
        .failed(3, &["posthaste init"]);
    empty
        .run(&["-c", "gone.toml", "delivery", "list"])
        .failed(3, &["gone.toml"]);
    let place = Place::with_delivery();
    place.run(&["delivery", "create", "spring.toml"]).done();
    place.write("posthaste.secret", "short");
    place
        .run(&["delivery", "preview", "1"])
        .failed(3, &["5 bytes instead of 32"]);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(place.path("posthaste.secret"), open).unwrap();
    place
        .run(&["delivery", "preview", "1"])
        .failed(3, &["chmod 600"]);
}

#[test]
fn a_store_that_is_missing_or_no_store_is_refused() {
    let place = Place::ready();
    for file in [
        "posthaste.sqlite",
        "posthaste.sqlite-wal",
        "posthaste.sqlite-shm",
    ] {
        // The last two are only there while something is left to be written back.
        let _ = std::fs::remove_file(place.path(file));
    }
    place
        .run(&["delivery", "list"])
        .failed(6, &["no store", "posthaste init"]);
    place.write("posthaste.sqlite", &"this is not a database ".repeat(100));
    place.run(&["delivery", "list"]).failed(6, &[]);
}

#[test]
fn the_command_line_is_checked() {
    let place = Place::ready();
    place
        .run(&["delivery", "status", "seven"])
        .failed(2, &["an id is a whole number"]);
    place
        .run(&["log", "1", "--reason", "weather"])
        .failed(2, &["known are", "mailbox_full"]);
    place
        .run(&["log", "1", "--limit", "0"])
        .failed(2, &["1 to 10000"]);
    place
        .run(&["delivery", "start", "1", "--at", "noon"])
        .failed(2, &["RFC 3339"]);
    place.run(&["fly"]).failed(2, &["unrecognized subcommand"]);
    place
        .run(&["log", "1", "--domain", "localhost"])
        .failed(3, &["--domain: the domain has no dot"]);
}

#[test]
fn help_names_the_exit_codes_and_an_example() {
    let place = Place::empty();
    let help = place.run(&["--help"]).done().out;
    assert!(
        help.contains("130  interrupted") && help.contains("Example:"),
        "{help}"
    );
    let help = place.run(&["delivery", "proof", "--help"]).done().out;
    assert!(
        help.contains("posthaste delivery proof 7 --to me@example.com"),
        "{help}"
    );
}
