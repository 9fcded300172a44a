//! Each fate and each character of a provider, shown by a dialogue over loopback.

use std::net::SocketAddr;

use crate::{Config, Dialect, Fate, Ledger, Presence, Provider, Running, Shares, StartTls, run};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A client that says what it is told to.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(addr: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(addr).await.unwrap()))
    }

    /// The next reply, its lines joined by `|`; empty when the connection is closed.
    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            // A reset is a closed connection, too.
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return reply;
            }
            let last = line.as_bytes()[3] == b' ';
            reply += line.trim_end();
            if last {
                return reply;
            }
            reply.push('|');
        }
    }

    async fn say(&mut self, line: &str) -> String {
        // What is lost on the way shows as a missing reply.
        let _ = self.0.write_all(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }
}

async fn sandbox(provider: Provider) -> (Running, SocketAddr) {
    let config = Config {
        providers: vec![provider],
        ..Config::default()
    };
    let running = run(config).await.unwrap();
    let addr = running.places()[0].addr;
    (running, addr)
}

fn provider(fate: Fate) -> Provider {
    Provider {
        shares: Shares::all(fate),
        slow_ms: 1,
        ..Provider::new("mail", ["mail.example"])
    }
}

const TO: &str = "ann@mail.example";

/// One message on a connection of its own: the first reply that is not positive, or the last one.
async fn send(addr: SocketAddr, to: &str) -> String {
    let mut client = Client::connect(addr).await;
    let greeting = client.reply().await;
    if !greeting.starts_with('2') {
        return greeting;
    }
    let rcpt = format!("RCPT TO:<{to}>");
    for line in [
        "EHLO c.example",
        "MAIL FROM:<b@shop.example>",
        &rcpt,
        "DATA",
    ] {
        let reply = client.say(line).await;
        if !reply.starts_with(['2', '3']) {
            return reply;
        }
    }
    let reply = client
        .say("Message-ID: <1@shop.example>\r\n\r\nHello\r\n.")
        .await;
    if !reply.is_empty() {
        client.say("QUIT").await;
    }
    reply
}

#[tokio::test]
async fn each_fate_shows_as_its_replies_over_three_attempts() {
    for (fate, replies, accepted) in [
        (Fate::Accepted, ["250 2.0.0"; 3], 3),
        (Fate::UserUnknown, ["550 5.1.1"; 3], 0),
        (Fate::AccountDisabled, ["550 5.2.1"; 3], 0),
        (Fate::MailboxFull, ["452 4.2.2"; 3], 0),
        (Fate::Greylisted, ["450 4.2.0", "250 2.0.0", "250 2.0.0"], 2),
        (Fate::SpamBlocked, ["554 5.7.1"; 3], 0),
        (Fate::PolicyRefused, ["550 5.7.1"; 3], 0),
        (Fate::ContentRefused, ["550 5.7.1"; 3], 0),
        (Fate::Deferred, ["451 4.3.0"; 3], 0),
        (Fate::DroppedInContent, ["", "250 2.0.0", "250 2.0.0"], 2),
        (Fate::DroppedAfterDot, ["", "250 2.0.0", "250 2.0.0"], 3),
        (Fate::Slow, ["250 2.0.0"; 3], 3),
        (Fate::Novel, ["554 The committee"; 3], 0),
    ] {
        let (running, addr) = sandbox(provider(fate)).await;
        for (attempt, expected) in replies.into_iter().enumerate() {
            let reply = send(addr, TO).await;
            assert_eq!(
                reply.is_empty(),
                expected.is_empty(),
                "{fate:?} {attempt}: {reply}"
            );
            assert!(reply.starts_with(expected), "{fate:?} {attempt}: {reply}");
        }
        let ledger = running.ledger();
        assert_eq!(
            (ledger.count(TO), ledger.attempts(TO)),
            (accepted, 3),
            "{fate:?}"
        );
        running.stop().await;
    }
}

