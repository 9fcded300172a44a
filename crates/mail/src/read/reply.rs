//! Reply codes and enhanced status codes as they stand in running text.

use posthaste_core::enhanced::EnhancedStatus;

/// A reply code with the status right behind it, as servers write them (RFC 2034 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub status: Option<EnhancedStatus>,
    /// Where the code begins, in bytes.
    pub at: usize,
}

/// Bytes of a text that are searched.
const MAX_SEARCHED: usize = 16 << 10;

/// Words behind a number that make it a quantity.
const UNITS: &[&[u8]] = &[
    b"byte", b"kb", b"mb", b"k ", b"minute", b"hour", b"second", b"days", b"times", b"octet",
    b"char",
];

/// The reply in a text: the first one with a status of its own, else the first code.
pub(super) fn find(text: &str) -> Option<Reply> {
    let mut first = None;
    for reply in all(text).take(16) {
        if reply.status.is_some() {
            // `554 554 5.7.1`, `550-5.1.1`: the same reply.
            return Some(match first {
                Some(Reply { code, at, .. }) if reply.at - at < 6 => Reply { code, at, ..reply },
                Some(plain) if reply.code != plain.code => plain,
                _ => reply,
            });
        }
        first = match first {
            // `554 <address>... 550 Host unknown`: the reporter's code, then the one that it quotes.
            Some(outer) if is_frame(text.get(outer.at + 3..reply.at)) => Some(reply),
            Some(outer) => Some(outer),
            None => Some(reply),
        };
    }
    first
}

/// Whether only an address and Sendmail's dots stand between two codes.
fn is_frame(between: Option<&str>) -> bool {
    between.is_some_and(|words| {
        words
            .trim()
            .strip_suffix("...")
            .is_some_and(|address| address.starts_with('<') && address.ends_with('>'))
    })
}

/// Every failing reply code (4yz, 5yz; RFC 5321 §4.2.1) in a text.
fn all(text: &str) -> impl Iterator<Item = Reply> + '_ {
    let bytes = text.as_bytes();
    let bytes = bytes.get(..MAX_SEARCHED).unwrap_or(bytes);
    memchr::memchr2_iter(b'4', b'5', bytes).filter_map(move |at| code_at(bytes, at))
}

fn code_at(bytes: &[u8], at: usize) -> Option<Reply> {
    let [
        first @ (b'4' | b'5'),
        second @ b'0'..=b'5',
        third @ b'0'..=b'9',
    ] = *bytes.get(at..at + 3)?
    else {
        return None;
    };
    let before = at
        .checked_sub(1)
        .and_then(|i| bytes.get(i))
        .copied()
        .unwrap_or(b' ');
    let after = bytes.get(at + 3).copied().unwrap_or(b' ');
    let edges = !before.is_ascii_alphanumeric()
        && !matches!(
            before,
            b'.' | b'-' | b'_' | b'/' | b'+' | b'=' | b'@' | b'%' | b'$' | b'#'
        )
        && !after.is_ascii_alphanumeric()
        && !matches!(after, b'.' | b'_' | b'/' | b'@' | b'%' | b'=' | b'+');
    if !edges {
        return None;
    }
    let rest = bytes.get(at + 3..).unwrap_or_default();
    let word = rest.trim_ascii_start();
    if UNITS.iter().any(|unit| {
        word.get(..unit.len())
            .is_some_and(|w| w.eq_ignore_ascii_case(unit))
    }) {
        return None;
    }
    let code = [first, second, third]
        .iter()
        .fold(0_u16, |n, d| n * 10 + u16::from(d - b'0'));
    let behind = rest
        .iter()
        .position(|b| {
            !matches!(
                b,
                b' ' | b'-' | b':' | b'#' | b'(' | b'\t' | b',' | b'\'' | b'"'
            )
        })
        .unwrap_or(rest.len());
    let status = if behind <= 3 {
        status_at(rest.get(behind..).unwrap_or_default())
    } else {
        None
    };
    Some(Reply { code, status, at })
}

/// The status that the bytes begin with.
fn status_at(bytes: &[u8]) -> Option<EnhancedStatus> {
    if !matches!(bytes, [b'2' | b'4' | b'5', b'.', b'0'..=b'9', ..]) {
        return None;
    }
    let end = bytes
        .iter()
        .take(12)
        .position(|b| !(b.is_ascii_digit() || *b == b'.'))
        .unwrap_or(bytes.len().min(12));
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    EnhancedStatus::parse(text.trim_end_matches('.'))
}

/// The first enhanced status of failure in a text, wherever it stands: `#5.1.1`, `(#4.4.1)`, `DSN 5.1.10`.
pub(super) fn status(text: &str) -> Option<EnhancedStatus> {
    let bytes = text.as_bytes();
    let bytes = bytes.get(..MAX_SEARCHED).unwrap_or(bytes);
    memchr::memchr2_iter(b'4', b'5', bytes).find_map(|at| {
        let before = at
            .checked_sub(1)
            .and_then(|i| bytes.get(i))
            .copied()
            .unwrap_or(b' ');
        if before.is_ascii_alphanumeric() || matches!(before, b'.' | b'-' | b'/' | b'_' | b'@') {
            return None;
        }
        let found = status_at(bytes.get(at..)?)?;
        // Versions and hosts look alike; a status has a subject below eight (RFC 3463 §3.2).
        (found.subject < 8).then_some(found)
    })
}

/// Whether a status says nothing but its class (`5.0.0`).
pub(super) const fn is_generic(status: EnhancedStatus) -> bool {
    status.subject == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_found_in_running_text() {
        let rows = [
            (
                "host mx [192.0.2.1]: 550 5.7.0 no",
                Some((550, Some("5.7.0"))),
            ),
            ("550-5.7.26 no", Some((550, Some("5.7.26")))),
            ("554 554 5.7.1 blocked", Some((554, Some("5.7.1")))),
            ("error 550-'5.7.1 <x>... no'", Some((550, Some("5.7.1")))),
            ("552 sorry (#5.1.1)", Some((552, None))),
            ("ERROR_CODE :550, ERROR_CODE :5.1.1 <x", Some((550, None))),
            ("550: : User unknown", Some((550, None))),
            (
                "554 <ada@example.org>... 550 Host unknown",
                Some((550, None)),
            ),
            ("554 refused after 550 tries", Some((554, None))),
            ("after 450 minutes", None),
            ("552 bytes", None),
            ("id 550abc, 1.550.2, 192.0.2.550", None),
            ("552 mailbox full", Some((552, None))),
            ("554 Message refused", Some((554, None))),
            ("571 no", None),
            ("", None),
        ];
        for (text, want) in rows {
            let got = find(text).map(|r| (r.code, r.status.map(|s| s.to_string())));
            let want = want.map(|(c, s): (u16, Option<&str>)| (c, s.map(str::to_owned)));
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn statuses_are_found_in_running_text() {
        let rows = [
            ("(#4.4.1)", Some("4.4.1")),
            ("[#4.1.9].", Some("4.1.9")),
            ("see DSN 5.1.10 Errors", Some("5.1.10")),
            ("version 8.5.1.1", None),
            ("Exim 4.94.2 said", None),
            ("#5.1.1 x 4.2.2", Some("5.1.1")),
        ];
        for (text, want) in rows {
            assert_eq!(
                status(text).map(|s| s.to_string()).as_deref(),
                want,
                "{text}"
            );
        }
    }
}
