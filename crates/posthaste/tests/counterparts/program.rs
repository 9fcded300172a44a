//! The program itself, in a directory of its own.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A directory with an initialised Posthaste.
pub struct Program(tempfile::TempDir);

impl Program {
    /// With this configuration; `example.com` is its From domain.
    pub fn new(config: &str) -> Self {
        let program = Self(tempfile::tempdir().unwrap());
        program.run(&["init"]);
        program.write(
            "posthaste.toml",
            format!("ehlo_name = \"mta.example.com\"\n{config}"),
        );
        program
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    /// Runs a command that must end well.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_posthaste"))
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {out}{err}");
        out
    }

    /// The same, with its answer as JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let out = self.run(&[args, &["--json"]].concat());
        serde_json::from_str(&out).unwrap_or_else(|why| panic!("{args:?}: {why}: {out}"))
    }
}
