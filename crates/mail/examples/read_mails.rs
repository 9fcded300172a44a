//! Reads every mail below a folder and prints one JSON line for each: kind, recipients, type and reason.
//!
//! ```text
//! cargo run --release -p posthaste-mail --example read_mails -- FOLDER [--explain]
//! ```

use std::path::{Path, PathBuf};

use posthaste_core::qualify::RuleSet;
use posthaste_mail::read::read;
use serde_json::json;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("name the folder that holds the mails");
        std::process::exit(2);
    };
    let explain = arguments.any(|a| a == "--explain");
    let rules = RuleSet::shipped();
    let mut files = Vec::new();
    walk(&folder, &mut files)?;
    files.sort();
    for file in files {
        let report = read(&std::fs::read(&file)?, &rules);
        let name = file.strip_prefix(&folder).unwrap_or(&file);
        let mut line = json!({
            "file": name.to_string_lossy(),
            "kind": report.kind,
            "recipients": report.recipients,
            "feedback_type": report.feedback_type,
            "dialect": report.dialect,
            "problems": report.problems,
        });
        if let Some(fields) = line.as_object_mut().filter(|_| explain) {
            fields.insert("steps".to_owned(), json!(report.steps));
            fields.insert("original".to_owned(), json!(report.original));
        }
        println!("{line}");
    }
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_none_or(|e| e != "json" && e != "jsonl") {
            files.push(path);
        }
    }
    Ok(())
}
