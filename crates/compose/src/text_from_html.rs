//! A text part from the template of an HTML part, once per delivery.
//!
//! [`derive`] keeps expressions and blocks of the template language, drops tags, styles and scripts, decodes
//! entities, turns links into `text (url)` and items into `- `. Where a line must break it leaves a mark, since only
//! after rendering is it known which blocks ran how often; [`lay_out`] then turns each run of marks and
//! white space into one space, one line break or one empty line.
//!
//! All blocks (`{% … %}`) are kept, wherever they stand, so that they stay balanced; expressions
//! survive in text and in the targets of links.

use mail_parser::decoders::html::html_to_text;
use posthaste_mail::entity::split_entity;

/// A line break is wanted here.
const LINE: char = '\u{1}';
/// An empty line is wanted here.
const PARAGRAPH: char = '\u{2}';

/// The template of the text part.
pub(super) fn derive(html: &str) -> String {
    let mut walk = Walk {
        out: String::with_capacity(html.len() / 3),
        hidden: None,
        links: Vec::new(),
        blocks: vec![0],
        block_count: 0,
    };
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        rest = if rest.starts_with("{{") || rest.starts_with("{%") || rest.starts_with("{#") {
            let (code, after) = split_code(rest);
            walk.code(code);
            after
        } else if c == '<' {
            walk.markup(rest)
        } else {
            // A single brace is text; it must not hold up the walk.
            let at = match c {
                '{' => 1,
                _ => rest.find(['<', '{']).unwrap_or(rest.len()),
            };
            let (text, after) = rest.split_at(at);
            walk.text(text);
            after
        };
    }
    walk.out
}

