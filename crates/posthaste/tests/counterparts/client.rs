//! Our SMTP client against Postfix's server.

use std::sync::Arc;

use posthaste_core::evidence::{Outcome, OutcomeKind};
use posthaste_core::time::Timestamp;
use posthaste_net::tls::{TlsClient, TlsPolicy};
use posthaste_smtp::client::{ClientSettings, Envelope, Sent, Session, Still, Target};
use posthaste_smtp::stages::Timeouts;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::postfix::{Postfix, Setup};

/// The policy time of all sessions.
pub const AT: Timestamp = Timestamp(1_700_000_000_000);

/// What our sessions share; `roots` are trusted beside the system's.
pub fn settings(roots: Vec<CertificateDer<'static>>) -> ClientSettings {
    ClientSettings {
        ehlo_name: "mta.example.com".to_owned(),
        timeouts: Timeouts::default(),
        source: None,
        tls: Arc::new(TlsClient::new(roots).unwrap()),
    }
}

fn target(postfix: &Postfix, tls: TlsPolicy) -> Target {
    Target {
        host: "mx.real.example".to_owned(),
        address: postfix.addr,
        tls,
        auth: None,
    }
}

/// Sends a message from us.
pub async fn send(session: &mut Session, to: &[&str], content: &[u8]) -> Sent {
    let smtputf8 = !to.iter().all(|address| address.is_ascii());
    let envelope = Envelope {
        from: "b@example.com",
        recipients: to,
        smtputf8,
        size: content.len(),
    };
    session.send(&envelope, content, AT).await
}

