//! Lines of a mail: one line end for all, and what can be told from a line alone.
//!
//! Mails arrive with CRLF, with bare LF, and now and then with bare CR. They are made equal first, so
//! that nothing below needs to know.

use std::borrow::Cow;

/// How much of a mail is examined, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// The mail with LF line ends, without an mbox `From ` line, cut at [`MAX_BYTES`].
pub(super) fn normalise(mail: &[u8]) -> Cow<'_, [u8]> {
    let cut = mail.get(..MAX_BYTES).unwrap_or(mail);
    let unified = unify(cut);
    if !unified.starts_with(b"From ") {
        return unified;
    }
    let after = memchr::memchr(b'\n', &unified).map_or(unified.len(), |at| at + 1);
    match unified {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(after..).unwrap_or_default()),
        Cow::Owned(mut bytes) => {
            bytes.drain(..after);
            Cow::Owned(bytes)
        }
    }
}

fn unify(mail: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\r', mail) else {
        return Cow::Borrowed(mail);
    };
    let mut out = Vec::with_capacity(mail.len());
    let mut rest = mail;
    let mut next = Some(first);
    while let Some(at) = next {
        let (line, tail) = rest.split_at(at);
        out.extend_from_slice(line);
        out.push(b'\n');
        rest = tail.get(1..).unwrap_or_default();
        if rest.first() == Some(&b'\n') {
            rest = rest.get(1..).unwrap_or_default();
        }
        next = memchr::memchr(b'\r', rest);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Bytes without an mbox `From ` line at their start.
pub(super) fn without_mbox_line(mail: &[u8]) -> &[u8] {
    if mail.starts_with(b"From ") || mail.starts_with(b">From ") {
        split_line(mail).1
    } else {
        mail
    }
}

/// Splits off the first line (without its LF) and gives the rest.
pub(super) fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', bytes) {
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            bytes.get(at + 1..).unwrap_or_default(),
        ),
        None => (bytes, &[]),
    }
}

/// The name of the header field that this line begins (RFC 5322 §2.2), if it begins one.
///
/// The grammar allows for `<jane@example.org>:` as well; no field is named so, and reports write it before a reason.
pub(super) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let ends = |b: &u8| !(33..=126).contains(b) || matches!(b, b':' | b'@' | b'<' | b'>');
    let end = line.iter().take(78).position(ends)?;
    let (name, rest) = line.split_at(end);
    let good = !name.is_empty() && rest.trim_ascii_start().starts_with(b":");
    good.then_some(name)
}

/// The text with any mark of quoting (`> `) taken from each line, when most lines carry one.
pub(super) fn unquote(text: &str) -> Cow<'_, str> {
    let marks = memchr::memmem::find_iter(text.as_bytes(), b"\n>")
        .take(8)
        .count();
    if marks < 7 {
        return Cow::Borrowed(text);
    }
    let quoted = text
        .lines()
        .take(400)
        .filter(|line| line.starts_with('>'))
        .count();
    if quoted < 8 {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let bare = line.strip_prefix('>').unwrap_or(line);
        out.push_str(bare.strip_prefix(' ').unwrap_or(bare));
        out.push('\n');
    }
    Cow::Owned(out)
}

/// The text in one line: white space folded, at most `limit` bytes.
pub(super) fn fold(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for word in words(text) {
        if out.len() + word.len() + 1 > limit {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The lines of a text with their ends, as `str::split_inclusive` gives them, found a good deal faster.
pub(super) fn whole(text: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    let last = Some(text.len()).filter(|_| !text.is_empty() && !text.ends_with('\n'));
    ends.chain(last).map(move |end| {
        let line = text.get(from..end).unwrap_or_default();
        from = end;
        line
    })
}

/// The lines of a text without their ends, as `str::lines` gives them, found a good deal faster.
pub(super) fn of(text: &str) -> impl Iterator<Item = &str> {
    whole(text).map(|line| {
        let bare = line.strip_suffix('\n');
        bare.map_or(line, |bare| bare.strip_suffix('\r').unwrap_or(bare))
    })
}

/// Whether a text has more than so many words.
pub(super) fn is_longer(text: &str, most: usize) -> bool {
    words(text).nth(most).is_some()
}

/// The first characters of a text.
pub(super) fn first_chars(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = text.char_indices().nth(most).map_or(text.len(), |c| c.0);
    text.get(..end).unwrap_or_default()
}

/// The words of a text, between white space.
fn words(text: &str) -> impl Iterator<Item = &str> {
    // Bytes are enough where a text is ASCII, and faster; elsewhere there are more kinds of blanks.
    let (plain, other) = if text.is_ascii() {
        (text, "")
    } else {
        ("", text)
    };
    let mut next = 0;
    let pieces = plain
        .as_bytes()
        .split(|b| matches!(b, b'\t'..=b'\r' | b' '));
    let plain = pieces.filter_map(move |piece| {
        let at = next;
        next += piece.len() + 1;
        plain
            .get(at..at + piece.len())
            .filter(|word| !word.is_empty())
    });
    plain.chain(other.split_whitespace())
}

/// Whether a line is quoted of another mail (`> `, `>From: jane@…`, `: `), and no part of a dialogue (`>>> RCPT TO`).
pub(super) fn is_quoted(line: &str) -> bool {
    (line.starts_with('>') && !line.starts_with(">>")) || line.starts_with(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_line_ends_become_lf() {
        let rows: [(&[u8], &[u8]); 6] = [
            (b"a\r\nb\r\n", b"a\nb\n"),
            (b"a\rb\r", b"a\nb\n"),
            (b"a\nb\n", b"a\nb\n"),
            (b"a\r\n\r\nb", b"a\n\nb"),
            (b"From x@example.com Mon\r\nTo: y\r\n", b"To: y\n"),
            (b"", b""),
        ];
        for (text, want) in rows {
            assert_eq!(normalise(text).as_ref(), want);
        }
        assert_eq!(normalise(&vec![b'x'; MAX_BYTES + 9]).len(), MAX_BYTES);
    }

    #[test]
    fn a_field_name_is_printable_and_ends_in_a_colon() {
        assert_eq!(
            field_name(b"Final-Recipient: rfc822;x"),
            Some(&b"Final-Recipient"[..])
        );
        assert_eq!(field_name(b"Subject : x"), Some(&b"Subject"[..]));
        assert_eq!(field_name(b"two words: x"), None);
        assert_eq!(field_name(b": x"), None);
        assert_eq!(field_name(b"<jane@example.org>: x"), None);
        assert_eq!(field_name(b"no colon"), None);
    }

    #[test]
    fn lines_are_those_of_the_standard_library() {
        for text in [
            "",
            "\n",
            "a",
            "a\n",
            "a\n\nb\r\n\r",
            "\r\n",
            "é\nü\n",
            "\n\n",
        ] {
            let (ours, theirs): (Vec<_>, Vec<_>) = (of(text).collect(), text.lines().collect());
            assert_eq!(ours, theirs);
            let ours: Vec<_> = whole(text).collect();
            assert_eq!(ours, text.split_inclusive('\n').collect::<Vec<_>>());
        }
    }

    #[test]
    fn folding_bounds_and_joins() {
        assert_eq!(fold(" a \n\t b  c", 100), "a b c");
        assert_eq!(fold("aaa bbb ccc", 8), "aaa bbb");
    }
}