/// Turns the rendered text template into text: marks and white space become breaks and spaces.
pub(super) fn lay_out(rendered: &str) -> String {
    let mut out = String::with_capacity(rendered.len() + 2);
    let mut rest = rendered;
    loop {
        let (gap, after) = split_gap(rest);
        if after.is_empty() {
            break;
        }
        if !out.is_empty() {
            out.push_str(gap);
        }
        // Copied in stretches; a single space between words belongs to the stretch.
        let (stretch, next) = after.split_at(stretch_of(after.as_bytes()));
        out.push_str(stretch);
        rest = next;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// How far it goes to the next mark, line end or space that is not a single one. Looked at in blocks
/// without an early end, which compilers do many at once.
fn stretch_of(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let ends = |b: u8, next: u8| (b < b' ') | ((b == b' ') & (next <= b' '));
    let mut at = 0;
    while let (Some(here), Some(next)) =
        (bytes.get(at..at + BLOCK), bytes.get(at + 1..at + 1 + BLOCK))
    {
        let pairs = here.iter().zip(next);
        if pairs.fold(false, |any, (b, next)| any | ends(*b, *next)) {
            break;
        }
        at += BLOCK;
    }
    let next_of = |at: usize| bytes.get(at + 1).copied().unwrap_or(b' ');
    let mut rest = bytes.iter().enumerate().skip(at);
    rest.find(|(at, b)| ends(**b, next_of(*at)))
        .map_or(bytes.len(), |(at, _)| at)
}

/// What a run of white space and marks comes to, and what follows it.
fn split_gap(rest: &str) -> (&'static str, &str) {
    let run = rest.bytes().take_while(|b| *b <= b' ').count();
    let (run, after) = rest.split_at(run);
    let gap = match run {
        _ if run.contains(PARAGRAPH) => "\n\n",
        _ if run.contains(LINE) => "\n",
        "" => "",
        _ => " ",
    };
    (gap, after)
}

/// Elements whose content is never shown.
const HIDDEN: [&str; 7] = [
    "style", "script", "head", "title", "template", "noscript", "svg",
];

struct Link {
    target: String,
    /// Where its text begins in the output.
    start: usize,
    /// The block it was opened in: a target is only written where its expressions still have a meaning.
    block: u32,
}

struct Walk {
    out: String,
    /// The element whose content is being dropped.
    hidden: Option<String>,
    links: Vec<Link>,
    /// Numbers of the open blocks; each branch of an `if` has its own.
    blocks: Vec<u32>,
    block_count: u32,
}

impl Walk {
    /// An expression, a block or a comment of the template language.
    fn code(&mut self, code: &str) {
        if code.starts_with("{%") {
            self.enter(code);
            self.out.push_str(code);
        } else if code.starts_with("{{") && self.hidden.is_none() {
            self.out.push_str(code);
        }
    }

    fn enter(&mut self, code: &str) {
        let word = code.trim_start_matches(['{', '%', '-', '+']).trim_start();
        let word = word
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        let opens = matches!(
            word,
            "if" | "for" | "macro" | "with" | "filter" | "call" | "block" | "autoescape"
        ) || word == "set" && !code.contains('=');
        if word.starts_with("end") || word.starts_with("el") {
            self.blocks.pop();
        }
        if opens || word.starts_with("el") {
            self.block_count += 1;
            self.blocks.push(self.block_count);
        }
    }

    /// Plain text with entities.
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let entity = if c == '&' { split_entity(rest) } else { None };
            if let Some((entity, after)) = entity {
                for c in html_to_text(entity).chars() {
                    self.push(if c == '\u{a0}' { ' ' } else { c });
                }
                if html_to_text(entity).is_empty() {
                    self.push(' ');
                }
                rest = after;
            } else {
                self.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }

    /// A character of the text; a brace must not begin a template tag.
    fn push(&mut self, c: char) {
        match c {
            '{' => self.out.push_str("{{ '{' }}"),
            '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' => {}
            c if c.is_control() => self.out.push(' '),
            c => self.out.push(c),
        }
    }

    /// A tag or a comment at the start of `rest`; gives what follows it.
    fn markup<'a>(&mut self, rest: &'a str) -> &'a str {
        if let Some(comment) = rest.strip_prefix("<!--") {
            let (inside, after) = comment.split_once("-->").unwrap_or((comment, ""));
            self.keep_blocks(inside);
            return after;
        }
        let after = rest.get(1..).unwrap_or_default();
        if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            self.text("<");
            return after;
        }
        let (inside, after) = split_tag(after);
        self.tag(inside);
        after
    }

    fn keep_blocks(&mut self, inside: &str) {
        let mut rest = inside;
        while let Some(at) = rest.find("{%") {
            let (code, after) = split_code(rest.get(at..).unwrap_or_default());
            self.code(code);
            rest = after;
        }
    }

    fn tag(&mut self, inside: &str) {
        let closes = inside.starts_with('/');
        let name: String = inside
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let is_link = name == "a" && !closes && self.hidden.is_none();
        let target = is_link.then(|| attribute(inside, "href")).flatten();
        if target.as_ref().is_none_or(|t| !t.contains("{%")) {
            self.keep_blocks(inside);
        }
        if let Some(hidden) = &self.hidden {
            if closes && *hidden == name {
                self.hidden = None;
            }
            return;
        }
        if HIDDEN.contains(&name.as_str()) {
            self.hidden = (!closes && !inside.ends_with('/')).then_some(name);
            return;
        }
        self.shown(&name, closes, inside, target);
    }

    fn shown(&mut self, name: &str, closes: bool, inside: &str, target: Option<String>) {
        match name {
            "a" if closes => self.end_link(),
            "a" => self.links.push(Link {
                target: target.unwrap_or_default(),
                start: self.out.len(),
                block: self.blocks.last().copied().unwrap_or(0),
            }),
            "img" => {
                if let Some(alt) = attribute(inside, "alt").filter(|a| !a.contains("{%")) {
                    self.value(&alt);
                }
            }
            "br" | "tr" | "div" | "option" | "dt" | "dd" | "body" => self.out.push(LINE),
            "li" if !closes => {
                self.out.push(LINE);
                self.out.push_str("- ");
            }
            "hr" => {
                self.out.extend([PARAGRAPH, '-', '-', '-', PARAGRAPH]);
            }
            "td" | "th" => self.out.push(' '),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table"
            | "blockquote" | "pre" | "section" | "article" | "header" | "footer" | "center"
            | "form" => self.out.push(PARAGRAPH),
            _ => {}
        }
    }

    /// An attribute's value: text and expressions.
    fn value(&mut self, value: &str) {
        let mut rest = value;
        while !rest.is_empty() {
            let at = rest.find("{{").unwrap_or(rest.len());
            let (text, code) = rest.split_at(at);
            self.text(text);
            if code.is_empty() {
                return;
            }
            let (code, after) = split_code(code);
            self.out.push_str(code);
            rest = after;
        }
    }

    fn end_link(&mut self) {
        let Some(link) = self.links.pop() else { return };
        let target = link.target.trim();
        let shown = self
            .out
            .get(link.start..)
            .unwrap_or_default()
            .trim_matches(|c: char| c.is_whitespace() || c == LINE || c == PARAGRAPH);
        let same = shown == target || target.strip_prefix("mailto:") == Some(shown);
        let scheme = target.to_ascii_lowercase();
        let useless =
            target.is_empty() || target.starts_with('#') || scheme.starts_with("javascript:");
        let left = self.blocks.last().copied().unwrap_or(0) != link.block;
        if same || useless || left {
            return;
        }
        let target = target.to_owned();
        let bare = shown.is_empty();
        self.out.push_str(if bare { " " } else { " (" });
        self.link_target(&target);
        if !bare {
            self.out.push(')');
        }
    }

    /// A link's target, which may hold blocks as well.
    fn link_target(&mut self, target: &str) {
        let mut rest = target;
        while !rest.is_empty() {
            let at = rest.find("{%").unwrap_or(rest.len());
            let (plain, code) = rest.split_at(at);
            self.value(plain);
            if code.is_empty() {
                return;
            }
            let (code, after) = split_code(code);
            self.code(code);
            rest = after;
        }
    }
}