#[tokio::test]
async fn the_ledger_tells_doubtful_messages_from_real_duplicates() {
    let (running, addr) = sandbox(provider(Fate::DroppedAfterDot)).await;
    send(addr, TO).await;
    send(addr, TO).await;
    let ledger = running.ledger();
    assert_eq!(ledger.duplicates(), [(TO.to_owned(), 2)]);
    assert_eq!(ledger.unexplained_duplicates(), []);
    let entries = ledger.entries();
    assert_eq!((entries[0].doubtful, entries[1].doubtful), (true, false));
    assert_eq!(entries[0].message_id, "<1@shop.example>");
    assert_eq!(entries[0].return_path, "b@shop.example");
    assert_eq!(entries[0].content_hash, entries[1].content_hash);
    send(addr, TO).await;
    assert_eq!(ledger.unexplained_duplicates(), [(TO.to_owned(), 2)]);
}

#[tokio::test]
async fn every_dialect_fills_in_its_placeholders() {
    for dialect in Dialect::ALL {
        for fate in [
            Fate::UserUnknown,
            Fate::SpamBlocked,
            Fate::Deferred,
            Fate::Novel,
        ] {
            let (running, addr) = sandbox(Provider {
                dialect,
                ..provider(fate)
            })
            .await;
            let reply = send(addr, TO).await;
            assert!(
                reply.starts_with(['4', '5']),
                "{dialect:?} {fate:?}: {reply}"
            );
            assert!(!reply.contains(['{', '}']), "{dialect:?} {fate:?}: {reply}");
            running.stop().await;
        }
    }
}

#[tokio::test]
async fn mail_for_other_domains_is_not_taken() {
    let (_running, addr) = sandbox(provider(Fate::Accepted)).await;
    let reply = send(addr, "ann@elsewhere.example").await;
    assert!(reply.contains("Relay access denied"), "{reply}");
}

#[tokio::test]
async fn a_provider_that_is_down_comes_back_after_some_connections() {
    let (_running, addr) = sandbox(Provider {
        down_connections: 2,
        ..provider(Fate::Accepted)
    })
    .await;
    assert_eq!(send(addr, TO).await, "");
    assert_eq!(send(addr, TO).await, "");
    assert!(send(addr, TO).await.starts_with("250"));
}

#[tokio::test]
async fn too_many_connections_are_greeted_with_421_until_one_ends() {
    let (_running, addr) = sandbox(Provider {
        max_connections: 1,
        ..provider(Fate::Accepted)
    })
    .await;
    let mut first = Client::connect(addr).await;
    assert!(first.reply().await.starts_with("220"));
    assert!(send(addr, TO).await.starts_with("421 4.7.0"));
    assert!(first.say("QUIT").await.starts_with("221"));
    assert_eq!(first.reply().await, "", "closed by the server");
    let mut reply = send(addr, TO).await;
    while reply.starts_with("421") {
        tokio::task::yield_now().await;
        reply = send(addr, TO).await;
    }
    assert!(reply.starts_with("250"), "{reply}");
}

#[tokio::test]
async fn a_connection_ends_with_421_after_its_messages_and_pauses_defer() {
    let (_running, addr) = sandbox(Provider {
        messages_per_connection: 1,
        pause_after_messages: 2,
        pause_refusals: 1,
        ..provider(Fate::Accepted)
    })
    .await;
    let mut client = Client::connect(addr).await;
    client.reply().await;
    let rcpt = format!("RCPT TO:<{TO}>");
    for line in ["EHLO c.example", "MAIL FROM:<>", &rcpt, "DATA", "x\r\n."] {
        client.say(line).await;
    }
    assert!(client.say("MAIL FROM:<>").await.starts_with("421"));
    assert_eq!(client.reply().await, "", "closed");
    assert!(send(addr, TO).await.starts_with("250"));
    assert!(send(addr, TO).await.starts_with("450 4.7.1"), "paused");
    assert!(send(addr, TO).await.starts_with("250"), "over");
}

