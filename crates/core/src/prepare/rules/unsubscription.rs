//! Unsubscription link approval: each content offers a way out.
//!
//! A content without such a link is an error when the messages carry no List-Unsubscribe header
//! either: then nobody can leave. With the header it is a warning, as mail programs show their own
//! button, but not all of them do.

use super::{Finding, Summary};

/// Parts of words by which people and programs know such a link, in lower case.
const WORDS: &[&str] = &[
    "unsubscri",
    "opt-out",
    "optout",
    "opt_out",
    "opt out",
    "preference",
    "abmeld",
    "abbestell",
    "austrag",
    "désabonn",
    "desabonn",
    "désinscri",
    "desinscri",
    "darse de baja",
    "darme de baja",
    "cancelar suscri",
    "disiscri",
    "cancellati",
    "afmeld",
    "uitschrijv",
    "cancelar inscri",
    "descadastr",
    "avregistrer",
    "avprenumerer",
    "afmeld",
    "wypisz",
    "odhlás",
    "odhlas",
    "отпис",
    "配信停止",
    "退订",
    "取消订阅",
    "수신거부",
];

/// A link in HTML and in text content.
pub(super) fn link(summary: &Summary<'_>) -> Vec<Finding> {
    let contents = [("HTML", summary.html), ("text", summary.text)];
    contents
        .into_iter()
        .filter_map(|(name, content)| content.map(|content| (name, content)))
        .filter(|(_, content)| !offers_a_way_out(content))
        .map(|(name, _)| missing(name, summary.list_unsubscribe))
        .collect()
}

fn missing(name: &str, header: bool) -> Finding {
    let text = format!(
        "unsubscription link approval: the {name} content has no link to unsubscribe; add one"
    );
    if header {
        Finding::warning(format!("{text} (the List-Unsubscribe header is there)"))
    } else {
        Finding::error(text)
    }
}

/// Whether the content has both a link and one of the words, in a link's target or in the text
/// around it; a variable such as `{{ unsubscribe_url }}` has both.
fn offers_a_way_out(content: &str) -> bool {
    let lower = content.to_lowercase();
    let says_so = WORDS.iter().any(|word| lower.contains(word));
    let links = ["http://", "https://", "mailto:", "href", "{{"];
    says_so && links.iter().any(|link| lower.contains(link))
}

#[cfg(test)]
mod tests {
    use super::super::tests::SOUND;
    use super::*;
    use crate::delivery::Level;

    #[test]
    fn each_content_needs_a_way_out() {
        let good = [
            "<a href=\"https://example.com/x\">Unsubscribe</a>",
            "<a href='{{ unsubscribe_url }}'>x</a>",
            "Vom Newsletter abmelden: https://example.com/a",
            "Se désabonner : mailto:leave@example.com",
        ];
        for text in good {
            assert!(offers_a_way_out(text), "{text}");
        }
        for text in [
            "<p>Hello</p>",
            "<a href=\"https://example.com/\">shop</a>",
            "unsubscribe!",
        ] {
            assert!(!offers_a_way_out(text), "{text}");
        }
    }

    #[test]
    fn the_header_makes_it_a_warning() {
        let without = Summary {
            html: Some("<p>Hi</p>"),
            text: Some("Hi"),
            ..SOUND
        };
        let levels = |summary: &Summary<'_>| -> Vec<Level> {
            link(summary)
                .into_iter()
                .map(|finding| finding.level)
                .collect()
        };
        assert_eq!(levels(&without), [Level::Warning, Level::Warning]);
        let bare = Summary {
            list_unsubscribe: false,
            ..without
        };
        assert_eq!(levels(&bare), [Level::Error, Level::Error]);
    }
}
