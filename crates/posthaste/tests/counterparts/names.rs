//! The resolver against a real name server.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use posthaste_net::resolver::{Answer, MxRecord, Resolver, Trouble};
use posthaste_net::system::{SystemResolver, SystemSettings};

use super::child;
use super::unbound::Unbound;

const EXAMPLE: &str = "\
two IN MX 20 Second.two
two IN MX 10 first.two
first.two IN A 127.0.0.2
first.two IN AAAA ::1
second.two IN A 127.0.0.3
null IN MX 0 .
bare IN A 127.0.0.4
alias IN CNAME two
hosted IN CNAME bare
loop IN CNAME pool
pool IN CNAME loop
key._domainkey IN TXT \"v=DKIM1; \" \"p=abc\"
key._domainkey IN TXT \"v=other\"
";

const CHAIN: &str = "\
loop IN CNAME pool
pool IN CNAME loop
";

fn resolver(server: SocketAddr) -> SystemResolver {
    let settings = SystemSettings {
        name_servers: vec![server],
        timeout: Duration::from_millis(500),
        attempts: 1,
        smtp_port: 2525,
        ..SystemSettings::default()
    };
    SystemResolver::new(&settings).unwrap()
}

/// An answer in a form that a table can hold.
fn short<T>(answer: Answer<T>, word: impl Fn(&T) -> String) -> String {
    match answer {
        Answer::Found { records, ttl } => {
            assert!(
                ttl > Duration::from_secs(250) && ttl <= Duration::from_secs(300),
                "{ttl:?}"
            );
            let mut words: Vec<String> = records.iter().map(word).collect();
            words.sort();
            words.join(", ")
        }
        Answer::NoDomain { ttl } => format!("no domain, {}", minute(ttl)),
        Answer::NoData { ttl } => format!("no data, {}", minute(ttl)),
        Answer::Failed(trouble) => format!("failed: {trouble}"),
    }
}

/// The zone says a minute; a server's cache has counted some of it down.
fn minute(ttl: Duration) -> String {
    match ttl.as_secs() {
        1..=60 => "a minute".to_owned(),
        other => format!("{other} s"),
    }
}

fn mx_word(mx: &MxRecord) -> String {
    format!("{} {:?}", mx.preference, mx.host)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_a_name_server_are_told_apart() {
    let mut many = EXAMPLE.to_owned();
    for n in 100..200 {
        writeln!(many, "many IN MX {n} mail-exchange-number-{n}.of.many").unwrap();
    }
    let Some(unbound) = Unbound::start("the resolver against unbound", &many, CHAIN) else {
        return;
    };
    let resolver = resolver(unbound.addr);
    let mx = [
        (
            "two.example",
            "10 \"first.two.example\", 20 \"second.two.example\"",
        ),
        (
            "TWO.Example",
            "10 \"first.two.example\", 20 \"second.two.example\"",
        ),
        (
            "alias.example",
            "10 \"first.two.example\", 20 \"second.two.example\"",
        ),
        ("null.example", "0 \"\""),
        ("bare.example", "no data, a minute"),
        ("hosted.example", "no data, a minute"),
        ("nowhere.example", "no domain, a minute"),
        ("nowhere.chain.example", "no domain, a minute"),
        // A recursive server says so of a loop; one that is asked for its own zone shows it.
        ("loop.example", "failed: the name server said SERVFAIL"),
        (
            "loop.chain.example",
            "failed: its CNAME records form a loop",
        ),
        ("x.refused.example", "failed: the name server said REFUSED"),
        ("x.silent.example", "failed: time-out"),
    ];
    for (domain, expected) in mx {
        assert_eq!(
            short(resolver.mx(domain).await, mx_word),
            expected,
            "MX of {domain}"
        );
    }
    // Too long for UDP: asked again by TCP.
    let Answer::Found { records, .. } = resolver.mx("many.example").await else {
        panic!("many")
    };
    assert_eq!(records.len(), 100);
    let addresses = [
        ("first.two.example", "127.0.0.2:2525, [::1]:2525"),
        ("second.two.example", "127.0.0.3:2525"),
        ("hosted.example", "127.0.0.4:2525"),
        ("two.example", "no data, a minute"),
        ("nowhere.example", "no domain, a minute"),
        ("x.silent.example", "failed: time-out"),
    ];
    for (host, expected) in addresses {
        let answer = resolver.addresses(host).await;
        assert_eq!(
            short(answer, ToString::to_string),
            expected,
            "addresses of {host}"
        );
    }
    let texts = short(resolver.txt("key._domainkey.example").await, Clone::clone);
    assert_eq!(texts, "v=DKIM1; p=abc, v=other");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_server_nothing_is_said_about_the_domain() {
    let resolver = resolver(child::free_port(child::own_ip()));
    let Answer::Failed(trouble) = resolver.mx("two.example").await else {
        panic!("an answer")
    };
    assert!(
        matches!(trouble, Trouble::TimeOut | Trouble::Local(_)),
        "{trouble:?}"
    );
}
