//! The driver on real sockets: a tiny server on loopback plays a script.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{ClientSettings, Envelope, Reach, Sent, Session, Still, Target};
use crate::stages::Timeouts;
use posthaste_core::evidence::{OutcomeKind, Stage};
use posthaste_core::time::Timestamp;
use posthaste_net::tls::{TlsClient, TlsPolicy};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

const AT: Timestamp = Timestamp(7);

/// Plays pairs: read until the text was seen, then answer. Returns all that was read.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &[(&str, &str)],
) -> String {
    let mut heard = Vec::new();
    let mut seen = 0;
    for (until, answer) in script {
        loop {
            let rest = String::from_utf8_lossy(&heard[seen..]).into_owned();
            if let Some(at) = rest.find(until) {
                seen += at + until.len();
                break;
            }
            if stream.read_buf(&mut heard).await.unwrap() == 0 {
                panic!("the client left before it said {until:?}; it said {rest:?}");
            }
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    String::from_utf8(heard).unwrap()
}

async fn server(
    script: &'static [(&'static str, &'static str)],
) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let played = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        play(&mut stream, script).await
    });
    (address, played)
}

fn settings(roots: Vec<CertificateDer<'static>>) -> ClientSettings {
    ClientSettings {
        ehlo_name: "mta.example.com".to_owned(),
        timeouts: Timeouts::all(Duration::from_secs(20)),
        source: None,
        tls: Arc::new(TlsClient::new(roots).unwrap()),
    }
}

fn target(address: SocketAddr, tls: TlsPolicy) -> Target {
    Target {
        host: "mx1.example.com".to_owned(),
        address,
        tls,
        auth: None,
    }
}

async fn send(session: &mut Session, content: &str) -> Sent {
    let envelope = Envelope {
        from: "b@example.net",
        recipients: &["a@example.com"],
        smtputf8: false,
        size: content.len(),
    };
    session.send(&envelope, content.as_bytes(), AT).await
}

const HELLO: (&str, &str) = ("EHLO mta.example.com\r\n", "250-mx1\r\n250 PIPELINING\r\n");
const ACCEPT: (&str, &str) = ("DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n");

#[tokio::test]
async fn several_messages_go_through_one_session() {
    let (address, played) = server(&[
        ("", "220 mx1\r\n"),
        HELLO,
        ACCEPT,
        ("\r\n.\r\n", "250 2.0.0 first\r\n"),
        ACCEPT,
        ("\r\n.\r\n", "250 2.0.0 second\r\n"),
        ("QUIT\r\n", "221 bye\r\n"),
    ])
    .await;
    let mut session = Session::connect(
        &target(address, TlsPolicy::Opportunistic),
        &settings(vec![]),
        AT,
    )
    .await
    .unwrap();
    assert_eq!(session.tls(), "");
    for (content, text) in [
        ("one\r\n.dot\r\n", "250 2.0.0 first"),
        ("two\n", "250 2.0.0 second"),
    ] {
        let sent = send(&mut session, content).await;
        assert_eq!(sent.session, Still::Open);
        assert_eq!(sent.outcomes[0].kind(), OutcomeKind::Delivered);
        assert_eq!(sent.outcomes[0].evidence().text, text);
        assert!(session.is_reusable());
    }
    session.quit().await;
    let heard = played.await.unwrap();
    assert!(heard.contains("one\r\n..dot\r\n.\r\n"), "{heard}");
    assert!(heard.contains("two\r\n.\r\n"), "{heard}");
}

#[tokio::test]
async fn a_connection_lost_after_the_final_dot_is_doubtful() {
    let (address, played) = server(&[("", "220 mx1\r\n"), HELLO, ACCEPT, ("\r\n.\r\n", "")]).await;
    let mut session = Session::connect(&target(address, TlsPolicy::None), &settings(vec![]), AT)
        .await
        .unwrap();
    let sent = send(&mut session, "text\r\n").await;
    played.await.unwrap();
    assert_eq!(sent.outcomes[0].kind(), OutcomeKind::Doubtful);
    assert_eq!(sent.outcomes[0].evidence().stage, Stage::FinalDot);
    assert!(matches!(sent.session, Still::Closing(_)));
    assert!(!session.is_reusable());
}

