//! A stream with its buffers: commands out, replies in, each wait with its time.

use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use posthaste_net::tls::{Stream, TlsClient};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::Target;
use super::content::OnWire;
use super::event::Event;
use crate::reply::{NotAReply, Reply, ReplyParser};
use crate::stages::Timeouts;

/// How long a reply may take to arrive after the connection broke while we were writing.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A stream with its buffers.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    parser: ReplyParser,
    input: Vec<u8>,
    /// Octets of `input` that are used up.
    used: usize,
    /// What is to be written.
    pub(super) out: Vec<u8>,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            parser: ReplyParser::default(),
            input: Vec::with_capacity(2048),
            used: 0,
            out: Vec::with_capacity(512),
        }
    }

    pub(super) fn tls(&self) -> String {
        self.stream.description()
    }

    /// Encrypts the stream. What was read ahead is dropped with the old buffers: nobody may put
    /// words into the encrypted dialogue from before it (RFC 3207 §6).
    pub(super) async fn encrypt(
        self,
        target: &Target,
        tls: &TlsClient,
        within: Duration,
    ) -> Result<Self, String> {
        let tcp = match self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(_) => return Err("the stream is encrypted already".to_owned()),
        };
        let handshake = tls.encrypt(tcp, &target.host, target.tls.is_required());
        match timeout(within, handshake).await {
            Ok(Ok(stream)) => Ok(Self::new(stream)),
            Ok(Err(error)) => Err(spelled(&error)),
            Err(_) => Err("time-out".to_owned()),
        }
    }

    /// Writes what is to be written, and waits for the next reply.
    pub(super) async fn say_and_hear(&mut self, within: Duration) -> Event {
        if let Some(end) = self.next_reply() {
            // More was read than one reply; what is to be written can wait no longer than it.
            if self.out.is_empty() {
                return heard(end);
            }
            return match timeout(within, self.say()).await {
                Ok(Ok(())) => heard(end),
                Ok(Err(error)) => Event::Lost(spelled(&error)),
                Err(_) => Event::TimedOut,
            };
        }
        let both = async {
            let said = self.say().await;
            match self.hear().await {
                Ok(end) => Ok(end),
                // The first trouble is the cause.
                Err(error) => Err(said.err().unwrap_or(error)),
            }
        };
        match timeout(within, both).await {
            Ok(Ok(end)) => heard(end),
            Ok(Err(error)) => Event::Lost(spelled(&error)),
            Err(_) => Event::TimedOut,
        }
    }

    /// Sends the content and the final dot; each block has its time (RFC 5321 §4.5.3.2.5).
    pub(super) async fn send(&mut self, content: &OnWire<'_>, timeouts: &Timeouts) -> Event {
        let mut rest: &[u8] = &content.body;
        let mut end = content.end;
        while !end.is_empty() {
            let parts = [io::IoSlice::new(rest), io::IoSlice::new(end)];
            let written = match (rest.is_empty(), self.stream.is_encrypted()) {
                (true, _) => timeout(timeouts.content, self.stream.write(end)).await,
                (false, true) => timeout(timeouts.content, self.stream.write(rest)).await,
                (false, false) => {
                    timeout(timeouts.content, self.stream.write_vectored(&parts)).await
                }
            };
            let written = match written {
                Ok(Ok(0)) => return self.last_words(&io::ErrorKind::BrokenPipe.into()).await,
                Ok(Ok(written)) => written,
                Ok(Err(error)) => return self.last_words(&error).await,
                Err(_) => return Event::TimedOut,
            };
            let body = written.min(rest.len());
            rest = rest.get(body..).unwrap_or_default();
            end = end.get(written - body..).unwrap_or_default();
        }
        match timeout(timeouts.content, self.stream.flush()).await {
            Ok(Ok(())) => Event::ContentSent,
            Ok(Err(error)) => self.last_words(&error).await,
            Err(_) => Event::TimedOut,
        }
    }

    /// Whether the server has neither closed the connection nor said anything.
    pub(super) fn is_quiet(&self) -> bool {
        let mut one = [0];
        let mut buffer = ReadBuf::new(&mut one);
        let mut context = Context::from_waker(Waker::noop());
        let peeked = self.stream.tcp().poll_peek(&mut context, &mut buffer);
        self.used == self.input.len() && matches!(peeked, Poll::Pending)
    }

    pub(super) async fn close(&mut self, within: Duration) {
        // The session has ended: how the connection closes changes nothing.
        let _closed = timeout(within, self.stream.shutdown()).await;
    }

    /// The server broke the connection while we were writing; it may have said why.
    async fn last_words(&mut self, error: &io::Error) -> Event {
        match timeout(LAST_WORDS, self.hear()).await {
            Ok(Ok(Ok(reply))) if reply.code >= 400 => Event::Reply(reply),
            Ok(_) | Err(_) => Event::Lost(spelled(error)),
        }
    }

    async fn say(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = self.stream.write_all(&self.out).await;
        self.out.clear();
        written?;
        self.stream.flush().await
    }

    async fn hear(&mut self) -> io::Result<Result<Reply, NotAReply>> {
        loop {
            if let Some(end) = self.next_reply() {
                return Ok(end);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next reply of what was read already.
    fn next_reply(&mut self) -> Option<Result<Reply, NotAReply>> {
        let rest = self.input.get(self.used..).unwrap_or_default();
        let (taken, end) = self.parser.feed(rest);
        self.used += taken;
        if self.used == self.input.len() {
            self.input.clear();
            self.used = 0;
        }
        end
    }
}

fn heard(end: Result<Reply, NotAReply>) -> Event {
    match end {
        Ok(reply) => Event::Reply(reply),
        Err(garbage) => Event::Garbage(garbage),
    }
}

/// The error in words that stay the same from system to system.
pub(super) fn spelled(error: &io::Error) -> String {
    use io::ErrorKind as E;
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the list of kinds is open; the others are spelled by the system"
    )]
    let words = match error.kind() {
        E::TimedOut => "time-out",
        E::ConnectionRefused => "connection refused",
        E::ConnectionReset => "connection reset",
        E::ConnectionAborted | E::BrokenPipe | E::NotConnected => "connection lost",
        E::UnexpectedEof => "connection closed by the server",
        E::HostUnreachable => "host unreachable",
        E::NetworkUnreachable => "network unreachable",
        _ => return error.to_string(),
    };
    words.to_owned()
}
