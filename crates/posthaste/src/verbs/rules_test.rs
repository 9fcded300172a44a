//! `posthaste rules test`: the rules against their own samples and against a corpus.

use std::path::PathBuf;

use posthaste_core::qualify::RuleSet;
use posthaste_qualify::scoreboard::{Count, Group, Metric, Miss, Scoreboard};
use posthaste_qualify::trial::{Corpus, SampleReport, of_reader, of_rules};
use serde_json::{Map, Value, json};

use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, printable};

const EXAMPLE: &str = "Example:\n  posthaste rules test --corpus ../shared/corpus --misses 20";

/// Where a corpus is looked for when none is named.
const USUAL: &str = "../shared/corpus";

/// Arguments of `rules test`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Folder of the corpus: `async` with mails, `sync` with replies, each with `expected.jsonl`
    /// [default: ../shared/corpus, if it is there]
    #[arg(long, value_name = "DIR", env = "POSTHASTE_CORPUS")]
    corpus: Option<PathBuf>,
    /// Leave this source of the corpus out, unread; may be given several times
    #[arg(long, value_name = "SOURCE")]
    exclude: Vec<String>,
    /// How many answers that are not as expected to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    misses: usize,
}

/// Tries the samples, scores the corpus.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    let rules = RuleSet::shipped();
    let samples = [("rules", of_rules(&rules)), ("reader", of_reader(&rules))];
    let corpus = corpus(args)?;
    let boards = match &corpus {
        Some(corpus) => vec![
            ("mails", corpus.mails(&rules)?),
            ("replies", corpus.replies(&rules)?),
        ],
        None => Vec::new(),
    };
    if office.json() {
        output::say_json(&as_json(&samples, &boards, args.misses))?;
    } else {
        for (of, report) in &samples {
            output::say(sample_text(of, report))?;
        }
        for (of, board) in &boards {
            output::say(board_text(of, board, args.misses))?;
        }
    }
    if corpus.is_none() {
        output::remark(format!(
            "no corpus at {USUAL}: only the samples were tried; name one with --corpus"
        ));
    }
    let wrong = samples.iter().any(|(_, report)| !report.wrong.is_empty());
    Ok(if wrong { Exit::Trouble } else { Exit::Done })
}

fn corpus(args: &Args) -> Result<Option<Corpus>> {
    let is_corpus = |folder: &PathBuf| folder.join("async/expected.jsonl").is_file();
    let folder = match &args.corpus {
        Some(folder) if is_corpus(folder) => folder.clone(),
        Some(folder) => {
            return Err(Failure::input(format!(
                "{} is no corpus: it has no async/expected.jsonl; check the path",
                folder.display()
            )));
        }
        None => PathBuf::from(USUAL),
    };
    let corpus = Corpus {
        without: args.exclude.clone(),
        folder,
    };
    Ok(is_corpus(&corpus.folder).then_some(corpus))
}

fn sample_text(of: &str, report: &SampleReport) -> String {
    let mut text = match report.wrong.len() {
        0 => format!("samples of the {of}: {}, all as expected", report.tried),
        n => format!(
            "samples of the {of}: {}, {n} not as expected:",
            report.tried
        ),
    };
    for wrong in &report.wrong {
        text.push_str(&format!("\n  {}", printable(wrong)));
    }
    text
}

/// What is shown of the whole.
const OVERALL: [Metric; 12] = [
    Metric::Detection,
    Metric::Kind,
    Metric::Recipient,
    Metric::NoExtra,
    Metric::Type,
    Metric::TypeAlt,
    Metric::Reason,
    Metric::ReasonAlt,
    Metric::BothAlt,
    Metric::Status,
    Metric::ReplyCode,
    Metric::FeedbackType,
];

/// What is shown of each group.
const BY_GROUP: [Metric; 6] = [
    Metric::Detection,
    Metric::Recipient,
    Metric::TypeAlt,
    Metric::Reason,
    Metric::ReasonAlt,
    Metric::Status,
];

fn board_text(of: &str, board: &Scoreboard, misses: usize) -> String {
    let mut text = format!("\n{of}: {} scored\n", board.scored());
    let mut table = Columns::new(&["", "#percent", "#right", "#of"]);
    for metric in OVERALL {
        let count = board.count(&Group::All, metric);
        if count.of > 0 {
            table.row(vec![
                metric.words().to_owned(),
                format!("{:.1}", count.percent()),
                count.right.to_string(),
                count.of.to_string(),
            ]);
        }
    }
    text.push_str(&table.text("nothing was counted"));
    for by in ["reason", "dialect", "module", "source"] {
        let groups: Vec<(&str, &Group)> = board
            .groups()
            .filter_map(|(group, _)| name(group).map(|(kind, name)| (kind, name, group)))
            .filter(|(kind, _, _)| *kind == by)
            .map(|(_, name, group)| (name, group))
            .collect();
        if !groups.is_empty() {
            text.push_str(&format!("\n\n{}", group_text(by, &groups, board)));
        }
    }
    push_misses(&mut text, board.misses(), misses);
    text
}

fn group_text(by: &str, groups: &[(&str, &Group)], board: &Scoreboard) -> String {
    let by = format!("by {by}");
    let heads = [
        &by,
        "#detection",
        "#recipient",
        "#type",
        "#reason",
        "#or alternate",
        "#status",
    ];
    let mut table = Columns::new(&heads);
    for (name, group) in groups {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(BY_GROUP.map(|metric| cell(board.count(group, metric))));
        table.row(cells);
    }
    table.text("")
}

fn cell(count: Count) -> String {
    match count.of {
        0 => String::new(),
        of => format!("{:.1} % of {of}", count.percent()),
    }
}

fn push_misses(text: &mut String, misses: &[Miss], most: usize) {
    let shown = misses.len().min(most);
    text.push_str(&format!(
        "\n\nnot as expected: {}, shown: {shown}",
        misses.len()
    ));
    for miss in misses.iter().take(most) {
        let line = format!("{} {}: {}", miss.what, miss.of, miss.how);
        text.push_str(&format!("\n  {}", printable(&line)));
    }
}

fn name(group: &Group) -> Option<(&'static str, &str)> {
    match group {
        Group::All => None,
        Group::Reason(name) => Some(("reason", name)),
        Group::Dialect(name) => Some(("dialect", name)),
        Group::Module(name) => Some(("module", name)),
        Group::Source(name) => Some(("source", name)),
    }
}

fn as_json(
    samples: &[(&'static str, SampleReport)],
    boards: &[(&'static str, Scoreboard)],
    misses: usize,
) -> Value {
    let mut whole = Map::new();
    let samples = samples
        .iter()
        .map(|(of, report)| ((*of).to_owned(), json!(report)));
    whole.insert("samples".to_owned(), Value::Object(samples.collect()));
    for (of, board) in boards {
        let mut told = Map::new();
        told.insert("scored".to_owned(), board.scored().into());
        for (group, counts) in board.groups() {
            match name(group) {
                None => drop(told.insert("all".to_owned(), json!(counts))),
                Some((by, name)) => {
                    let groups = told.entry(by).or_insert_with(|| json!({}));
                    if let Some(groups) = groups.as_object_mut() {
                        groups.insert(name.to_owned(), json!(counts));
                    }
                }
            }
        }
        let some: Vec<&Miss> = board.misses().iter().take(misses).collect();
        told.insert("misses".to_owned(), board.misses().len().into());
        told.insert("first_misses".to_owned(), json!(some));
        whole.insert((*of).to_owned(), Value::Object(told));
    }
    Value::Object(whole)
}
