//! The progress of an import or a preparation on a terminal. Nothing is shown where standard error
//! is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line on standard error that says how far the work is; it goes when the work has ended.
pub struct WorkBar(ProgressBar);

impl WorkBar {
    /// Work whose size is not known, such as an import.
    pub fn counting(what: &'static str) -> Self {
        Self::with(
            ProgressBar::no_length(),
            "{msg} {human_pos} {per_sec}",
            what,
        )
    }

    /// Work whose size is told with each step, such as a preparation.
    pub fn measured(what: &'static str) -> Self {
        let template = "{msg} {wide_bar} {human_pos}/{human_len} {eta} left";
        Self::with(ProgressBar::new(0), template, what)
    }

    fn with(bar: ProgressBar, template: &str, what: &'static str) -> Self {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// So much is done.
    pub fn show(&self, done: u64) {
        self.0.set_position(done);
    }

    /// So much is done, of so much.
    pub fn show_of(&self, done: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(done);
    }
}

impl Drop for WorkBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
