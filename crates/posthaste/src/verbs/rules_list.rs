//! `posthaste rules list|show|history|backups`: looking at the rules.

use posthaste_desk::rules::{Line, find, list as all};
use posthaste_desk::times::{json_of, minute};
use posthaste_store::rules::StoredRule;

use crate::args;
use crate::exit::{Exit, Result};
use crate::office::Office;
use crate::output::{self, Columns, number, page, remark};

/// One rule.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Name of the rule
    pub name: String,
}

/// Arguments of `rules list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The shipped rules too
    #[arg(long)]
    all: bool,
    /// Only of this origin: shipped, user, or the name of a package
    #[arg(long)]
    origin: Option<String>,
}

/// Arguments of `rules history`.
#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    /// Only this rule
    name: Option<String>,
    /// The most lines
    #[arg(long, default_value = "50", value_parser = args::limit)]
    limit: usize,
}

/// Lists rules.
pub fn list(args: &ListArgs, office: &Office) -> Result<Exit> {
    let lines = all(office.store()?.as_ref())?;
    let package = |name: &str| format!("package {name} ");
    let wanted = |line: &&Line| match args.origin.as_deref() {
        Some(origin @ ("shipped" | "user")) => line.origin == origin,
        Some(name) => line.origin.starts_with(&package(name)),
        None => args.all || line.origin != "shipped",
    };
    let shown: Vec<&Line> = lines.iter().filter(wanted).collect();
    if office.json() {
        output::say_json(&page(&shown, None))?;
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(&["rule", "kind", "origin", "place", "#version", "asked"]);
    for line in &shown {
        table.row(vec![
            line.name.clone(),
            line.kind.slug().to_owned(),
            line.origin.clone(),
            line.place.clone().unwrap_or_default(),
            line.version.to_string(),
            if line.active { "yes" } else { "no" }.to_owned(),
        ]);
    }
    output::say(table.text("There are no rules of your own, nor of packages."))?;
    let hidden = lines.len() - shown.len();
    if args.origin.is_none() && hidden > 0 {
        remark(format!("{hidden} shipped rules are not shown: add --all"));
    }
    Ok(Exit::Done)
}

/// Shows one rule.
pub fn show(one: &One, office: &Office) -> Result<Exit> {
    let line = find(office.store()?.as_ref(), &one.name)?;
    let section = match line.kind {
        posthaste_store::rules::RuleKind::Reply => "rule",
        posthaste_store::rules::RuleKind::Mail => "mail_rule",
    };
    office.answer(
        || json_of(&line),
        || {
            let asked = if line.active { "" } else { ", not asked" };
            format!(
                "# {}, version {}{asked}\n[[{section}]]\n{}",
                line.origin,
                line.version,
                line.body.trim_end()
            )
        },
    )?;
    Ok(Exit::Done)
}

/// Shows the history.
pub fn history(args: &HistoryArgs, office: &Office) -> Result<Exit> {
    let rows = office
        .store()?
        .rule_history(args.name.as_deref(), args.limit)?;
    if office.json() {
        output::say_json(&page(&rows, None))?;
        return Ok(Exit::Done);
    }
    let state = |rule: Option<&StoredRule>| match rule {
        None => "–".to_owned(),
        Some(rule) => {
            let asked = if rule.active { "" } else { ", not asked" };
            format!("version {}, {}{asked}", rule.version, rule.place)
        }
    };
    let mut table = Columns::new(&["#set", "when", "who", "what", "rule", "before", "after"]);
    for row in &rows {
        table.row(vec![
            row.set_version.to_string(),
            minute(row.at),
            row.by.clone(),
            row.change.what.clone(),
            row.name.clone(),
            state(row.change.before.as_ref()),
            state(row.change.after.as_ref()),
        ]);
    }
    output::say(table.text("The rules were never changed."))?;
    Ok(Exit::Done)
}

/// Lists the backups.
pub fn backups(office: &Office) -> Result<Exit> {
    let rows = office.store()?.rule_backups()?;
    if office.json() {
        output::say_json(&page(&rows, None))?;
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(&["backup", "made", "by", "#rules"]);
    for row in &rows {
        table.row(vec![
            row.name.clone(),
            minute(row.at),
            row.by.clone(),
            number(row.rules),
        ]);
    }
    output::say(table.text("There is no backup of the rules."))?;
    Ok(Exit::Done)
}