/// Splits after the template tag that `rest` begins with; quotes inside an expression may hold its end.
fn split_code(rest: &str) -> (&str, &str) {
    let end = match rest.get(..2) {
        Some("{#") => return split_after(rest, rest.find("#}")),
        Some("{%") => "%}",
        _ => "}}",
    };
    let mut quote = None;
    for (at, c) in rest.char_indices().skip(2) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if rest.get(at..).is_some_and(|r| r.starts_with(end)) => {
                return split_after(rest, Some(at));
            }
            None => {}
        }
    }
    (rest, "")
}

/// Splits two bytes after `at`, or at the end.
fn split_after(rest: &str, at: Option<usize>) -> (&str, &str) {
    at.and_then(|at| rest.split_at_checked(at + 2))
        .unwrap_or((rest, ""))
}

/// Splits at the `>` that ends a tag, past quoted values and template tags.
fn split_tag(rest: &str) -> (&str, &str) {
    let mut quote = None;
    let mut at = 0;
    while let Some(c) = rest.get(at..).and_then(|r| r.chars().next()) {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with("{{") || here.starts_with("{%") || here.starts_with("{#") {
            at += split_code(here).0.len();
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '>' => {
                return (
                    rest.get(..at).unwrap_or_default(),
                    rest.get(at + 1..).unwrap_or_default(),
                );
            }
            None => {}
        }
        at += c.len_utf8();
    }
    (rest, "")
}

