//! Promises of [`crate::Rules`], and of the addresses at risk.

use posthaste_core::ids::QualificationId;
use posthaste_core::log::AddressStatus;
use posthaste_core::qualify::Place;

use super::recording::qualification;
use super::scene::{at, attempt, claim, failed, listed, logs_of, put_addresses, record, sending};
use crate::rows::LogChange;
use crate::rules::{Origin, RuleChange, RuleEdit, RuleKind, RuleShelf, StoredRule};
use crate::{Store, StoreError};

fn rule(name: &str, position: i64) -> StoredRule {
    StoredRule {
        name: name.to_owned(),
        kind: RuleKind::Reply,
        origin: Origin::User,
        place: Place::First,
        position,
        active: true,
        version: 1,
        changed: at(5),
        body: format!("name = \"{name}\"\n"),
    }
}

fn added(rule: StoredRule) -> RuleChange {
    RuleChange {
        what: "added".to_owned(),
        before: None,
        after: Some(rule),
    }
}

fn edit(decided_on: u64, changes: Vec<RuleChange>) -> RuleEdit {
    RuleEdit {
        decided_on,
        changes,
        backup: None,
        by: "operator".to_owned(),
        at: at(7),
    }
}

pub(super) fn rules_come_back_by_position_with_the_version_of_their_set(store: &dyn Store) {
    assert_eq!(store.rules().unwrap(), RuleShelf::default());
    let package = StoredRule {
        origin: Origin::Package {
            name: "acme".to_owned(),
            version: "3".to_owned(),
        },
        kind: RuleKind::Mail,
        place: Place::Before("google-disabled".to_owned()),
        active: false,
        ..rule("first", -4)
    };
    let second = rule("second", 9);
    let changes = vec![added(second.clone()), added(package.clone())];
    assert_eq!(store.change_rules(&edit(0, changes)).unwrap(), Some(1));
    let shelf = store.rules().unwrap();
    assert_eq!((shelf.version, store.rule_set_version().unwrap()), (1, 1));
    assert_eq!(shelf.rules, [package, second]);
}

pub(super) fn a_change_decided_on_older_rules_is_not_written(store: &dyn Store) {
    let first = edit(0, vec![added(rule("one", 1))]);
    assert_eq!(store.change_rules(&first).unwrap(), Some(1));
    let late = RuleEdit {
        backup: Some("late".to_owned()),
        ..edit(0, vec![added(rule("two", 2))])
    };
    assert_eq!(store.change_rules(&late).unwrap(), None);
    assert_eq!(store.rules().unwrap().rules.len(), 1);
    assert_eq!(store.rule_backups().unwrap(), []);
    assert_eq!(store.rule_history(None, 9).unwrap().len(), 1);
}

pub(super) fn every_change_of_a_rule_is_kept_newest_first(store: &dyn Store) {
    let (one, two) = (rule("one", 1), rule("two", 2));
    let both = vec![added(one.clone()), added(two)];
    store.change_rules(&edit(0, both)).unwrap();
    let newer = StoredRule {
        version: 2,
        body: "name = \"one\" # newer\n".to_owned(),
        ..one.clone()
    };
    let edited = RuleChange {
        what: "edited".to_owned(),
        before: Some(one),
        after: Some(newer.clone()),
    };
    store.change_rules(&edit(1, vec![edited.clone()])).unwrap();
    let removed = RuleChange {
        what: "removed".to_owned(),
        before: Some(newer),
        after: None,
    };
    store.change_rules(&edit(2, vec![removed.clone()])).unwrap();
    let history = store.rule_history(Some("one"), 9).unwrap();
    assert_eq!(history.len(), 3);
    assert_eq!(
        (&history[0].change, &history[1].change),
        (&removed, &edited)
    );
    assert_eq!((history[0].set_version, history[2].set_version), (3, 1));
    assert_eq!((history[0].by.as_str(), history[0].at), ("operator", at(7)));
    assert_eq!(store.rule_history(None, 2).unwrap().len(), 2);
    let left: Vec<String> = store
        .rules()
        .unwrap()
        .rules
        .into_iter()
        .map(|r| r.name)
        .collect();
    assert_eq!(left, ["two"]);
}

pub(super) fn a_backup_keeps_the_rules_from_before_the_change(store: &dyn Store) {
    let one = rule("one", 1);
    store
        .change_rules(&edit(0, vec![added(one.clone())]))
        .unwrap();
    let gone = RuleChange {
        what: "removed".to_owned(),
        before: Some(one.clone()),
        after: None,
    };
    let with_backup = RuleEdit {
        backup: Some("before".to_owned()),
        ..edit(1, vec![gone])
    };
    assert_eq!(store.change_rules(&with_backup).unwrap(), Some(2));
    assert_eq!(store.rule_backup("before").unwrap(), Some(vec![one]));
    assert_eq!(store.rule_backup("other").unwrap(), None);
    let backups = store.rule_backups().unwrap();
    assert_eq!((backups.len(), backups[0].rules), (1, 1));
    let again = RuleEdit {
        decided_on: 2,
        changes: Vec::new(),
        ..with_backup
    };
    let taken = store.change_rules(&again);
    assert!(matches!(taken, Err(StoreError::Exists { .. })), "{taken:?}");
    assert_eq!(store.rule_set_version().unwrap(), 2, "nothing was written");
}

pub(super) fn addresses_at_risk_are_counted_by_text_and_domain(store: &dyn Store) {
    sending(store, 6, &["example.com", "example.net"]);
    let claimed = claim(store, 6);
    let mut text = QualificationId(0);
    store
        .record(&mut |tx| {
            text = tx.add_qualification(&qualification("moon", 9))?;
            Ok(())
        })
        .unwrap();
    let failures: Vec<LogChange> = logs_of(&claimed)
        .into_iter()
        .take(5)
        .map(|log| LogChange {
            qualification: Some(text),
            ..failed(log, posthaste_core::failure::FailureReason::NotDefined)
        })
        .collect();
    record(store, &failures);
    let near = |key: &str, errors| {
        let mut one = listed(key, AddressStatus::WithErrors, at(1));
        one.entry.errors = errors;
        one
    };
    let keys: Vec<&str> = claimed.iter().map(|one| one.key.as_str()).collect();
    put_addresses(
        store,
        &[near(keys[0], 4), near(keys[1], 3), near(keys[5], 4)],
    );
    let risk = store.at_risk(&[text, QualificationId(404)], 4).unwrap();
    let of = |domain: &str| {
        let found = risk.iter().find(|one| one.domain == domain).unwrap();
        (found.qualification, found.addresses, found.near_quarantine)
    };
    assert_eq!(risk.len(), 2);
    assert_eq!(risk.iter().map(|one| one.addresses).sum::<u64>(), 5);
    assert_eq!(risk.iter().map(|one| one.near_quarantine).sum::<u64>(), 1);
    assert_eq!(of("example.com").0, text);
    assert_eq!(store.at_risk(&[], 4).unwrap(), []);
    assert_eq!(store.told_by(&[text]).unwrap(), [], "no attempts, no hosts");
    let logs: Vec<_> = failures.iter().map(|change| change.id).collect();
    store
        .record(&mut |tx| {
            logs.iter()
                .try_for_each(|log| tx.add_attempt(&attempt(*log, 1, true)))
        })
        .unwrap();
    let told = store.told_by(&[text, QualificationId(404)]).unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|one| (one.qualification, one.host.as_str(), one.addresses))
        .collect();
    assert_eq!(told, [(text, "mx.example.com", 5)]);
    assert_eq!(store.told_by(&[]).unwrap(), []);
}
