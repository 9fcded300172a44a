//! Mail addresses in running text.
//!
//! What is found is what stands there, not what may be sent to: domains without a dot and odd local
//! parts are addresses of some server that wrote the report.

/// Where an address stands in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

/// Addresses that are looked for in one line, at most.
const MAX_IN_LINE: usize = 32;

/// Every address in the text, in order.
pub(super) fn find(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut found: Vec<Span> = Vec::new();
    for at in memchr::memchr_iter(b'@', bytes) {
        if found.len() >= MAX_IN_LINE {
            break;
        }
        if found.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let floor = found.last().map_or(0, |last| last.end);
        if let Some(span) = around(bytes, at, floor)
            && !is_in_link(bytes, span)
        {
            found.push(span);
        }
    }
    found
}

/// Whether it is part of a link (`https://example.net/?user=…`): the word in which it stands has `://` in it.
fn is_in_link(bytes: &[u8], span: Span) -> bool {
    let lowest = span.start.saturating_sub(400);
    let before = bytes.get(lowest..span.start).unwrap_or_default();
    let begin = before
        .iter()
        .rposition(|b| b.is_ascii_whitespace() || matches!(b, b'<' | b'"' | b'(' | b'\''))
        .map_or(lowest, |at| lowest + at + 1);
    let word = bytes.get(begin..span.end).unwrap_or_default();
    memchr::memmem::find(word, b"://").is_some()
}

/// Every address in the text.
pub(super) fn all(text: &str) -> Vec<String> {
    let spans = find(text).into_iter();
    spans
        .filter_map(|span| text.get(span.start..span.end).map(str::to_owned))
        .collect()
}

/// The first address in the text.
pub(super) fn first(text: &str) -> Option<&str> {
    find(text)
        .first()
        .and_then(|span| text.get(span.start..span.end))
}

fn around(bytes: &[u8], at: usize, floor: usize) -> Option<Span> {
    let start = local_start(bytes, at, floor)?;
    let open = start > 0 && bytes.get(start - 1) == Some(&b'<');
    let mut end = at + 1;
    while let Some(&b) = bytes.get(end) {
        let fits = b.is_ascii_alphanumeric()
            || matches!(b, b'.' | b'-' | b'_')
            || (b == b'[' && end == at + 1)
            || (b == b']' && bytes.get(at + 1) == Some(&b'['))
            || (b >= 0x80 && open);
        if !fits || end - at > 255 {
            break;
        }
        end += 1;
    }
    while end > at + 1 && matches!(bytes.get(end - 1), Some(b'.' | b'-' | b'_')) {
        end -= 1;
    }
    let domain = bytes.get(at + 1..end)?;
    let dotted = domain.contains(&b'.');
    let named = domain.iter().any(u8::is_ascii_alphanumeric) || domain.iter().any(|b| *b >= 0x80);
    (named && (dotted || open || stands_alone(bytes, start, end))).then_some(Span { start, end })
}

/// Whether nothing stands before it on its line but a label or a failing reply, and a blank or a mark behind it.
///
/// A domain without a dot is one of some local network, and only its place shows that it is one.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = bytes.get(..start).unwrap_or_default();
    let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let head = before.get(line..).unwrap_or_default();
    let bare = head.trim_ascii();
    let replies = || {
        matches!(bare, [b'4' | b'5', b'0'..=b'5', b'0'..=b'9', ..])
            && bare
                .iter()
                .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b' ' | b'-'))
    };
    let placed = head.len() < 40 && (bare.is_empty() || bare.ends_with(b":") || replies());
    let after = bytes.get(end..).unwrap_or_default();
    placed
        && (after.starts_with(b"...")
            || after
                .first()
                .is_none_or(|b| b.is_ascii_whitespace() || *b == b':'))
}

/// Where the local part begins.
fn local_start(bytes: &[u8], at: usize, floor: usize) -> Option<usize> {
    let lowest = floor.max(at.saturating_sub(255));
    if at > floor && bytes.get(at - 1) == Some(&b'"') {
        let open = memchr::memrchr(b'"', bytes.get(lowest..at - 1)?)?;
        return Some(lowest + open);
    }
    let mut start = at;
    while start > lowest && bytes.get(start - 1).is_some_and(|&b| is_atext(b)) {
        start -= 1;
    }
    // Letters beyond ASCII belong to the address only inside angle brackets (RFC 6531 §3.3).
    if start > lowest && bytes.get(start - 1).is_some_and(|&b| b >= 0x80) {
        let mut open = start;
        while open > lowest
            && bytes
                .get(open - 1)
                .is_some_and(|&b| b >= 0x80 || is_atext(b))
        {
            open -= 1;
        }
        if open > 0 && bytes.get(open - 1) == Some(&b'<') {
            start = open;
        }
    }
    while start < at && matches!(bytes.get(start), Some(b'\'' | b'`' | b'*' | b'.' | b'-')) {
        start += 1;
    }
    start += tag_length(bytes.get(start..at).unwrap_or_default());
    (start < at).then_some(start)
}

