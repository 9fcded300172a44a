//! Configuration and delivery file: problems rather than panics, whatever the TOML says.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the program's modules are taken in whole")]

#[path = "../../crates/posthaste/src/config/mod.rs"]
mod config;
#[path = "../../crates/posthaste/src/delivery_file/mod.rs"]
mod delivery_file;
#[path = "../../crates/posthaste/src/exit.rs"]
mod exit;
#[path = "../../crates/posthaste/src/secret_file.rs"]
mod secret_file;
#[path = "../../crates/posthaste/src/section.rs"]
mod section;

/// What the configuration takes from the wiring.
mod wiring {
    pub const STORE_FILE: &str = "posthaste.db";
}

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Paths are looked up where nothing is, so that nothing but the text is read.
    let home = Path::new("/nonexistent");
    match config::check(text, home, &|_| None) {
        Ok(config) => delivery(text, &config),
        Err(problems) => assert!(!problems.is_empty()),
    }
    if let Ok(config) = config::check("", home, &|_| None) {
        delivery(text, &config);
    }
});

/// Delivery files are read from a file.
fn delivery(text: &str, config: &config::Config) {
    let file = std::env::temp_dir().join(format!("posthaste-fuzz-{}.toml", std::process::id()));
    if std::fs::write(&file, text).is_ok() {
        drop(delivery_file::load(&file, config));
    }
}
