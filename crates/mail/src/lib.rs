//! Reading what comes back: bounces, complaints, auto-replies; and the tokens that name whose it is.
//!
//! Everything here is a pure function: no clock, no randomness, no file, no socket.
//!
//! - [`read`]: what a mail that came back says, of whom, and what that means.
//! - [`token`]: signed names of delivery log rows in return paths and Message-IDs, which bounces bring back.
//! - [`entity`]: HTML's character references.

pub mod entity;
pub mod read;
pub mod token;
