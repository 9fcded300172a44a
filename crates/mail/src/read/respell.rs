//! Addresses that are written so that no program takes them for one: `jane @ example.org`, `jane(at)example.org`,
//! folded over two lines in the middle.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::lines;

/// Signs that stand for an `@`.
const SIGNS: &[&str] = &["(at)", "[at]", "(AT)", "[AT]", " at ", " AT ", " @ "];

/// How networks of mainframes wrote addresses: `JANE AT NODE1`.
const NODE_SIGN: &str = " AT ";

/// The same, compiled.
static FINDERS: LazyLock<Vec<Finder<'static>>> =
    LazyLock::new(|| SIGNS.iter().map(Finder::new).collect());

/// Signs in a text that are looked at.
const MAX_SIGNS: usize = 500;

/// The text with such addresses written as whole ones.
pub(super) fn whole(text: String) -> String {
    let odd = FINDERS.iter().any(|sign| is_used(&text, sign));
    if !odd && !is_cut(&text) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut lines = lines::whole(&text).peekable();
    while let Some(line) = lines.next() {
        let line = if odd {
            spelled(line)
        } else {
            Cow::Borrowed(line)
        };
        let joined = lines.peek().and_then(|next| joined(&line, next));
        if let Some(joined) = joined {
            lines.next();
            out.push_str(&joined);
        } else {
            out.push_str(&line);
        }
    }
    out
}

/// Whether a local part and a domain stand around one of these signs.
fn is_used(text: &str, sign: &Finder<'_>) -> bool {
    let length = sign.needle().len();
    sign.find_iter(text.as_bytes()).take(MAX_SIGNS).any(|at| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + length..).unwrap_or_default();
        let named = host_of(after).is_some() && local_of(before).is_some();
        named || (sign.needle() == NODE_SIGN.as_bytes() && is_node(before, after))
    })
}

/// Whether some line ends within an address in brackets, or begins with what belongs to one.
fn is_cut(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'@', bytes).take(MAX_SIGNS).any(|at| {
        let before = bytes.get(..at).unwrap_or_default();
        let begins = before
            .iter()
            .rposition(|b| !matches!(b, b' ' | b'\t'))
            .is_none_or(|i| before.get(i) == Some(&b'\n'));
        let after = bytes.get(at..).unwrap_or_default();
        let stop = after
            .iter()
            .take(200)
            .position(|b| b.is_ascii_whitespace() || *b == b'>');
        let ends = stop.is_some_and(|i| after.get(i) == Some(&b'\n'));
        let dot = ends && stop.is_some_and(|i| i > 1 && after.get(i - 1) == Some(&b'.'));
        begins || dot || (ends && is_open(before))
    })
}

/// Whether a bracket is open before an address.
fn is_open(before: &[u8]) -> bool {
    let edge = |b: &u8| !b.is_ascii_graphic() || matches!(b, b'<' | b'>');
    let at = before.iter().rposition(edge);
    at.is_some_and(|at| before.get(at) == Some(&b'<'))
}

fn spelled(line: &str) -> Cow<'_, str> {
    if line.len() > 400 {
        return Cow::Borrowed(line);
    }
    let mut line = Cow::Borrowed(line);
    for (sign, finder) in SIGNS.iter().zip(FINDERS.iter()) {
        let mut from = 0;
        while let Some(at) = line
            .as_bytes()
            .get(from..)
            .and_then(|rest| finder.find(rest))
        {
            let at = from + at;
            let end = at + sign.len();
            let (before, after) = (
                line.get(..at).unwrap_or_default(),
                line.get(end..).unwrap_or_default(),
            );
            let word = sign.eq_ignore_ascii_case(" at ");
            let node = *sign == NODE_SIGN && is_node(before, after);
            if node || (stands_for(before, after) && (!word || is_alone(before, after))) {
                line = Cow::Owned(format!("{before}@{after}"));
            }
            from = end.min(line.len());
            while !line.is_char_boundary(from) {
                from += 1;
            }
        }
    }
    line
}

/// Whether a local part stands before and a domain behind.
fn stands_for(before: &str, after: &str) -> bool {
    local_of(before).is_some_and(|local| !local.contains('@')) && host_of(after).is_some()
}

