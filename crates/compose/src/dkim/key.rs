//! Private keys: making them, reading them, and the public half that is published.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};

use crate::encode::{base64, read_base64, write_base64};

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `rsa-sha256` (RFC 6376 §3.3.1).
    Rsa,
    /// `ed25519-sha256` (RFC 8463 §3).
    Ed25519,
}

impl Algorithm {
    /// The value of `k=` in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a PEM file of the right kind.
    #[error(
        "the DKIM key is not a PKCS#8 PEM file (-----BEGIN PRIVATE KEY-----): convert it, or make one with `posthaste dkim generate`"
    )]
    NotPem,
    /// Neither RSA nor Ed25519.
    #[error(
        "the DKIM key is neither an RSA nor an Ed25519 key: make one with `posthaste dkim generate`"
    )]
    NotAKey,
    /// RSA below 2048 bits.
    #[error(
        "the DKIM key is an RSA key of {bits} bits, at least 2048 are needed: make one with `posthaste dkim generate`"
    )]
    TooShort {
        /// Its length in bits.
        bits: usize,
    },
    /// The operating system gave no random numbers, or the library failed.
    #[error("a DKIM key could not be made: the system gave no random numbers; try again")]
    Generation,
}

/// A private key. Its `Debug` shows only its kind.
pub struct PrivateKey(Kind);

enum Kind {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, ***)", self.algorithm().name())
    }
}

/// Makes an RSA key of 2048 bits; gives its PKCS#8 PEM text, a secret.
///
/// # Errors
/// When the system gives no random numbers.
pub fn generate_rsa() -> Result<String, KeyError> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generation)?;
    let der: Pkcs8V1Der<'static> = key.as_der().map_err(|_| KeyError::Generation)?;
    Ok(pem(der.as_ref()))
}

/// Makes an Ed25519 key; gives its PKCS#8 PEM text, a secret.
///
/// # Errors
/// When the system gives no random numbers.
pub fn generate_ed25519() -> Result<String, KeyError> {
    let key = Ed25519KeyPair::generate().map_err(|_| KeyError::Generation)?;
    let der = key.to_pkcs8v1().map_err(|_| KeyError::Generation)?;
    Ok(pem(der.as_ref()))
}

fn pem(der: &[u8]) -> String {
    let mut body = Vec::new();
    write_base64(&mut body, der);
    let body: String = body
        .into_iter()
        .filter(|b| *b != b'\r')
        .map(char::from)
        .collect();
    format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n")
}

impl PrivateKey {
    /// Reads a key from PKCS#8 PEM (RFC 7468 §10).
    ///
    /// # Errors
    /// [`KeyError`]: another format, another kind of key, or a short one.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let inside = text
            .split_once("-----BEGIN PRIVATE KEY-----")
            .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
            .ok_or(KeyError::NotPem)?;
        let der = read_base64(inside.0).ok_or(KeyError::NotPem)?;
        if let Ok(key) = RsaKeyPair::from_pkcs8(&der) {
            let bits = key.public_modulus_len() * 8;
            if bits < 2048 {
                return Err(KeyError::TooShort { bits });
            }
            return Ok(Self(Kind::Rsa(key)));
        }
        // Other programs write Ed25519 keys without the public half (PKCS#8 version 1).
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map(|key| Self(Kind::Ed25519(key)))
            .map_err(|_| KeyError::NotAKey)
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::Rsa(_) => Algorithm::Rsa,
            Kind::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The public half as `p=` carries it: SubjectPublicKeyInfo for RSA (RFC 6376 §3.6.1), the bare 32 bytes for Ed25519 (RFC 8463 §4).
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Rsa(key) => AsDer::<PublicKeyX509Der<'static>>::as_der(key.public_key())
                .map(|der| der.as_ref().to_vec())
                .unwrap_or_default(),
            Kind::Ed25519(key) => key.public_key().as_ref().to_vec(),
        }
    }

    /// The other form in which an RSA key may be published: RSAPublicKey (RFC 8017 §A.1.1).
    pub(super) fn bare_public_key(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Rsa(key) => key.public_key().as_ref().to_vec(),
            Kind::Ed25519(key) => key.public_key().as_ref().to_vec(),
        }
    }

    /// The text of the TXT record that publishes the key.
    #[must_use]
    pub fn record(&self) -> String {
        format!(
            "v=DKIM1; k={}; p={}",
            self.algorithm().name(),
            base64(&self.public_key())
        )
    }

    /// Signs canonical headers.
    pub(super) fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    input,
                    &mut signature,
                )
                .ok()?;
                Some(signature)
            }
            Kind::Ed25519(key) => {
                // RFC 8463 §3: what is signed is the SHA-256 of the input.
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, input);
                Some(key.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }
}
