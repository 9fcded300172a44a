//! The parts of a mail (RFC 2045, RFC 2046), read leniently and within limits.
//!
//! Nothing is decoded here and nothing is copied: parts are slices of the mail. Unlike a strict
//! reader this one accepts missing closing delimiters, parts without headers, delimiters that are
//! indented, and headers with stray lines between them; bounces have all of these.

use std::borrow::Cow;

use super::lines::{field_name, split_line, without_mbox_line};
use super::report::Problem;

/// Bytes of headers that are read, for one header block.
const MAX_HEADER_BYTES: usize = 1 << 20;
/// Fields that are kept of one header block.
const MAX_FIELDS: usize = 1_000;
/// Parts that are read.
const MAX_PARTS: usize = 200;
/// Depth at which a multipart is taken as flat text.
const MAX_DEPTH: u8 = 16;

/// A header block: name and raw value of each field.
#[derive(Debug, Default, Clone)]
pub(super) struct Headers<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
    too_long: bool,
}

impl<'a> Headers<'a> {
    /// Reads a header block; gives it and what follows the empty line.
    pub(super) fn parse(block: &'a [u8]) -> (Self, &'a [u8]) {
        let mut headers = Self::default();
        headers.fields.reserve(16);
        let mut rest = block;
        let mut start = None;
        loop {
            let (line, after) = split_line(rest);
            let at = block.len() - rest.len();
            if line.is_empty() || at > MAX_HEADER_BYTES {
                headers.close(block, start.take(), at);
                headers.too_long = at > MAX_HEADER_BYTES;
                return (headers, after);
            }
            let folded = line.first().is_some_and(|&b| b == b' ' || b == b'\t');
            if folded && start.is_none() && headers.fields.is_empty() && at == 0 {
                // Some gateways cut the first Received line off and leave its folds.
            } else if !folded {
                headers.close(block, start.take(), at);
                match field_name(line) {
                    Some(name) => start = Some((at, name)),
                    // A part that begins with text has no headers at all.
                    None if headers.fields.is_empty() && at == 0 => return (headers, block),
                    None => {}
                }
            }
            rest = after;
        }
    }

    fn close(&mut self, block: &'a [u8], start: Option<(usize, &'a [u8])>, end: usize) {
        let Some((at, name)) = start else { return };
        if self.fields.len() >= MAX_FIELDS {
            return;
        }
        let field = block.get(at..end).unwrap_or_default();
        let colon = memchr::memchr(b':', field).map_or(field.len(), |c| c + 1);
        self.fields
            .push((name, field.get(colon..).unwrap_or_default()));
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The raw value of the first field of that name.
    pub(super) fn raw(&self, name: &str) -> Option<&'a [u8]> {
        self.fields
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| *value)
    }

    /// The value of the first field of that name, unfolded and trimmed.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(unfold)
    }

    /// Values of all fields of that name.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = Cow<'a, str>> + 's {
        self.fields
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| unfold(value))
    }

    /// Every field, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.fields.iter().copied()
    }
}

/// A field's value in one line, as text whatever its bytes.
pub(super) fn unfold(value: &[u8]) -> Cow<'_, str> {
    let trimmed = value.trim_ascii();
    let text = super::charset::lossy(trimmed);
    if memchr::memchr(b'\n', trimmed).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split('\n') {
        let piece = line.trim();
        if !out.is_empty() && !piece.is_empty() {
            out.push(' ');
        }
        out.push_str(piece);
    }
    Cow::Owned(out)
}

/// What a part is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartKind {
    Text,
    Html,
    DeliveryStatus,
    Feedback,
    Disposition,
    Message,
    MessageHeaders,
    Other,
}

/// One leaf of the tree, and messages as leaves of their own.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    pub kind: PartKind,
    pub charset: Option<String>,
    pub encoding: Option<Cow<'a, str>>,
    pub body: &'a [u8],
    /// How many returned messages stand around it.
    pub level: u8,
}

/// The mail as headers and parts.
#[derive(Debug)]
pub(super) struct Structure<'a> {
    pub headers: Headers<'a>,
    pub parts: Vec<Part<'a>>,
    /// `report-type` of the outermost multipart/report (RFC 6522 §3), lower case.
    pub report_type: Option<String>,
    pub problems: Vec<Problem>,
}

/// Reads the structure of a mail with LF line ends.
pub(super) fn parse(mail: &[u8]) -> Structure<'_> {
    let (headers, body) = Headers::parse(mail);
    let mut problems = Vec::new();
    if headers.too_long {
        problems.push(Problem::HeadersTooLong(MAX_HEADER_BYTES));
    }
    let mut walk = Walk {
        parts: Vec::new(),
        problems,
        report_type: None,
    };
    // Depth first with a stack of its own: nesting never becomes recursion.
    let mut content = content_of(&headers);
    if content.media.is_empty() && looks_divided(body) {
        // Some gateways lose the field that says so.
        "multipart/mixed".clone_into(&mut content.media);
    }
    let mut stack = vec![(content, body, 0_u8, 0_u8)];
    while let Some((content, body, depth, level)) = stack.pop() {
        if walk.parts.len() >= MAX_PARTS || stack.len() >= MAX_PARTS {
            walk.note(Problem::TooManyParts(MAX_PARTS));
            break;
        }
        let mut inner = walk.visit(content, body, depth, level);
        inner.reverse();
        stack.append(&mut inner);
    }
    Structure {
        headers,
        parts: walk.parts,
        report_type: walk.report_type,
        problems: walk.problems,
    }
}

