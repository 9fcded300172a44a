//! Finds mails where people keep them: files, folders, Maildirs, mboxes, standard input.
//!
//! Reads only. Folders are walked in the order of names; of a Maildir only `new` and `cur` are read (`tmp`
//! holds what is not whole yet), and the Maildirs below it. Hidden files, links to folders, and JSON,
//! which no mail is called, are left out of folders; what is named by itself is always read.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::mail_stream::MailStream;

/// Deepest folder that is walked into.
const MAX_DEPTH: usize = 64;

/// Takes what is found.
pub trait Sink {
    /// Why it wants no more.
    type Stop;

    /// A mail. `file` is the path as given and the path within the folder; `#n` follows when it is the
    /// n-th of an mbox.
    ///
    /// # Errors
    /// When no more is wanted.
    fn mail(&mut self, file: &str, mail: &[u8]) -> Result<(), Self::Stop>;

    /// Something cannot be read; the others are still read.
    ///
    /// # Errors
    /// When no more is wanted.
    fn trouble(&mut self, doing: &str, error: &io::Error) -> Result<(), Self::Stop>;
}

/// Gives every mail of a path to the sink; `-` is standard input.
///
/// # Errors
/// What the sink says.
pub fn visit<S: Sink>(path: &Path, sink: &mut S) -> Result<(), S::Stop> {
    if path == Path::new("-") {
        return stream("-", io::stdin().lock(), false, sink);
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => folder(path, 0, sink),
        Ok(_) => file(path, sink),
        Err(error) => sink.trouble(&reading(path), &error),
    }
}

fn reading(path: &Path) -> String {
    format!("reading {}", path.display())
}

fn file<S: Sink>(path: &Path, sink: &mut S) -> Result<(), S::Stop> {
    // By the custom of mail programs: `.eml` is one mail, even when it begins with a `From ` line.
    let single = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("eml"));
    match File::open(path) {
        Ok(file) => stream(&path.to_string_lossy(), BufReader::new(file), single, sink),
        Err(error) => sink.trouble(&reading(path), &error),
    }
}

fn stream<S: Sink>(
    name: &str,
    reader: impl BufRead,
    single: bool,
    sink: &mut S,
) -> Result<(), S::Stop> {
    let doing = || reading(Path::new(name));
    let mut mails = match MailStream::open(reader, single) {
        Ok(mails) => mails,
        Err(error) => return sink.trouble(&doing(), &error),
    };
    loop {
        match mails.read_mail() {
            Ok(None) => return Ok(()),
            Ok(Some(piece)) => match piece.number {
                Some(number) => sink.mail(&format!("{name}#{number}"), piece.mail)?,
                None => sink.mail(name, piece.mail)?,
            },
            Err(error) => return sink.trouble(&doing(), &error),
        }
    }
}

fn folder<S: Sink>(path: &Path, depth: usize, sink: &mut S) -> Result<(), S::Stop> {
    if depth > MAX_DEPTH {
        let error = io::Error::other("it lies too deep; name it by itself");
        return sink.trouble(&reading(path), &error);
    }
    let maildir = path.join("cur").is_dir() && path.join("new").is_dir();
    let entries = match entries(path) {
        Ok(entries) => entries,
        Err(error) => return sink.trouble(&reading(path), &error),
    };
    for entry in entries {
        match entry {
            Entry::Folder(below) if maildir && !is_of_maildir(&below) => {}
            Entry::Folder(below) if !maildir && is_hidden(&below) => {}
            Entry::Folder(below) => folder(&below, depth + 1, sink)?,
            Entry::File(_) if maildir => {}
            Entry::File(mail) if is_hidden(&mail) || is_json(&mail) => {}
            Entry::File(mail) => file(&mail, sink)?,
        }
    }
    Ok(())
}

enum Entry {
    File(PathBuf),
    Folder(PathBuf),
}

/// What stands in a folder, by name; pipes, sockets and devices are left out.
fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        paths.push((entry.path(), entry.file_type()?));
    }
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    let entry = |(path, kind): (PathBuf, fs::FileType)| {
        if kind.is_dir() {
            return Some(Entry::Folder(path));
        }
        let is_file = kind.is_file() || (kind.is_symlink() && path.is_file());
        is_file.then_some(Entry::File(path))
    };
    Ok(paths.into_iter().filter_map(entry).collect())
}

fn name_of(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}

fn is_hidden(path: &Path) -> bool {
    name_of(path).starts_with(b".")
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e == "json" || e == "jsonl")
}

/// `new`, `cur`, and the folders below a Maildir, whose names begin with a full stop.
fn is_of_maildir(path: &Path) -> bool {
    matches!(name_of(path), b"new" | b"cur") || (is_hidden(path) && path.join("cur").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen {
        files: Vec<String>,
        troubles: Vec<String>,
    }

    impl Sink for Seen {
        type Stop = ();

        fn mail(&mut self, file: &str, _mail: &[u8]) -> Result<(), ()> {
            self.files.push(file.to_owned());
            Ok(())
        }

        fn trouble(&mut self, doing: &str, error: &io::Error) -> Result<(), ()> {
            self.troubles.push(format!("{doing}: {error}"));
            Ok(())
        }
    }

    fn seen_in(files: &[(&str, &str)]) -> Vec<String> {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut seen = Seen::default();
        visit(home.path(), &mut seen).unwrap();
        assert!(seen.troubles.is_empty(), "{:?}", seen.troubles);
        let strip = |file: &String| {
            file.split_once(&*home.path().to_string_lossy())
                .map(|(_, rest)| rest.to_owned())
        };
        seen.files.iter().filter_map(strip).collect()
    }

    #[test]
    fn folders_are_walked_in_order_without_what_is_no_mail() {
        let two = "From a Sat Nov 21 10:00:00 2026\n\n\nFrom b Sat Nov 21 10:00:00 2026\n\n";
        let files = [
            ("b/2.eml", two),
            ("b/1.eml", ""),
            ("a.mbox", two),
            (".hidden", ""),
            (".git/x", ""),
            ("expected.jsonl", "{}"),
        ];
        assert_eq!(
            seen_in(&files),
            ["/a.mbox#1", "/a.mbox#2", "/b/1.eml", "/b/2.eml"]
        );
    }

    #[test]
    fn of_a_maildir_what_is_whole_is_read() {
        let files = [
            ("cur/1:2,S", ""),
            ("new/2", ""),
            ("tmp/3", ""),
            ("dovecot.index", ""),
            (".Junk/cur/4", ""),
            (".Junk/new/5", ""),
            (".cache/6", ""),
        ];
        assert_eq!(
            seen_in(&files),
            ["/.Junk/cur/4", "/.Junk/new/5", "/cur/1:2,S", "/new/2"]
        );
    }

    #[test]
    fn what_is_not_there_is_told_and_the_rest_is_read() {
        let mut seen = Seen::default();
        visit(Path::new("/nonexistent/x.eml"), &mut seen).unwrap();
        assert_eq!(seen.files.len(), 0);
        assert!(
            seen.troubles[0].starts_with("reading /nonexistent/x.eml: "),
            "{:?}",
            seen.troubles
        );
    }
}
