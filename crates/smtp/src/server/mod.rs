//! The server side of SMTP: bytes in, replies and decisions out.
//!
//! [`Session`] is the machine: it reads commands and content, keeps the order of RFC 5321 §4.1.4,
//! and asks a [`Policy`] what to answer. It does no I/O; [`serve`] is the short loop that does.
//! It must not know who the recipients are, nor keep mail: that is the policy's.
//!
//! ```text
//! Start ──EHLO──► Ready ──MAIL──► Mail ──RCPT…DATA──► Content ──final dot──► Ready
//!                  ▲  └─AUTH─► Auth ─┐ │ RSET
//!                  └─────────────────┴─┘            QUIT, drop, 421 ──► Closed
//! ```

mod auth;
mod driver;
mod input;
mod line;
mod machine;
mod policy;
#[cfg(test)]
mod tests;

pub use auth::Credentials;
pub use driver::{Tls, serve};
pub use line::Mail;
pub use machine::{Action, Session, Settings};
pub use policy::{Answer, Content, Flow, Policy};
