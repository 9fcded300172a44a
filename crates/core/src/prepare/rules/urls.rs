//! URL approval: the syntax of links and images in the HTML content. Warning.
//!
//! Found are the values of `href` and `src`. A target that begins with a variable is not judged:
//! what it becomes is known for each recipient only.

use super::{Finding, Summary, without_placeholders};

/// The most lines about links; a broken template has hundreds of them.
const MOST: usize = 20;

/// Every link or image whose URL is wrong.
pub(super) fn syntax(summary: &Summary<'_>) -> Vec<Finding> {
    let html = without_comments(summary.html.unwrap_or_default());
    let mut findings = Vec::new();
    for (name, url) in targets(&html) {
        if let Some(why) = what_is_wrong(name, url) {
            findings.push(Finding::warning(format!(
                "URL approval: {name}={url:?} {why}"
            )));
        }
        if findings.len() == MOST {
            break;
        }
    }
    findings
}

/// The HTML without comments, as mail programs for old Outlook hide other markup in them.
fn without_comments(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, from)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = from.split_once("-->").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Name and value of each `href` and `src` inside a tag.
fn targets(html: &str) -> impl Iterator<Item = (&'static str, &str)> {
    let tags = html.split('<').skip(1);
    tags.flat_map(|tag| {
        ["href", "src"]
            .into_iter()
            .filter_map(move |name| attribute(tag, name).map(|value| (name, value)))
    })
}

/// The value of an attribute of a tag, quoted or not.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower.get(from..)?.find(name)?;
        from = at + name.len();
        let begins = tag
            .get(..at)?
            .ends_with([' ', '\t', '\r', '\n', '"', '\'', '/']);
        let value = tag.get(from..)?.trim_start().strip_prefix('=');
        if let (true, Some(value)) = (begins, value) {
            return Some(unquoted(value.trim_start()));
        }
    }
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split(quote).next().unwrap_or(inner);
        }
    }
    value
        .split(|c: char| c.is_whitespace() || c == '>')
        .next()
        .unwrap_or(value)
}

/// What is wrong with a target, and what to do about it.
fn what_is_wrong(name: &str, url: &str) -> Option<&'static str> {
    let url = url.trim();
    if url.starts_with("{{") || url.starts_with("{%") {
        return None;
    }
    let url = without_placeholders(url);
    if url.is_empty() {
        return Some("is empty; give it a target");
    }
    if url.starts_with('#') {
        return None;
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("contains white space; write %20");
    }
    if url.contains(['\\', '<', '>', '^', '`']) {
        return Some("contains a character that cannot stand in a URL; escape it");
    }
    wrong_escape(&url).or_else(|| wrong_scheme(name, &url))
}

/// An `&` that HTML reads as something else, or that was escaped twice; a `%` without two digits.
fn wrong_escape(url: &str) -> Option<&'static str> {
    if url.contains("&amp;amp;") {
        return Some("has an & that was escaped twice; write &amp; once");
    }
    // Names that HTML decodes even without a semicolon.
    let decoded = [
        "copy", "reg", "lt", "gt", "para", "sect", "not", "times", "deg", "curren",
    ];
    for rest in url.split('&').skip(1) {
        let name = decoded.iter().find_map(|name| rest.strip_prefix(name));
        if name.is_some_and(|after| !after.starts_with('=') && !is_word(after)) {
            return Some("has an & that HTML reads as a character; write &amp;");
        }
    }
    let hex = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_hexdigit());
    for rest in url.split('%').skip(1) {
        let mut bytes = rest.bytes();
        if !(hex(bytes.next()) && hex(bytes.next())) {
            return Some("has a % without two hexadecimal digits; write %25");
        }
    }
    None
}

fn is_word(after: &str) -> bool {
    after.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn wrong_scheme(name: &str, url: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Some("has no scheme; a mail has no base, so write https://… in full");
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => wrong_host(rest),
        "mailto" | "tel" | "sms" if name == "href" => None,
        "cid" | "data" if name == "src" => None,
        _ => Some("has a scheme that mail programs do not open"),
    }
}

fn wrong_host(rest: &str) -> Option<&'static str> {
    let Some(rest) = rest.strip_prefix("//") else {
        return Some("lacks the // after its scheme");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    if name.is_empty() {
        return Some("has no host");
    }
    if name.eq_ignore_ascii_case("http") || name.eq_ignore_ascii_case("https") {
        return Some("has its scheme twice");
    }
    (name.eq_ignore_ascii_case("localhost")).then_some("leads to the reader's own machine")
}

#[cfg(test)]
mod tests {
    use super::super::tests::SOUND;
    use super::*;

    #[test]
    fn good_and_bad_targets() {
        let good = [
            "https://example.com/a?b=1&amp;c=2",
            "https://example.com/a?b=1&c=2",
            "https://example.com/?copy=1&reg=2&region=3",
            "https://example.com/{{ id }}?x=%20",
            "{{ link }}",
            "mailto:a@example.com",
            "#top",
            "https://{{ host }}/x",
        ];
        for url in good {
            assert_eq!(what_is_wrong("href", url), None, "{url}");
        }
        let bad = [
            "",
            "/relative",
            "www.example.com",
            "https://example.com/a b",
            "https://example.com/&amp;amp;x=1",
            "https://example.com/?a=1&copy;=2",
            "https://example.com/100%",
            "http:/example.com",
            "http://",
            "http://http://example.com",
            "https://localhost:8080/x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "cid:logo",
        ];
        for url in bad {
            assert!(what_is_wrong("href", url).is_some(), "{url}");
        }
        assert_eq!(what_is_wrong("src", "cid:logo"), None);
    }

    #[test]
    fn targets_are_found_in_tags_only() {
        let html = "<!-- <a href=\"hidden\"> --><a class=x HREF='one'>href=\"no\"</a>\
                    <img\nsrc=two><a data-href=\"no\"><link href = \"three\">";
        let html = without_comments(html);
        let found: Vec<&str> = targets(&html).map(|(_, url)| url).collect();
        assert_eq!(found, ["one", "two", "three"]);
    }

    #[test]
    fn each_wrong_link_gets_a_warning_up_to_a_limit() {
        let html = "<a href=\"nowhere\">x</a>".repeat(50);
        let findings = syntax(&Summary {
            html: Some(&html),
            ..SOUND
        });
        assert_eq!(findings.len(), MOST);
        assert!(findings[0].text.contains("nowhere"));
    }
}
