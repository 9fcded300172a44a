//! Signed names of delivery log rows, carried by the return path and the Message-ID.
//!
//! A token is `version (1 byte), LogId (1 to 8 bytes, big endian, shortest form), MAC (10 bytes)`,
//! written in base32 (RFC 4648 §6: `a`–`z`, `2`–`7`) without padding, in lower case: 20 to 31 characters that
//! survive servers which change the case of a local part. The MAC is HMAC-SHA256 (RFC 2104), cut to 80 bits,
//! over the purpose, the version and the id: a token made for one purpose is worth nothing for another.
//! The attempt is no part of it, so a message that is sent again carries the same token.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use posthaste_core::address::Address;
use posthaste_core::ids::LogId;

const VERSION: u8 = 1;
const MAC_BYTES: usize = 10;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Most candidates whose MAC is computed in one text: bounds the work a hostile mail can ask for.
const MAX_CANDIDATES: usize = 256;

/// The instance's key for tokens. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The secret is too short to be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the instance's secret has {found} bytes, at least 32 are needed: create it again with `posthaste init`"
)]
pub struct SecretTooShort {
    /// Its length in bytes.
    pub found: usize,
}

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Finding the delivery log row that a bounce, complaint or reply speaks of.
    Delivery,
    /// Unsubscribing the recipient of that row.
    Unsubscribe,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Delivery => b"posthaste delivery\0",
            Self::Unsubscribe => b"posthaste unsubscribe\0",
        }
    }
}

/// A signed name of a delivery log row, as it is written in addresses and headers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// The 20 to 31 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not one of our tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has not the form of a token.
    #[error("the text does not have the form of a token: nothing of this instance is named by it")]
    NotAToken,
    /// The signature does not fit: another instance's, another purpose's, or forged.
    #[error(
        "the token is not signed by this instance for this purpose: the mail belongs to another instance or is forged"
    )]
    NotOurs,
}

impl Secret {
    /// The secret from the bytes of the instance's secret file.
    ///
    /// # Errors
    /// When there are fewer than 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, SecretTooShort> {
        if bytes.len() < 32 {
            return Err(SecretTooShort { found: bytes.len() });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The token of a delivery log row for one purpose.
    #[must_use]
    pub fn token(&self, purpose: Purpose, log: LogId) -> Token {
        let id = log.0.to_be_bytes();
        let mut body = vec![VERSION];
        body.extend(shortest(&id));
        let mac = self.mac(purpose, &body);
        body.extend(mac);
        Token(to_base32(&body))
    }

    /// Reads a token, whatever its case.
    ///
    /// # Errors
    /// [`TokenError`]: not a token, or not signed by us for this purpose.
    pub fn parse(&self, purpose: Purpose, text: &str) -> Result<LogId, TokenError> {
        let bytes = from_base32(text).ok_or(TokenError::NotAToken)?;
        let at = bytes
            .len()
            .checked_sub(MAC_BYTES)
            .ok_or(TokenError::NotAToken)?;
        let (body, mac) = bytes.split_at_checked(at).ok_or(TokenError::NotAToken)?;
        let log = read_body(body).ok_or(TokenError::NotAToken)?;
        // Compared in constant time, so that timing tells a forger nothing.
        constant_time::verify_slices_are_equal(&self.mac(purpose, body), mac)
            .map_err(|_| TokenError::NotOurs)?;
        Ok(log)
    }

    /// The first token of ours in any text: a return path, a Message-ID, a returned header, a subject.
    ///
    /// # Errors
    /// [`TokenError::NotOurs`] when the text holds something of the form of a token but none of
    /// ours, else [`TokenError::NotAToken`].
    pub fn find(&self, purpose: Purpose, text: &str) -> Result<LogId, TokenError> {
        let candidates = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| (20..=31).contains(&word.len()) && word.starts_with(['a', 'A']));
        let mut best = TokenError::NotAToken;
        for word in candidates.take(MAX_CANDIDATES) {
            match self.parse(purpose, word) {
                Ok(log) => return Ok(log),
                Err(TokenError::NotOurs) => best = TokenError::NotOurs,
                Err(TokenError::NotAToken) => {}
            }
        }
        Err(best)
    }

    fn mac(&self, purpose: Purpose, body: &[u8]) -> [u8; MAC_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.label());
        context.update(body);
        let tag = context.sign();
        let mut mac = [0; MAC_BYTES];
        for (to, from) in mac.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        mac
    }
}

/// The return path of one recipient: `local+TOKEN@domain`.
///
/// The local part of RFC 5321 §4.5.3.1.1 has room for 64 octets: error addresses with more than 32
/// before the @ may not leave enough for a token; check with [`return_path_fits`].
#[must_use]
pub fn return_path(error_address: &Address, token: &Token) -> String {
    let envelope = error_address.envelope();
    let (local, domain) = envelope.rsplit_once('@').unwrap_or((&envelope, ""));
    // A quoted local part keeps its quotes around the whole.
    match local.strip_suffix('"') {
        Some(open) => format!("{open}+{token}\"@{domain}"),
        None => format!("{local}+{token}@{domain}"),
    }
}

/// Whether every token finds room in the local part of this error address.
#[must_use]
pub fn return_path_fits(error_address: &Address) -> bool {
    error_address
        .envelope()
        .rsplit_once('@')
        .is_some_and(|(local, _)| local.len() <= 32)
}

