//! Mail addresses: syntax, and the key by which they are compared.
//!
//! Syntax is RFC 5321 §4.1.2 `Mailbox` with UTF-8 (RFC 6531 §3.3), without address literals: a
//! campaign has no business with `user@[192.0.2.1]`. Addresses are compared in lower case, with the
//! domain in IDNA A-label form; what was written is kept.

/// A mail address with a valid syntax.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    original: String,
    key: String,
    at: usize,
}

/// Why a text is no mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotAnAddress {
    /// What is wrong, as the end of a sentence.
    pub why: &'static str,
}

const fn wrong<T>(why: &'static str) -> Result<T, NotAnAddress> {
    Err(NotAnAddress { why })
}

impl Address {
    /// Reads an address without display name; white space and one pair of angle brackets around
    /// it are allowed.
    ///
    /// # Errors
    /// [`NotAnAddress`] with the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let text = text.trim();
        let text = text
            .strip_prefix('<')
            .and_then(|t| t.strip_suffix('>'))
            .unwrap_or(text);
        if text.is_empty() {
            return wrong("the address is empty");
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return wrong("there is no @ in it");
        };
        check_local(local)?;
        let domain_key = domain_key(domain)?;
        let key = format!("{}@{domain_key}", local.to_lowercase());
        if key.len() > 254 {
            return wrong("it is longer than 254 octets");
        }
        let at = key.len() - domain_key.len() - 1;
        Ok(Self {
            original: text.to_owned(),
            key,
            at,
        })
    }

    /// The address as it was written.
    #[must_use]
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Lower case, domain in A-label form: what addresses are compared and stored by.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The domain in A-label form, lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.key.get(self.at + 1..).unwrap_or_default()
    }

    /// What goes into MAIL and RCPT: the local part as written, the domain in A-label form.
    #[must_use]
    pub fn envelope(&self) -> String {
        let local = self
            .original
            .rsplit_once('@')
            .map_or("", |(local, _)| local);
        format!("{local}@{}", self.domain())
    }

    /// Whether the local part needs SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self
            .original
            .rsplit_once('@')
            .is_none_or(|(local, _)| local.is_ascii())
    }
}

/// RFC 5321 §4.1.2: Dot-string or Quoted-string, at most 64 octets (§4.5.3.1.1).
fn check_local(local: &str) -> Result<(), NotAnAddress> {
    if local.is_empty() {
        return wrong("there is nothing before the @");
    }
    if local.len() > 64 {
        return wrong("the part before the @ is longer than 64 octets");
    }
    if let Some(inner) = local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) {
        return check_quoted(inner);
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return wrong("a dot stands first, last or doubled before the @");
    }
    let fits = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(c)
            || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
    };
    if !local.chars().all(fits) {
        return wrong("there is a character before the @ that cannot stand there unquoted");
    }
    Ok(())
}

fn check_quoted(inner: &str) -> Result<(), NotAnAddress> {
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let fits = match c {
            '\\' => chars.next().is_some_and(|c| (' '..='~').contains(&c)),
            '"' => false,
            other => !other.is_control(),
        };
        if !fits {
            return wrong(
                "the quoted part before the @ is not closed or holds a control character",
            );
        }
    }
    Ok(())
}

/// The domain in A-label form, lower case: at least two labels of letters, digits and hyphens
/// (RFC 5321 §2.3.5), at most 253 octets, the last one not all digits.
///
/// # Errors
/// [`NotAnAddress`] with what is wrong.
pub fn domain_key(domain: &str) -> Result<String, NotAnAddress> {
    if domain.is_empty() {
        return wrong("there is nothing after the @");
    }
    if domain.starts_with('[') {
        return wrong("address literals are not sent to");
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let plain = domain
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    let punycode = domain.len() >= 4 && domain.to_ascii_lowercase().contains("xn--");
    let key = if plain && !punycode {
        domain.to_ascii_lowercase()
    } else {
        match idna::domain_to_ascii(domain) {
            Ok(key) => key,
            Err(_) => return wrong("the domain is not a valid internationalised name"),
        }
    };
    if key.len() > 253 {
        return wrong("the domain is longer than 253 octets");
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !key.split('.').all(label) {
        return wrong("the domain has an empty label, a stray hyphen or a forbidden character");
    }
    match key.rsplit_once('.') {
        None => wrong("the domain has no dot"),
        Some((_, last)) if last.bytes().all(|b| b.is_ascii_digit()) => {
            wrong("the domain ends in a number")
        }
        Some(_) => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_their_keys() {
        let rows = [
            ("User@Example.COM", "user@example.com"),
            (" <user@example.com> ", "user@example.com"),
            ("a.b+tag@sub.example.co.uk", "a.b+tag@sub.example.co.uk"),
            ("\"odd one\"@example.com", "\"odd one\"@example.com"),
            ("info@Bücher.example", "info@xn--bcher-kva.example"),
            ("jörg@example.com", "jörg@example.com"),
            ("user@example.com.", "user@example.com"),
            ("o'brien@example.ie", "o'brien@example.ie"),
        ];
        for (text, key) in rows {
            let address = Address::parse(text).expect(text);
            assert_eq!(address.key(), key, "{text}");
            assert_eq!(address.domain(), key.rsplit_once('@').unwrap().1, "{text}");
        }
        assert!(Address::parse("jörg@example.com").unwrap().needs_smtputf8());
        assert!(
            !Address::parse("info@Bücher.example")
                .unwrap()
                .needs_smtputf8()
        );
    }

    #[test]
    fn other_texts_are_no_addresses() {
        for text in [
            "",
            "user",
            "@example.com",
            "user@",
            "user@localhost",
            "user@example..com",
            ".user@example.com",
            "us..er@example.com",
            "us er@example.com",
            "user@-x.example",
            "user@[192.0.2.1]",
            "user@192.0.2.1",
            "user@exa_mple.com",
            "a@b@example.com",
            "user@example.com, other@example.com",
            "user@example.com\r\nRCPT TO:<x@example.com>",
            "\"open@example.com",
            "user\u{0}@example.com",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_keys_are_stable(text in "\\PC{0,40}(@\\PC{0,40})?") {
            if let Ok(address) = Address::parse(&text) {
                let again = Address::parse(address.key());
                prop_assert_eq!(again.map(|a| a.key().to_owned()).ok(), Some(address.key().to_owned()));
                prop_assert!(!address.envelope().contains(['\r', '\n']));
            }
        }
    }
}
