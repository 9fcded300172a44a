//! `posthaste rules`: the rules that say what failures mean.

use clap::Subcommand;

use super::rules_test;
use crate::exit::{Exit, Result};
use crate::office::Office;

/// What to do with the rules.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Try every rule on its own samples, and all of them on a corpus
    Test(rules_test::Args),
}

/// Carries out a verb.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    match verb {
        Verb::Test(args) => rules_test::run(&args, office),
    }
}
