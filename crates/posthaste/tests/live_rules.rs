//! Rules that change while deliveries run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test ends where it meets what it does not expect, and uses a part of the ground"
)]

mod ground;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ground::{Ground, addresses, spec};
use posthaste_core::failure::{FailureReason, FailureType};
use posthaste_core::log::QualificationStatus;
use posthaste_core::qualify::{Place, Question, RuleSet};
use posthaste_core::time::Timestamp;
use posthaste_desk::rules::Hand;
use posthaste_desk::rules_edit::{add, read_file, remove};
use posthaste_desk::todo::{Says, to_rule, todo};
use posthaste_engine::clock::{Clock, TimeLapse};
use posthaste_engine::rules::LiveRules;
use posthaste_engine::services::{self, Until};
use posthaste_sandbox::{Config, Fate, Provider, Shares};
use posthaste_store::Store;
use posthaste_store::rows::{LogFilter, Page};
use tokio_util::sync::CancellationToken;

/// A time-lapse that adds a rule for the text that was met, right before its first jump: nothing is
/// in flight then, and the next attempts are still to come.
struct RuleBeforeFirstJump {
    lapse: TimeLapse,
    store: Arc<dyn Store>,
    done: AtomicBool,
}

impl RuleBeforeFirstJump {
    fn add_rule(&self) {
        let met = self.store.qualifications(None, 1).unwrap().remove(0);
        let text = format!(
            "[[rule]]\nname = \"met-just-now\"\ntext = [{0:?}]\ntype = \"ignored\"\n\
             reason = \"unreachable\"\nparty = \"path\"\nsource = \"the sandbox\"\nsamples = [{1:?}]\n",
            met.text, met.first_text
        );
        let file = read_file("own.toml", &text).unwrap();
        let hand = Hand {
            by: "test",
            at: self.now(),
        };
        add(self.store.as_ref(), &file, &Place::First, hand).unwrap();
    }
}

impl Clock for RuleBeforeFirstJump {
    fn now(&self) -> Timestamp {
        self.lapse.now()
    }

    fn jump(&self, to: Timestamp) -> bool {
        if !self.done.swap(true, Ordering::Relaxed) {
            self.add_rule();
        }
        self.lapse.jump(to)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_added_while_a_delivery_runs_judges_the_next_failure() {
    let mut busy = Provider::new("busy", ["busy.example"]);
    busy.shares = Shares::all(Fate::Deferred);
    let ground = Ground::new(Config {
        providers: vec![busy],
        ..Config::default()
    })
    .await;
    let id = ground.delivery(&spec(), &addresses(5, "busy.example"));
    let mut services = ground.services("test");
    services.clock = Arc::new(RuleBeforeFirstJump {
        lapse: TimeLapse::in_steps(Duration::from_mins(10)),
        store: Arc::clone(&ground.store),
        done: AtomicBool::new(false),
    });
    let run = services::run(services, Until::Ended(vec![id]), CancellationToken::new());
    tokio::time::timeout(Duration::from_secs(60), run)
        .await
        .expect("in time")
        .unwrap();
    let filter = LogFilter {
        delivery: Some(id),
        ..LogFilter::default()
    };
    let page = Page {
        after: None,
        limit: 9,
    };
    let mut judged = 0;
    for row in ground.store.log_page(&filter, page).unwrap() {
        let attempts = ground.store.attempts(row.id).unwrap();
        let rules: Vec<String> = attempts
            .iter()
            .map(|one| one.verdict.as_ref().unwrap().rule.name.to_string())
            .collect();
        assert!(rules.len() > 1, "{rules:?}");
        assert_ne!(rules[0], "met-just-now");
        judged += rules[1..]
            .iter()
            .filter(|name| *name == "met-just-now")
            .count();
    }
    assert!(judged > 0, "no later failure was judged by the new rule");
    let entry = ground
        .store
        .qualifications(None, 50)
        .unwrap()
        .into_iter()
        .find(|entry| entry.rule == "met-just-now")
        .expect("the list of texts says who judges now");
    assert_eq!(
        (entry.kind, entry.reason, entry.status),
        (
            FailureType::Ignored,
            FailureReason::Unreachable,
            QualificationStatus::Keep
        )
    );
    let hand = Hand {
        by: "test",
        at: entry.last_seen,
    };
    remove(ground.store.as_ref(), "met-just-now", hand).unwrap();
    assert_eq!(ground.store.rule_set_version().unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_nobody_knows_becomes_a_rule_and_leaves_the_work_list() {
    let mut strange = Provider::new("strange", ["strange.example"]);
    strange.shares = Shares::all(Fate::Novel);
    let ground = Ground::new(Config {
        providers: vec![strange],
        ..Config::default()
    })
    .await;
    let id = ground.delivery(&spec(), &addresses(12, "strange.example"));
    ground.send(id).await;
    let store = ground.store.as_ref();
    let tasks = todo(store, &RuleSet::shipped(), 5).unwrap();
    let first = &tasks[0];
    assert!(
        first.addresses > 0 && first.harm >= first.occurrences,
        "{first:?}"
    );
    assert_eq!(first.domains[0].0, "strange.example");
    assert!(tasks.windows(2).all(|two| two[0].harm >= two[1].harm));
    let says = Says {
        kind: FailureType::Soft,
        reason: FailureReason::Unreachable,
        party: None,
        name: None,
    };
    let hand = Hand {
        by: "test",
        at: ground.clock.now(),
    };
    let (entry, done) = to_rule(store, first.id, &says, hand).unwrap();
    assert_eq!(entry.status, QualificationStatus::Keep);
    assert_eq!(done.changed[0].name, format!("own-text-{}", first.id));
    let rules = LiveRules::load(&RuleSet::shipped(), store).unwrap().now();
    let verdict = rules.replies.judge(&Question::about(&entry.first_text));
    assert_eq!(*verdict.rule.name, *done.changed[0].name);
    let left = todo(store, &rules.replies, 5).unwrap();
    assert!(left.iter().all(|task| task.id != first.id));
}
