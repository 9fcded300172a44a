//! Bounces and delay notices as Postfix writes them, read by us.

use std::sync::Arc;

use posthaste_core::evidence::OutcomeKind;
use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::qualify::RuleSet;
use posthaste_core::time::Timestamp;
use posthaste_mail::read::{Action, Kind, Report, read};
use posthaste_net::tls::{TlsClient, TlsPolicy};
use posthaste_sandbox::{Config, Fate, Provider, Running, Shares, StartTls};
use posthaste_smtp::client::{ClientSettings, Envelope, Session, Target};
use posthaste_smtp::stages::Timeouts;

use super::child::own_ip;
use super::postfix::{Postfix, Setup};

/// Who is written to, what becomes of it there, and how the report must be read.
const CASES: [(&str, Fate, Action, FailureType, FailureReason, &str); 3] = [
    (
        "gone.example",
        Fate::UserUnknown,
        Action::Failed,
        FailureType::Hard,
        FailureReason::UserUnknown,
        "5.1.1",
    ),
    (
        "full.example",
        Fate::MailboxFull,
        Action::Delayed,
        FailureType::Soft,
        FailureReason::MailboxFull,
        "4.2.2",
    ),
    (
        "grey.example",
        Fate::Greylisted,
        Action::Delayed,
        FailureType::Soft,
        FailureReason::Unreachable,
        "4.2.0",
    ),
];

async fn far_side() -> Running {
    let provider =
        |(domain, fate, ..): &(&str, Fate, Action, FailureType, FailureReason, &str)| Provider {
            shares: Shares::all(*fate),
            greylist_attempts: 1_000,
            listen: (own_ip(), 0).into(),
            starttls: StartTls::On,
            ..Provider::new(domain, [domain])
        };
    let providers = CASES.iter().map(provider).collect();
    posthaste_sandbox::run(Config {
        providers,
        ..Config::default()
    })
    .await
    .unwrap()
}

fn setup(far: &Running) -> Setup {
    let ways: Vec<String> = far
        .places()
        .iter()
        .map(|place| {
            format!(
                "{{ {} = smtp:[{}]:{} }}",
                place.name,
                place.addr.ip(),
                place.addr.port()
            )
        })
        .collect();
    let domains: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    Setup {
        mailboxes: vec!["bounces".to_owned()],
        settings: format!(
            "relay_domains = {}\ntransport_maps = inline:{{ {} }}\nrecipient_delimiter = +\n\
             smtp_tls_security_level = may\nsmtp_tls_loglevel = 1\ndelay_warning_time = 1s\n\
             queue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 1s",
            domains.join(", "),
            ways.join(", ")
        ),
        ..Setup::default()
    }
}

async fn hand_over(postfix: &Postfix, domain: &str) {
    let settings = ClientSettings {
        ehlo_name: "mta.example.com".to_owned(),
        timeouts: Timeouts::default(),
        source: None,
        tls: Arc::new(TlsClient::new(Vec::new()).unwrap()),
    };
    let target = Target {
        host: "mx.real.example".to_owned(),
        address: postfix.addr,
        tls: TlsPolicy::Opportunistic,
        auth: None,
    };
    let at = Timestamp(1_700_000_000_000);
    let mut session = Session::connect(&target, &settings, at).await.unwrap();
    let from = format!("bounces+{domain}@real.example");
    let to = format!("kim@{domain}");
    let content = format!(
        "Message-ID: <mark-{domain}@example.com>\r\nSubject: x\r\nTo: {to}\r\n\r\nHello\r\n"
    );
    let envelope = Envelope {
        from: &from,
        recipients: &[&to],
        smtputf8: false,
        size: content.len(),
    };
    let sent = session.send(&envelope, content.as_bytes(), at).await;
    assert_eq!(sent.outcomes[0].kind(), OutcomeKind::Delivered, "{sent:?}");
    session.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bounces_and_delay_notices_of_postfix_are_understood() {
    let far = far_side().await;
    let Some(postfix) = Postfix::start("bounces of Postfix", &setup(&far)) else {
        return;
    };
    for (domain, ..) in CASES {
        hand_over(&postfix, domain).await;
    }
    let rules = RuleSet::shipped();
    let mails = tokio::task::block_in_place(|| postfix.wait_for("bounces", CASES.len()));
    let reports: Vec<Report> = mails.iter().map(|mail| read(mail, &rules)).collect();
    for (domain, _, action, kind, reason, status) in CASES {
        let to = format!("kim@{domain}");
        let report = reports
            .iter()
            .find(|report| report.recipients.iter().any(|r| r.address == to));
        let report = report.unwrap_or_else(|| panic!("{domain}: {reports:#?}"));
        assert_eq!(report.kind, Kind::Bounce, "{domain}");
        assert_eq!(report.recipients.len(), 1, "{report:#?}");
        let read = &report.recipients[0];
        assert_eq!(
            (read.action, read.kind, read.reason),
            (action, kind, reason),
            "{report:#?}"
        );
        assert!(
            read.status.unwrap().to_string().starts_with(status),
            "{report:#?}"
        );
        assert!(read.reply_code.is_some(), "{report:#?}");
        assert_eq!(report.dialect.as_deref(), Some("postfix"), "{report:#?}");
        assert_eq!(
            report.original.message_id,
            Some(format!("mark-{domain}@example.com"))
        );
    }
    let log = postfix.log();
    assert!(log.contains("TLS connection established to"), "{log}");
}