/// Whether a user and a node of a network without domains stand around the sign, first on their line: up to eight capital
/// letters and digits each.
fn is_node(before: &str, after: &str) -> bool {
    let user = before.rsplit('\n').next().unwrap_or_default().trim();
    let user = user.rsplit_once(':').map_or(user, |(_, user)| user.trim());
    let node = after.split(char::is_whitespace).next().unwrap_or_default();
    let fits = |name: &str| {
        (2..=8).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && name.starts_with(|c: char| c.is_ascii_uppercase())
    };
    fits(user) && fits(node)
}

/// The last word, as local parts are written.
fn local_of(before: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-+=".contains(c);
    let start = before.trim_end_matches(fits).len();
    let local = before.get(start..)?;
    let edge = local.starts_with(|c: char| c.is_ascii_alphanumeric())
        && local.ends_with(|c: char| c.is_ascii_alphanumeric());
    edge.then_some(local)
}

/// The first word, when it is a domain of at least two labels.
fn host_of(after: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let end = after.find(|c| !fits(c)).unwrap_or(after.len());
    let host = after.get(..end)?.trim_end_matches('.');
    let (_, last) = host.rsplit_once('.')?;
    let named = last.len() > 1 && last.bytes().all(|b| b.is_ascii_alphabetic());
    (named && !host.starts_with(['.', '-'])).then_some(host)
}

/// Whether nothing stands on the line but a label, the address and what is said of it in brackets.
fn is_alone(before: &str, after: &str) -> bool {
    let (Some(local), Some(host)) = (local_of(before), host_of(after)) else {
        return false;
    };
    let label = before.strip_suffix(local).unwrap_or(before).trim();
    let rest = after.strip_prefix(host).unwrap_or(after).trim();
    let labelled = label.is_empty() || label.ends_with([':', '<', '*', '-', '|', '.']);
    let said = rest.is_empty() || rest.starts_with(['(', '[', ':', '|', '-', '>', ',', ';']);
    labelled && said
}

/// Two lines in one, where an address is folded between them.
fn joined(line: &str, next: &str) -> Option<String> {
    let head = line.trim_end();
    let tail = next.trim_start();
    if let Some(host) = tail.strip_prefix('@') {
        let host = host.trim_start();
        let alone = host_of(host).is_some_and(|found| host.trim_end() == found);
        return (alone && !head.contains('@') && local_of(head).is_some())
            .then(|| format!("{head}@{host}"));
    }
    // `jane@sub.` and on the next line, far in and alone, `example.org`.
    if head.ends_with('.')
        && next.len() - tail.len() >= 4
        && host_of(tail) == Some(tail.trim_end())
        && head
            .rsplit(' ')
            .next()
            .is_some_and(|word| word.contains('@'))
    {
        return Some(format!("{head}{tail}"));
    }
    let open = head.rfind('<')?;
    let begun = head.get(open + 1..)?;
    let fits = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && b != b'<');
    let close = tail.find('>')?;
    (begun.contains('@')
        && !begun.contains('>')
        && begun.len() < 200
        && fits(begun)
        && close > 0
        && close < 100
        && fits(tail.get(..close)?))
    .then(|| format!("{head}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_whole() {
        let rows = [
            ("Name: jane @ example.org\n", "Name: jane@example.org\n"),
            ("  jane at example.org\n", "  jane@example.org\n"),
            (
                "21:14 jane(at)example.org  full",
                "21:14 jane@example.org  full",
            ),
            ("jane at example.org (full)", "jane@example.org (full)"),
            (
                "  JROE AT UNIVM1  - not known\n",
                "  JROE@UNIVM1  - not known\n",
            ),
            ("MEET US AT NOON", "MEET US AT NOON"),
            ("jane.long\n   @ example.org\n", "jane.long@example.org\n"),
            (
                "TO  jane@sub.\n     example.org\n",
                "TO  jane@sub.example.org\n",
            ),
            (
                "write to jane@sub.\nexample.org helps\n",
                "write to jane@sub.\nexample.org helps\n",
            ),
            (
                "to <jane@sub.example-\n  town.org>:\n",
                "to <jane@sub.example-town.org>:\n",
            ),
            // A price, a place, a sentence, a whole address.
            ("5 @ 3.50 each", "5 @ 3.50 each"),
            ("at noon @ home", "at noon @ home"),
            (
                "look at example.org for more",
                "look at example.org for more",
            ),
            ("mail jane@example.org\n@ 5", "mail jane@example.org\n@ 5"),
            ("<jane@example.org>\nnext>", "<jane@example.org>\nnext>"),
        ];
        for (text, want) in rows {
            assert_eq!(whole(text.to_owned()), want, "{text}");
        }
    }
}
