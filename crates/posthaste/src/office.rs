//! What every verb needs: the options of the command line, the configuration, the store.

use posthaste_core::time::Timestamp;

use crate::args::Global;
use crate::config::{self, Config};
use crate::exit::Result;
use crate::output;
use crate::wiring::{self, SharedStore};

/// Options of the command line, and the way to configuration and store.
pub struct Office {
    global: Global,
}

impl Office {
    /// For these options.
    pub const fn new(global: Global) -> Self {
        Self { global }
    }

    /// Whether JSON was asked for.
    pub const fn json(&self) -> bool {
        self.global.json
    }

    /// The options themselves.
    pub const fn global(&self) -> &Global {
        &self.global
    }

    /// The checked configuration.
    pub fn config(&self) -> Result<Config> {
        config::load(self.global.config.as_deref(), self.global.data.as_deref())
    }

    /// The configuration and its store.
    pub fn open(&self) -> Result<(Config, SharedStore)> {
        let config = self.config()?;
        let store = wiring::open_store(&config)?;
        Ok((config, store))
    }

    /// The store alone.
    pub fn store(&self) -> Result<SharedStore> {
        self.open().map(|(_, store)| store)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        wiring::now()
    }

    /// Writes JSON when it was asked for, else the text.
    pub fn answer(
        &self,
        json: impl FnOnce() -> serde_json::Value,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.json() {
            output::say_json(&json())
        } else {
            output::say(text())
        }
    }
}
