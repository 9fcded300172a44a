//! The text of a reply: judged without panic, and alike with and without an explanation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::qualify::{Question, RuleSet, codes};

fuzz_target!(|text: &str| {
    let rules = RuleSet::shipped();
    let question = Question::about(text);
    let explained = rules.judge_explained(&question);
    assert_eq!(rules.judge(&question), explained.verdict);
    assert!(explained.verdict.confidence <= 100);
    let (code, status) = codes(text);
    assert!(code.is_none_or(|code| (200..600).contains(&code)));
    assert!(status.is_none_or(|status| matches!(status.class, 2 | 4 | 5)));
});
