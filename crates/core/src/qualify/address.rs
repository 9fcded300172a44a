//! Addresses inside of running text.

/// Characters that can stand inside of a local part, and beside an address as well.
const MARKS: [char; 5] = ['\'', '/', '=', '?', '&'];

/// Where in `word` the first address stands: `(start, end)` in bytes.
#[must_use]
pub fn find(word: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(b'@', word.as_bytes().get(from..)?)?;
        let local = local_length(word.get(..at)?);
        let host = host_length(word.get(at + 1..)?);
        if local > 0 && host > 0 {
            return Some((at - local, at + 1 + host + more(word.get(at + 1 + host..)?)));
        }
        from = at + 1;
    }
}

/// Further `@host` that hang on an address.
fn more(mut rest: &str) -> usize {
    let mut length = 0;
    while let Some(next) = rest.strip_prefix('@') {
        let host = host_length(next);
        if host == 0 {
            break;
        }
        length += 1 + host;
        rest = next.get(host..).unwrap_or_default();
    }
    length
}

fn local_length(before: &str) -> usize {
    let legal = |c: &char| c.is_alphanumeric() || "!$%&*+?^_{}~.-'=/".contains(*c);
    let length: usize = before
        .chars()
        .rev()
        .take_while(legal)
        .map(char::len_utf8)
        .sum();
    let run = before.get(before.len() - length..).unwrap_or_default();
    if run.ends_with(MARKS) {
        return 0;
    }
    let run = match run.rfind(['/', '?', '&']) {
        Some(at) => run.get(at + 1..).unwrap_or_default(),
        None => run,
    };
    // `rcpt=jane@…` names the address; `bounce-7=jane@…` is one.
    let run = match run.rsplit_once('=') {
        Some((key, value)) if key.bytes().all(|b| b.is_ascii_alphabetic()) => value,
        _ => run,
    };
    run.trim_start_matches(MARKS).len()
}

fn host_length(after: &str) -> usize {
    let run: usize = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .map(char::len_utf8)
        .sum();
    let run = after.get(..run).unwrap_or_default();
    // `user@example.com...Account suspended`: two dots in a row end a host.
    let end = run.find("..").unwrap_or(run.len());
    run.get(..end)
        .unwrap_or_default()
        .trim_end_matches(['.', '-', '_'])
        .len()
}
