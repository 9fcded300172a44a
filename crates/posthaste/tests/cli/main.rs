//! The program as a person runs it: the real binary in directories of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it meets what it does not expect"
)]

mod bad_input;
mod delivery;
mod place;
mod qualify;
mod quarantine;
mod requalify;
mod rules;
mod serving;
mod setup;
