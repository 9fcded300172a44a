//! Points in time and lengths of time, as the configuration writes them.
//!
//! A [`Timestamp`] is milliseconds since the Unix epoch, UTC. It is always a parameter: nothing
//! in this crate asks what time it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment plus `span`; stays at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// This moment minus `span`.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a duration: write a number and a unit, as in 90s, 5m, 1h or 5d")]
pub struct NotADuration {
    /// The text as it was written.
    pub text: String,
}

/// Reads a length of time: a whole number and one of `ms`, `s`, `m`, `h`, `d`; several may follow
/// one another (`1h30m`).
///
/// # Errors
/// When there is no number, no unit, an unknown unit, or more milliseconds than a [`Timestamp`] has.
pub fn parse_duration(text: &str) -> Result<Duration, NotADuration> {
    let wrong = || NotADuration {
        text: text.to_owned(),
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = after.split_at(letters);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let ms = number.checked_mul(unit_ms).ok_or_else(wrong)?;
        total = total
            .checked_add(Duration::from_millis(ms))
            .ok_or_else(wrong)?;
        rest = next;
    }
    // More could not be written so that it is read again: each part may be in bounds and the sum not.
    i64::try_from(total.as_millis())
        .map(|_| total)
        .map_err(|_| wrong())
}

/// Writes a length of time so that [`parse_duration`] reads it back: `5d`, `1h30m`, `250ms`.
#[must_use]
pub fn format_duration(span: Duration) -> String {
    let mut ms = span.as_millis();
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, size) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if ms >= size {
            out.push_str(&format!("{}{unit}", ms / size));
            ms %= size;
        }
    }
    out
}

/// For `#[serde(with = "…")]`: a duration written as in [`parse_duration`].
pub mod duration_text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the duration as text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(span: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&super::format_duration(*span))
    }

    /// Reads a duration from text.
    ///
    /// # Errors
    /// When the text is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(input)?;
        super::parse_duration(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_back() {
        let rows = [
            ("90s", 90_000, "1m30s"),
            ("5m", 300_000, "5m"),
            ("1h", 3_600_000, "1h"),
            ("5d", 432_000_000, "5d"),
            ("1h30m", 5_400_000, "1h30m"),
            ("250ms", 250, "250ms"),
            ("0s", 0, "0s"),
        ];
        for (text, ms, back) in rows {
            let span = parse_duration(text).expect(text);
            assert_eq!(span, Duration::from_millis(ms), "{text}");
            assert_eq!(format_duration(span), back, "{text}");
        }
    }

    #[test]
    fn parts_that_add_up_to_more_than_fits_are_refused() {
        let most = format_duration(Duration::from_millis(i64::MAX.unsigned_abs()));
        assert_eq!(format_duration(parse_duration(&most).unwrap()), most);
        for text in [format!("{most}1ms"), "200000000000d90000000000d".to_owned()] {
            assert!(parse_duration(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in [
            "",
            " ",
            "5",
            "h",
            "5 h",
            "-5m",
            "5w",
            "1.5h",
            "99999999999999999999d",
            "5mm",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
