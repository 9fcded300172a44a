//! `posthaste rules`: the rules that say what failures mean.

use clap::Subcommand;

use super::{rules_edit, rules_list, rules_packages, rules_test};
use crate::exit::{Exit, Result};
use crate::office::Office;

/// What to do with the rules.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List the rules in the order in which they are asked
    #[command(after_help = "Example:\n  posthaste rules list --origin user")]
    List(rules_list::ListArgs),
    /// Show a rule as it would stand in a file
    #[command(after_help = "Example:\n  posthaste rules show google-disabled > mine.toml")]
    Show(rules_list::One),
    /// Add the rules of a file as your own
    #[command(after_help = "Example:\n  posthaste rules add mine.toml --before google-disabled")]
    Add(rules_edit::AddArgs),
    /// Replace a rule by the one of a file; a shipped rule becomes your own
    #[command(after_help = "Example:\n  posthaste rules edit google-disabled mine.toml")]
    Edit(rules_edit::EditArgs),
    /// Ask a rule no more
    #[command(after_help = "Example:\n  posthaste rules disable google-disabled")]
    Disable(rules_list::One),
    /// Ask a rule again
    #[command(after_help = "Example:\n  posthaste rules enable google-disabled")]
    Enable(rules_list::One),
    /// Move a rule before or after another one
    #[command(after_help = "Example:\n  posthaste rules order mine --before google-disabled")]
    Order(rules_edit::OrderArgs),
    /// Remove a rule of your own or of a package
    #[command(after_help = "Example:\n  posthaste rules remove mine")]
    Remove(rules_list::One),
    /// Take in a package of rules; all rules are backed up first
    #[command(after_help = "Example:\n  posthaste rules import partner.toml --keep-user-rules")]
    Import(rules_packages::ImportArgs),
    /// Write stored rules into a file
    #[command(after_help = "Example:\n  posthaste rules export --origin user mine.toml")]
    Export(rules_packages::ExportArgs),
    /// Show who changed which rule, when, and how
    #[command(after_help = "Example:\n  posthaste rules history google-disabled")]
    History(rules_list::HistoryArgs),
    /// List the backups of the rules
    #[command(after_help = "Example:\n  posthaste rules backups")]
    Backups,
    /// Make all rules what they were when a backup was made
    #[command(after_help = "Example:\n  posthaste rules restore v7-before-import-of-partner-3")]
    Restore(rules_packages::RestoreArgs),
    /// Try every rule on its own samples, and all of them on a corpus
    Test(rules_test::Args),
}

/// Carries out a verb.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    use posthaste_desk::rules_edit::{disable, enable, remove};
    match verb {
        Verb::List(args) => rules_list::list(&args, office),
        Verb::Show(one) => rules_list::show(&one, office),
        Verb::Add(args) => rules_edit::add(&args, office),
        Verb::Edit(args) => rules_edit::edit(&args, office),
        Verb::Disable(one) => rules_edit::change(office, |s, hand| disable(s, &one.name, hand)),
        Verb::Enable(one) => rules_edit::change(office, |s, hand| enable(s, &one.name, hand)),
        Verb::Order(args) => rules_edit::order(&args, office),
        Verb::Remove(one) => rules_edit::change(office, |s, hand| remove(s, &one.name, hand)),
        Verb::Import(args) => rules_packages::import(&args, office),
        Verb::Export(args) => rules_packages::export(&args, office),
        Verb::History(args) => rules_list::history(&args, office),
        Verb::Backups => rules_list::backups(office),
        Verb::Restore(args) => rules_packages::restore(&args, office),
        Verb::Test(args) => rules_test::run(&args, office),
    }
}
