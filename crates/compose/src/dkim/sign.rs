//! Signing a message: relaxed/relaxed, the headers of [`SIGNED`].

use aws_lc_rs::digest::{SHA256, digest};
use posthaste_core::time::Timestamp;

use super::canonical;
use super::key::{Algorithm, PrivateKey};
use crate::encode::base64;

/// Headers that are signed where present (RFC 6376 §5.4.1; RFC 8058 §4 asks for the last two).
const SIGNED: [&str; 13] = [
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Sender",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// Headers named once more than they occur, so that none can be added (RFC 6376 §8.15).
const OVERSIGNED: [&str; 3] = ["From", "To", "Subject"];

/// Signs for one domain with one key. Cheap to share: `Arc<Signer>`.
#[derive(Debug)]
pub struct Signer {
    key: PrivateKey,
    domain: String,
    selector: String,
}

/// Why a message is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The selector or the domain cannot stand in a DNS name.
    #[error(
        "\"{text}\" is no DKIM selector or domain: write letters, digits, hyphens and dots, as in s2026 or example.com"
    )]
    BadName {
        /// The text.
        text: String,
    },
    /// There is no From header or no end of the headers.
    #[error(
        "the message has no From header or no body, so it cannot be signed: this is a fault of the program, report it"
    )]
    NotAMessage,
    /// The key did not sign.
    #[error("the DKIM key of {domain} did not sign: check it with `posthaste dkim check`")]
    KeyFailed {
        /// The signing domain.
        domain: String,
    },
}

impl Signer {
    /// A signer for messages whose From is in this domain, given in A-label form.
    ///
    /// # Errors
    /// When domain or selector cannot be part of a DNS name.
    pub fn new(key: PrivateKey, domain: &str, selector: &str) -> Result<Self, SignError> {
        for text in [domain, selector] {
            let label = |l: &str| {
                (1..=63).contains(&l.len())
                    && l.bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            };
            if text.len() > 253 || !text.split('.').all(label) {
                return Err(SignError::BadName {
                    text: text.to_owned(),
                });
            }
        }
        Ok(Self {
            key,
            domain: domain.to_owned(),
            selector: selector.to_owned(),
        })
    }

    /// The domain it signs for.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The name of the TXT record that publishes its key.
    #[must_use]
    pub fn record_name(&self) -> String {
        super::record_name(&self.selector, &self.domain)
    }

    /// The DKIM-Signature header of a message, with its CRLF, to be put before it. `at` becomes `t=`:
    /// use the message's Date, and the signature is the same whenever it is made.
    ///
    /// # Errors
    /// When the message has no From or no body, or the key fails.
    pub fn sign(&self, message: &[u8], at: Timestamp) -> Result<String, SignError> {
        let end = memchr::memmem::find(message, b"\r\n\r\n").ok_or(SignError::NotAMessage)?;
        let (head, body) = message
            .split_at_checked(end + 2)
            .ok_or(SignError::NotAMessage)?;
        let body = canonical::body(body.get(2..).unwrap_or_default());
        let fields = fields(head);
        let (names, mut input) = chosen(&fields);
        if !names.contains(&"From") {
            return Err(SignError::NotAMessage);
        }
        let header = self.unsigned(&names, &base64(digest(&SHA256, &body).as_ref()), at);
        canonical::header(&mut input, b"dkim-signature", header.as_bytes());
        let signature = self.key.sign(&input).ok_or_else(|| SignError::KeyFailed {
            domain: self.domain.clone(),
        })?;
        let mut out = format!("DKIM-Signature:{header}");
        for (n, piece) in base64(&signature).as_bytes().chunks(72).enumerate() {
            if n > 0 {
                out.push_str("\r\n ");
            }
            out.extend(piece.iter().copied().map(char::from));
        }
        out.push_str("\r\n");
        Ok(out)
    }

    /// The header's value with an empty `b=`.
    fn unsigned(&self, names: &[&str], body_hash: &str, at: Timestamp) -> String {
        let algorithm = match self.key.algorithm() {
            Algorithm::Rsa => "rsa-sha256",
            Algorithm::Ed25519 => "ed25519-sha256",
        };
        let mut out = format!(
            " v=1; a={algorithm}; c=relaxed/relaxed;\r\n d={};\r\n s={}; t={};\r\n h=",
            self.domain,
            self.selector,
            at.0.div_euclid(1000).max(0)
        );
        let mut line = 3;
        for (n, name) in names.iter().enumerate() {
            if n > 0 {
                out.push(':');
                line += 1;
            }
            if line + name.len() > 74 {
                out.push_str("\r\n ");
                line = 1;
            }
            out.push_str(name);
            line += name.len();
        }
        out.push_str(&format!(";\r\n bh={body_hash};\r\n b="));
        out
    }
}

/// Name and value of each field, in order; folded lines belong to their field.
fn fields(head: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in memchr::memchr_iter(b'\n', head) {
        let continues = matches!(head.get(at + 1), Some(b' ' | b'\t'));
        if continues {
            continue;
        }
        let field = head.get(start..=at).unwrap_or_default();
        if let Some((name, value)) =
            memchr::memchr(b':', field).and_then(|colon| field.split_at_checked(colon))
        {
            found.push((name, value.get(1..).unwrap_or_default()));
        }
        start = at + 1;
    }
    found
}

/// The names for `h=` and the canonical fields they stand for: the last of a name first (RFC 6376 §5.4.2).
fn chosen(fields: &[(&[u8], &[u8])]) -> (Vec<&'static str>, Vec<u8>) {
    let mut names = Vec::with_capacity(16);
    let mut input = Vec::with_capacity(2048);
    for name in SIGNED {
        let occurring = fields
            .iter()
            .rev()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
        for (field, value) in occurring {
            canonical::header(&mut input, field, value);
            input.extend_from_slice(b"\r\n");
            names.push(name);
        }
    }
    if names.contains(&"From") {
        names.extend(OVERSIGNED);
    }
    (names, input)
}
