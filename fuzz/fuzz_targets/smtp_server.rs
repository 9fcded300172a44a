//! The server's machine: whatever a client sends, in whatever pieces, it answers or closes, and never loops.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_smtp::server::{Action, Policy, Session, Settings};

/// Accepts everything.
struct Friendly;

impl Policy for Friendly {}

fuzz_target!(|bytes: &[u8]| {
    let mut settings = Settings::new("mx.example.net");
    settings.starttls = true;
    settings.auth = true;
    let mut session = Session::new(settings, Friendly);
    let size = usize::from(bytes.first().copied().unwrap_or(1)).max(1);
    let mut pieces = bytes.chunks(size);
    for _ in 0..(bytes.len() * 8 + 64) {
        match session.next_action() {
            Action::Read => match pieces.next() {
                Some(piece) => session.room().extend_from_slice(piece),
                None => return,
            },
            Action::Send(said) => assert!(said.ends_with(b"\r\n")),
            Action::StartTls => session.secured(),
            Action::Wait(_) => {}
            Action::Hold | Action::Close => return,
        }
    }
    panic!("the machine does not come to an end");
});
