//! The demo: the shipped example, sent to pretend providers on loopback, by time-lapse.
//!
//! It is the program itself: the same import, preparation, sender, recorder and store as `send`.
//! Only names are looked up in a table, so that nothing leaves this machine, and policy time jumps
//! whenever nothing is in flight, so that nine days of retries pass in seconds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthaste_core::delivery::DeliveryState;
use posthaste_core::failure::FailureType;
use posthaste_core::ids::DeliveryId;
use posthaste_core::log::{AddressStatus, LogStatus};
use posthaste_core::time::format_duration;
use posthaste_desk::deliveries::{self, StartAt, Summary};
use posthaste_desk::times::json_of;
use posthaste_engine::clock::{Clock, TimeLapse};
use posthaste_engine::services::Until;
use posthaste_engine::words;
use posthaste_net::fake::FakeResolver;
use posthaste_sandbox::{Place, Running, Zone};
use posthaste_store::rows::{AddressFilter, LogTotals, Page};

use crate::args::Global;
use crate::config::Config;
use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, number};
use crate::sending::{self, Way};
use crate::verbs::{self, DemoArgs};
use crate::wiring::{SharedStore, cancelled_by_signals};
use crate::{progress_bar, report};

/// What the demo sends, as it is shipped in `examples/`.
const FILES: [(&str, &str); 4] = [
    (
        "newsletter.toml",
        include_str!("../../../examples/newsletter.toml"),
    ),
    (
        "newsletter.html",
        include_str!("../../../examples/newsletter.html"),
    ),
    (
        "newsletter.txt",
        include_str!("../../../examples/newsletter.txt"),
    ),
    (
        "recipients.csv",
        include_str!("../../../examples/recipients.csv"),
    ),
];
/// Events within so much policy time are taken together.
const STEP: Duration = Duration::from_mins(20);
/// Socket time-outs: loopback answers at once or never.
const SHORT: Duration = Duration::from_secs(2);

/// Runs the demo.
pub fn run(args: &DemoArgs, json: bool) -> Result<Exit> {
    let kept = args.keep.clone();
    let directory = kept.clone().unwrap_or_else(scratch);
    let result = show(&directory, kept.is_some(), json);
    if kept.is_none() {
        // Only what the demo made itself; a directory that is already gone is as good.
        drop(std::fs::remove_dir_all(&directory));
    }
    result
}

fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("posthaste-demo-{}", std::process::id()))
}

fn show(directory: &Path, kept: bool, json: bool) -> Result<Exit> {
    let began = Instant::now();
    let say = |text: &str| if json { Ok(()) } else { output::say(text) };
    verbs::init_directory(directory)?;
    for (name, text) in FILES {
        let path = directory.join(name);
        std::fs::write(&path, text)
            .map_err(|e| Failure::file(format!("writing {}", path.display()), &e))?;
    }
    let global = Global {
        config: None,
        data: Some(directory.to_owned()),
        json,
    };
    let office = Office::new(global);
    let (mut config, store) = office.open()?;
    shorten(&mut config);

    let runtime = tokio::runtime::Runtime::new()
        .map_err(|e| Failure::file("starting the pretend providers", &e))?;
    let sandbox = runtime
        .block_on(posthaste_sandbox::run(posthaste_sandbox::demo::config()))
        .map_err(|e| Failure::new(Exit::Trouble, e))?;
    say(&format!(
        "Pretend providers on loopback: {}.",
        names(sandbox.places())
    ))?;

    let file = directory.join("newsletter.toml");
    let id = verbs::create_from_file(&store, &config, &file, &office)?.id;
    verbs::prepare_and_tell(&store, &config, id, &office)?;
    let prepared = deliveries::find(store.as_ref(), id)?;
    if prepared.state == DeliveryState::Ready {
        deliveries::confirm(store.as_ref(), id, StartAt::AsWritten, office.now())?;
    }
    say(&format!(
        "Prepared {} of {} recipients; sending, with retries over five days, by time-lapse.\n",
        number(prepared.to_send),
        number(prepared.target)
    ))?;
    let policy_time = send(&store, &config, &sandbox, id, json)?;
    let facts = Facts::read(&store, id, &sandbox)?;
    runtime.block_on(sandbox.stop());
    if json {
        output::say_json(&facts.json(policy_time, began.elapsed()))?;
    } else {
        output::say(facts.text(policy_time, began.elapsed()))?;
        output::say(next_steps(directory, kept, id))?;
    }
    Ok(if facts.summary.state == DeliveryState::Finished {
        Exit::Done
    } else {
        Exit::Unfinished
    })
}

