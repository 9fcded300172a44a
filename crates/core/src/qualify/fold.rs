//! The form of a text that patterns are matched against.
//!
//! Lower case, Latin letters without accents, addresses as `*`, white space collapsed, the
//! repeated codes of a multi-line reply dropped. Hosts, numbers and URLs stay: rules may name a
//! provider's help page.

use super::address;
use super::words::Words;

/// Most bytes that are folded: longer texts say nothing more.
const MAX_BYTES: usize = 4096;

/// Folds `text` into a new string.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_BYTES) + 8);
    fold_into(text, &mut out);
    out
}

/// Folds `text` into `out`, whose former content is dropped.
pub fn fold_into(text: &str, out: &mut String) {
    out.clear();
    for word in Words::new(text) {
        if out.len() + word.len() > MAX_BYTES && !out.is_empty() {
            return;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        push_word(word, out);
    }
}

fn push_word(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some((start, end)) = address::find(rest) {
        push_folded(rest.get(..start).unwrap_or_default(), out);
        out.push('*');
        rest = rest.get(end..).unwrap_or_default();
    }
    push_folded(rest, out);
}

fn push_folded(text: &str, out: &mut String) {
    if text.is_ascii() {
        let from = out.len();
        out.push_str(text);
        if let Some(new) = out.get_mut(from..) {
            new.make_ascii_lowercase();
        }
        return;
    }
    for c in text.chars().flat_map(char::to_lowercase) {
        push_plain(c, out);
    }
}

/// One lower-case character, Latin accents removed.
fn push_plain(c: char, out: &mut String) {
    let plain = match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => 'c',
        'ď' | 'đ' | 'ð' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ĝ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ł' | 'ľ' | 'ĺ' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' | 'ŕ' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ё' => 'е',
        '‘' | '’' | '´' => '\'',
        '“' | '”' => '"',
        '\u{301}' | '\u{300}' | '\u{307}' | '\u{308}' | '\u{327}' => return,
        'ß' => {
            out.push_str("ss");
            return;
        }
        other => other,
    };
    out.push(plain);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_folded() {
        let rows = [
            (
                "550-5.1.1 User\r\n550 5.1.1 Unknown",
                "550 5.1.1 user unknown",
            ),
            ("<Jane.Doe+x@Example.com>... No", "<*>... no"),
            (
                "Boîte aux lettres de l’abonné pleine",
                "boite aux lettres de l'abonne pleine",
            ),
            ("rcpt=a@example.com&x", "rcpt=*&x"),
            ("mailto:'a@b.example'", "mailto:'*'"),
            ("a@b@c d", "* d"),
            ("@example.com", "@example.com"),
            ("Größe", "grosse"),
            ("Почтовый ЯЩИК", "почтовый ящик"),
        ];
        for (text, folded) in rows {
            assert_eq!(fold(text), folded, "{text}");
        }
    }
}
