//! AUTH: names and passwords by PLAIN (RFC 4616) and LOGIN.

/// What a client gave to authenticate.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("password", &"***")
            .finish()
    }
}

/// What the server waits for in an AUTH exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exchange {
    /// The one message of PLAIN.
    Plain,
    /// The user's name of LOGIN.
    LoginUser,
    /// The password of LOGIN, after this name.
    LoginPassword(String),
}

/// Reads PLAIN's message: authorization identity, name, password, parted by NUL.
pub(super) fn plain(text: &str) -> Option<Credentials> {
    let text = String::from_utf8(base64(text)?).ok()?;
    let mut fields = text.split('\0').skip(1);
    Some(Credentials {
        user: fields.next()?.to_owned(),
        password: fields.next()?.to_owned(),
    })
}

/// Reads one field of LOGIN.
pub(super) fn login(text: &str) -> Option<String> {
    String::from_utf8(base64(text)?).ok()
}

/// Base 64 (RFC 4648 §4), padding optional.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut held, mut bits) = (0u32, 0u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(value)) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits & 0xFF) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_plain_and_login_are_read() {
        let read = plain("AHNob3AAc2VjcmV0").unwrap();
        assert_eq!(
            (read.user.as_str(), read.password.as_str()),
            ("shop", "secret")
        );
        assert_eq!(login("c2hvcA==").as_deref(), Some("shop"));
        assert_eq!(plain("c2hvcA=="), None, "no NUL in it");
        assert_eq!(login("c2h*cA=="), None, "not base 64");
        assert!(!format!("{read:?}").contains("secret"));
    }
}