/// Marks of a kind of address that stand glued before it (`SMTP=`, `dda:RFC-822=`, `to=`).
const TAGS: &[&[u8]] = &[
    b"smtp=",
    b"rfc822=",
    b"rfc-822=",
    b"to=",
    b"rcpt=",
    b"recipient=",
    b"address=",
    b"addr=",
    b"email=",
];

fn tag_length(local: &[u8]) -> usize {
    let starts = |tag: &&&[u8]| {
        local
            .get(..tag.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(tag))
    };
    TAGS.iter().find(starts).map_or(0, |tag| tag.len())
}

/// RFC 5322 §3.2.3, dots included.
const fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'.' | b'!'
                | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

/// The address of a typed field (`rfc822; user@example.com`, RFC 3464 §2.3.2), cleaned.
pub(super) fn of_field(value: &str) -> Option<String> {
    let bare = match value.split_once(';') {
        Some((kind, address)) if is_type(kind) => address,
        _ => value,
    };
    let bare = bare.trim();
    if let Some(address) = first(bare) {
        let whole = strip_marks(bare);
        // A local part with blanks in it: the whole field, if nothing else stands in it.
        let odd = (whole.starts_with(['"', '|', '/']) && whole.contains('@'))
            || (!whole.is_ascii() && !whole.contains(char::is_whitespace));
        return Some(if odd { whole } else { address.to_owned() });
    }
    let whole = strip_marks(bare);
    (whole.contains('@') && whole.len() < 320 && !whole.starts_with('@')).then_some(whole)
}

fn is_type(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.len() <= 20
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// Without angle brackets and white space around it.
fn strip_marks(text: &str) -> String {
    text.trim()
        .trim_start_matches('<')
        .trim_end_matches(['>', ','])
        .trim()
        .to_owned()
}

/// Whether nobody reads what is sent to it: `no-reply@`, `donotreply@`, `lyris-noreply@`.
pub(super) fn is_unread(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    let letters: String = local
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    ["noreply", "donotreply", "nepasrepondre", "keineantwort"]
        .iter()
        .any(|word| letters.contains(word))
}

/// Whether two written addresses are the same, as far as a report cares.
pub(super) fn same(a: &str, b: &str) -> bool {
    // The dot of the root (RFC 1034 §3.1).
    a.trim_end_matches('.')
        .eq_ignore_ascii_case(b.trim_end_matches('.'))
}

/// The domain of an address, in lower case.
pub(super) fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.to_ascii_lowercase())
}

/// Whether two addresses have the same local part.
pub(super) fn same_local(a: &str, b: &str) -> bool {
    let local = |address: &str| {
        address
            .rsplit_once('@')
            .map(|(local, _)| local.to_ascii_lowercase())
    };
    local(a) == local(b)
}

/// Whether two addresses are ways to write one: through a relay (`jane%example.org@relay.example.net`), or with and
/// without the domain of the network (`jane@mailhub`).
pub(super) fn alike(a: &str, b: &str) -> bool {
    let through = |a: &str, b: &str| {
        a.rsplit_once('@')
            .and_then(|(local, _)| local.rsplit_once('%'))
            .zip(b.rsplit_once('@'))
            .is_some_and(|(a, b)| a.0.eq_ignore_ascii_case(b.0) && a.1.eq_ignore_ascii_case(b.1))
    };
    let shorter = |a: &str, b: &str| {
        let (Some(a), Some(b)) = (a.rsplit_once('@'), b.rsplit_once('@')) else {
            return false;
        };
        let first = b.1.split('.').next().unwrap_or_default();
        a.0.eq_ignore_ascii_case(b.0) && a.1.eq_ignore_ascii_case(first)
    };
    let alike = |a: &str, b: &str| through(a, b) || shorter(a, b) || is_prefixed(a, b);
    same(a, b) || alike(a, b) || alike(b, a)
}

