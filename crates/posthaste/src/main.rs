//! The program: reads the command line, calls the verb, says what went wrong, exits by the table.

mod args;
mod config;
mod delivery_file;
mod demonstration;
mod exit;
mod office;
mod output;
mod progress_bar;
mod report;
mod secret_file;
mod section;
mod sending;
mod verbs;
mod wiring;
mod work_bar;

use std::process::ExitCode;

use clap::Parser;

use crate::office::Office;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Campaign delivery and deliverability engine.
#[derive(Debug, Parser)]
#[command(name = "posthaste", version, max_term_width = 100, after_help = exit_codes())]
struct Cli {
    #[command(flatten)]
    global: args::Global,
    #[command(subcommand)]
    verb: verbs::Verb,
}

fn exit_codes() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (exit, meaning) in exit::TABLE {
        text.push_str(&format!("  {:3}  {meaning}\n", *exit as u8));
    }
    text.push_str("\nExample:\n  posthaste init && posthaste send delivery.toml");
    text
}

/// Log lines go to standard error: warnings and errors, or what POSTHASTE_LOG asks for (`info`,
/// `posthaste_engine=debug` …).
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("POSTHASTE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let office = Office::new(cli.global);
    let exit = match verbs::run(cli.verb, &office) {
        Ok(exit) => exit,
        Err(failure) => {
            if !failure.message.is_empty() {
                output::remark(format!("posthaste: {failure}"));
            }
            failure.exit
        }
    };
    ExitCode::from(exit as u8)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_has_a_sentence_and_an_example() {
        let mut commands: Vec<clap::Command> = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            let name = command.get_name().to_owned();
            assert!(
                command.get_about().is_some(),
                "{name} says nothing about itself"
            );
            let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
            let after = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let shown = !command.is_hide_set() && subcommands.is_empty();
            assert!(!shown || after.contains("Example"), "{name} has no example");
            commands.extend(subcommands);
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