/// The Message-ID (RFC 5322 §3.6.4) of one recipient's message: `<TOKEN@domain>`.
#[must_use]
pub fn message_id(token: &Token, domain: &str) -> String {
    format!("<{token}@{domain}>")
}

/// The id's bytes without leading zeros, at least one.
fn shortest(id: &[u8]) -> impl Iterator<Item = u8> {
    let zeros = id.iter().take_while(|b| **b == 0).count();
    id.iter()
        .copied()
        .skip(zeros.min(id.len().saturating_sub(1)))
}

/// Version and id; only the one form that [`Secret::token`] writes is accepted.
fn read_body(body: &[u8]) -> Option<LogId> {
    let (version, id) = body.split_first()?;
    if *version != VERSION || id.is_empty() || id.len() > 8 {
        return None;
    }
    if id.len() > 1 && id.first() == Some(&0) {
        return None;
    }
    let value = id.iter().fold(0_u64, |sum, b| sum << 8 | u64::from(*b));
    Some(LogId(i64::from_be_bytes(value.to_be_bytes())))
}

fn to_base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut push = |value: u32| {
        let index = usize::try_from(value & 31).unwrap_or(0);
        out.push(ALPHABET.get(index).copied().map_or('a', char::from));
    };
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(held << (5 - bits));
    }
    out
}

/// The bytes; `None` for other characters, or when left-over bits are not zero (two texts must
/// not name the same thing).
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = match c.to_ascii_lowercase() {
            c @ b'a'..=b'z' => c - b'a',
            c @ b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        held = held << 5 | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    (bits < 5 && held == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(fill: u8) -> Secret {
        Secret::new(&[fill; 32]).unwrap()
    }

    #[test]
    fn a_token_is_found_in_return_paths_message_ids_and_texts() {
        let (secret, log) = (secret(7), LogId(123_456));
        let token = secret.token(Purpose::Delivery, log);
        let error = Address::parse("bounces@news.example.com").unwrap();
        let path = return_path(&error, &token);
        assert_eq!(path, format!("bounces+{token}@news.example.com"));
        assert!(Address::parse(&path).is_ok());
        let quoted = Address::parse("\"bou nces\"@example.com").unwrap();
        assert!(Address::parse(&return_path(&quoted, &token)).is_ok());
        let id = message_id(&token, "example.com");
        let noise = format!(
            "noise {} Original-Recipient: x\r\nMessage-Id: {id}",
            "a".repeat(24)
        );
        let prvs = format!("prvs=0123abcdef={}", path.to_uppercase());
        for text in [path.as_str(), &path.to_uppercase(), &id, &noise, &prvs] {
            assert_eq!(secret.find(Purpose::Delivery, text), Ok(log), "{text}");
        }
    }

    #[test]
    fn a_token_serves_one_purpose_of_one_instance() {
        let token = secret(7).token(Purpose::Delivery, LogId(5));
        let text = token.as_str();
        assert_eq!(secret(7).parse(Purpose::Delivery, text), Ok(LogId(5)));
        let refused = Err(TokenError::NotOurs);
        assert_eq!(secret(7).parse(Purpose::Unsubscribe, text), refused);
        assert_eq!(secret(8).parse(Purpose::Delivery, text), refused);
        assert_eq!(secret(8).find(Purpose::Delivery, text), refused);
        let nothing = Err(TokenError::NotAToken);
        assert_eq!(secret(7).find(Purpose::Delivery, "hello"), nothing);
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let secret = secret(1);
        let token = secret.token(Purpose::Delivery, LogId(i64::MAX));
        assert_eq!(token.as_str().len(), 31);
        for at in 0..token.as_str().len() {
            for c in ALPHABET {
                let mut bytes = token.as_str().as_bytes().to_vec();
                if bytes[at] == *c {
                    continue;
                }
                bytes[at] = *c;
                let text = String::from_utf8(bytes).unwrap();
                assert!(secret.parse(Purpose::Delivery, &text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn the_longest_token_fits_where_the_check_says_so() {
        let token = secret(1).token(Purpose::Delivery, LogId(-1));
        let local = "b".repeat(32);
        let error = Address::parse(&format!("{local}@example.com")).unwrap();
        assert!(return_path_fits(&error));
        assert!(Address::parse(&return_path(&error, &token)).is_ok());
        let long = Address::parse(&format!("{local}b@example.com")).unwrap();
        assert!(!return_path_fits(&long));
    }

    #[test]
    fn a_secret_is_long_and_never_shown() {
        assert_eq!(Secret::new(&[1; 31]).unwrap_err().found, 31);
        assert_eq!(format!("{:?}", secret(65)), "Secret(***)");
    }

    proptest! {
        #[test]
        fn tokens_are_read_back(id: i64) {
            let secret = secret(3);
            let token = secret.token(Purpose::Unsubscribe, LogId(id));
            prop_assert!((20..=31).contains(&token.as_str().len()));
            prop_assert_eq!(secret.parse(Purpose::Unsubscribe, token.as_str()), Ok(LogId(id)));
            prop_assert_eq!(secret.find(Purpose::Unsubscribe, &format!("x+{token}@y")), Ok(LogId(id)));
        }

        #[test]
        fn no_text_is_taken_for_a_token(text in "\\PC{0,80}") {
            prop_assert!(secret(3).find(Purpose::Delivery, &text).is_err());
        }
    }
}
