//! Our SMTP client against Postfix's `smtp-sink`, which misbehaves at the stage it is told to, and
//! needs no root.

use posthaste_core::evidence::{OutcomeKind, Stage};
use posthaste_net::tls::TlsPolicy;
use posthaste_smtp::client::{Session, Target};

use super::child::{self, Child, are_there};
use super::client::{AT, send, settings};

const SINK: &str = "/usr/sbin/smtp-sink";

/// Options of `smtp-sink`, what becomes of the message, where, and the code.
const CASES: [(&[&str], OutcomeKind, Stage, Option<u16>); 10] = [
    (&[], OutcomeKind::Delivered, Stage::FinalDot, Some(250)),
    // Neither PIPELINING, nor EHLO at all.
    (&["-p"], OutcomeKind::Delivered, Stage::FinalDot, Some(250)),
    (&["-e"], OutcomeKind::Delivered, Stage::FinalDot, Some(250)),
    (
        &["-f", "rcpt"],
        OutcomeKind::Refused,
        Stage::Rcpt,
        Some(500),
    ),
    (
        &["-r", "rcpt"],
        OutcomeKind::Deferred,
        Stage::Rcpt,
        Some(450),
    ),
    (
        &["-f", "."],
        OutcomeKind::Refused,
        Stage::FinalDot,
        Some(500),
    ),
    (
        &["-r", "."],
        OutcomeKind::Deferred,
        Stage::FinalDot,
        Some(450),
    ),
    (&["-q", "mail"], OutcomeKind::Deferred, Stage::Mail, None),
    (&["-q", "rcpt"], OutcomeKind::Deferred, Stage::Rcpt, None),
    // Lost after the final dot: it may have been taken.
    (&["-q", "."], OutcomeKind::Doubtful, Stage::FinalDot, None),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_misbehaviour_of_smtp_sink_is_understood() {
    if !are_there("the client against smtp-sink", &[SINK]) {
        return;
    }
    for (options, kind, stage, code) in CASES {
        let directory = child::open_directory();
        let address = child::free_port(child::own_ip());
        let at = address.to_string();
        let user: &[&str] = if child::is_root_here() {
            &["-u", "nobody"]
        } else {
            &[]
        };
        let args = [user, options, &[at.as_str(), "10"]].concat();
        let sink = Child::start(SINK, &args, directory.path());
        child::until_listening(address);
        let target = Target {
            host: "sink.example".to_owned(),
            address,
            tls: TlsPolicy::Opportunistic,
            auth: None,
        };
        let mut session = Session::connect(&target, &settings(Vec::new()), AT)
            .await
            .unwrap();
        let sent = send(
            &mut session,
            &["ok@real.example"],
            b"Subject: x\r\n\r\nHello\r\n",
        )
        .await;
        let evidence = sent.outcomes[0].evidence();
        let said = (sent.outcomes[0].kind(), evidence.stage, evidence.code);
        assert_eq!(said, (kind, stage, code), "{options:?}: {sent:?}");
        drop(sink);
    }
}
