//! `init`, keys, workflows, lists.

use std::os::unix::fs::PermissionsExt;

use crate::place::{DELIVERY, Place};

#[test]
fn init_writes_three_files_and_never_overwrites_one() {
    let place = Place::empty();
    place.run(&["init", "here"]).done();
    let mode = |name: &str| {
        std::fs::metadata(place.path(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("here/posthaste.secret"), 0o600);
    let secret = std::fs::read(place.path("here/posthaste.secret")).unwrap();
    assert_eq!(secret.len(), 32);
    assert_ne!(secret, [0; 32]);
    place
        .run(&["init", "here"])
        .failed(3, &["exists already, nothing was written"]);
    assert_eq!(
        std::fs::read(place.path("here/posthaste.secret")).unwrap(),
        secret
    );
    // A lone leftover is enough to refuse, and then nothing else appears.
    std::fs::create_dir(place.path("there")).unwrap();
    place.write("there/posthaste.secret", "old");
    place
        .run(&["init", "there"])
        .failed(3, &["posthaste.secret exists already"]);
    assert!(!place.has("there/posthaste.toml"));
    place.run(&["--data", "here", "delivery", "list"]).done();
}

#[test]
fn a_key_is_made_once_and_its_record_is_told() {
    let place = Place::ready();
    let generate = [
        "--json",
        "dkim",
        "generate",
        "Example.com",
        "s1",
        "--type",
        "ed25519",
    ];
    let json = place.run(&generate).json();
    assert_eq!(json["name"], "s1._domainkey.example.com");
    assert!(
        json["record"]
            .as_str()
            .unwrap()
            .starts_with("v=DKIM1; k=ed25519; p=")
    );
    let file = json["file"].as_str().unwrap().to_owned();
    let mode = std::fs::metadata(place.path(&file))
        .unwrap()
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o600);
    place
        .run(&generate)
        .failed(3, &["exists already and may be in use"]);
    place
        .run(&["dkim", "generate", "localhost", "s1"])
        .failed(3, &["cannot be a domain"]);
    place
        .run(&["dkim", "check"])
        .failed(5, &["add dkim to a [[domain]] table"]);
}

#[test]
fn the_cleanup_runs_by_hand_and_its_run_is_visible() {
    let place = Place::ready();
    assert!(
        place
            .run(&["workflow", "list"])
            .done()
            .out
            .contains("never")
    );
    let json = place
        .run(&["--json", "workflow", "run", "database-cleanup"])
        .json();
    assert_eq!(json["name"], "database-cleanup");
    let json = place
        .run(&["--json", "workflow", "show", "database-cleanup"])
        .json();
    assert_eq!(json["items"].as_array().unwrap().len(), 1);
    assert!(json["items"][0]["ended"].as_str().unwrap().ends_with('Z'));
    place
        .run(&["workflow", "run", "gardening"])
        .failed(5, &["known are: database-cleanup"]);
}

#[test]
fn a_list_is_imported_shown_and_paged() {
    let place = Place::with_delivery();
    let json = place
        .run(&[
            "--json",
            "recipients",
            "import",
            "people.csv",
            "--list",
            "all",
        ])
        .json();
    assert_eq!(
        json["imported"].as_u64().unwrap() + json["rejected"].as_u64().unwrap(),
        5
    );
    place
        .run(&["recipients", "import", "people.csv", "--list", "all"])
        .failed(3, &["exists already"]);
    let page = place
        .run(&["--json", "recipients", "show", "all", "--limit", "2"])
        .json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(page["items"][0]["attributes"]["name"], "Ann");
    let next = page["next"].to_string();
    let rest = place
        .run(&["--json", "recipients", "show", "all", "--after", &next])
        .json();
    assert_eq!(rest["items"][0]["key"], "ann@example.net");
    assert!(
        place
            .run(&["recipients", "list"])
            .done()
            .out
            .contains("all")
    );
    place
        .run(&["recipients", "show", "nobody"])
        .failed(5, &["no list named \"nobody\""]);
}

#[test]
fn columns_are_taken_under_other_names() {
    let place = Place::with_delivery();
    let latin_1 = b"Adresse \xe9lectronique;Pr\xe9nom\nann@example.net;Zo\xe9\n";
    std::fs::write(place.path("people.csv"), latin_1).unwrap();
    let import = [
        "recipients",
        "import",
        "people.csv",
        "--charset",
        "iso-8859-1",
    ];
    let renamed = [
        "--list",
        "all",
        "--rename",
        "Adresse électronique=email",
        "--rename",
        "Prénom=name",
    ];
    place.run(&[&import[..], &renamed].concat()).done();
    let page = place.run(&["--json", "recipients", "show", "all"]).json();
    assert_eq!(page["items"][0]["address"], "ann@example.net");
    assert_eq!(page["items"][0]["attributes"]["name"], "Zoé");
    let wrong = ["--list", "b", "--rename", "Nom=name"];
    place
        .run(&[&import[..], &wrong].concat())
        .failed(3, &["\"Nom\""]);
    let file = format!(
        "{DELIVERY}charset = \"iso-8859-1\"\n[rename_columns]\n\
         \"Adresse électronique\" = \"email\"\n\"Prénom\" = \"name\"\n"
    );
    place.write("spring.toml", &file);
    place.run(&["delivery", "create", "spring.toml"]).done();
    let shown = place.run(&["delivery", "preview", "1"]).done();
    assert!(shown.out.contains("Hello Zoé"), "{shown:?}");
}

#[test]
fn profiles_go_on_the_denylist_and_off_again() {
    let place = Place::with_delivery();
    place
        .run(&["recipients", "import", "people.csv", "--list", "all"])
        .done();
    place
        .run(&["recipients", "denylist", "Ann@Example.net"])
        .done();
    let json = place.run(&["--json", "recipients", "denylist"]).json();
    assert_eq!(json["items"][0], "ann@example.net");
    let said = place
        .run(&["explain", "recipient", "ann@example.net"])
        .done()
        .out;
    assert!(said.contains("profile is on the denylist"), "{said}");
    place
        .run(&["recipients", "denylist", "ann@example.net", "--remove"])
        .done();
    let json = place.run(&["--json", "recipients", "denylist"]).json();
    assert_eq!(json["items"].as_array().unwrap().len(), 0);
    place
        .run(&["recipients", "denylist", "ann"])
        .failed(3, &["is not a mail address"]);
}

#[test]
fn the_hour_of_the_cleanup_is_the_configured_one() {
    let place = Place::ready();
    let config = place
        .read("posthaste.toml")
        .replace("#hour = 3", "hour = 7");
    place.write("posthaste.toml", &config);
    let json = place.run(&["--json", "workflow", "list"]).json();
    assert_eq!(json["items"][0]["hour"], 7);
}
