//! Handshakes on loopback with a certificate made for the test.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server that answers one connection with `hi`; its address and its certificate.
async fn server(name: &str) -> (std::net::SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(tcp).await {
            stream.write_all(b"hi").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (address, certificate)
}

async fn greet(
    client: &TlsClient,
    address: std::net::SocketAddr,
    name: &str,
    verify: bool,
) -> io::Result<(String, String)> {
    let tcp = TcpStream::connect(address).await?;
    let mut stream = client.encrypt(tcp, name, verify).await?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    Ok((said, stream.description()))
}

#[tokio::test]
async fn opportunistic_takes_any_certificate() {
    let (address, _) = server("other.example").await;
    let client = TlsClient::new(Vec::new()).unwrap();
    let (said, how) = greet(&client, address, "mx1.example.com", false)
        .await
        .unwrap();
    assert_eq!(said, "hi");
    assert!(how.starts_with("TLSv1.3 TLS_"), "{how}");
}

#[tokio::test]
async fn required_takes_the_right_name_only() {
    let (address, certificate) = server("mx1.example.com").await;
    let trusting = TlsClient::new(vec![certificate]).unwrap();
    let (said, _) = greet(&trusting, address, "mx1.example.com", true)
        .await
        .unwrap();
    assert_eq!(said, "hi");

    let (address, certificate) = server("other.example").await;
    let trusting = TlsClient::new(vec![certificate]).unwrap();
    let wrong_name = greet(&trusting, address, "mx1.example.com", true).await;
    assert!(wrong_name.unwrap_err().to_string().contains("certificate"));
}

#[tokio::test]
async fn required_refuses_an_unknown_authority() {
    let (address, _) = server("mx1.example.com").await;
    let (_, stranger) = server("mx1.example.com").await;
    let client = TlsClient::new(vec![stranger]).unwrap();
    assert!(
        greet(&client, address, "mx1.example.com", true)
            .await
            .is_err()
    );
}
