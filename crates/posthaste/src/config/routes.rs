//! `[[route]]`: relays instead of MX hosts. Passwords come from the environment or a file.

use std::path::Path;
use std::sync::Arc;

use posthaste_net::route::{Credentials, DomainMask, Route, Secret, parse_relay};
use posthaste_net::tls::TlsPolicy;

use super::read::Environment;
use crate::section::Section;

const TLS: &[(&str, TlsPolicy)] = &[
    ("opportunistic", TlsPolicy::Opportunistic),
    ("required", TlsPolicy::Required),
    ("implicit", TlsPolicy::Implicit),
    ("none", TlsPolicy::None),
];

/// Reads all routes, in their order.
pub fn routes(sections: Vec<Section>, home: &Path, environment: Environment) -> Vec<Route> {
    let read = |section| route(section, home, environment);
    sections.into_iter().map(read).collect()
}

fn route(mut section: Section, home: &Path, environment: Environment) -> Route {
    if !section.has("domains") {
        section.wrong(
            "domains",
            "it is missing: name at least one domain, as in [\"*.example\"]",
        );
    }
    let domains = section
        .texts("domains", DomainMask::parse)
        .unwrap_or_default();
    if !section.has("relay") {
        section.wrong(
            "relay",
            "it is missing: write host and port, as in \"relay.example:587\"",
        );
    }
    let (host, port) = section.parsed("relay", parse_relay).unwrap_or_default();
    let tls = section.word("tls", TLS).unwrap_or(TlsPolicy::Opportunistic);
    let login = login(&mut section, home, environment);
    let in_clear_text = is_loopback(&host);
    if login.is_some() && tls == TlsPolicy::None && !in_clear_text {
        section.wrong(
            "tls",
            "a password is not sent without TLS: use \"required\" or \"implicit\"",
        );
    }
    section.done();
    let auth = login.map(|(user, password)| {
        Arc::new(Credentials {
            user,
            password,
            in_clear_text,
        })
    });
    Route {
        domains,
        host,
        port,
        tls,
        auth,
    }
}

/// A relay on this very host may be spoken to in clear text.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn login(section: &mut Section, home: &Path, environment: Environment) -> Option<(String, Secret)> {
    let user = section.text("user");
    let variable = section.text("password_env");
    let file = section.text("password_file");
    let password = match (&variable, &file) {
        (Some(_), Some(_)) => {
            section.wrong(
                "password_file",
                "give password_env or password_file, not both",
            );
            None
        }
        (Some(name), None) => from_environment(section, name, environment),
        (None, Some(file)) => from_file(section, &home.join(file)),
        (None, None) => None,
    };
    match (user, variable.is_some() || file.is_some()) {
        (Some(user), true) => password.map(|password| (user, password)),
        (Some(_), false) => {
            section.wrong(
                "user",
                "its password is missing: give password_env or password_file",
            );
            None
        }
        (None, true) => {
            section.wrong("user", "it is missing: a password needs a user");
            None
        }
        (None, false) => None,
    }
}

fn from_environment(section: &Section, name: &str, environment: Environment) -> Option<Secret> {
    let value = environment(name).filter(|value| !value.is_empty());
    if value.is_none() {
        section.wrong(
            "password_env",
            format!("the environment variable {name} is not set"),
        );
    }
    value.map(|value| Secret::new(&value))
}

fn from_file(section: &Section, path: &Path) -> Option<Secret> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Secret::new(text.trim_end_matches(['\r', '\n']))),
        Err(error) => {
            let path = path.display();
            section.wrong("password_file", format!("{path} cannot be read: {error}"));
            None
        }
    }
}
