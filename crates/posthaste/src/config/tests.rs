//! The template is the reference: it must say every key with its true default.

use super::*;
use crate::section::Problem;

fn checked(text: &str) -> std::result::Result<Config, Vec<Problem>> {
    let environment = |name: &str| (name == "RELAY_PASSWORD").then(|| "pass phrase".to_owned());
    check(text, Path::new("/home"), &environment)
}

fn said(text: &str) -> Vec<String> {
    match checked(text) {
        Ok(config) => panic!("no problem found: {config:?}"),
        Err(problems) => problems.iter().map(Problem::to_string).collect(),
    }
}

/// The template with all of its commented keys switched on.
fn full_template() -> String {
    let key = |line: &&str| {
        let rest = line.strip_prefix('#').unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[')
    };
    let exclusive = "#password_file";
    TEMPLATE
        .lines()
        .filter(|line| !line.starts_with(exclusive))
        .map(|line| if key(&line) { &line[1..] } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_template_names_every_key_with_its_default() {
    let from_nothing = checked("").unwrap();
    let from_template = checked(TEMPLATE).unwrap();
    assert_eq!(from_template, from_nothing);
    let full = checked(&full_template()).unwrap();
    let without_examples = Config {
        source_address: None,
        unsubscribe_url: None,
        domains: vec![],
        routes: vec![],
        ..full.clone()
    };
    assert_eq!(without_examples, from_nothing);
    assert_eq!(
        full.domains[0].dkim[0].key_file,
        Path::new("/home/dkim-s1.pem")
    );
    let login = full.routes[0].auth.as_ref().unwrap();
    assert_eq!(login.password.reveal(), "pass phrase");
}

#[test]
fn the_guide_describes_every_key_of_the_template() {
    let guide = include_str!("../../../../docs/configuration.md");
    for line in TEMPLATE.lines() {
        let line = line.trim_start_matches('#');
        let Some((key, _)) = line.split_once(" = ") else {
            continue;
        };
        if !key.contains(' ') {
            assert!(
                guide.contains(&format!("`{key}`")),
                "docs/configuration.md lacks {key}"
            );
        }
    }
}

#[test]
fn a_secret_is_never_shown() {
    let full = checked(&full_template()).unwrap();
    assert!(!format!("{full:?}").contains("pass phrase"));
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = r#"
        instance = "two words"
        ehlo-name = "mail.example.com"
        source_address = "here"
        unsubscribe_url = "http://example.com"
        [dns]
        nameservers = ["192.0.2.53", "dns"]
        [smtp]
        rcpt_timeout = "5"
        connect_timeout = "0s"
        [sending]
        connections = "many"
        [quarantine]
        forget_after = "1h"
        [[domain]]
        error_address = "nobody"
        dkim = [{ selector = "a b" }]
        [[route]]
        domains = ["*.example", "a b"]
        relay = "relay.example:port"
        user = "me"
    "#;
    let expected = [
        "instance: it must be 1 to 32 letters, digits and hyphens",
        "source_address: \"here\" is not an IP address",
        "unsubscribe_url: it must be a URL that begins with https://",
        "dns.nameservers[1]: \"dns\" is not the address of a name server, as in 192.0.2.53:53",
        "smtp.connect_timeout: it must be longer than zero",
        "smtp.rcpt_timeout: \"5\" is not a duration: write a number and a unit, as in 90s, 5m, 1h or 5d",
        "sending.connections: it must be a whole number, not string",
        "quarantine.forget_after: it must not be shorter than significant_after, or no error could ever add up",
        "domain[0].name: it is missing: write the From domain, as in \"example.com\"",
        "domain[0].error_address: \"nobody\" is not a mail address: there is no @ in it",
        "domain[0].dkim[0].selector: it must be a DNS label such as \"s1\"",
        "domain[0].dkim[0].key_file: it is missing: name the file of the private key (PEM)",
        "route[0].domains[1]: \"a b\" is no domain mask: write example.com, *.example.com or *",
        "route[0].relay: \"relay.example:port\" is no relay: write host:port, as in relay.example.com:587 or [::1]:25",
        "route[0].user: its password is missing: give password_env or password_file",
        "ehlo-name: unknown key; is \"ehlo_name\" meant?",
    ];
    assert_eq!(said(text), expected);
}

#[test]
fn single_problems() {
    let rows = [
        ("a = [", "line 1: it is not valid TOML"),
        ("\n\nehlo_name = mail", "line 3: it is not valid TOML"),
        (
            "ehlo_name = \"localhost\"",
            "ehlo_name: the domain has no dot",
        ),
        (
            "[cleanup]\nhour = 24",
            "cleanup.hour: 24 is not between 0 and 23",
        ),
        (
            "[retries]\nwaits = [5]",
            "retries.waits[0]: it must be a text in quotes",
        ),
        (
            "[sending]\nport = 0",
            "sending.port: 0 is not between 1 and 65535",
        ),
        ("domain = 3", "domain: it must be a list of tables"),
        (
            "[[route]]\ndomains=[\"*\"]\nrelay=\"r.example:25\"\nuser=\"u\"\npassword_env=\"NOT_SET\"",
            "route[0].password_env: the environment variable NOT_SET is not set",
        ),
        (
            "[[route]]\ndomains=[\"*\"]\nrelay=\"r.example:25\"\nuser=\"u\"\npassword_env=\"RELAY_PASSWORD\"\ntls=\"none\"",
            "route[0].tls: a password is not sent without TLS",
        ),
    ];
    for (text, expected) in rows {
        let said = said(text);
        assert!(said[0].starts_with(expected), "{text}: {said:?}");
    }
}
