//! HTML's character references (`&amp;`, `&#8217;`), as they stand in a text.

/// `&name;` or `&#number;` at the start of `rest`.
pub fn split_entity(rest: &str) -> Option<(&str, &str)> {
    let end = rest.bytes().take(34).position(|b| b == b';')?;
    let inside = rest.get(1..end)?;
    let fits = !inside.is_empty()
        && inside
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'#');
    fits.then(|| rest.split_at_checked(end + 1)).flatten()
}
