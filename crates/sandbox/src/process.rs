//! The sandbox as a process of its own, for benches and crash tests.
//!
//! It prints one JSON line when it is ready, and ends when its standard input ends or SIGTERM
//! comes. It is not the process that is killed, so its ledger can judge the one that is.

use std::io::{Read, Write};

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::{Config, Place, SandboxError, run};

/// The line that says that the sandbox is ready.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    ready: bool,
    pid: u32,
    providers: &'a [Place],
}

/// Runs a sandbox until standard input ends or SIGTERM comes, and prints one JSON line on
/// standard output when it is ready.
///
/// # Errors
/// [`SandboxError`] when it cannot start, or the line cannot be printed.
pub async fn serve_process(config: Config) -> Result<(), SandboxError> {
    let running = run(config).await?;
    let mut terminated = signal(SignalKind::terminate()).map_err(SandboxError::Process)?;
    let line = serde_json::to_string(&Ready {
        ready: true,
        pid: std::process::id(),
        providers: running.places(),
    });
    let line = line.map_err(|why| SandboxError::Process(why.into()))?;
    say(&line).map_err(SandboxError::Process)?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = end_of_input() => {}
    }
    running.stop().await;
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Waits for the end of standard input, on a thread of its own that ends with the process.
async fn end_of_input() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut unread = [0; 1024];
        while matches!(std::io::stdin().lock().read(&mut unread), Ok(1..)) {}
        // Nobody waits when SIGTERM came first.
        let _ = ended.send(());
    });
    // The sender is only dropped after it has sent.
    let _ = end.await;
}
