//! Measures matching and normalising on one core, with 300, 1,000 and 3,000 rules: medians of five, in CPU time.
//!
//! The rules are the shipped ones and generated ones beside them; the 100,000 replies are made of the
//! rules' samples with ids, hosts and addresses of their own, so no two are equal.

use std::hint::black_box;
use std::time::{Duration, Instant};

use posthaste_core::qualify::{Meaning, Question, Rule, RuleSet, normalise_into};

const REPLIES: usize = 100_000;

/// The program's allocator, as the program is what users run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let shipped: Vec<Rule> = RuleSet::shipped().rules().cloned().collect();
    println!("{} rules shipped", shipped.len());
    for size in [300, 1_000, 3_000] {
        measure(&shipped, size);
    }
}

fn measure(shipped: &[Rule], size: usize) {
    let mut rules = shipped.to_vec();
    let more = size.saturating_sub(rules.len());
    rules.extend((0..more).map(generated));
    let same = replies(shipped);
    let replies = replies(&rules);
    let bytes: usize = replies.iter().map(String::len).sum();
    let began = Instant::now();
    let set = match RuleSet::build(rules) {
        Ok(set) => set,
        Err(problems) => return eprintln!("the generated rules are wrong: {problems:?}"),
    };
    let built = began.elapsed();
    let judged = rate(&replies, |reply| {
        black_box(set.judge(&Question::about(reply)));
    });
    let on_same = rate(&same, |reply| {
        black_box(set.judge(&Question::about(reply)));
    });
    let mut text = String::new();
    let both = rate(&replies, |reply| {
        normalise_into(reply, &mut text);
        black_box(&text);
        black_box(set.judge(&Question::about(reply)));
    });
    let normalised = rate(&replies, |reply| {
        normalise_into(reply, &mut text);
        black_box(&text);
    });
    let by_rule = replies
        .iter()
        .filter(|reply| set.judge(&Question::about(reply)).confidence >= 95)
        .count();
    println!(
        "{size} rules: built and checked in {built:?}; judging {judged:.0}/s, with normalisation {both:.0}/s \
         (normalising alone {normalised:.0}/s); {} bytes a reply, {} % judged by a rule; \
         judging the same replies at each size (samples of the shipped rules) {on_same:.0}/s",
        bytes / REPLIES,
        by_rule * 100 / REPLIES
    );
}

/// Replies a second: median of five rounds, in CPU time of this thread.
fn rate(replies: &[String], mut each: impl FnMut(&str)) -> f64 {
    let began = Instant::now();
    let mut rounds: Vec<Duration> = (0..5)
        .map(|_| {
            let start = cpu_time(began);
            for reply in replies {
                each(reply);
            }
            cpu_time(began).saturating_sub(start)
        })
        .collect();
    rounds.sort();
    let median = rounds.get(2).copied().unwrap_or_default();
    REPLIES as f64 / median.as_secs_f64()
}

/// CPU time of this thread, where the kernel tells it (Linux); otherwise the time that has passed.
fn cpu_time(began: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| began.elapsed(), Duration::from_nanos)
}

/// A rule as an operator of a big system has by the thousand: a provider, a phrase, a pattern.
fn generated(number: usize) -> Rule {
    let word = word(number);
    let text = if number.is_multiple_of(3) {
        format!("re:{word} (?:gate|desk) [a-z]+ refus(?:ed|es)")
    } else {
        format!("{word} desk … refused")
    };
    Rule {
        name: format!("generated-{number}"),
        order: 50_000,
        version: 1,
        channel: posthaste_core::log::Channel::Email,
        host: Vec::new(),
        stage: Vec::new(),
        code: vec!["5yz".to_owned()],
        enhanced: Vec::new(),
        said_by: None,
        text: vec![text],
        unless: Vec::new(),
        means: Some(Meaning::Policy),
        kind: None,
        reason: None,
        party: None,
        retry: None,
        confidence: 95,
        source: "generated".to_owned(),
        samples: vec![format!("550 5.7.1 {word} desk mail refused")],
        not_samples: Vec::new(),
    }
}

/// A word of its own for each number.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "ke", "lo", "mi", "nu", "ra", "se", "ti", "vo", "zu", "da", "fe", "go", "hi", "ju",
        "pa",
    ];
    let mut word = String::new();
    let mut rest = number + 4096;
    while rest > 0 {
        word.push_str(SYLLABLES.get(rest % 16).copied().unwrap_or_default());
        rest /= 16;
    }
    word
}

/// The samples of the rules with ids, hosts and addresses that never repeat.
fn replies(rules: &[Rule]) -> Vec<String> {
    let samples: Vec<&str> = rules
        .iter()
        .flat_map(|rule| rule.samples.iter().map(String::as_str))
        .collect();
    let with = |number: usize| {
        let sample = samples
            .get(number % samples.len())
            .copied()
            .unwrap_or_default();
        let own = sample
            .replace(
                "jane@example.com",
                &format!("u{number}@d{}.example.com", number % 977),
            )
            .replace("192.0.2.1", &format!("198.51.100.{}", number % 256));
        format!("{own} - mx{}.example.net id={number:08x}", number % 89)
    };
    (0..REPLIES).map(with).collect()
}
