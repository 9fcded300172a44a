//! The server's driver: performs the machine's actions on a TCP connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Action, Policy, Session};

/// Bytes asked for by one read.
const READ_SIZE: usize = 64 * 1024;

/// What happens when the client says STARTTLS.
#[derive(Clone)]
pub enum Tls {
    /// It is not on offer.
    Off,
    /// TLS with this certificate.
    On(TlsAcceptor),
    /// It is on offer and fails: what comes is not TLS, as from a server set up wrongly.
    Broken,
}

/// The connection, before and after STARTTLS.
enum Wire {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
    Gone,
}

impl Wire {
    async fn read(&mut self, to: &mut Vec<u8>) -> io::Result<usize> {
        to.reserve(READ_SIZE);
        match self {
            Self::Plain(stream) => stream.read_buf(to).await,
            Self::Secure(stream) => stream.read_buf(to).await,
            Self::Gone => Ok(0),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Secure(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn secure(&mut self, tls: &Tls) -> io::Result<()> {
        let Self::Plain(mut stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        match tls {
            Tls::On(acceptor) => {
                *self = Self::Secure(Box::new(acceptor.accept(stream).await?));
                Ok(())
            }
            Tls::Broken => stream.write_all(b"454 4.7.0 TLS is out of order\r\n").await,
            Tls::Off => Ok(()),
        }
    }
}

/// Serves one connection until it ends. The end of the stream, a close that was asked for and a
/// client that is silent for longer than `idle` all end it without an error.
///
/// Cancel: may be dropped at any time; the connection is closed then.
///
/// # Errors
/// What reading, writing or the TLS handshake says.
pub async fn serve<P: Policy>(
    stream: TcpStream,
    mut session: Session<P>,
    tls: Tls,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let idle = session.settings().idle;
    let mut wire = Wire::Plain(stream);
    loop {
        match session.next_action() {
            Action::Read => {
                if !read(&mut wire, session.room(), idle).await? {
                    return Ok(());
                }
            }
            Action::Send(bytes) => wire.send(&bytes).await?,
            Action::Wait(delay) => sleep(delay).await,
            Action::StartTls => {
                timeout(idle, wire.secure(&tls)).await??;
                session.secured();
            }
            Action::Hold => return hold(&mut wire).await,
            Action::Close => return Ok(()),
        }
    }
}

/// Reads some bytes; false at the end of the stream or after `idle`.
async fn read(wire: &mut Wire, to: &mut Vec<u8>, idle: Duration) -> io::Result<bool> {
    match timeout(idle, wire.read(to)).await {
        Ok(count) => Ok(count? > 0),
        Err(_elapsed) => Ok(false),
    }
}

/// Stays silent until the client leaves.
async fn hold(wire: &mut Wire) -> io::Result<()> {
    let mut unread = Vec::new();
    while wire.read(&mut unread).await? > 0 {
        unread.clear();
    }
    Ok(())
}
