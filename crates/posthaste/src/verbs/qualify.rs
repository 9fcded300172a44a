//! `posthaste qualify`: what bounce mails and replies mean; store and configuration are only needed for
//! own rules.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthaste_core::qualify::RuleSet;
use posthaste_engine::rules::{InUse, LiveRules};
use posthaste_mail::read::{Kind, MailRules};
use posthaste_qualify::answer::{self, Detail, QualifiedMail, QualifiedReply, Reply};
use posthaste_qualify::mail_files::{self, Sink};
use serde_json::json;

use crate::exit::{Exit, Failure, Result};
use crate::office::Office;
use crate::output::{self, Columns, printable};

const EXAMPLE: &str = "Examples:\n  posthaste qualify ~/Maildir/.Bounces bounces.mbox\n  \
    posthaste qualify --json - < bounce.eml\n  posthaste qualify --replies replies.txt --explain";

/// Longest line of replies that is looked at, in bytes.
const MAX_LINE: u64 = 64 * 1024;

/// Arguments of `qualify`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Mails: files, folders, Maildirs, mboxes; - for standard input
    #[arg(value_name = "PATH", required_unless_present = "replies")]
    paths: Vec<PathBuf>,
    /// Judge SMTP replies instead: one a line, or JSON lines with `id`, `reply`, `host`, `command`;
    /// - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    replies: Option<PathBuf>,
    /// Ask the rules of this data directory too, before the shipped ones
    #[arg(long)]
    own_rules: bool,
    /// Say which steps led to each answer
    #[arg(long)]
    explain: bool,
}

/// Qualifies mails or replies, one after the other.
pub fn run(args: &Args, office: &Office) -> Result<Exit> {
    let rules = if args.own_rules {
        LiveRules::load(&RuleSet::shipped(), office.store()?.as_ref())?.now()
    } else {
        Arc::new(InUse {
            version: 0,
            replies: RuleSet::shipped(),
            mails: MailRules::default(),
        })
    };
    let mut desk = Desk {
        rules,
        detail: if args.explain {
            Detail::Steps
        } else {
            Detail::Verdict
        },
        json: office.json(),
        exit: Exit::Done,
    };
    if let Some(file) = &args.replies {
        desk.replies(file)?;
    }
    for path in &args.paths {
        mail_files::visit(path, &mut desk)?;
    }
    Ok(desk.exit)
}

/// Judges what comes in, and writes it down at once.
struct Desk {
    rules: Arc<InUse>,
    detail: Detail,
    json: bool,
    exit: Exit,
}

impl Sink for Desk {
    type Stop = Failure;

    fn mail(&mut self, file: &str, mail: &[u8]) -> Result<()> {
        let told = answer::mail_with(
            file,
            mail,
            (&self.rules.replies, &self.rules.mails),
            self.detail,
        );
        if self.json {
            output::say_json(&json!(told))
        } else {
            output::say(mail_text(&told))
        }
    }

    fn trouble(&mut self, doing: &str, error: &io::Error) -> Result<()> {
        let failure = Failure::file(doing, error);
        self.wrong(&failure.message, failure.exit);
        Ok(())
    }
}

impl Desk {
    /// Something cannot be used; the rest still is, and the exit code tells.
    fn wrong(&mut self, what: &str, exit: Exit) {
        output::remark(format!("posthaste: {}", printable(what)));
        self.exit = exit;
    }

    fn replies(&mut self, path: &Path) -> Result<()> {
        if path == Path::new("-") {
            return self.reply_lines(io::stdin().lock(), "standard input");
        }
        let shown = path.display().to_string();
        let file = File::open(path)
            .map_err(|error| Failure::file(format!("reading the replies of {shown}"), &error))?;
        self.reply_lines(BufReader::new(file), &shown)
    }

    fn reply_lines(&mut self, mut lines: impl BufRead, shown: &str) -> Result<()> {
        let failed =
            |error: io::Error| Failure::file(format!("reading the replies of {shown}"), &error);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
            if read.map_err(failed)? == 0 {
                break;
            }
            if line.len() as u64 == MAX_LINE && line.last() != Some(&b'\n') {
                lines.skip_until(b'\n').map_err(failed)?;
            }
            self.reply_line(&String::from_utf8_lossy(&line), number, shown)?;
        }
        Ok(())
    }

    fn reply_line(&mut self, line: &str, number: u64, shown: &str) -> Result<()> {
        match Reply::parse(line, number) {
            Ok(None) => Ok(()),
            Ok(Some(reply)) => {
                let told = answer::reply(reply, &self.rules.replies, self.detail);
                if self.json {
                    output::say_json(&json!(told))
                } else {
                    output::say(reply_text(&told))
                }
            }
            Err(what) => {
                self.wrong(&format!("{shown}: {what}"), Exit::Input);
                Ok(())
            }
        }
    }
}

fn mail_text(mail: &QualifiedMail) -> String {
    let kind = match mail.kind {
        Kind::Bounce => "bounce",
        Kind::Feedback => "feedback",
        Kind::AutoReply => "auto_reply",
        Kind::Other => "other",
    };
    let mut text = format!("{}: {kind}", printable(&mail.file));
    for part in [&mail.feedback_type, &mail.dialect].into_iter().flatten() {
        text.push_str(&format!(", {}", printable(part)));
    }
    if let Some(why) = &mail.unreadable {
        text.push_str(&format!(", unreadable: {why}"));
    }
    if !mail.recipients.is_empty() {
        text.push_str(&format!("\n{}", recipients(mail)));
    }
    push_steps(&mut text, mail.steps.as_deref());
    for recipient in &mail.recipients {
        push_steps(&mut text, recipient.steps.as_deref());
    }
    text
}

fn recipients(mail: &QualifiedMail) -> String {
    let heads = [
        "address", "type", "reason", "status", "#code", "party", "rule", "#sure", "text",
    ];
    let mut table = Columns::new(&heads);
    for recipient in &mail.recipients {
        table.row(vec![
            recipient.address.clone(),
            recipient.kind.to_string(),
            recipient.reason.to_string(),
            recipient.status.map_or_else(String::new, |s| s.to_string()),
            recipient
                .reply_code
                .map_or_else(String::new, |code| code.to_string()),
            recipient.party.to_string(),
            recipient.rule.to_string(),
            format!("{} %", recipient.confidence),
            short(&recipient.text),
        ]);
    }
    table.text("")
}

/// A text for a cell; the whole stands in the JSON.
fn short(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

fn reply_text(reply: &QualifiedReply) -> String {
    let id = reply
        .id
        .as_str()
        .map_or_else(|| reply.id.to_string(), str::to_owned);
    let mut text = format!(
        "{}: {}, {}, trouble of {}, {} % sure, by {}\n  {}",
        printable(&id),
        reply.kind,
        reply.reason,
        reply.party,
        reply.confidence,
        reply.rule,
        printable(&reply.text)
    );
    push_steps(&mut text, reply.steps.as_deref());
    text
}

fn push_steps(text: &mut String, steps: Option<&[String]>) {
    for step in steps.unwrap_or_default() {
        text.push_str(&format!("\n  - {}", printable(step)));
    }
}