fn told(outcome: &Outcome) -> (OutcomeKind, Option<u16>, Option<String>, &str) {
    let evidence = outcome.evidence();
    let enhanced = evidence.enhanced.map(|status| status.to_string());
    (
        outcome.kind(),
        evidence.code,
        enhanced,
        evidence.text.as_str(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_accepts_and_refuses_recipients_one_by_one() {
    let setup = Setup {
        mailboxes: ["ok", "later", "jürgen"].map(str::to_owned).to_vec(),
        refusals: vec![("later".to_owned(), "450 4.2.0 Greylisted, come back later")],
        ..Setup::default()
    };
    let Some(postfix) = Postfix::start("the client against Postfix", &setup) else {
        return;
    };
    let plain = target(&postfix, TlsPolicy::None);
    let mut session = Session::connect(&plain, &settings(Vec::new()), AT)
        .await
        .unwrap();
    assert_eq!(session.tls(), "");

    let to = [
        "ok@real.example",
        "gone@real.example",
        "later@real.example",
        "x@elsewhere.example",
    ];
    let sent = send(&mut session, &to, b"Subject: one\r\n\r\nHello\r\n").await;
    let expected = [
        (OutcomeKind::Delivered, 250, "2.0.0", "Ok: queued as"),
        (
            OutcomeKind::Refused,
            550,
            "5.1.1",
            "User unknown in virtual mailbox table",
        ),
        (
            OutcomeKind::Deferred,
            450,
            "4.2.0",
            "Greylisted, come back later",
        ),
        (OutcomeKind::Refused, 454, "4.7.1", "Relay access denied"),
    ];
    for ((to, outcome), (kind, code, enhanced, text)) in to.iter().zip(&sent.outcomes).zip(expected)
    {
        let said = told(outcome);
        let kind = if code == 454 {
            OutcomeKind::Deferred
        } else {
            kind
        };
        assert_eq!(
            (said.0, said.1, said.2.as_deref()),
            (kind, Some(code), Some(enhanced)),
            "{to}: {said:?}"
        );
        assert!(said.3.contains(text), "{to}: {said:?}");
    }
    assert_eq!(sent.session, Still::Open);

    lines_arrive_as_they_are(&postfix, &mut session).await;
    a_message_too_large_is_refused_and_the_session_goes_on(&mut session).await;
    an_address_in_utf8_is_delivered(&postfix, &mut session).await;
    session.quit().await;
    let log = postfix.log();
    assert!(!log.contains("improper command pipelining"), "{log}");
}

/// Dots at line starts, long lines (Postfix takes 2048 octets), 8-bit text, no last line end.
async fn lines_arrive_as_they_are(postfix: &Postfix, session: &mut Session) {
    let long = "x".repeat(990);
    let body = format!(".\r\n..\r\n. a\r\n{long}\r\n.{long}\r\ngrüße\r\n\r\nlast\r\n.");
    let content = format!("Subject: two\r\nX-Mark: lines\r\n\r\n{body}");
    let sent = send(session, &["ok@real.example"], content.as_bytes()).await;
    assert_eq!(
        sent.outcomes[0].kind(),
        OutcomeKind::Delivered,
        "{:?}",
        sent.outcomes
    );
    let mails = postfix.wait_for("ok", 2);
    let mail = mails
        .iter()
        .find(|mail| text(mail).contains("X-Mark: lines"))
        .unwrap();
    let expected = format!("\n\n{}\n", body.replace("\r\n", "\n"));
    assert!(text(mail).ends_with(&expected), "{}", text(mail));
}

async fn a_message_too_large_is_refused_and_the_session_goes_on(session: &mut Session) {
    let content = format!("Subject: large\r\n\r\n{}", "0123456789\r\n".repeat(10_000));
    let sent = send(session, &["ok@real.example"], content.as_bytes()).await;
    let said = told(&sent.outcomes[0]);
    assert_eq!(said.0, OutcomeKind::Refused, "{said:?}");
    assert_eq!(sent.session, Still::Open);
}

async fn an_address_in_utf8_is_delivered(postfix: &Postfix, session: &mut Session) {
    assert!(session.is_reusable());
    let content = "Subject: Grüße an Jürgen\r\n\r\nHallo\r\n".as_bytes();
    let sent = send(session, &["jürgen@real.example"], content).await;
    assert_eq!(
        sent.outcomes[0].kind(),
        OutcomeKind::Delivered,
        "{:?}",
        sent.outcomes
    );
    let mails = postfix.wait_for("jürgen", 1);
    assert!(text(&mails[0]).contains("Subject: Grüße an Jürgen\n"));
}

fn text(mail: &[u8]) -> &str {
    std::str::from_utf8(mail).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_with_postfix_encrypts_and_verifies_where_it_must() {
    let setup = Setup {
        mailboxes: vec!["ok".to_owned()],
        settings: "smtpd_tls_received_header = yes".to_owned(),
        ..Setup::default()
    };
    let Some(postfix) = Postfix::start("STARTTLS with Postfix", &setup) else {
        return;
    };
    let own = CertificateDer::from_pem_slice(postfix.certificate().as_bytes()).unwrap();
    let cases = [
        ("whoever it is", TlsPolicy::Opportunistic, Vec::new(), true),
        ("known to us", TlsPolicy::Required, vec![own], true),
        ("unknown to us", TlsPolicy::Required, Vec::new(), false),
    ];
    for (name, policy, roots, opens) in cases {
        match Session::connect(&target(&postfix, policy), &settings(roots), AT).await {
            Ok(mut session) => {
                assert!(opens, "{name}");
                assert!(
                    session.tls().starts_with("TLSv1.3"),
                    "{name}: {}",
                    session.tls()
                );
                let sent = send(&mut session, &["ok@real.example"], b"Subject: t\r\n\r\n").await;
                assert_eq!(sent.outcomes[0].kind(), OutcomeKind::Delivered, "{name}");
                session.quit().await;
            }
            Err(failure) => {
                assert!(!opens, "{name}: {failure:?}");
                assert!(
                    failure.evidence.text.contains("certificate"),
                    "{name}: {failure:?}"
                );
                assert!(!failure.clear_text_retry, "{name}");
            }
        }
    }
    for mail in postfix.wait_for("ok", 2) {
        assert!(
            text(&mail).contains("(using TLSv1.3 with cipher"),
            "{}",
            text(&mail)
        );
    }
}