fn shorten(config: &mut Config) {
    "mta.example.com".clone_into(&mut config.ehlo_name);
    let smtp = &mut config.smtp;
    for span in [
        &mut smtp.connect,
        &mut smtp.greeting,
        &mut smtp.ehlo,
        &mut smtp.starttls,
        &mut smtp.mail,
        &mut smtp.rcpt,
        &mut smtp.data,
        &mut smtp.content,
        &mut smtp.final_dot,
    ] {
        *span = SHORT;
    }
    smtp.quit = Duration::from_millis(200);
    smtp.idle = Duration::from_millis(200);
}

fn names(places: &[Place]) -> String {
    places
        .iter()
        .map(|place| place.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Sends until the delivery has ended; returns how much policy time passed.
fn send(
    store: &SharedStore,
    config: &Config,
    sandbox: &Running,
    id: DeliveryId,
    json: bool,
) -> Result<Duration> {
    let clock = Arc::new(TimeLapse::in_steps(STEP));
    let from = clock.now();
    let way = Way {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        resolver: Arc::new(resolver(&sandbox.zone(), sandbox.places())),
    };
    let watch = progress_bar::watcher_or_lines(json);
    watch.begin(deliveries::find(store.as_ref(), id)?.to_send);
    let cancel = cancelled_by_signals()?;
    let make = || sending::services(store, config, &way);
    sending::drive(make, Until::Ended(vec![id]), &cancel, |board| {
        watch.show(&board.of(id));
    })?;
    watch.end();
    Ok(clock.now().since(from))
}

/// The sandbox's names, as a table.
fn resolver(zone: &[Zone], places: &[Place]) -> FakeResolver {
    let mut names = FakeResolver::default();
    for entry in zone {
        for (preference, host) in &entry.mx {
            names = names.domain(&entry.domain, *preference, host);
        }
    }
    for place in places {
        for host in &place.mx {
            names = names.host(host, place.addr);
        }
    }
    names
}

/// What the demo ends with.
struct Facts {
    summary: Summary,
    totals: LogTotals,
    /// Per provider: name, sent, failed, pending.
    providers: Vec<(String, u64, u64, u64)>,
    quarantined: Vec<(String, String)>,
    accepted: u64,
    unexplained: usize,
}

impl Facts {
    fn read(store: &SharedStore, id: DeliveryId, sandbox: &Running) -> Result<Self> {
        let summary = deliveries::summary(store.as_ref(), id)?;
        let totals = store.totals(id)?;
        let filter = AddressFilter {
            status: Some(AddressStatus::Quarantine),
            ..AddressFilter::default()
        };
        let page = store.addresses(
            &filter,
            Page {
                after: None,
                limit: 6,
            },
        )?;
        let quarantined = page.into_iter().map(|a| (a.key, a.error_text)).collect();
        let providers = by_provider(&totals, sandbox.places());
        let ledger = sandbox.ledger();
        Ok(Self {
            summary,
            providers,
            quarantined,
            totals,
            accepted: ledger.accepted(),
            unexplained: ledger.unexplained_duplicates().len(),
        })
    }

    fn json(&self, policy_time: Duration, took: Duration) -> serde_json::Value {
        let mut value = json_of(&self.summary);
        if let Some(object) = value.as_object_mut() {
            object.insert("providers".to_owned(), serde_json::json!(self.providers));
            object.insert("retried".to_owned(), self.totals.retried.into());
            object.insert(
                "policy_time".to_owned(),
                format_duration(policy_time).into(),
            );
            object.insert(
                "took_ms".to_owned(),
                u64::try_from(took.as_millis()).unwrap_or(0).into(),
            );
        }
        value
    }

    fn text(&self, policy_time: Duration, took: Duration) -> String {
        let mut text = report::numbers(&self.summary);
        text.push_str("\n\nFailures by type and reason\n");
        text.push_str(&self.failures());
        text.push_str("\n\nBy provider\n");
        text.push_str(&self.provider_table());
        text.push_str("\n\nAddresses quarantined, the first of them\n");
        let mut table = Columns::new(&["address", "because"]);
        for (address, said) in &self.quarantined {
            table.row(vec![address.clone(), shortened(said, 90)]);
        }
        text.push_str(&table.text("None."));
        text.push_str(&format!(
            "\n\n{} of policy time in {:.1} s. {} recipients needed more than one attempt; {} may have got it twice \
             (connection lost after the final dot).\nThe providers' own ledger: {} messages accepted, {} of them twice \
             without such a reason.",
            format_duration(Duration::from_mins(policy_time.as_secs() / 60)),
            took.as_secs_f64(),
            number(self.totals.retried),
            number(self.totals.possibly_duplicate),
            number(self.accepted),
            self.unexplained,
        ));
        text
    }

    fn failures(&self) -> String {
        let mut table = Columns::new(&["type", "reason", "#recipients", ""]);
        for (status, kind, reason, n) in &self.totals.by_failure {
            if *status == LogStatus::Failed {
                table.row(vec![
                    kind_word(*kind).to_owned(),
                    reason.slug().to_owned(),
                    number(*n),
                    words::reason(*reason).to_owned(),
                ]);
            }
        }
        table.text("None.")
    }

    fn provider_table(&self) -> String {
        let mut table = Columns::new(&["provider", "#sent", "#failed", "#sent %"]);
        for (name, sent, failed, pending) in &self.providers {
            let all = (sent + failed + pending).max(1);
            let tenths = sent * 1000 / all;
            table.row(vec![
                name.clone(),
                number(*sent),
                number(*failed),
                format!("{}.{}", tenths / 10, tenths % 10),
            ]);
        }
        table.text("None.")
    }
}

fn kind_word(kind: FailureType) -> &'static str {
    kind.slug()
}

/// Adds the domains of each provider up.
fn by_provider(totals: &LogTotals, places: &[Place]) -> Vec<(String, u64, u64, u64)> {
    let mut sums: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    for (domain, sent, failed, pending) in &totals.by_domain {
        let place = places.iter().find(|place| place.domains.contains(domain));
        let name = place.map_or_else(
            || format!("{domain} (nobody's)"),
            |place| place.name.clone(),
        );
        let sum = sums.entry(name).or_default();
        *sum = (sum.0 + sent, sum.1 + failed, sum.2 + pending);
    }
    sums.into_iter()
        .map(|(name, (sent, failed, pending))| (name, sent, failed, pending))
        .collect()
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{cut}…")
}

fn next_steps(directory: &Path, kept: bool, id: DeliveryId) -> String {
    if !kept {
        return "\nTo look around in what the demo left, run it again as `posthaste demo --keep demo`, then try\n  \
                posthaste --data demo log 1 --status failed --limit 10\n  \
                posthaste --data demo explain delivery 1"
            .to_owned();
    }
    let data = directory.display();
    format!(
        "\nNext steps\n  posthaste --data {data} log {id} --status failed --limit 10\n  \
         posthaste --data {data} exclusions {id}\n  posthaste --data {data} quarantine list\n  \
         posthaste --data {data} qualifications list --status to_qualify\n  \
         posthaste --data {data} explain delivery {id}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_with_a_mark() {
        assert_eq!(shortened("short", 10), "short");
        assert_eq!(shortened("a longer text", 8), "a longe…");
    }
}
