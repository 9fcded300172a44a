//! Opening a TCP connection, from a chosen source address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

/// Opens a connection to `address` within `timeout`, from `source` if one is given (its port is
/// chosen by the system). Small writes are sent at once (TCP_NODELAY): a dialogue waits for each.
///
/// # Errors
/// Those of the system; a source of the other address family is `InvalidInput`; a connection
/// that takes too long is `TimedOut`.
///
/// # Cancel
/// Safe: the socket is closed.
pub async fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(source) = source {
        if source.is_ipv4() != address.is_ipv4() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{address} cannot be reached from the source address {source}"),
            ));
        }
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = match tokio::time::timeout(timeout, socket.connect(address)).await {
        Ok(done) => done?,
        Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut)),
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_connection_comes_from_its_source_address() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = IpAddr::from([127, 0, 0, 7]);
        let stream = connect(listener.local_addr().unwrap(), Some(source), LONG)
            .await
            .unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), source);
        assert!(stream.nodelay().unwrap());
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer.ip(), source);
    }

    #[tokio::test]
    async fn a_closed_port_refuses_and_a_foreign_family_is_no_source() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let refused = connect(address, None, LONG).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let source = IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]);
        let foreign = connect(address, Some(source), LONG).await.unwrap_err();
        assert_eq!(foreign.kind(), io::ErrorKind::InvalidInput);
    }
}
