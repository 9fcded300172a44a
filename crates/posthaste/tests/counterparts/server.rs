//! Our SMTP server against the clients of others: swaks, Postfix's `smtp-source`, Python's `smtplib`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use posthaste_sandbox::{Config, Provider, StartTls};
use posthaste_smtp::server::{Answer, Content, Mail, Policy, Session, Settings, Tls, serve};
use tokio::net::TcpListener;

use super::child::{self, own_ip};

/// A message as the server understood it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Kept {
    from: String,
    to: Vec<String>,
    bytes: Vec<u8>,
}

/// Accepts and keeps everything but recipients called `nobody`.
#[derive(Default)]
struct Keeping {
    current: Kept,
    kept: Arc<Mutex<Vec<Kept>>>,
}

impl Policy for Keeping {
    fn mail(&mut self, mail: &Mail) -> Answer {
        self.current = Kept {
            from: mail.from.clone(),
            ..Kept::default()
        };
        Answer::accept()
    }

    fn rcpt(&mut self, to: &str) -> Answer {
        if to.starts_with("nobody@") {
            return Answer::reply(550, "5.1.1 User unknown");
        }
        self.current.to.push(to.to_owned());
        Answer::accept()
    }

    fn content(&mut self, content: &Content<'_>) -> Answer {
        content.bytes.clone_into(&mut self.current.bytes);
        self.kept
            .lock()
            .unwrap()
            .push(std::mem::take(&mut self.current));
        Answer::accept()
    }
}

/// A server that keeps what it gets.
async fn keeping() -> (SocketAddr, Arc<Mutex<Vec<Kept>>>) {
    let listener = TcpListener::bind((own_ip(), 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let kept: Arc<Mutex<Vec<Kept>>> = Arc::default();
    let shared = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let policy = Keeping {
                kept: Arc::clone(&shared),
                ..Keeping::default()
            };
            let session = Session::new(Settings::new("mx.example.net"), policy);
            tokio::spawn(serve(stream, session, Tls::Off));
        }
    });
    (addr, kept)
}

/// A message with dots at line starts, empty lines, and lines of 998 octets.
fn message() -> String {
    let long = "x".repeat(997);
    format!(
        "Subject: odd lines\r\nX: {long}\r\n\r\n.\r\n..\r\n.a\r\n\r\n.{long}\r\n{long}.\r\n..\r\nend\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_swaks_sends_is_kept_byte_for_byte() {
    if !child::are_there("our server against swaks", &["/usr/bin/swaks"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // It ends the last line itself.
    std::fs::write(directory.path().join("message"), message().trim_end()).unwrap();
    for more in [&[][..], &["--pipeline"]] {
        let (addr, kept) = keeping().await;
        let (host, port) = (addr.ip().to_string(), addr.port().to_string());
        let mut args = vec!["--server", &host, "--port", &port, "--data", "@message"];
        args.extend([
            "--from",
            "a@example.com",
            "--to",
            "b@example.net,nobody@example.net,c@example.net",
        ]);
        args.extend(more);
        tokio::task::block_in_place(|| child::run("/usr/bin/swaks", &args, directory.path()));
        let kept = kept.lock().unwrap().clone();
        let expected = Kept {
            from: "a@example.com".to_owned(),
            to: ["b@example.net", "c@example.net"]
                .map(str::to_owned)
                .to_vec(),
            bytes: message().into_bytes(),
        };
        assert_eq!(kept.len(), 1, "{more:?}");
        assert_eq!(
            String::from_utf8_lossy(&kept[0].bytes),
            message(),
            "{more:?}"
        );
        assert_eq!(kept[0], expected, "{more:?}");
    }
}

const SMTPLIB: &str = "
import smtplib, ssl, sys
host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
message = open(name, 'rb').read()
with smtplib.SMTP(host, port, timeout=20) as smtp:
    if len(sys.argv) > 4:
        smtp.starttls(context=ssl._create_unverified_context())
        assert 'starttls' not in (smtp.ehlo(), smtp.esmtp_features)[1], smtp.esmtp_features
    for to in ['b@example.net', 'jürgen@example.net']:
        options = ['SMTPUTF8', 'BODY=8BITMIME'] if not to.isascii() else []
        refused = smtp.sendmail('a@example.com', [to, 'nobody@example.net'], message, options)
        assert list(refused) in ([], ['nobody@example.net']), refused
";

#[tokio::test(flavor = "multi_thread")]
async fn what_smtplib_sends_is_kept_byte_for_byte() {
    if !child::are_there("our server against smtplib", &[child::PYTHON]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("message"), message()).unwrap();
    let (addr, kept) = keeping().await;
    let args = [
        "-c",
        SMTPLIB,
        &addr.ip().to_string(),
        &addr.port().to_string(),
        "message",
    ];
    tokio::task::block_in_place(|| child::run(child::PYTHON, &args, directory.path()));
    let kept = kept.lock().unwrap().clone();
    let to: Vec<_> = kept.iter().map(|kept| kept.to.concat()).collect();
    assert_eq!(to, ["b@example.net", "jürgen@example.net"]);
    for kept in &kept {
        assert_eq!(String::from_utf8_lossy(&kept.bytes), message());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn smtplib_speaks_tls_with_a_sandbox_provider() {
    if !child::are_there("STARTTLS with smtplib", &[child::PYTHON]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("message"), message()).unwrap();
    let mut provider = Provider::new("tls", ["example.net"]);
    provider.listen = (own_ip(), 0).into();
    provider.starttls = StartTls::On;
    let config = Config {
        providers: vec![provider],
        ..Config::default()
    };
    let sandbox = posthaste_sandbox::run(config).await.unwrap();
    let addr = sandbox.addr("tls").unwrap();
    let args = [
        "-c",
        SMTPLIB,
        &addr.ip().to_string(),
        &addr.port().to_string(),
        "message",
        "tls",
    ];
    tokio::task::block_in_place(|| child::run(child::PYTHON, &args, directory.path()));
    let entries = sandbox.ledger().entries();
    assert_eq!(entries.len(), 4, "{entries:?}");
    for entry in entries {
        assert_eq!(
            entry.size,
            message().len() as u64 + 5,
            "one dot more at five lines"
        );
        assert_eq!(entry.return_path, "a@example.com");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_source_finds_every_message_accepted() {
    let smtp_source = "/usr/sbin/smtp-source";
    if !child::are_there("our server against smtp-source", &[smtp_source]) {
        return;
    }
    let mut provider = Provider::new("all", ["*"]);
    provider.listen = (own_ip(), 0).into();
    let config = Config {
        providers: vec![provider],
        ..Config::default()
    };
    let sandbox = posthaste_sandbox::run(config).await.unwrap();
    let addr = sandbox.addr("all").unwrap().to_string();
    // Four sessions, 200 messages of 3 recipients and 20,000 octets; first with a connection for
    // each message, then with connections that are kept.
    for (round, more) in [&[][..], &["-d"]].into_iter().enumerate() {
        let mut args = vec!["-s", "4", "-m", "200", "-r", "3", "-l", "20000"];
        args.extend(["-f", "a@example.com", "-t", "b@example.net"]);
        args.extend(more);
        args.push(&addr);
        tokio::task::block_in_place(|| child::run(smtp_source, &args, std::path::Path::new("/")));
        assert_eq!(
            sandbox.ledger().accepted(),
            600 * (round as u64 + 1),
            "{more:?}"
        );
    }
    assert!(
        sandbox
            .ledger()
            .entries()
            .iter()
            .all(|entry| entry.size >= 20_000)
    );
}
