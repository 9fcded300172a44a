//! The relaxed canonical forms of headers and body (RFC 6376 §3.4.2, §3.4.4).

/// One header field: lower-case name, unfolded value with single spaces; without line end.
pub(super) fn header(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend(
        name.iter()
            .filter(|b| !is_space(**b))
            .map(u8::to_ascii_lowercase),
    );
    out.push(b':');
    let mut words = value
        .split(|b| is_space(*b) || matches!(b, b'\r' | b'\n'))
        .filter(|w| !w.is_empty());
    if let Some(first) = words.next() {
        out.extend_from_slice(first);
    }
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

/// The body: no white space at line ends, single spaces in lines, no empty lines at the end.
pub(super) fn body(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    let mut end = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let at = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(at);
        rest = after.get(1..).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let before = out.len();
        body_line(&mut out, line);
        let empty = out.len() == before;
        out.extend_from_slice(b"\r\n");
        if !empty {
            end = out.len();
        }
    }
    out.truncate(end);
    out
}

fn body_line(out: &mut Vec<u8>, line: &[u8]) {
    let used = line
        .iter()
        .rposition(|b| !is_space(*b))
        .map_or(0, |at| at + 1);
    let mut rest = line.get(..used).unwrap_or_default();
    // Copied in stretches up to each run of white space.
    while let Some(at) = memchr::memchr2(b' ', b'\t', rest) {
        let (word, spaces) = rest.split_at(at);
        out.extend_from_slice(word);
        out.push(b' ');
        let run = spaces.iter().take_while(|b| is_space(**b)).count();
        rest = spaces.get(run..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

const fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_6376_section_3_4_5() {
        let mut out = Vec::new();
        header(&mut out, b"A", b" X");
        out.extend_from_slice(b"\r\n");
        header(&mut out, b"B ", b" Y\t\r\n\tZ  ");
        assert_eq!(out, b"a:X\r\nb:Y Z");
        assert_eq!(body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
    }

    #[test]
    fn bodies_without_text_or_line_end() {
        assert_eq!(body(b""), b"");
        assert_eq!(body(b"\r\n \r\n"), b"");
        assert_eq!(body(b"x"), b"x\r\n");
        assert_eq!(body(b"\r\nx\t\r\n"), b"\r\nx\r\n");
    }
}
