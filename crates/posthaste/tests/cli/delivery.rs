//! A delivery in steps, as far as it goes without sending.

use crate::place::{DELIVERY, Place};

fn create(place: &Place) -> String {
    place
        .run(&["--json", "delivery", "create", "spring.toml"])
        .json()["delivery"]
        .to_string()
}

#[test]
fn a_delivery_is_created_previewed_prepared_confirmed_and_stopped() {
    let place = Place::with_delivery();
    let id = create(&place);
    let preview = place
        .run(&["--json", "delivery", "preview", &id, "--line", "3"])
        .json();
    assert_eq!(preview["subject"], "Hello Bob");
    let eml = place.run(&["delivery", "preview", &id, "--eml"]).done().out;
    assert!(
        eml.contains("Subject: Hello Ann\r\n") && eml.contains("List-Unsubscribe:"),
        "{eml}"
    );

    let json = place.run(&["--json", "delivery", "prepare", &id]).json();
    assert_eq!(json["state"], "ready");
    assert_eq!(json["target"], 5);
    assert_eq!(json["pending"], 2);
    assert_eq!(json["excluded"]["double"], 1);
    assert_eq!(json["excluded"]["bad_quality"], 1);
    assert_eq!(json["excluded"]["address_not_specified"], 1);
    let excluded = place
        .run(&["exclusions", &id, "--reason", "double"])
        .done()
        .out;
    assert!(excluded.contains("ANN@example.net"), "{excluded}");
    let log = place
        .run(&[
            "--json",
            "log",
            &id,
            "--status",
            "pending",
            "--domain",
            "example.org",
        ])
        .json();
    assert_eq!(log["items"][0]["address"], "bob@example.org");
    assert_eq!(log["items"][0]["history"].as_array().unwrap().len(), 0);

    let at = ["delivery", "start", &id, "--at", "2099-01-01T00:00:00Z"];
    assert!(place.run(&at).done().out.contains("waiting to start"));
    let said = place.run(&["explain", "delivery", &id]).done().out;
    assert!(said.contains("2099-01-01 00:00"), "{said}");
    place.run(&["delivery", "pause", &id]).done();
    place
        .run(&["delivery", "stop", &id])
        .failed(2, &["add --yes"]);
    place.run(&["delivery", "stop", &id, "--yes"]).done();
    let json = place.run(&["--json", "delivery", "status", &id]).json();
    assert_eq!(json["state"], "stopped");
    assert_eq!(
        (&json["cancelled"], &json["pending"]),
        (&2.into(), &0.into())
    );
    assert!(
        place
            .run(&["delivery", "list"])
            .done()
            .out
            .contains("Spring")
    );
}

#[test]
fn illegal_moves_are_refused_with_advice_and_change_nothing() {
    let place = Place::with_delivery();
    let id = create(&place);
    for verb in ["confirm", "start", "pause", "resume"] {
        place
            .run(&["delivery", verb, &id])
            .failed(4, &["is edited", "prepare it first"]);
    }
    place
        .run(&["delivery", "stop", &id, "--yes"])
        .failed(4, &["prepare it first"]);
    place.run(&["delivery", "prepare", &id]).done();
    place
        .run(&["delivery", "resume", &id])
        .failed(4, &["confirm it first"]);
    place.run(&["delivery", "confirm", &id]).done();
    place
        .run(&["delivery", "prepare", &id])
        .failed(4, &["pause or stop it first"]);
    let json = place.run(&["--json", "delivery", "status", &id]).json();
    assert_eq!(json["state"], "start_pending");
    place
        .run(&["delivery", "status", "99"])
        .failed(5, &["no delivery 99", "delivery list"]);
}

#[test]
fn an_automatic_delivery_is_confirmed_by_its_preparation() {
    let place = Place::with_delivery();
    place.write(
        "spring.toml",
        &format!("approval = \"automatic\"\n{DELIVERY}"),
    );
    let id = create(&place);
    let json = place.run(&["--json", "delivery", "prepare", &id]).json();
    assert_eq!(json["state"], "start_pending");
}

#[test]
fn a_proof_has_the_attributes_of_a_recipient_and_at_most_100_addresses() {
    let place = Place::with_delivery();
    let id = create(&place);
    let mut many = vec!["delivery", "proof", &id, "--no-wait"];
    many.extend(std::iter::repeat_n("--to=me@example.com", 101));
    place
        .run(&many)
        .failed(3, &["1 to 100 addresses, 101 were given"]);
    let wrong = ["delivery", "proof", &id, "--to", "me", "--to", "you@"];
    place
        .run(&wrong)
        .failed(3, &["\"me\" is not", "\"you@\" is not"]);
    let to = [
        "--json",
        "delivery",
        "proof",
        &id,
        "--no-wait",
        "--to",
        "me@example.com",
    ];
    let proof = place.run(&to).json()["delivery"].to_string();
    let status = place.run(&["--json", "delivery", "status", &proof]).json();
    assert_eq!(status["label"], format!("Proof #1 of {id}: Spring"));
    assert_eq!(status["target"], 1);
    let preview = place.run(&["--json", "delivery", "preview", &proof]).json();
    assert_eq!(
        (&preview["recipient"], &preview["subject"]),
        (&"me@example.com".into(), &"Hello Ann".into())
    );
    let second = place.run(&to).json()["delivery"].to_string();
    let status = place.run(&["--json", "delivery", "status", &second]).json();
    assert_eq!(status["label"], format!("Proof #2 of {id}: Spring"));
}

#[test]
fn a_delivery_is_sent_until_every_recipient_has_a_fate() {
    let place = Place::with_delivery();
    // Nobody listens at port 1: the attempt fails on the way, and there are no retries. One
    // recipient only, since a site that cannot be reached rests before the next one.
    place.write(
        "people.csv",
        "email,name\nann@example.net,Ann\nANN@example.net,Ann again\n",
    );
    place.append(
        "posthaste.toml",
        "\n[[route]]\ndomains = [\"*\"]\nrelay = \"127.0.0.1:1\"\n",
    );
    place.write("spring.toml", &format!("{DELIVERY}[retries]\nwaits = []\n"));
    let json = place.run(&["send", "spring.toml", "--json"]).json();
    assert_eq!(json["state"], "finished", "{json}");
    assert_eq!(json["target"], 2);
    assert_eq!(json["failed"]["unreachable"], 1, "{json}");
    assert_eq!(json["excluded"]["double"], 1);
    assert!(json["started"].is_string() && json["ended"].is_string());
    let id = json["delivery"].to_string();
    let log = place
        .run(&["--json", "log", &id, "--status", "failed"])
        .json();
    let attempt = &log["items"][0]["history"][0];
    assert_eq!(attempt["evidence"]["stage"], "connect", "{attempt}");
    assert!(
        place
            .run(&["log", &id, "--attempts"])
            .done()
            .out
            .contains("unreachable")
    );
    let resume = place.run(&["delivery", "resume", &id]);
    resume.failed(4, &["is finished", "create a new delivery"]);
}
