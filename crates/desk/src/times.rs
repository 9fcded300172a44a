//! Moments as people and machines read them: RFC 3339 in JSON, to the minute in tables, to the second
//! in logs; and the JSON form of stored rows.

use posthaste_core::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// RFC 3339 in UTC, to the second: `2026-11-21T14:03:09Z`.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    written(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// To the minute, UTC, for tables and sentences: `2026-11-21 14:03`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    written(at, "%Y-%m-%d %H:%M")
}

/// To the second, UTC, for logs: `2026-11-21 14:03:09`.
#[must_use]
pub fn second(at: Timestamp) -> String {
    written(at, "%Y-%m-%d %H:%M:%S")
}

fn written(at: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| "never".to_owned(), |t| t.strftime(format).to_string())
}

/// Reads a moment as RFC 3339 writes it, with its offset (`2026-11-24T09:00:00+01:00`).
///
/// # Errors
/// A sentence when the text is no such moment.
pub fn parse_rfc3339(text: &str) -> Result<Timestamp, String> {
    text.parse::<jiff::Timestamp>()
        .map(|t| Timestamp(t.as_millisecond()))
        .map_err(|_| {
            format!(
                "\"{text}\" is not a moment: write date, time and offset as RFC 3339 does, \
                 as in 2026-11-24T09:00:00+01:00 or 2026-11-24T08:00:00Z"
            )
        })
}

/// Names of the fields of stored rows that hold a moment.
const MOMENTS: &[&str] = &[
    "at",
    "began",
    "changed",
    "contact_date",
    "created",
    "due",
    "ended",
    "first_seen",
    "last_counted",
    "last_seen",
    "since",
    "started",
    "valid_until",
];

/// Names of the fields of stored rows that hold JSON as text.
const NESTED: &[&str] = &["attributes", "report", "spec"];

/// A stored row as JSON for machines: moments as RFC 3339, nested JSON unfolded.
#[must_use]
pub fn json_of(row: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(row).unwrap_or(Value::Null);
    rewrite(&mut value);
    value
}

fn rewrite(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(rewrite),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                rewrite_field(name, field);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rewrite_field(name: &str, field: &mut Value) {
    if let (true, Some(ms)) = (MOMENTS.contains(&name), field.as_i64()) {
        *field = Value::String(rfc3339(Timestamp(ms)));
        return;
    }
    let unfolded = field
        .as_str()
        .filter(|_| NESTED.contains(&name))
        .and_then(|text| serde_json::from_str(text).ok());
    match unfolded {
        Some(nested) => {
            *field = nested;
            // What attributes hold is the user's own (a column may be called «at»).
            if name == "spec" {
                rewrite(field);
            }
        }
        None => rewrite(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_are_written_in_utc_and_read_with_an_offset() {
        let at = parse_rfc3339("2026-11-24T09:00:30+01:00").unwrap();
        assert_eq!(rfc3339(at), "2026-11-24T08:00:30Z");
        assert_eq!(minute(at), "2026-11-24 08:00");
        assert_eq!(second(at), "2026-11-24 08:00:30");
        for text in [
            "",
            "tomorrow",
            "2026-11-24",
            "2026-11-24T09:00:00",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(parse_rfc3339(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_become_json_with_readable_times_and_unfolded_attributes() {
        let row = json!({
            "at": 0, "errors": 3, "due": null,
            "entry": {"since": 86_400_000},
            "attributes": "{\"at\": 5}",
        });
        let expected = json!({
            "at": "1970-01-01T00:00:00Z", "errors": 3, "due": null,
            "entry": {"since": "1970-01-02T00:00:00Z"},
            "attributes": {"at": 5},
        });
        assert_eq!(json_of(&row), expected);
    }
}