/// The value of an attribute of a tag, as written.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let start = lower.match_indices(name).find_map(|(at, _)| {
        let apart = lower
            .get(..at)?
            .ends_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '}'));
        let after = tag.get(at + name.len()..)?.trim_start().strip_prefix('=')?;
        apart.then(|| after.trim_start())
    })?;
    let quote = start.chars().next().filter(|c| matches!(c, '"' | '\''));
    let body = start.get(usize::from(quote.is_some())..)?;
    let mut at = 0;
    while let Some(c) = body.get(at..).and_then(|r| r.chars().next()) {
        let here = body.get(at..).unwrap_or_default();
        if here.starts_with("{{") || here.starts_with("{%") {
            at += split_code(here).0.len();
            continue;
        }
        if quote.map_or_else(|| c.is_whitespace(), |q| q == c) {
            break;
        }
        at += c.len_utf8();
    }
    body.get(..at).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(html: &str, values: &[(&str, &str)]) -> String {
        let source = derive(html);
        let mut environment = minijinja::Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        let values = minijinja::Value::from_pairs(values.iter().map(|(k, v)| (*k, *v)));
        lay_out(&environment.render_str(&source, values).expect(&source))
    }

    #[test]
    fn html_becomes_readable_text() {
        let rows = [
            (
                "<p>Hello <b>there</b>,</p><p>you&nbsp;&amp;&#32;I</p>",
                "Hello there,\n\nyou & I\n",
            ),
            (
                "<style>p { color: red }</style><p>a<br>b<br/>c</p>",
                "a\nb\nc\n",
            ),
            ("<head><title>T</title></head><body>x</body>", "x\n"),
            (
                "<ul><li>one</li><li>two</li></ul>end",
                "- one\n- two\n\nend\n",
            ),
            (
                "<a href=\"https://example.com/?a=1&amp;b=2\">Shop</a>",
                "Shop (https://example.com/?a=1&b=2)\n",
            ),
            (
                "<a href='https://example.com'>https://example.com</a>",
                "https://example.com\n",
            ),
            (
                "<a href=mailto:a@b.example>a@b.example</a> <a href='#top'>up</a>",
                "a@b.example up\n",
            ),
            (
                "<a href='https://example.com'><img alt='Logo' src=x></a>",
                "Logo (https://example.com)\n",
            ),
            ("<!-- no --><!--[if mso]><p>no</p><![endif]-->yes", "yes\n"),
            (
                "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
                "a b\nc\n",
            ),
            (
                "1 < 2 and 3 > 2, &unknown; &#123;{ x",
                "1 < 2 and 3 > 2, &unknown; {{ x\n",
            ),
            ("", ""),
        ];
        for (html, expected) in rows {
            assert_eq!(text(html, &[]), expected, "{html}");
        }
    }

    #[test]
    fn expressions_and_blocks_survive_wherever_they_stand() {
        let rows = [
            ("<p>Dear {{ name }},</p>", "Dear A & B,\n"),
            (
                "<a href=\"https://example.com/{{ id }}\">Go</a>",
                "Go (https://example.com/7)\n",
            ),
            (
                "<a href=\"https://example.com/{% if id == '7' %}x{% else %}y{% endif %}\">Go</a>",
                "Go (https://example.com/x)\n",
            ),
            (
                "<table>{% for i in range(3) %}<tr><td>{{ i }}</td><td>x</td></tr>{% endfor %}</table>after",
                "0 x\n1 x\n2 x\n\nafter\n",
            ),
            (
                "Hello<br>{% if id == '8' %}World{% endif %}after",
                "Hello\nafter\n",
            ),
            (
                "<td {% if id == '7' %}class=\"a\"{% endif %} title=\"{{ \"x>y\" }}\">in</td>",
                "in\n",
            ),
            (
                "<style>{% if id %}p{% endif %}</style>{# <b> #}x{{ \"}}\" }}",
                "x}}\n",
            ),
            (
                "<head>{% set y = 'set in head' %}</head>{{ y }}",
                "set in head\n",
            ),
            (
                "{% for i in range(2) %}<a href='https://example.com/{{ i }}'>{% endfor %}x</a>",
                "x\n",
            ),
        ];
        for (html, expected) in rows {
            assert_eq!(
                text(html, &[("name", "A & B"), ("id", "7")]),
                expected,
                "{html}"
            );
        }
    }

    proptest! {
        #[test]
        fn html_of_any_shape_without_template_tags_becomes_a_valid_template(
            html in "(<|>|a|p|/|=|\"|'|&|;|amp|!--|-->|style| |\n|ü|\\}|%|#|href){0,60}"
        ) {
            text(&html, &[]);
        }
    }
}