#[tokio::test]
async fn a_session_that_the_server_closed_is_not_reusable() {
    let (address, played) = server(&[
        ("", "220 mx1\r\n"),
        HELLO,
        ACCEPT,
        ("\r\n.\r\n", "250 ok\r\n"),
    ])
    .await;
    let mut session = Session::connect(&target(address, TlsPolicy::None), &settings(vec![]), AT)
        .await
        .unwrap();
    assert_eq!(send(&mut session, "text\r\n").await.session, Still::Open);
    played.await.unwrap();
    let sent = send(&mut session, "text\r\n").await;
    assert!(sent.stale, "{sent:?}");
    assert!(!session.is_reusable());
}

#[tokio::test]
async fn a_silent_server_is_left_after_the_time_of_the_stage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut impatient = settings(vec![]);
    impatient.timeouts.greeting = Duration::from_millis(20);
    let failure = Session::connect(&target(address, TlsPolicy::None), &impatient, AT)
        .await
        .unwrap_err();
    assert_eq!(failure.evidence.stage, Stage::Greeting);
    assert_eq!(failure.reach, Reach::Host);
    assert_eq!(
        failure.evidence.text,
        "SMTP: time-out while waiting for the greeting (mx1.example.com)"
    );
}

#[tokio::test]
async fn a_closed_port_is_a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = Session::connect(&target(address, TlsPolicy::None), &settings(vec![]), AT)
        .await
        .unwrap_err();
    assert_eq!(failure.evidence.stage, Stage::Connect);
    assert_eq!(
        failure.evidence.text,
        "SMTP: connection refused while opening the connection (mx1.example.com)"
    );
}

/// A server that plays one script in clear text, up to STARTTLS, and one over TLS.
async fn tls_server(
    name: &str,
) -> (
    SocketAddr,
    CertificateDer<'static>,
    JoinHandle<Option<String>>,
) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![certificate.clone()], key.into())
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let played = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let offer = ("EHLO mta.example.com\r\n", "250-mx1\r\n250 STARTTLS\r\n");
        play(
            &mut tcp,
            &[("", "220 mx1\r\n"), offer, ("STARTTLS\r\n", "220 go\r\n")],
        )
        .await;
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(tcp).await.ok()?;
        let script = [
            HELLO,
            ACCEPT,
            ("\r\n.\r\n", "250 ok\r\n"),
            ("QUIT\r\n", "221 bye\r\n"),
        ];
        Some(play(&mut stream, &script).await)
    });
    (address, certificate, played)
}

#[tokio::test]
async fn starttls_protects_the_message() {
    for policy in [TlsPolicy::Opportunistic, TlsPolicy::Required] {
        let (address, certificate, played) = tls_server("mx1.example.com").await;
        let mut session =
            Session::connect(&target(address, policy), &settings(vec![certificate]), AT)
                .await
                .unwrap();
        assert!(
            session.tls().starts_with("TLSv1.3 TLS_"),
            "{}",
            session.tls()
        );
        let content = "line\r\n".repeat(10_000);
        assert_eq!(
            send(&mut session, &content).await.outcomes[0].kind(),
            OutcomeKind::Delivered
        );
        assert!(session.is_reusable());
        session.quit().await;
        assert!(played.await.unwrap().unwrap().contains(&content));
    }
}

#[tokio::test]
async fn a_wrong_certificate_stops_required_tls_only() {
    let (address, certificate, _played) = tls_server("other.example").await;
    let failure = Session::connect(
        &target(address, TlsPolicy::Required),
        &settings(vec![certificate]),
        AT,
    )
    .await
    .unwrap_err();
    assert_eq!(failure.evidence.stage, Stage::StartTls);
    assert!(!failure.clear_text_retry);

    let (address, _, _played) = tls_server("other.example").await;
    let session = Session::connect(
        &target(address, TlsPolicy::Opportunistic),
        &settings(vec![]),
        AT,
    )
    .await;
    assert!(session.is_ok());
}