/// Whether one is the other as qmail's virtual domains write it: `example.org-jane@example.org`.
fn is_prefixed(long: &str, short: &str) -> bool {
    let (Some(long), Some(short)) = (long.rsplit_once('@'), short.rsplit_once('@')) else {
        return false;
    };
    let local = long.0.get(long.1.len()..);
    local.and_then(|rest| rest.strip_prefix('-')) == Some(short.0)
        && same(long.1, short.1)
        && long.0.starts_with(long.1)
}

/// Whether the local part is one that systems use for themselves.
pub(super) fn is_system(address: &str) -> bool {
    let local = address
        .split('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    [
        "mailer-daemon",
        "postmaster",
        "mail-daemon",
        "maildaemon",
        "post_master",
        "mdaemon",
    ]
    .iter()
    .any(|name| local.contains(name))
}

/// The address of the list for which this one speaks (`garden-bounces@` for `garden@`, `owner-garden@`), if it does for one.
pub(super) fn list_of(from: &str) -> Option<String> {
    let address = first(from)?;
    let (local, domain) = address.rsplit_once('@')?;
    if !local.contains('-') {
        return None;
    }
    let lower = local.to_ascii_lowercase();
    let local = lower.split('+').next()?;
    let before = ["owner-", "errors-"]
        .iter()
        .find_map(|begin| local.strip_prefix(begin));
    let list = before.or_else(|| LIST_ENDS.iter().find_map(|end| local.strip_suffix(end)))?;
    (!list.is_empty()).then(|| format!("{list}@{domain}"))
}

/// How the addresses end by which lists are run.
const LIST_ENDS: &[&str] = &[
    "-owner",
    "-request",
    "-bounces",
    "-bounce",
    "-help",
    "-admin",
    "-errors",
    "-return",
    "-returns",
    "-approval",
];

/// Marks of return paths that name the sender, not the recipient: SRS, BATV and their kin.
const OF_SENDER: &[&str] = &["srs0", "srs1", "prvs=", "msprvs", "btv1"];

/// The recipient whom a return path names that was made for one alone (VERP): `garden-bounces+jane=example.org@lists.example.net`.
pub(super) fn in_return_path(path: &str) -> Option<String> {
    let (local, _) = path.rsplit_once('@')?;
    let lower = local.to_ascii_lowercase();
    if OF_SENDER.iter().any(|mark| lower.contains(mark)) {
        return None;
    }
    let (begin, domain) = local.rsplit_once('=')?;
    let name = match begin.split_once('+') {
        Some((_, detail)) => unnumbered(detail),
        None => behind_mark(begin)?,
    };
    let labels = domain.split('.').filter(|label| !label.is_empty()).count();
    let last = domain.rsplit('.').next()?;
    let is_domain = labels > 1
        && domain
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && last.len() > 1
        && last.bytes().all(|b| b.is_ascii_alphabetic());
    let is_local = !name.is_empty() && !name.contains('=') && name.bytes().all(is_atext);
    (is_domain && is_local).then(|| format!("{name}@{domain}"))
}

/// A local part without the numbers that come before it: `1234-5af3-jane`.
fn unnumbered(mut detail: &str) -> &str {
    while let Some((number, rest)) = detail.split_once('-') {
        let counted = number.contains(|c: char| c.is_ascii_digit())
            && number.chars().all(|c| c.is_ascii_hexdigit() || c == '.');
        if !counted || rest.is_empty() {
            break;
        }
        detail = rest;
    }
    detail
}

/// What stands behind `-return-`, `-bounces-` and the like, and behind the number that may follow.
fn behind_mark(local: &str) -> Option<&str> {
    let lower = local.to_ascii_lowercase();
    let marks = ["return-", "returns-", "bounce-", "bounces-", "errors-"];
    let end = marks
        .iter()
        .filter_map(|mark| lower.find(mark).map(|at| at + mark.len()))
        .max()?;
    local.get(end..).map(unnumbered)
}

