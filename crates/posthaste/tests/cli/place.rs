//! A directory with an initialised Posthaste, and a way to run commands in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A directory of its own; removed when dropped.
pub struct Place(TempDir);

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The command did what was asked.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// The command ended with this code and said something that contains all of these.
    #[track_caller]
    pub fn failed(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        for text in said {
            assert!(self.err.contains(text), "missing {text:?} in {self:?}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
        self
    }

    /// What was written, as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let ran = self.done();
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}"))
    }
}

impl Place {
    /// An empty directory.
    pub fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A directory with configuration, secret and store.
    pub fn ready() -> Self {
        let place = Self::empty();
        place.run(&["init"]).done();
        place.append(
            "posthaste.toml",
            "\n[[domain]]\nname = \"example.com\"\nerror_address = \"bounces@example.com\"\n",
        );
        place
    }

    /// A ready directory with five recipients, two templates and a delivery file.
    pub fn with_delivery() -> Self {
        let place = Self::ready();
        place.write(
            "people.csv",
            "email,name\nann@example.net,Ann\nbob@example.org,Bob\nANN@example.net,Ann again\n\
             no address,Nobody\n,Missing\n",
        );
        place.write(
            "mail.html",
            "<p>Hello {{ name }}, <a href=\"https://example.com/unsubscribe\">unsubscribe</a></p>",
        );
        place.write("spring.toml", DELIVERY);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn append(&self, name: &str, text: &str) {
        let before = self.read(name);
        self.write(name, &format!("{before}{text}"));
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs a command here.
    pub fn run(&self, args: &[&str]) -> Ran {
        run_in(self.0.path(), args)
    }
}

/// A delivery to `people.csv`.
pub const DELIVERY: &str = "
label = \"Spring\"
recipients = \"people.csv\"
from = \"Example <news@example.com>\"
subject = \"Hello {{ name }}\"
html_file = \"mail.html\"
";

/// Runs the program in a directory.
pub fn run_in(dir: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_posthaste"))
        .args(args)
        .current_dir(dir)
        .env_remove("RELAY_PASSWORD")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
