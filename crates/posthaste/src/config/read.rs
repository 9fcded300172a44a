//! From the text of `posthaste.toml` to a checked [`Config`]: every problem at once.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use posthaste_core::address::{Address, domain_key};
use posthaste_core::quarantine::Policy;
use posthaste_core::retry::RetryPolicy;
use toml::Table;

use super::routes::routes;
use super::{Cleanup, Config, DeliveryDefaults, DkimKey, Dns, Domain, Sending, SmtpTimeouts};
use crate::section::{Problem, Problems, Section};

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads and checks a configuration. Paths in it are relative to `home`.
///
/// # Errors
/// All problems with their paths.
pub fn check(text: &str, home: &Path, environment: Environment) -> Result<Config, Vec<Problem>> {
    let table: Table = text.parse().map_err(|e| vec![not_toml(&e, text)])?;
    let problems = Problems::default();
    let config = read(Section::root(table, &problems), home, environment);
    match problems.take() {
        none if none.is_empty() => Ok(config),
        some => Err(some),
    }
}

/// What the TOML parser complains about, with its line.
pub fn not_toml(error: &toml::de::Error, text: &str) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|b| *b == b'\n').count() + 1;
    Problem {
        path: format!("line {line}"),
        what: format!("it is not valid TOML: {}", error.message()),
    }
}

fn read(mut root: Section, home: &Path, environment: Environment) -> Config {
    let file = |text: Option<String>, usual: &str| home.join(text.as_deref().unwrap_or(usual));
    let config = Config {
        instance: root
            .parsed("instance", instance)
            .unwrap_or_else(|| "posthaste".to_owned()),
        data_dir: file(root.text("data_dir"), "."),
        secret_file: file(root.text("secret_file"), "posthaste.secret"),
        ehlo_name: root
            .parsed("ehlo_name", domain_key)
            .unwrap_or_else(|| "localhost.localdomain".to_owned()),
        source_address: root.parsed("source_address", source_address),
        unsubscribe_url: root.parsed("unsubscribe_url", https),
        dns: dns(root.section("dns")),
        smtp: smtp(root.section("smtp")),
        sending: sending(root.section("sending")),
        retries: retries(root.section("retries"), &RetryPolicy::default()),
        quarantine: quarantine(root.section("quarantine")),
        cleanup: cleanup(root.section("cleanup")),
        deliveries: deliveries(root.section("deliveries")),
        domains: domains(root.sections("domain"), home),
        routes: routes(root.sections("route"), home, environment),
    };
    root.done();
    config
}

fn instance(text: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err("it must be 1 to 32 letters, digits and hyphens".to_owned())
}

fn source_address(text: &str) -> Result<IpAddr, String> {
    text.parse()
        .map_err(|_| format!("\"{text}\" is not an IP address"))
}

fn https(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c);
    if rest.is_empty() || rest.starts_with('/') || rest.contains(odd) {
        return Err("it must be a URL that begins with https://".to_owned());
    }
    Ok(text.to_owned())
}

fn dns(mut section: Section) -> Dns {
    let server = |text: &str| {
        let with_port = text.parse::<SocketAddr>();
        let alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
        with_port.or_else(|_| alone()).map_err(|_| {
            format!("\"{text}\" is not the address of a name server, as in 192.0.2.53:53")
        })
    };
    let dns = Dns {
        nameservers: section.texts("nameservers", server).unwrap_or_default(),
        timeout: section.timeout("timeout").unwrap_or(Duration::from_secs(5)),
        attempts: section.count("attempts", 1..=10).unwrap_or(2),
    };
    section.done();
    dns
}

fn smtp(mut section: Section) -> SmtpTimeouts {
    let mut timeout = |key, seconds| section.timeout(key).unwrap_or(Duration::from_secs(seconds));
    let timeouts = SmtpTimeouts {
        connect: timeout("connect_timeout", 30),
        greeting: timeout("greeting_timeout", 300),
        ehlo: timeout("ehlo_timeout", 300),
        starttls: timeout("starttls_timeout", 60),
        auth: timeout("auth_timeout", 120),
        mail: timeout("mail_timeout", 300),
        rcpt: timeout("rcpt_timeout", 300),
        data: timeout("data_timeout", 120),
        content: timeout("content_timeout", 180),
        final_dot: timeout("final_dot_timeout", 600),
        quit: timeout("quit_timeout", 10),
        idle: timeout("idle_timeout", 5),
    };
    section.done();
    timeouts
}