/// Whether it is an address by which a mailing list is run (RFC 2142 §6 and its relatives), not one of a reader.
pub(super) fn is_role(address: &str) -> bool {
    let local = address
        .split('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    local.starts_with("owner-")
        || [
            "-owner",
            "-request",
            "-subscribe",
            "-unsubscribe",
            "-bounces",
            "-help",
        ]
        .iter()
        .any(|end| local.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_where_they_stand() {
        let rows: [(&str, &[&str]); 21] = [
            ("<user@example.com>:", &["user@example.com"]),
            (
                "T=[user@example.com] F=[a@example.net]",
                &["user@example.com", "a@example.net"],
            ),
            ("user@example.com.", &["user@example.com"]),
            ("'user@example.com' is not", &["user@example.com"]),
            ("rfc822;user+x@sub.example.com", &["user+x@sub.example.com"]),
            ("RCPT TO:<user@mailhub>", &["user@mailhub"]),
            ("at noon @ home, user @ example", &[]),
            ("\"odd one\"@example.com", &["\"odd one\"@example.com"]),
            ("<jörg@example.com>", &["jörg@example.com"]),
            ("送信先user@example.com宛", &["user@example.com"]),
            ("user@[192.0.2.1]", &["user@[192.0.2.1]"]),
            ("a@b@example.com", &["b@example.com"]),
            ("dda:SMTP=user@example.com;", &["user@example.com"]),
            ("see https://example.net/?u=a@example.com", &[]),
            ("user@mailhub on Thu", &["user@mailhub"]),
            ("  user@mailhub:", &["user@mailhub"]),
            ("550 user@mailhub... User unknown", &["user@mailhub"]),
            ("Recipient: user@mailhub", &["user@mailhub"]),
            ("250 things user@home do", &[]),
            ("they meet @home", &[]),
            (
                "news+user=example.org@lists.example.com",
                &["news+user=example.org@lists.example.com"],
            ),
        ];
        for (text, want) in rows {
            let got: Vec<_> = find(text).iter().map(|s| &text[s.start..s.end]).collect();
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn ways_to_write_one_address_are_alike() {
        let rows = [
            ("jane@example.org", "JANE@example.org", true),
            ("jane%example.org@relay.example", "jane@example.org", true),
            ("jane@mailhub", "jane@mailhub.example.org", true),
            ("jane@example.org", "jane@example.net", false),
            (
                "jane%example.org@relay.example",
                "jane@relay.example",
                false,
            ),
            ("joan@mailhub", "jane@mailhub.example.org", false),
        ];
        for (a, b, want) in rows {
            assert_eq!(alike(a, b), want, "{a} {b}");
            assert_eq!(alike(b, a), want, "{b} {a}");
        }
    }

    #[test]
    fn return_paths_of_one_recipient_name_it() {
        let rows = [
            (
                "garden-bounces+jane=example.org@lists.example.net",
                Some("jane@example.org"),
            ),
            (
                "garden-return-42-jane-roe=example.org@lists.example.net",
                Some("jane-roe@example.org"),
            ),
            (
                "bounces+1234-5af3-jane=example.org@em.example.net",
                Some("jane@example.org"),
            ),
            (
                "bounce-jane.roe=mail.example.org@example.net",
                Some("jane.roe@mail.example.org"),
            ),
            ("SRS0=abcd=XY=example.org=jane@relay.example.net", None),
            ("prvs=0123456789=jane.roe@example.net", None),
            ("jane+a=b@example.net", None),
            ("bounces@example.net", None),
            ("a=example.org@example.net", None),
        ];
        for (path, want) in rows {
            assert_eq!(in_return_path(path).as_deref(), want, "{path}");
        }
    }

    #[test]
    fn who_runs_a_list_speaks_for_it() {
        let rows = [
            (
                "owner-garden@lists.example.net",
                Some("garden@lists.example.net"),
            ),
            (
                "garden-bounces+jane=example.org@lists.example.net",
                Some("garden@lists.example.net"),
            ),
            (
                "Garden <garden-request@lists.example.net>",
                Some("garden@lists.example.net"),
            ),
            ("jane-roe@example.net", None),
            ("owner-@example.net", None),
        ];
        for (from, want) in rows {
            assert_eq!(list_of(from).as_deref(), want, "{from}");
        }
    }

    #[test]
    fn typed_fields_are_cleaned() {
        let rows = [
            ("rfc822; user@example.com", Some("user@example.com")),
            ("RFC822; <user@example.com>", Some("user@example.com")),
            ("<user@example.com>", Some("user@example.com")),
            ("utf-8; jörg@example.com", Some("jörg@example.com")),
            ("X400; /C=DE/A=X/", None),
            ("rfc822; user@mailhub", Some("user@mailhub")),
            (
                "rfc822; |exec /bin/x #user@example.com",
                Some("|exec /bin/x #user@example.com"),
            ),
            ("", None),
        ];
        for (text, want) in rows {
            assert_eq!(of_field(text).as_deref(), want, "{text}");
        }
    }
}
