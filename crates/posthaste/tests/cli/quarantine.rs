//! The quarantine list by hand, and qualifications.

use crate::place::Place;

#[test]
fn a_status_that_is_set_by_hand_stands_in_the_ledger() {
    let place = Place::ready();
    let set = [
        "quarantine",
        "set",
        "Jane@Example.net",
        "quarantine",
        "--reason",
        "user_unknown",
    ];
    place.run(&set).done();
    place
        .run(&[
            "quarantine",
            "set",
            "jane@example.net",
            "valid",
            "--comment",
            "asked",
        ])
        .done();
    let json = place
        .run(&["--json", "quarantine", "show", "jane@example.net"])
        .json();
    assert_eq!(json["address"]["entry"]["status"], "valid");
    let events = json["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["event"]["set"]["reason"], "user_unknown");
    assert_eq!(events[1]["by"], "operator: asked");
    assert_eq!(events[1]["because"], "set_by_hand");
    let said = place
        .run(&["explain", "recipient", "jane@example.net"])
        .done()
        .out;
    assert!(said.contains("was set by hand"), "{said}");
    place
        .run(&["quarantine", "show", "joe@example.net"])
        .failed(5, &["never was"]);
    place
        .run(&["quarantine", "set", "jane@example.net", "gone"])
        .failed(2, &["is not a status"]);
    place
        .run(&["quarantine", "set", "jane", "valid"])
        .failed(3, &["is not a mail address"]);
}

#[test]
fn an_imported_list_strengthens_and_never_frees() {
    let place = Place::ready();
    place
        .run(&["quarantine", "set", "a@example.net", "denylist"])
        .done();
    place.write(
        "traps.csv",
        "address,status,reason\na@example.net,quarantine,\nb@example.net,,refused\n\
         not an address,,\nc@example.net,sleeping,\n\"d\ne\"@example.net,,\n",
    );
    let json = place
        .run(&[
            "--json",
            "quarantine",
            "import",
            "traps.csv",
            "--status",
            "quarantine",
        ])
        .json();
    assert_eq!(json["read"], 5);
    assert_eq!(
        (&json["applied"], &json["unchanged"]),
        (&1.into(), &1.into())
    );
    assert_eq!(json["rejected"], 3);
    let rejects = place.read(json["rejects"].as_str().unwrap());
    assert!(
        rejects.contains("4,") && rejects.contains("\"\"sleeping\"\" is not a status"),
        "{rejects}"
    );
    let export = place.run(&["quarantine", "export"]).done().out;
    assert!(
        export.starts_with("address,status,reason,errors,since,text\n"),
        "{export}"
    );
    assert!(
        export.contains("a@example.net,denylist,")
            && export.contains("b@example.net,quarantine,refused,")
    );
    // What was exported can be imported: everything is as before.
    place.run(&["quarantine", "export", "-o", "all.csv"]).done();
    let again = place
        .run(&["--json", "quarantine", "import", "all.csv"])
        .json();
    assert_eq!(
        (&again["rejected"], &again["rejects"]),
        (&0.into(), &serde_json::Value::Null)
    );
}

#[test]
fn lists_without_an_address_column_are_refused() {
    let place = Place::ready();
    for (header, said) in [
        ("name,reason", "column \"name\""),
        ("reason,status", "no address column"),
        ("address,email", "two columns"),
    ] {
        place.write("list.csv", &format!("{header}\na@example.net,5\n"));
        place
            .run(&["quarantine", "import", "list.csv"])
            .failed(3, &[said]);
    }
    place
        .run(&["quarantine", "import", "gone.csv"])
        .failed(3, &["gone.csv", "check the path"]);
    let json = place.run(&["--json", "quarantine", "list"]).json();
    assert_eq!(json["items"].as_array().unwrap().len(), 0);
}

#[test]
fn the_list_is_filtered_and_paged() {
    let place = Place::ready();
    let addresses = ["a@example.net", "b@example.net", "c@example.org"];
    place
        .run(&[&["quarantine", "set"], &addresses[..], &["denylist"]].concat())
        .done();
    let page = place
        .run(&["--json", "quarantine", "list", "--limit", "2"])
        .json();
    assert_eq!(page["next"], "b@example.net");
    let rest = place
        .run(&["--json", "quarantine", "list", "--after", "b@example.net"])
        .json();
    assert_eq!(rest["items"][0]["key"], "c@example.org");
    let domain = place
        .run(&["--json", "quarantine", "list", "--domain", "Example.ORG"])
        .json();
    assert_eq!(domain["items"].as_array().unwrap().len(), 1);
    let none = place
        .run(&["quarantine", "list", "--status", "allowlist"])
        .done()
        .out;
    assert!(none.contains("no such entry"), "{none}");
}

#[test]
fn qualifications_that_do_not_exist_are_not_found() {
    let place = Place::ready();
    assert!(
        place
            .run(&["qualifications", "list"])
            .done()
            .out
            .contains("No failure text")
    );
    place
        .run(&["qualifications", "show", "3"])
        .failed(5, &["no qualification 3"]);
    place
        .run(&["qualifications", "set", "3", "--type", "hard"])
        .failed(5, &["no qualification 3"]);
    place
        .run(&["qualifications", "set", "3", "--type", "hardly"])
        .failed(2, &["known are"]);
}
