//! SMTP: replies, stages, the client and the server machine, and their drivers.
//!
//! Pure machines decide what is said; short drivers move bytes and keep time. [`client`] is what
//! the engine sends with; [`server`] is what the sandbox answers with. The two share no code, so
//! that one cannot hide the other's mistakes.

pub mod client;
pub mod command;
pub mod reply;
pub mod server;
pub mod stages;