#[tokio::test]
async fn silent_and_closed_providers_do_what_they_are_called() {
    let (_running, addr) = sandbox(Provider {
        presence: Presence::Silent,
        ..provider(Fate::Accepted)
    })
    .await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"EHLO c.example\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert!(said.is_empty(), "not a word until the client left");

    let (_running, addr) = sandbox(Provider {
        presence: Presence::Closed,
        ..provider(Fate::Accepted)
    })
    .await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn starttls_works_or_fails_as_configured() {
    for (starttls, handshakes) in [(StartTls::On, true), (StartTls::Broken, false)] {
        let (_running, addr) = sandbox(Provider {
            starttls,
            ..provider(Fate::Accepted)
        })
        .await;
        let mut client = Client::connect(addr).await;
        client.reply().await;
        assert!(
            client
                .say("EHLO c.example")
                .await
                .contains("|250-STARTTLS|")
        );
        assert!(client.say("STARTTLS").await.starts_with("220"));
        // A TLS record that is no ClientHello: the answer is an alert (type 21).
        let stream = client.0.get_mut();
        stream
            .write_all(&[22, 3, 1, 0, 4, 99, 0, 0, 0])
            .await
            .unwrap();
        let mut said = Vec::new();
        // A reset after the alert is as good as an end.
        let _ = stream.read_to_end(&mut said).await;
        assert_eq!(said.first() == Some(&21), handshakes, "{said:?}");
    }
}

#[tokio::test]
async fn the_ledger_and_its_file_agree_under_concurrent_connections() {
    let directory = std::env::temp_dir().join(format!("sandbox-ledger-{}", std::process::id()));
    let running = run(Config {
        ledger: Some(directory.clone()),
        providers: vec![provider(Fate::Accepted)],
        ..Config::default()
    })
    .await
    .unwrap();
    let addr = running.places()[0].addr;
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..40 {
        senders.spawn(async move {
            for _ in 0..5 {
                send(addr, &format!("reader{}@mail.example", n / 2)).await;
            }
        });
    }
    while senders.join_next().await.is_some() {}
    let ledger = running.ledger();
    assert_eq!((ledger.accepted(), ledger.recipients()), (200, 20));
    assert_eq!(ledger.count("reader7@mail.example"), 10);
    assert_eq!(Ledger::read(&directory).unwrap(), ledger.entries());
    std::fs::remove_file(&directory).unwrap();
}

#[tokio::test]
async fn the_sink_accepts_all_and_counts() {
    let running = run(Config::sink()).await.unwrap();
    let addr = running.places()[0].addr;
    assert!(send(addr, "x@any.example").await.starts_with("250"));
    let ledger = running.ledger();
    assert_eq!((ledger.accepted(), ledger.count("x@any.example")), (1, 1));
    assert!(ledger.entries().is_empty());
}

#[tokio::test]
async fn routes_and_zone_lead_to_the_providers() {
    let (running, addr) = sandbox(Provider {
        mx: vec!["a.mail.example".into(), "b.mail.example".into()],
        ..provider(Fate::Accepted)
    })
    .await;
    let expected = format!("[[route]]\ndomains = [\"mail.example\"]\nrelay = \"{addr}\"\n");
    assert_eq!(running.routes_toml(), expected);
    let zone = running.zone();
    assert_eq!(zone[0].domain, "mail.example");
    assert_eq!(
        zone[0].mx,
        [(10, "a.mail.example".into()), (20, "b.mail.example".into())]
    );
    assert_eq!(zone[0].addr, addr);
}

#[test]
fn the_configuration_file_is_read_and_unknown_keys_are_refused() {
    let config = Config::from_toml(
        "seed = 7\n[[provider]]\nname = \"p\"\ndomains = [\"p.example\"]\ndialect = \"mail_ru\"\n\
         starttls = \"broken\"\nshares = { mailbox_full = 100 }\n",
    )
    .unwrap();
    assert_eq!(
        (config.seed, config.providers[0].shares.mailbox_full),
        (7, 100)
    );
    let why = Config::from_toml("speed = 7").unwrap_err().to_string();
    assert!(why.contains("speed"), "{why}");
}
