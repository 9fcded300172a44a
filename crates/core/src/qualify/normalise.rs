//! First working form of the normaliser.

/// The text with its variable parts replaced.
#[must_use]
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    normalise_into(text, &mut out);
    out
}

/// As [`normalise`], into a string that is used again; its former content is dropped.
pub fn normalise_into(text: &str, out: &mut String) {
    out.clear();
    for (index, word) in super::fold::cut(text).split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let code = index < 2
            && (word.len() == 3 || crate::enhanced::EnhancedStatus::parse(word).is_some());
        if word.contains('@') && word.len() > 1 {
            out.push('*');
        } else if !code && word.bytes().any(|b| b.is_ascii_digit()) && word != "#xxx#" {
            out.push_str("#xxx#");
        } else {
            out.push_str(word);
        }
    }
}