fn sending(mut section: Section) -> Sending {
    let port = section
        .count("port", 1..=65_535)
        .and_then(|port| u16::try_from(port).ok());
    let sending = Sending {
        connections_per_site: section
            .count("connections_per_site", 1..=1_000)
            .unwrap_or(10),
        connections: section.count("connections", 1..=10_000).unwrap_or(500),
        messages_per_connection: section
            .count("messages_per_connection", 1..=100_000)
            .unwrap_or(100),
        recipients_held: section
            .count("recipients_held", 100..=1_000_000)
            .unwrap_or(5_000),
        port: port.unwrap_or(25),
    };
    section.done();
    sending
}

/// A retry schedule; what it does not say is taken from `usual`. Delivery files have it too.
pub fn retries(mut section: Section, usual: &RetryPolicy) -> RetryPolicy {
    let waits = section.texts("waits", posthaste_core::time::parse_duration);
    if waits.as_ref().is_some_and(|waits| waits.len() > 100) {
        section.wrong("waits", "there are more than 100 retries");
    }
    let jitter = section.count("jitter_percent", 0..=100);
    let policy = RetryPolicy {
        waits: waits.unwrap_or_else(|| usual.waits.clone()),
        jitter_percent: jitter
            .and_then(|percent| u8::try_from(percent).ok())
            .unwrap_or(usual.jitter_percent),
        doubtful_retries: section
            .count("doubtful_retries", 0..=10)
            .unwrap_or(usual.doubtful_retries),
    };
    section.done();
    policy
}

fn quarantine(mut section: Section) -> Policy {
    let usual = Policy::default();
    let policy = Policy {
        max_errors: section
            .count("max_errors", 1..=1_000)
            .unwrap_or(usual.max_errors),
        significant_after: section
            .duration("significant_after")
            .unwrap_or(usual.significant_after),
        forget_after: section
            .timeout("forget_after")
            .unwrap_or(usual.forget_after),
        mailbox_full_for: section
            .timeout("mailbox_full_for")
            .unwrap_or(usual.mailbox_full_for),
    };
    if policy.forget_after < policy.significant_after {
        section.wrong(
            "forget_after",
            "it must not be shorter than significant_after, or no error could ever add up",
        );
    }
    section.done();
    policy
}

fn cleanup(mut section: Section) -> Cleanup {
    let hour = section
        .count("hour", 0..=23)
        .and_then(|hour| u8::try_from(hour).ok());
    let cleanup = Cleanup {
        hour: hour.unwrap_or(3),
        log_retention: section
            .timeout("log_retention")
            .unwrap_or(Duration::from_hours(180 * 24)),
    };
    section.done();
    cleanup
}

fn deliveries(mut section: Section) -> DeliveryDefaults {
    let defaults = DeliveryDefaults {
        validity: section
            .timeout("validity")
            .unwrap_or(Duration::from_hours(5 * 24)),
    };
    section.done();
    defaults
}

fn domains(sections: Vec<Section>, home: &Path) -> Vec<Domain> {
    let mut domains: Vec<Domain> = Vec::new();
    for mut section in sections {
        if !section.has("name") {
            section.wrong(
                "name",
                "it is missing: write the From domain, as in \"example.com\"",
            );
        }
        let name = section.parsed("name", domain_key).unwrap_or_default();
        if !name.is_empty() && domains.iter().any(|other| other.name == name) {
            section.wrong(
                "name",
                format!("\"{name}\" has a table already: join the two"),
            );
        }
        let error_address = section.parsed("error_address", |text| {
            Address::parse(text)
                .map(|address| address.original().to_owned())
                .map_err(|why| format!("\"{text}\" is not a mail address: {why}"))
        });
        let dkim = section
            .sections("dkim")
            .into_iter()
            .map(|key| dkim_key(key, home))
            .collect();
        section.done();
        domains.push(Domain {
            name,
            error_address,
            dkim,
        });
    }
    domains
}

fn dkim_key(mut section: Section, home: &Path) -> DkimKey {
    let selector = section.text("selector").unwrap_or_default();
    let label =
        |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !selector.split('.').all(label) {
        section.wrong("selector", "it must be a DNS label such as \"s1\"");
    }
    let key_file = match section.text("key_file") {
        Some(file) => home.join(file),
        None => {
            section.wrong(
                "key_file",
                "it is missing: name the file of the private key (PEM)",
            );
            PathBuf::new()
        }
    };
    section.done();
    DkimKey { selector, key_file }
}
