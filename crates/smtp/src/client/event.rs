//! What the machines are told, and what they ask for.

use posthaste_core::evidence::Stage;

use crate::reply::{NotAReply, Reply};

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The connection is open.
    Connected,
    /// A whole reply came.
    Reply(Reply),
    /// Something else than a reply came.
    Garbage(NotAReply),
    /// The handshake is done.
    TlsReady,
    /// The handshake failed; why.
    TlsFailed(String),
    /// The content and the final dot have been handed over.
    ContentSent,
    /// The time of the stage is over.
    TimedOut,
    /// The connection is lost; why.
    Lost(String),
}

/// What is to be done next. Commands have been written to the buffer before: whatever is asked
/// for, they go out first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Wait for a reply, as long as this stage may take.
    Await(Stage),
    /// Drop what was read ahead and encrypt the stream.
    StartTls,
    /// Send the content and the final dot.
    SendContent,
    /// Nothing: the machine has its result.
    Finish,
}