type Pending<'a> = (Content<'a>, &'a [u8], u8, u8);

struct Walk<'a> {
    parts: Vec<Part<'a>>,
    problems: Vec<Problem>,
    report_type: Option<String>,
}

impl<'a> Walk<'a> {
    fn note(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Takes a leaf, or gives the parts inside.
    fn visit(
        &mut self,
        content: Content<'a>,
        body: &'a [u8],
        depth: u8,
        level: u8,
    ) -> Vec<Pending<'a>> {
        let mut kind = kind_of(&content.media);
        if kind == PartKind::Other && looks_like_status(body) {
            kind = PartKind::DeliveryStatus;
        }
        if content.media.starts_with("multipart/")
            || (kind == PartKind::Other && content.boundary.is_some())
        {
            if level == 0 && self.report_type.is_none() {
                self.report_type.clone_from(&content.report_type);
            }
            if depth >= MAX_DEPTH {
                self.note(Problem::TooDeep(MAX_DEPTH));
            } else if let Some(inside) = split_parts(body, content.boundary.as_deref()) {
                return inside
                    .into_iter()
                    .take(MAX_PARTS)
                    .map(|part| {
                        let (headers, body) = Headers::parse(part);
                        (content_of(&headers), body, depth + 1, level)
                    })
                    .collect();
            } else {
                self.note(Problem::BadBoundary);
            }
            self.leaf(PartKind::Text, content, body, level);
            return Vec::new();
        }
        let plain = content.encoding.as_deref().is_none_or(is_identity);
        self.leaf(kind, content, body, level);
        if kind != PartKind::Message || !plain {
            return Vec::new();
        }
        if depth >= MAX_DEPTH {
            self.note(Problem::TooDeep(MAX_DEPTH));
            return Vec::new();
        }
        let (headers, inner) = Headers::parse(without_mbox_line(body));
        vec![(content_of(&headers), inner, depth + 1, level + 1)]
    }

    fn leaf(&mut self, kind: PartKind, content: Content<'a>, body: &'a [u8], level: u8) {
        self.parts.push(Part {
            kind,
            charset: content.charset,
            encoding: content.encoding,
            body,
            level,
        });
    }
}

/// Whether a part of no known type begins as a delivery status does (RFC 3464 §2.2): some clients attach it as data.
fn looks_like_status(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    [
        &b"Reporting-MTA:"[..],
        b"Final-Recipient:",
        b"Original-Envelope-Id:",
        // The first of them in base64.
        b"UmVwb3J0aW5nLU1UQ",
    ]
    .iter()
    .any(|start| {
        body.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    })
}

/// Whether a body begins with a delimiter line and the headers of a part (RFC 2046 §5.1.1), after a few lines at most.
fn looks_divided(body: &[u8]) -> bool {
    let mut rest = body;
    for _ in 0..20 {
        let (line, after) = split_line(rest);
        let delimits = line.len() > 6 && line.starts_with(b"--") && !line.contains(&b' ');
        if delimits {
            return after
                .get(..8)
                .is_some_and(|head| head.eq_ignore_ascii_case(b"content-"));
        }
        if after.is_empty() {
            return false;
        }
        rest = after;
    }
    false
}

/// Whether a transfer encoding leaves the bytes as they are (RFC 2045 §6.1).
pub(super) fn is_identity(encoding: &str) -> bool {
    !["base64", "quoted-printable"]
        .iter()
        .any(|e| encoding.trim().eq_ignore_ascii_case(e))
}

fn kind_of(media: &str) -> PartKind {
    match media {
        "" | "text" | "text/plain" | "text/text" => PartKind::Text,
        "text/html" => PartKind::Html,
        "message/delivery-status" | "message/global-delivery-status" | "text/delivery-status" => {
            PartKind::DeliveryStatus
        }
        "message/feedback-report" | "text/feedback-report" => PartKind::Feedback,
        "message/disposition-notification" | "message/global-disposition-notification" => {
            PartKind::Disposition
        }
        "message/rfc822" | "message/global" | "message/partial" | "message/news" => {
            PartKind::Message
        }
        "text/rfc822-headers"
        | "message/rfc822-headers"
        | "message/global-headers"
        | "text/rfc822" => PartKind::MessageHeaders,
        _ => PartKind::Other,
    }
}

