//! Who is excluded and why, as a table; and what must hold for every target.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn candidate(address: &'static str) -> Candidate<'static> {
    Candidate {
        address,
        key: address,
        quality: None,
        denylisted: false,
        standing: None,
    }
}

fn standing(status: AddressStatus) -> Option<Standing> {
    Some(Standing {
        status,
        reason: FailureReason::UserUnknown,
        since: Timestamp(0),
    })
}

fn code(verdict: &Verdict) -> Option<u8> {
    match verdict {
        Verdict::Keep => None,
        Verdict::Exclude(excluded) => Some(excluded.reason.code()),
    }
}

/// Everything switched on, a minimum quality of 5, and one address in the control group.
fn strict() -> Options {
    let mut members = KeySet::new();
    members.insert("control@example.com");
    Options {
        minimum_quality: Some(5),
        control: Control {
            members,
            ..Control::default()
        },
        ..Options::default()
    }
}

/// Each row alone: name, candidate, expected code.
fn expect_codes(rows: &[(&str, Candidate<'_>, Option<u8>)]) {
    for (name, candidate, expected) in rows {
        let verdict = decide(candidate, &strict(), &mut KeySet::new());
        assert_eq!(code(&verdict), *expected, "{name}");
    }
}

#[test]
fn address_and_syntax_come_before_the_denylist() {
    let ok = candidate("a@example.com");
    let bad = Candidate { key: "", ..ok };
    let deny = Candidate {
        denylisted: true,
        ..bad
    };
    expect_codes(&[
        ("in order", ok, None),
        (
            "no address",
            Candidate {
                address: "  ",
                ..bad
            },
            Some(7),
        ),
        (
            "none, denylisted",
            Candidate {
                address: "",
                ..deny
            },
            Some(7),
        ),
        (
            "syntax",
            Candidate {
                address: "a@b@c",
                ..bad
            },
            Some(14),
        ),
        (
            "syntax, denylisted",
            Candidate {
                address: "nobody",
                ..deny
            },
            Some(14),
        ),
    ]);
}

#[test]
fn denylist_before_quarantine_before_quality_before_control() {
    use AddressStatus as S;
    let ok = candidate("a@example.com");
    let with = |status| Candidate {
        standing: standing(status),
        ..ok
    };
    let deny = |status| Candidate {
        denylisted: true,
        ..with(status)
    };
    let low = |candidate| Candidate {
        quality: Some(4),
        ..candidate
    };
    expect_codes(&[
        (
            "denylisted profile",
            Candidate {
                denylisted: true,
                ..ok
            },
            Some(8),
        ),
        (
            "denylisted profile, allowlisted",
            deny(S::Allowlist),
            Some(8),
        ),
        (
            "denylisted profile, in quarantine",
            deny(S::Quarantine),
            Some(8),
        ),
        ("denylisted address", with(S::Denylist), Some(8)),
        ("in quarantine", with(S::Quarantine), Some(9)),
        (
            "in quarantine, low quality",
            low(with(S::Quarantine)),
            Some(9),
        ),
        ("with errors", with(S::WithErrors), None),
        ("valid", with(S::Valid), None),
        ("allowlisted", with(S::Allowlist), None),
        ("allowlisted, low quality", low(with(S::Allowlist)), None),
        ("low quality", low(ok), Some(14)),
        (
            "quality at the minimum",
            Candidate {
                quality: Some(5),
                ..ok
            },
            None,
        ),
        ("control list", candidate("control@example.com"), Some(127)),
        (
            "control list, low quality",
            low(candidate("control@example.com")),
            Some(14),
        ),
    ]);
}

#[test]
fn a_double_is_excluded_and_stands_before_the_control_group() {
    let mut members = KeySet::new();
    members.insert("a@example.com");
    let options = Options {
        control: Control {
            members,
            ..Control::default()
        },
        ..Options::default()
    };
    let mut seen = KeySet::new();
    let a = candidate("a@example.com");
    assert_eq!(code(&decide(&a, &options, &mut seen)), Some(127));
    assert_eq!(code(&decide(&a, &options, &mut seen)), Some(10));
}

#[test]
fn an_excluded_row_does_not_make_the_next_one_a_double() {
    let mut seen = KeySet::new();
    let a = candidate("a@example.com");
    let denied = Candidate {
        denylisted: true,
        ..a
    };
    let options = Options::default();
    assert_eq!(code(&decide(&denied, &options, &mut seen)), Some(8));
    assert_eq!(code(&decide(&a, &options, &mut seen)), None);
    assert_eq!(code(&decide(&a, &options, &mut seen)), Some(10));
}

#[test]
fn what_is_switched_off_excludes_nobody() {
    let options = Options {
        duplicates: false,
        denylisted: false,
        quarantined: false,
        ..Options::default()
    };
    let mut seen = KeySet::new();
    let a = candidate("a@example.com");
    let rows = [
        a,
        a,
        Candidate {
            denylisted: true,
            ..a
        },
        Candidate {
            standing: standing(AddressStatus::Quarantine),
            ..a
        },
        Candidate {
            standing: standing(AddressStatus::Denylist),
            ..a
        },
    ];
    for row in rows {
        assert_eq!(decide(&row, &options, &mut seen), Verdict::Keep, "{row:?}");
    }
    let nobody = Candidate {
        address: "",
        key: "",
        ..a
    };
    assert_eq!(code(&decide(&nobody, &options, &mut seen)), Some(7));
}

#[test]
fn the_control_group_of_a_seed_never_changes() {
    let group = |seed: &str| -> Vec<usize> {
        let control = Control {
            percent: 10.0,
            seed: seed.to_owned(),
            ..Control::default()
        };
        (0..60)
            .filter(|n| control.draws(&format!("user{n}@example.com")))
            .collect()
    };
    assert_eq!(group("spring"), SPRING);
    assert_ne!(group("spring"), group("summer"));
}

/// Frozen: a change here would move people in and out of running comparisons.
const SPRING: &[usize] = &[8, 24, 35, 39, 42];

#[test]
fn a_larger_control_group_contains_the_smaller_one() {
    let control = |percent| Control {
        percent,
        seed: "s".to_owned(),
        ..Control::default()
    };
    let (small, large) = (control(5.0), control(20.0));
    for n in 0..5_000 {
        let key = format!("user{n}@example.com");
        assert!(!small.draws(&key) || large.draws(&key), "{key}");
    }
}

fn any_row() -> impl Strategy<Value = (u16, bool, Option<i64>, Option<AddressStatus>, bool)> {
    let status = prop::option::of(prop::sample::select(AddressStatus::ALL));
    (
        0..200u16,
        any::<bool>(),
        prop::option::of(0..10i64),
        status,
        any::<bool>(),
    )
}

proptest! {
    #[test]
    fn nobody_is_lost_and_nobody_gets_it_twice(
        rows in prop::collection::vec(any_row(), 0..400),
        percent in 0.0..100.0f64,
    ) {
        let options = Options {
            minimum_quality: Some(3),
            control: Control { percent, ..Control::default() },
            ..Options::default()
        };
        let mut seen = KeySet::new();
        let mut kept = HashSet::new();
        let (mut keep, mut exclude) = (0, 0);
        for (n, valid, quality, status, denylisted) in &rows {
            let address = format!("user{n}@example.com");
            let key = if *valid { address.as_str() } else { "" };
            let candidate = Candidate {
                address: &address,
                key,
                quality: *quality,
                denylisted: *denylisted,
                standing: status.and_then(standing),
            };
            match decide(&candidate, &options, &mut seen) {
                Verdict::Keep => {
                    keep += 1;
                    prop_assert!(kept.insert(key.to_owned()), "{key} twice");
                    prop_assert!(!key.is_empty() && !denylisted);
                }
                Verdict::Exclude(excluded) => {
                    exclude += 1;
                    prop_assert!(!excluded.detail.is_empty());
                }
            }
        }
        prop_assert_eq!(keep + exclude, rows.len());
    }

    #[test]
    fn the_control_share_is_what_was_asked_for(percent in 0.0..100.0f64, seed in "[a-z]{0,8}") {
        let control = Control { percent, seed, ..Control::default() };
        let drawn = (0..10_000)
            .filter(|n| control.draws(&format!("user{n}@example.com")))
            .count();
        // Five standard deviations of 10,000 draws are at most 2.5 points.
        prop_assert!((drawn as f64 / 100.0 - percent).abs() < 2.5, "{drawn} for {percent}");
    }
}
