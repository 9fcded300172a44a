//! Counterparts as children: whether they are there, where they listen, and that they end.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// A counterpart that runs; it and what it started end when this is dropped.
pub struct Child(std::process::Child);

impl Child {
    /// Starts it in a process group of its own. Should the test itself be killed, it ends too.
    pub fn start(program: &str, args: &[&str], directory: &Path) -> Self {
        let said = std::fs::File::create(directory.join("said")).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", program])
            .args(args)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .process_group(0)
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.0.id());
        // It may have ended by itself.
        drop(
            Command::new("kill")
                .args([signal, "--", &group])
                .stderr(Stdio::null())
                .status(),
        );
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal("-TERM");
        let began = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) {
            if began.elapsed() > Duration::from_secs(5) {
                self.signal("-KILL");
                drop(self.0.wait());
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether all of these programs are there. If not, says so, whatever the test harness captures;
/// in CI the test fails.
pub fn are_there(test: &str, programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|p| !Path::new(p).exists()).collect();
    missing.is_empty() || skip(test, &format!("{missing:?} is not installed (see ./dev)"))
}

/// As [`are_there`], for what only root can run.
pub fn is_root(test: &str) -> bool {
    is_root_here() || skip(test, "it needs root; smtp-sink is tried instead")
}

/// Whether the test runs as root.
pub fn is_root_here() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// As [`are_there`], for modules of Debian's Python.
pub fn is_importable(test: &str, module: &str) -> bool {
    let line = format!("import {module}");
    let found = Command::new(PYTHON)
        .args(["-c", &line])
        .stderr(Stdio::null())
        .status();
    let found = found.is_ok_and(|status| status.success());
    found || skip(test, &format!("Python has no module {module} (see ./dev)"))
}

/// Debian's own Python, which finds Debian's packages.
pub const PYTHON: &str = "/usr/bin/python3";

fn skip(test: &str, why: &str) -> bool {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{test} cannot run: {why}"
    );
    let line = format!("\n!! SKIPPED {test}: {why}\n");
    drop(std::io::stderr().write_all(line.as_bytes()));
    false
}

/// A loopback address that no other test of this run uses.
pub fn own_ip() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., a, b] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, a | 1, b, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A port of this address at which nobody listens.
pub fn free_port(ip: impl Into<IpAddr>) -> SocketAddr {
    TcpListener::bind((ip.into(), 0))
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Waits for what another process does; fails after twenty seconds.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{what} did not happen"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until somebody listens there.
pub fn until_listening(addr: SocketAddr) {
    until(&format!("listening at {addr}"), || {
        TcpStream::connect(addr).is_ok()
    });
}

/// Runs a program to its end, which must be a good one.
#[track_caller]
pub fn run(program: &str, args: &[&str], directory: &Path) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program)
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&stdout).into_owned();
    let err = String::from_utf8_lossy(&stderr).into_owned();
    assert!(status.success(), "{program} {args:?}: {out}{err}");
    out
}

/// A temporary directory that other users may enter: Postfix runs its parts under several.
pub fn open_directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    directory
}
