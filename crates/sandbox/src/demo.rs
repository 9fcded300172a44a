//! The demo: eight providers with characters, and the recipients who have their mailboxes there.
//!
//! Everything is made from constants, so the shipped file of recipients can be made again and
//! compared (a test does).

mod providers;
mod recipients;

pub use providers::config;
pub use recipients::recipients_csv;
