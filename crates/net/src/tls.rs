//! Encrypted streams: rustls with aws-lc-rs, named explicitly, never by the process default.
//!
//! Mail between hosts is encrypted opportunistically (RFC 7435 §3): whatever certificate the host
//! shows is taken, because the alternative is clear text. Where encryption is required, the
//! certificate must be valid for the host's name, by the platform's roots.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How a stream is to be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsPolicy {
    /// Clear text, even where STARTTLS is offered.
    None,
    /// STARTTLS where it is offered, with any certificate; else clear text.
    Opportunistic,
    /// STARTTLS with a valid certificate, or not at all.
    Required,
    /// TLS from the first byte with a valid certificate (RFC 8314 §3.3), or not at all.
    Implicit,
}

impl TlsPolicy {
    /// Whether clear text is out of the question, and the certificate is verified.
    #[must_use]
    pub const fn is_required(self) -> bool {
        match self {
            Self::Required | Self::Implicit => true,
            Self::None | Self::Opportunistic => false,
        }
    }
}

/// The client side of TLS. Cheap to share: one for the whole program.
#[derive(Debug)]
pub struct TlsClient {
    provider: Arc<CryptoProvider>,
    opportunistic: Arc<ClientConfig>,
    verified: OnceLock<Result<Arc<ClientConfig>, String>>,
    extra_roots: Vec<CertificateDer<'static>>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[error("setting up TLS: {why}")]
pub struct NoTls {
    why: String,
}

impl TlsClient {
    /// A client that trusts the platform's roots and `extra_roots` (a relay's private authority).
    ///
    /// # Errors
    /// When the protocol versions and the cryptography do not fit: never with this build.
    pub fn new(extra_roots: Vec<CertificateDer<'static>>) -> Result<Self, NoTls> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let opportunistic = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| NoTls { why: e.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate {
                schemes: provider
                    .signature_verification_algorithms
                    .supported_schemes(),
            }))
            .with_no_client_auth();
        Ok(Self {
            provider,
            opportunistic: Arc::new(opportunistic),
            verified: OnceLock::new(),
            extra_roots,
        })
    }

    /// Encrypts a connection. `name` is the host's name; it is verified if `verify` says so.
    ///
    /// # Errors
    /// When the handshake fails, the certificate does not fit, or the platform has no roots.
    ///
    /// # Cancel
    /// The connection is closed.
    pub async fn encrypt(&self, tcp: TcpStream, name: &str, verify: bool) -> io::Result<Stream> {
        let config = if verify {
            self.verified()?
        } else {
            self.opportunistic.clone()
        };
        let server = match ServerName::try_from(name.to_owned()) {
            Ok(server) => server,
            // A host without a usable name is spoken to by its address; the name is not verified.
            Err(_) if !verify => ServerName::from(tcp.peer_addr()?.ip()),
            Err(why) => return Err(io::Error::new(io::ErrorKind::InvalidInput, why)),
        };
        let stream = TlsConnector::from(config).connect(server, tcp).await?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// The verifying side is set up when it is first needed: a machine without root certificates
    /// can still send opportunistically.
    fn verified(&self) -> io::Result<Arc<ClientConfig>> {
        self.verified
            .get_or_init(|| self.set_up_verified().map_err(|e| e.to_string()))
            .clone()
            .map_err(|why| io::Error::other(format!("setting up certificate checks: {why}")))
    }

    fn set_up_verified(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
            self.extra_roots.iter().cloned(),
            self.provider.clone(),
        )?;
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// Takes every certificate. Signatures of the handshake are not checked either: whoever can put a
/// certificate of his own into the stream can sign with it, so a check would add no protection,
/// and would turn odd certificates into clear text.
#[derive(Debug)]
struct AnyCertificate {
    schemes: Vec<SignatureScheme>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// A connection, in clear text or encrypted.
#[derive(Debug)]
pub enum Stream {
    /// In clear text.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Version and cipher suite (`TLSv1.3 TLS_AES_256_GCM_SHA384`); empty in clear text.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Plain(_) => String::new(),
            Self::Tls(stream) => {
                let (_, session) = stream.get_ref();
                let version = match session.protocol_version() {
                    Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
                    Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
                    _ => "TLS",
                };
                match session.negotiated_cipher_suite() {
                    Some(suite) => format!("{version} {}", suite_name(suite.suite())),
                    None => version.to_owned(),
                }
            }
        }
    }

    /// Whether the stream is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The TCP connection underneath.
    #[must_use]
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// The name as registered; rustls spells the TLS 1.3 suites `TLS13_…`.
fn suite_name(suite: rustls::CipherSuite) -> String {
    suite.as_str().map_or_else(
        || format!("{suite:?}"),
        |name| name.replace("TLS13_", "TLS_"),
    )
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Self::Tls(s) => Pin::new(s).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(s) => s.is_write_vectored(),
            Self::Tls(s) => s.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
