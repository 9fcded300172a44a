//! The verbs, one file each. A verb reads its arguments, calls the desk or the wiring, and writes
//! the answer; it decides nothing.

mod delivery;
mod delivery_show;
mod demo;
mod dkim;
mod exclusions;
mod explain;
mod init;
mod log;
mod preview;
mod qualifications;
mod qualifications_todo;
mod qualify;
mod quarantine;
mod recipients;
mod requalify;
mod requalify_text;
mod rules;
mod rules_edit;
mod rules_list;
mod rules_packages;
mod rules_test;
mod sandbox;
mod send;
mod serve;
mod workflow;

pub use delivery::{create_from_file, prepare_and_tell};
pub use demo::Args as DemoArgs;
pub use init::write as init_directory;
pub use sandbox::Args as SandboxArgs;

use clap::Subcommand;

use crate::exit::{Exit, Result};
use crate::office::Office;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a configuration, the instance's secret and an empty store
    Init(init::Args),
    /// Import, prepare, confirm and send a delivery until it is finished
    Send(send::Args),
    /// Lists of recipients and the profiles' denylist
    #[command(subcommand)]
    Recipients(recipients::Verb),
    /// Deliveries, step by step
    #[command(subcommand)]
    Delivery(delivery::Verb),
    /// Show what became of each recipient of a delivery, with the remote text
    Log(log::Args),
    /// Show who was excluded from a delivery, and why
    Exclusions(exclusions::Args),
    /// The quarantine list
    #[command(subcommand)]
    Quarantine(quarantine::Verb),
    /// What failure texts mean: the delivery log qualification
    #[command(subcommand)]
    Qualifications(qualifications::Verb),
    /// Say what bounce mails and replies mean, without a store
    Qualify(qualify::Args),
    /// The rules that say what failures mean
    #[command(subcommand)]
    Rules(rules::Verb),
    /// Judge past failures again: preview, apply, undo
    Requalify(requalify::Args),
    /// DKIM keys
    #[command(subcommand)]
    Dkim(dkim::Verb),
    /// Technical workflows
    #[command(subcommand)]
    Workflow(workflow::Verb),
    /// Say in a paragraph what happened, why, and what comes next
    #[command(subcommand)]
    Explain(explain::Verb),
    /// Run all services until SIGTERM or Ctrl-C
    Serve(serve::Args),
    /// Send a shipped example to pretend providers, in less than a minute
    Demo(demo::Args),
    /// Run pretend providers as a process of their own
    #[command(hide = true)]
    Sandbox(sandbox::Args),
}

/// Carries out a verb.
pub fn run(verb: Verb, office: &Office) -> Result<Exit> {
    match verb {
        Verb::Init(args) => init::run(&args, office),
        Verb::Send(args) => send::run(&args, office),
        Verb::Recipients(verb) => recipients::run(verb, office),
        Verb::Delivery(verb) => delivery::run(verb, office),
        Verb::Log(args) => log::run(&args, office),
        Verb::Exclusions(args) => exclusions::run(&args, office),
        Verb::Quarantine(verb) => quarantine::run(verb, office),
        Verb::Qualifications(verb) => qualifications::run(verb, office),
        Verb::Qualify(args) => qualify::run(&args, office),
        Verb::Rules(verb) => rules::run(verb, office),
        Verb::Requalify(args) => requalify::run(args, office),
        Verb::Dkim(verb) => dkim::run(verb, office),
        Verb::Workflow(verb) => workflow::run(verb, office),
        Verb::Explain(verb) => explain::run(verb, office),
        Verb::Serve(args) => serve::run(&args, office),
        Verb::Demo(args) => demo::run(&args, office),
        Verb::Sandbox(args) => sandbox::run(&args, office),
    }
}
