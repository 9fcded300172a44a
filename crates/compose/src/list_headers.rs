//! The headers by which a recipient's mail program offers to unsubscribe.
//!
//! `List-Unsubscribe` by mail (RFC 2369 §3.2) always; with an https endpoint also by one click
//! (RFC 8058). Both name the recipient by a token of [`posthaste_mail::token::Purpose::Unsubscribe`].
//! `Precedence: bulk` is not written: RFC 2076 discourages it and automatic responders already know
//! list mail by these headers (RFC 3834 §2); who wants it writes it as an extra header.

use posthaste_core::address::Address;

use crate::encode::percent_encoded;
use posthaste_mail::token::Token;

/// Where unsubscriptions go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    mailto: String,
    endpoint: Option<String>,
}

/// The endpoint cannot be used for one-click unsubscription.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the unsubscription endpoint \"{url}\" {why}")]
pub struct BadEndpoint {
    /// The URL as it was written.
    pub url: String,
    /// What is wrong and what to write, as the end of the sentence.
    pub why: &'static str,
}

impl Unsubscribe {
    /// Unsubscription by mail to the error address, and by https where an endpoint is given. The
    /// token becomes the last segment of its path: `https://example.com/u` → `https://example.com/u/TOKEN`.
    ///
    /// # Errors
    /// When the endpoint is no plain https URL (RFC 8058 §3.1 asks for https).
    pub fn new(error_address: &Address, endpoint: Option<&str>) -> Result<Self, BadEndpoint> {
        Ok(Self {
            mailto: percent_encoded(&error_address.envelope(), b"@+.-_~!$*'"),
            endpoint: endpoint.map(check_endpoint).transpose()?,
        })
    }

    /// Name and value of each header for one recipient.
    #[must_use]
    pub fn headers(&self, token: &Token) -> Vec<(&'static str, String)> {
        let mailto = format!("<mailto:{}?subject=unsubscribe-{token}>", self.mailto);
        match &self.endpoint {
            None => vec![("List-Unsubscribe", mailto)],
            Some(url) => vec![
                // A space before the second lets the line be folded there.
                ("List-Unsubscribe", format!("<{url}/{token}>, {mailto}")),
                (
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".to_owned(),
                ),
            ],
        }
    }
}

fn check_endpoint(url: &str) -> Result<String, BadEndpoint> {
    let wrong = |why| {
        Err(BadEndpoint {
            url: url.to_owned(),
            why,
        })
    };
    let Some(rest) = url.strip_prefix("https://") else {
        return wrong("does not begin with https://: one-click unsubscription needs https");
    };
    if rest.split('/').next().unwrap_or_default().is_empty() {
        return wrong("names no host: write https://host/path");
    }
    if !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains(['<', '>', ',', '"']) {
        return wrong("holds a space, a comma or a character outside ASCII: percent-encode it");
    }
    if url.contains(['?', '#']) {
        return wrong("has a query or fragment: the token is added to the path, leave them out");
    }
    if url.len() > 800 {
        return wrong("is longer than 800 characters: a header line has no room for more");
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthaste_core::ids::LogId;
    use posthaste_mail::token::{Purpose, Secret};

    fn token() -> Token {
        Secret::new(&[9; 32])
            .unwrap()
            .token(Purpose::Unsubscribe, LogId(1))
    }

    #[test]
    fn by_mail_alone_or_with_one_click() {
        let error = Address::parse("bounces+a&b@example.com").unwrap();
        let token = token();
        let mailto = format!("<mailto:bounces+a%26b@example.com?subject=unsubscribe-{token}>");
        let alone = Unsubscribe::new(&error, None).unwrap().headers(&token);
        assert_eq!(alone, [("List-Unsubscribe", mailto.clone())]);
        let both = Unsubscribe::new(&error, Some("https://example.com/u/")).unwrap();
        assert_eq!(
            both.headers(&token),
            [
                (
                    "List-Unsubscribe",
                    format!("<https://example.com/u/{token}>, {mailto}")
                ),
                (
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn other_endpoints_are_refused() {
        let error = Address::parse("bounces@example.com").unwrap();
        for url in [
            "http://example.com/u",
            "https://",
            "https:///u",
            "https://example.com/a b",
            "https://example.com/a\r\nX: y",
            "https://example.com/u?id=1",
            "https://example.com/>,<",
            "https://bücher.example/",
        ] {
            assert!(Unsubscribe::new(&error, Some(url)).is_err(), "{url:?}");
        }
    }
}
