//! At which stage of the dialogue a server refused, as reports tell it.
//!
//! `after RCPT TO:<…>` (Exim), `in reply to end of DATA command` (Postfix), `[RCPT_TO]` (Yahoo),
//! `did not like our RCPT TO` (dma), `>>> MAIL From:<…>` before the answer (Sendmail).

use std::sync::LazyLock;

use posthaste_core::evidence::Stage;

use super::vocabulary::AnyCase;

/// Phrases, the particular before the general.
const PHRASES: &[(&str, Stage)] = &[
    ("in reply to rcpt to", Stage::Rcpt),
    ("in reply to mail from", Stage::Mail),
    ("in reply to end of data", Stage::FinalDot),
    ("in reply to data", Stage::Data),
    ("in reply to ehlo", Stage::Ehlo),
    ("in reply to helo", Stage::Ehlo),
    ("after rcpt to", Stage::Rcpt),
    ("after rcpt command", Stage::Rcpt),
    ("after mail from", Stage::Mail),
    ("after end of data", Stage::FinalDot),
    ("after data", Stage::Data),
    ("after initial connection", Stage::Greeting),
    ("after ehlo", Stage::Ehlo),
    ("after helo", Stage::Ehlo),
    ("refused to talk to me", Stage::Greeting),
    ("did not like our rcpt to", Stage::Rcpt),
    ("did not like our mail from", Stage::Mail),
    ("did not like our final data", Stage::FinalDot),
    ("failed after i sent the message", Stage::FinalDot),
    ("does not like recipient", Stage::Rcpt),
    ("but sender was rejected", Stage::Mail),
    ("[rcpt_to]", Stage::Rcpt),
    ("[mail_from]", Stage::Mail),
    (">>> rcpt to", Stage::Rcpt),
    (">>> mail from", Stage::Mail),
    (">>> data", Stage::Data),
    ("smtp:rcpt", Stage::Rcpt),
    ("in rcpt to", Stage::Rcpt),
];

static COMPILED: LazyLock<AnyCase> = LazyLock::new(|| {
    let phrases: Vec<&str> = PHRASES.iter().map(|(phrase, _)| *phrase).collect();
    AnyCase::new(&phrases)
});

/// The stage that a text tells; `None` where it tells none, or several.
pub(super) fn find(text: &str) -> Option<Stage> {
    let mut told = None;
    for found in COMPILED.find_in(&text.to_ascii_lowercase()) {
        let stage = PHRASES.get(found.phrase).map(|(_, s)| *s)?;
        match told {
            None => told = Some(stage),
            Some(same) if same == stage => {}
            Some(_) => return None,
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_tell_the_stage() {
        let rows = [
            (
                "SMTP error from remote mail server after RCPT TO:<a@b.example>: 550",
                Some(Stage::Rcpt),
            ),
            (
                "said: 550 no (in reply to end of DATA command)",
                Some(Stage::FinalDot),
            ),
            (
                "said: 550 no (in reply to MAIL FROM command)",
                Some(Stage::Mail),
            ),
            (">>> MAIL From:<a@b.example>\n<<< 550 no", Some(Stage::Mail)),
            (
                ">>> MAIL From:<a@b.example>\n>>> RCPT To:<c@d.example>",
                None,
            ),
            ("550 no", None),
        ];
        for (text, want) in rows {
            assert_eq!(find(text), want, "{text}");
        }
    }
}