/// What the headers of a part say of its content.
#[derive(Debug, Default)]
struct Content<'a> {
    media: String,
    boundary: Option<String>,
    charset: Option<String>,
    report_type: Option<String>,
    encoding: Option<Cow<'a, str>>,
}

fn content_of<'a>(headers: &Headers<'a>) -> Content<'a> {
    let encoding = headers.get("content-transfer-encoding");
    let Some(value) = headers.get("content-type") else {
        return Content {
            encoding,
            ..Content::default()
        };
    };
    let end = value.find([';', ' ', '\t']).unwrap_or(value.len());
    let mut content = Content {
        media: value.get(..end).unwrap_or_default().to_ascii_lowercase(),
        encoding,
        ..Content::default()
    };
    for (name, text) in parameters(value.get(end..).unwrap_or_default()) {
        let slot = match name.as_str() {
            "boundary" => &mut content.boundary,
            "charset" => &mut content.charset,
            "report-type" => &mut content.report_type,
            _ => continue,
        };
        match slot {
            // RFC 2231 §3: the pieces of a continued value.
            Some(have) if name == "boundary" => have.push_str(&text),
            Some(_) => {}
            None => *slot = Some(text),
        }
    }
    if let Some(kind) = &mut content.report_type {
        kind.make_ascii_lowercase();
    }
    content
}

/// The parameters of a structured field: lower-case names (RFC 2231 marks taken off) and values.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(equals) = rest.find('=') {
        if found.len() >= 32 {
            break;
        }
        let before = rest.get(..equals).unwrap_or_default();
        let name = before
            .rsplit([';', ' ', '\t'])
            .next()
            .unwrap_or_default()
            .split('*')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let after = rest.get(equals + 1..).unwrap_or_default().trim_start();
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = after.find([';', ' ', '\t']).unwrap_or(after.len());
                after.split_at_checked(end).unwrap_or((after, ""))
            }
        };
        found.push((name, value.to_owned()));
        rest = tail;
    }
    found
}

/// Where the last line begins, if it holds nothing but blanks.
fn line_start(before: &[u8]) -> Option<usize> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    match before.iter().rposition(|b| !blank(b)) {
        Some(last) => (before.get(last) == Some(&b'\n')).then_some(last + 1),
        None => Some(0),
    }
}

/// The parts between the delimiter lines (RFC 2046 §5.1.1); `None` without any delimiter.
fn split_parts<'a>(body: &'a [u8], boundary: Option<&str>) -> Option<Vec<&'a [u8]>> {
    let boundary = boundary.map(|b| b.trim_end().as_bytes());
    let mut delimiter: Option<&[u8]> = boundary.filter(|b| !b.is_empty());
    let mut parts = Vec::new();
    let mut start = None;
    for dashes in memchr::memmem::find_iter(body, b"--") {
        let (before, marked) = body.split_at(dashes);
        let Some(at) = line_start(before) else {
            continue;
        };
        let (line, after) = split_line(marked);
        let mark = line.get(2..).unwrap_or_default().trim_ascii_end();
        if delimiter.is_none() && mark.len() > 4 && !mark.contains(&b' ') {
            delimiter = Some(mark);
        }
        let Some(tail) = delimiter.and_then(|d| mark.strip_prefix(d)) else {
            continue;
        };
        if !tail.is_empty() && tail != b"--" {
            continue;
        }
        if let Some(from) = start {
            parts.push(body.get(from..at).unwrap_or_default());
        }
        start = (tail.is_empty()).then_some(body.len() - after.len());
        if start.is_none() || parts.len() > MAX_PARTS {
            break;
        }
    }
    if let Some(from) = start {
        parts.push(body.get(from..).unwrap_or_default());
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_between_their_delimiters() {
        let rows: [(&str, Option<&str>, &[&str]); 8] = [
            ("--b\nA\n--b\nB\n--b--\nend\n", Some("b"), &["A\n", "B\n"]),
            // A boundary that begins with dashes, and text with dashes in it.
            (
                "--=-x\na -- b\n--\n---\n--=-x--\n",
                Some("=-x"),
                &["a -- b\n--\n---\n"],
            ),
            ("----x\nA\n----x--\n", Some("--x"), &["A\n"]),
            // One boundary begins like the other.
            ("--bb\nA\n--b\nB\n--b--\n", Some("b"), &["B\n"]),
            // Blanks before and behind; text before the first.
            ("hello\n  --b \nA\n\t--b--\t\nend", Some("b"), &["A\n"]),
            // No end, no boundary told, none there.
            ("--b\nA\n--b\nB", Some("b"), &["A\n", "B"]),
            ("--guess\nA\n--guess--\n", None, &["A\n"]),
            ("no dashes -- at the start\n", Some("b"), &[]),
        ];
        for (body, boundary, want) in rows {
            let parts = split_parts(body.as_bytes(), boundary).unwrap_or_default();
            let parts: Vec<&str> = parts
                .into_iter()
                .map(|part| std::str::from_utf8(part).unwrap())
                .collect();
            assert_eq!(parts, want, "{body:?}");
        }
    }
}
