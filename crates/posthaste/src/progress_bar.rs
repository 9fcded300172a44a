//! The progress of a sending on a terminal: how far, how fast, what failed, how long still.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use posthaste_engine::progress::Progress;

use crate::output::{counted, number, remark};

/// Who watches a sending. The driver calls `show` a few times a second.
pub trait Watch: Send + Sync {
    /// Sending begins: so many recipients are waiting.
    fn begin(&self, waiting: u64);
    /// The numbers as they are now.
    fn show(&self, progress: &Progress);
    /// Sending has ended.
    fn end(&self);
}

/// Nobody watches: standard error is no terminal, or JSON was asked for.
pub struct Nobody;

impl Watch for Nobody {
    fn begin(&self, _waiting: u64) {}
    fn show(&self, _progress: &Progress) {}
    fn end(&self) {}
}

/// A bar on standard error.
pub struct Bar(ProgressBar);

impl Watch for Bar {
    fn begin(&self, waiting: u64) {
        self.0.set_length(waiting);
        self.0.reset();
    }

    fn show(&self, progress: &Progress) {
        self.0.set_position(progress.ended());
        self.0.set_message(message(progress));
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// Lines on standard error, for readers that are no terminal.
pub struct Lines(Mutex<Written>);

/// What has been written so far.
struct Written {
    began: Instant,
    waiting: u64,
    last: Instant,
    text: String,
}

/// The shortest time between two lines.
const LINE_EVERY: Duration = Duration::from_secs(2);
/// The longer it takes, the rarer the lines: one per so much of the time that has passed, so that
/// a delivery of days leaves some hundred lines and not some hundred thousand.
const SHARE: u32 = 20;

impl Written {
    fn new(waiting: u64) -> Self {
        let began = Instant::now();
        Self {
            began,
            waiting,
            last: began,
            text: String::new(),
        }
    }

    /// Whether this text is to be written now: it says something new, and it is time.
    fn is_news(&self, text: &str, now: Instant) -> bool {
        let pause = LINE_EVERY.max((now - self.began) / SHARE);
        now - self.last >= pause && text != self.text
    }
}

impl Watch for Lines {
    fn begin(&self, waiting: u64) {
        if let Ok(mut state) = self.0.lock() {
            *state = Written::new(waiting);
        }
    }

    fn show(&self, progress: &Progress) {
        let Ok(mut state) = self.0.lock() else { return };
        let (ended, all) = (number(progress.ended()), number(state.waiting));
        let message = message(progress);
        let text = format!("{ended} of {all} recipients have ended; {message}");
        let now = Instant::now();
        if state.is_news(&text, now) {
            remark(&text);
            (state.last, state.text) = (now, text);
        }
    }

    fn end(&self) {}
}

/// As [`watcher`], with lines instead of nothing where standard error is no terminal.
pub fn watcher_or_lines(json: bool) -> Box<dyn Watch> {
    if json || std::io::stderr().is_terminal() {
        return watcher(json);
    }
    Box::new(Lines(Mutex::new(Written::new(0))))
}

/// A bar when standard error is a terminal and people read it, else nobody.
pub fn watcher(json: bool) -> Box<dyn Watch> {
    if json || !std::io::stderr().is_terminal() {
        return Box::new(Nobody);
    }
    let bar = ProgressBar::new(0);
    let template = "{wide_bar} {human_pos}/{human_len} {per_sec} {eta} left\n{msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    Box::new(Bar(bar))
}

/// Sent, failed by reason (most frequent first), and how many attempts ended in another one.
fn message(progress: &Progress) -> String {
    let mut failed: Vec<_> = progress.failed.iter().collect();
    failed.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut parts = vec![format!("sent {}", progress.sent)];
    let top = failed.iter().take(4);
    parts.extend(top.map(|(reason, count)| format!("{} {count}", reason.slug())));
    if progress.deferred > 0 {
        parts.push(format!("put off {}", counted(progress.deferred, "time")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthaste_core::failure::FailureReason;

    #[test]
    fn lines_become_rarer_and_never_repeat() {
        let written = Written::new(9);
        let at = |seconds| written.began + Duration::from_secs(seconds);
        assert!(!written.is_news("a", at(1)));
        assert!(written.is_news("a", at(2)));
        assert!(!written.is_news("", at(2)));
        let later = Written {
            last: at(1_000),
            began: written.began,
            waiting: 9,
            text: "a".to_owned(),
        };
        assert!(!later.is_news("b", at(1_040)));
        assert!(later.is_news("b", at(1_060)));
    }

    #[test]
    fn the_most_frequent_failures_are_named_first() {
        let progress = Progress {
            sent: 90,
            failed: [
                (FailureReason::UserUnknown, 2),
                (FailureReason::MailboxFull, 5),
            ]
            .into(),
            deferred: 3,
            quarantined: 2,
        };
        assert_eq!(
            message(&progress),
            "sent 90, mailbox_full 5, user_unknown 2, put off 3 times"
        );
    }
}
