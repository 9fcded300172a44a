//! Enhanced mail system status codes (RFC 3463 §2).

use serde::{Deserialize, Serialize};

/// `class.subject.detail`, such as 5.1.1. Class is 2, 4 or 5; the others have up to three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EnhancedStatus {
    /// 2 success, 4 persistent transient failure, 5 permanent failure (RFC 3463 §3.1).
    pub class: u8,
    /// What the status speaks of: 1 address, 2 mailbox, 3 system, 4 network … (RFC 3463 §3.2).
    pub subject: u16,
    /// The precise condition.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Reads exactly one status code; `None` when the text is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('.');
        let class = match fields.next()? {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        let subject = field(fields.next()?)?;
        let detail = field(fields.next()?)?;
        fields.next().is_none().then_some(Self {
            class,
            subject,
            detail,
        })
    }

    /// The status code that the text of a reply starts with, and the rest of the text
    /// (RFC 2034 §4: the code is the first word of the text).
    #[must_use]
    pub fn split_from(text: &str) -> (Option<Self>, &str) {
        let trimmed = text.trim_start();
        let word = trimmed.split([' ', '\t']).next().unwrap_or_default();
        match Self::parse(word.trim_end_matches(':')) {
            Some(status) => (
                Some(status),
                trimmed.get(word.len()..).unwrap_or("").trim_start(),
            ),
            None => (None, text),
        }
    }
}

fn field(text: &str) -> Option<u16> {
    let plain = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

impl std::fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl From<EnhancedStatus> for String {
    fn from(status: EnhancedStatus) -> Self {
        status.to_string()
    }
}

impl TryFrom<String> for EnhancedStatus {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("\"{text}\" is no enhanced status code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_codes_are_read() {
        for text in ["5.1.1", "4.16.55", "2.0.0", "5.7.606"] {
            assert_eq!(
                EnhancedStatus::parse(text)
                    .map(|s| s.to_string())
                    .as_deref(),
                Some(text)
            );
        }
        for text in [
            "", "5", "5.1", "5.1.1.1", "3.1.1", "5.1.1234", "5.a.1", "5..1", "5.1.1 ",
        ] {
            assert_eq!(EnhancedStatus::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_code_is_split_from_the_text() {
        let rows = [
            ("5.1.1 unknown user", Some("5.1.1"), "unknown user"),
            (" 5.1.1", Some("5.1.1"), ""),
            ("5.7.1: no", Some("5.7.1"), "no"),
            ("unknown 5.1.1", None, "unknown 5.1.1"),
        ];
        for (text, status, rest) in rows {
            let (got, after) = EnhancedStatus::split_from(text);
            assert_eq!(
                (got.map(|s| s.to_string()).as_deref(), after),
                (status, rest),
                "{text}"
            );
        }
    }
}
