//! Measures the client: CPU time of the sending thread per message, one connection on loopback.
//!
//! `cargo run --release -p posthaste-smtp --example client_bench -- [MESSAGES] [OCTETS]`

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use posthaste_core::evidence::OutcomeKind;
use posthaste_core::time::Timestamp;
use posthaste_net::tls::{TlsClient, TlsPolicy};
use posthaste_smtp::client::{ClientSettings, Envelope, Session, Target};
use posthaste_smtp::stages::Timeouts;

/// Answers as an accepting server does; reads whole lines, so that it does not limit.
fn sink(stream: &TcpStream) -> std::io::Result<()> {
    let mut out = stream;
    out.write_all(b"220 sink\r\n")?;
    let mut input = BufReader::with_capacity(64 * 1024, stream);
    let mut line = Vec::new();
    let mut content = false;
    let mut replies = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let reply: &[u8] = match line.get(..4).unwrap_or(&line) {
            b".\r\n" => {
                content = false;
                b"250 2.0.0 ok\r\n"
            }
            _ if content => continue,
            b"EHLO" => b"250-sink\r\n250 PIPELINING\r\n",
            b"DATA" => {
                content = true;
                b"354 go\r\n"
            }
            _ => b"250 2.1.0 ok\r\n",
        };
        replies.extend_from_slice(reply);
        if input.buffer().is_empty() {
            out.write_all(&replies)?;
            replies.clear();
        }
    }
}

/// CPU time of this thread in microseconds: user and system, from the kernel's scheduler.
fn cpu_us() -> Result<f64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns: f64 = text
        .split_whitespace()
        .next()
        .ok_or("no schedstat")?
        .parse()?;
    Ok(ns / 1000.0)
}

async fn run(
    address: SocketAddr,
    messages: u32,
    content: &[u8],
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = ClientSettings {
        ehlo_name: "bench.example.com".to_owned(),
        timeouts: Timeouts::default(),
        source: None,
        tls: Arc::new(TlsClient::new(Vec::new())?),
    };
    let target = Target {
        host: "sink.example.com".to_owned(),
        address,
        tls: TlsPolicy::None,
        auth: None,
    };
    let at = Timestamp(0);
    let mut session = Session::connect(&target, &settings, at)
        .await
        .map_err(|failure| failure.evidence.text)?;
    let (began, before) = (Instant::now(), cpu_us()?);
    for _ in 0..messages {
        let envelope = Envelope {
            from: "bounce@example.com",
            recipients: &["someone@example.net"],
            smtputf8: false,
            size: content.len(),
        };
        let sent = session.send(&envelope, content, at).await;
        if sent
            .outcomes
            .iter()
            .any(|o| o.kind() != OutcomeKind::Delivered)
        {
            return Err(format!("{:?}", sent.outcomes).into());
        }
    }
    let each = (cpu_us()? - before) / f64::from(messages);
    let rate = f64::from(messages) / began.elapsed().as_secs_f64();
    println!(
        "{messages} messages of {} octets: {each:.1} us CPU each, {rate:.0} a second",
        content.len()
    );
    session.quit().await;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let messages = arguments.next().map_or(Ok(20_000), |n| n.parse())?;
    let octets: usize = arguments.next().map_or(Ok(28 * 1024), |n| n.parse())?;
    let line = format!("{}\r\n", "x".repeat(74));
    let content = line.repeat(octets.div_ceil(line.len()));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        sink(&stream)
    });
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(address, messages, content.as_bytes()))?;
    server.join().map_err(|_| "the sink panicked")??;
    Ok(())
}
