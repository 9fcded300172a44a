//! Rules by hand: add, edit, order, disable, packages, backups, history.

use serde_json::Value;

use crate::place::Place;

const MINE: &str = r#"
[[rule]]
name = "moon-phase"
code = ["5yz"]
text = ["the moon is … phase"]
means = "busy"
source = "mx.example.net on certain nights"
samples = ["550 Sorry, the moon is in its wrong phase"]
"#;

fn names(json: &Value) -> Vec<&str> {
    let items = json["items"].as_array().unwrap();
    items
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_rule_is_added_changed_silenced_and_removed_with_history() {
    let place = Place::ready();
    place.write("mine.toml", MINE);
    let added = place.run(&["--json", "rules", "add", "mine.toml"]).json();
    assert_eq!(
        (&added["version"], &added["changed"][0]["version"]),
        (&1.into(), &1.into())
    );
    place
        .run(&["rules", "add", "mine.toml"])
        .failed(3, &["already", "rules edit moon-phase"]);
    let newer = MINE.replace("\"busy\"", "\"system\"");
    place.write("mine.toml", &newer);
    let edited = place
        .run(&["--json", "rules", "edit", "moon-phase", "mine.toml"])
        .json();
    assert_eq!(edited["changed"][0]["version"], 2);
    place
        .run(&["rules", "edit", "moon-phase", "mine.toml"])
        .failed(3, &["nothing would change"]);
    place.run(&["rules", "disable", "moon-phase"]).done();
    let list = place.run(&["--json", "rules", "list"]).json();
    assert_eq!(list["items"][0]["active"], false);
    place.run(&["rules", "enable", "moon-phase"]).done();
    let shown = place.run(&["rules", "show", "moon-phase"]).done().out;
    assert!(
        shown.contains("means = \"system\"") && shown.contains("# user, version 2"),
        "{shown}"
    );
    place.run(&["rules", "remove", "moon-phase"]).done();
    place
        .run(&["rules", "show", "moon-phase"])
        .failed(5, &["no rule moon-phase"]);
    let history = place
        .run(&["--json", "rules", "history", "moon-phase"])
        .json();
    let what: Vec<&str> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(what, ["removed", "enabled", "disabled", "edited", "added"]);
    assert!(
        history["items"][0]["by"]
            .as_str()
            .unwrap()
            .starts_with("operator")
    );
    // A name that comes back never has a version that meant something else.
    let again = place.run(&["--json", "rules", "add", "mine.toml"]).json();
    assert_eq!(again["changed"][0]["version"], 3);
}

#[test]
fn qualify_asks_own_rules_when_it_is_told_to() {
    let place = Place::ready();
    place.write("mine.toml", MINE);
    place.run(&["rules", "add", "mine.toml"]).done();
    place.write("replies.txt", "550 Sorry, the moon is in its new phase\n");
    let rule = |own: &[&str]| {
        let asked = [&["--json", "qualify", "--replies", "replies.txt"], own].concat();
        place.run(&asked).json()["rule"].clone()
    };
    assert_ne!(rule(&[]), "moon-phase");
    assert_eq!(rule(&["--own-rules"]), "moon-phase");
}

#[test]
fn rules_that_cannot_do_their_work_are_refused_with_the_reason() {
    let place = Place::ready();
    let rows = [
        (
            MINE.replace("the moon is in its", "the sun is in its"),
            "does not match its own sample",
        ),
        (
            MINE.replace(
                "samples = [\"550 Sorry, the moon is in its wrong phase\"]",
                "",
            ),
            "no sample",
        ),
        (
            MINE.replace("\"the moon is … phase\"", "\"re:The Moon\""),
            "lower case",
        ),
        (MINE.replace("means = \"busy\"", ""), "no whole verdict"),
        (MINE.replace("source", "sauce"), "sauce"),
        (String::new(), "there is no rule"),
    ];
    for (text, said) in rows {
        place.write("mine.toml", &text);
        place.run(&["rules", "add", "mine.toml"]).failed(3, &[said]);
    }
    place.write("mine.toml", MINE);
    place.run(&["rules", "add", "mine.toml"]).done();
    let later = MINE.replace("moon-phase", "moon-later");
    place.write("later.toml", &later);
    place.run(&["rules", "add", "later.toml"]).failed(
        3,
        &[
            "moon-later",
            "the earlier rule \"moon-phase\" takes its sample",
        ],
    );
    place
        .run(&["rules", "disable", "no-such-rule"])
        .failed(5, &["no rule no-such-rule"]);
    place
        .run(&["rules", "remove", "google-disabled"])
        .failed(3, &["shipped", "rules disable"]);
    let list = place.run(&["--json", "rules", "list"]).json();
    assert_eq!(
        names(&list),
        ["moon-phase"],
        "what was refused changed nothing"
    );
}

#[test]
fn rules_are_asked_in_the_order_that_was_set() {
    let place = Place::ready();
    let second = MINE.replace("moon", "star");
    place.write("two.toml", &format!("{MINE}{second}"));
    place.run(&["rules", "add", "two.toml"]).done();
    let order = |args: &[&str]| {
        place.run(&[&["rules", "order"], args].concat()).done();
        let json = place.run(&["--json", "rules", "list", "--all"]).json();
        let all: Vec<String> = names(&json).into_iter().map(str::to_owned).collect();
        all
    };
    let at = |all: &[String], name: &str| all.iter().position(|one| one == name).unwrap();
    let all = order(&["star-phase", "--before", "moon-phase"]);
    assert_eq!(all[..2], ["star-phase", "moon-phase"]);
    let all = order(&["star-phase", "--after", "google-disabled"]);
    assert_eq!(at(&all, "star-phase"), at(&all, "google-disabled") + 1);
    let all = order(&["moon-phase", "--after", "star-phase"]);
    assert_eq!(at(&all, "moon-phase"), at(&all, "google-disabled") + 2);
    let all = order(&["moon-phase", "--last"]);
    assert_eq!(all.last().unwrap(), "moon-phase");
    place
        .run(&["rules", "order", "moon-phase"])
        .failed(2, &["--before"]);
    place
        .run(&["rules", "order", "moon-phase", "--before", "moon-phase"])
        .failed(3, &["itself"]);
    place
        .run(&["rules", "order", "google-disabled", "--first"])
        .failed(3, &["shipped and keeps its place"]);
}

#[test]
fn a_shipped_rule_is_silenced_and_asked_again() {
    let place = Place::ready();
    let asked = |name: &str| {
        let json = place.run(&["--json", "rules", "show", name]).json();
        (
            json["active"].as_bool().unwrap(),
            json["origin"].as_str().unwrap().to_owned(),
        )
    };
    place.run(&["rules", "disable", "google-disabled"]).done();
    assert_eq!(asked("google-disabled"), (false, "user".to_owned()));
    place.run(&["rules", "enable", "google-disabled"]).done();
    assert_eq!(asked("google-disabled"), (true, "shipped".to_owned()));
}

#[test]
fn a_package_replaces_its_own_rules_and_a_backup_brings_the_users_back() {
    let place = Place::ready();
    place.write("mine.toml", MINE);
    place.run(&["rules", "add", "mine.toml"]).done();
    let theirs = MINE.replace("means = \"busy\"", "means = \"policy\"");
    let extra = MINE.replace("moon", "comet");
    place.write(
        "p.toml",
        &format!("[package]\nname = \"sky\"\nversion = \"1\"\n{theirs}{extra}"),
    );
    let kept = place
        .run(&["--json", "rules", "import", "p.toml", "--keep-user-rules"])
        .json();
    assert_eq!(kept["kept"][0], "moon-phase");
    let body = |name: &str| {
        let json = place.run(&["--json", "rules", "show", name]).json();
        (
            json["origin"].as_str().unwrap().to_owned(),
            json["body"].as_str().unwrap().to_owned(),
        )
    };
    assert!(body("moon-phase").1.contains("busy"));
    assert_eq!(body("comet-phase").0, "package sky 1");
    let over = place.run(&["--json", "rules", "import", "p.toml"]).json();
    let backup = over["backup"].as_str().unwrap().to_owned();
    let now = body("moon-phase");
    assert!(
        now.0 == "package sky 1" && now.1.contains("policy"),
        "{now:?}"
    );
    // The next version no longer has the comet: it goes with its package.
    place.write(
        "p.toml",
        &format!("[package]\nname = \"sky\"\nversion = \"2\"\n{theirs}"),
    );
    place.run(&["rules", "import", "p.toml"]).done();
    place
        .run(&["rules", "show", "comet-phase"])
        .failed(5, &["no rule"]);
    place.run(&["rules", "restore", &backup]).done();
    let back = body("moon-phase");
    assert!(back.0 == "user" && back.1.contains("busy"), "{back:?}");
    place
        .run(&["rules", "restore", "gone"])
        .failed(5, &["no backup gone"]);
    let backups = place.run(&["--json", "rules", "backups"]).json();
    assert_eq!(backups["items"].as_array().unwrap().len(), 4);
    place
        .run(&["rules", "import", "mine.toml"])
        .failed(3, &["[package]"]);
}

#[test]
fn exported_rules_can_be_taken_in_elsewhere() {
    let place = Place::ready();
    let mail = "[[mail_rule]]\nname = \"gate-parked\"\nkind = \"other\"\nbody = [\"parked for review\"]\n\
        source = \"the gate of example.net\"\nsamples = ['''\nFrom: gate@example.net\nSubject: Held\n\nIt was parked for review.\n''']\n";
    place.write("mine.toml", &format!("{MINE}{mail}"));
    place.run(&["rules", "add", "mine.toml"]).done();
    place
        .run(&[
            "rules",
            "export",
            "--origin",
            "user",
            "--package",
            "mine",
            "out.toml",
        ])
        .done();
    let other = Place::ready();
    other.write("out.toml", &place.read("out.toml"));
    other.run(&["rules", "import", "out.toml"]).done();
    let list = other.run(&["--json", "rules", "list"]).json();
    assert_eq!(names(&list), ["moon-phase", "gate-parked"]);
    assert_eq!(list["items"][1]["kind"], "mail");
    other
        .run(&["rules", "export", "--origin", "nobody", "-"])
        .failed(5, &["no such rule"]);
}

#[test]
fn an_empty_work_list_says_so() {
    let place = Place::ready();
    let said = place.run(&["qualifications", "todo"]).done().out;
    assert!(said.contains("Nothing to do"), "{said}");
    place
        .run(&[
            "qualifications",
            "to-rule",
            "7",
            "--type",
            "hard",
            "--reason",
            "refused",
        ])
        .failed(5, &["no qualification 7"]);
}
