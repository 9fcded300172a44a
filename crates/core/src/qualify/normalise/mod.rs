//! One text for one failure: variable parts are replaced, words stay.
//!
//! Addresses become `*`; ids, dates, numbers, addresses of hosts and their names become `#xxx#`;
//! the tail of an SMS report becomes `#MESSAGE#`. The reply code in front, enhanced statuses and
//! short error codes of providers (`TSS04`, `OFR_506`) stay, for they tell failures apart. One pass,
//! linear in the text; normalising twice changes nothing.
//!
//! ```
//! use posthaste_core::qualify::normalise;
//! assert_eq!(
//!     normalise("550-5.1.1 <jane@example.com>: gone\r\n550 5.1.1 since 14 Nov 2024, id 4XkQ2b1Z"),
//!     "550 5.1.1 <*>: gone since #xxx#, id #xxx#"
//! );
//! ```

mod group;
mod scan;
#[cfg(test)]
mod tests;

/// Longest normalised text, in bytes; what is longer ends with `[…]`.
pub const MAX_OUTPUT: usize = 4096;

/// Stands at the end of a text that was cut.
pub const CUT: &str = " […]";

/// The placeholder for a variable part.
pub const VARIABLE: &str = "#xxx#";

/// The placeholder for the tail of an SMS report.
pub const MESSAGE: &str = "#MESSAGE#";

/// The text with its variable parts replaced.
#[must_use]
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_OUTPUT) + 16);
    normalise_into(text, &mut out);
    out
}

/// As [`normalise`], into a string that is used again; its former content is dropped.
pub fn normalise_into(text: &str, out: &mut String) {
    out.clear();
    scan::Scan::new(out).run(text);
}

/// As [`normalise`], for bytes of any kind: what is not UTF-8 is replaced by `�`.
#[must_use]
pub fn normalise_bytes(bytes: &[u8]) -> String {
    // A few bytes more than are looked at, so that a cut character makes no difference.
    let end = bytes.len().min(super::words::MAX_BYTES + 4);
    normalise(&String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)))
}
