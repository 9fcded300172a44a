//! AUTH: the mechanism, and what is said for it (RFC 4954; PLAIN: RFC 4616).

use posthaste_net::route::Credentials;

use super::capabilities::Capabilities;

/// How we say who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password in one response.
    Plain,
    /// User and password, each as the response to a challenge.
    Login,
}

/// The mechanism to use: PLAIN where it is offered, else LOGIN.
#[must_use]
pub const fn choose(offers: &Capabilities) -> Option<Mechanism> {
    if offers.auth_plain {
        Some(Mechanism::Plain)
    } else if offers.auth_login {
        Some(Mechanism::Login)
    } else {
        None
    }
}

/// The response of PLAIN, in base64.
#[must_use]
pub fn plain(credentials: &Credentials) -> String {
    let text = format!("\0{}\0{}", credentials.user, credentials.password.reveal());
    base64(text.as_bytes())
}

/// Base64 with padding (RFC 4648 §4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, i| {
            group << 8 | u32::from(chunk.get(i).copied().unwrap_or(0))
        });
        for i in 0..4 {
            let six = usize::try_from(group >> (18 - 6 * i) & 63).unwrap_or(0);
            match ALPHABET.get(six) {
                Some(&c) if i <= chunk.len() => out.push(char::from(c)),
                _ => out.push('='),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthaste_net::route::Secret;

    #[test]
    fn base64_as_in_the_rfc() {
        // RFC 4648 §10.
        let rows = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, encoded) in rows {
            assert_eq!(base64(text.as_bytes()), encoded, "{text}");
        }
    }

    #[test]
    fn plain_has_no_authorisation_identity() {
        let credentials = Credentials {
            user: "user".to_owned(),
            password: Secret::new("pass"),
            in_clear_text: false,
        };
        assert_eq!(plain(&credentials), "AHVzZXIAcGFzcw==");
    }
}
