//! Posthaste against programs that others wrote: Postfix, swaks, unbound, Python's `smtplib` and
//! `email`, dkimpy.
//!
//! Each counterpart is a child of its test: own configuration and files in a temporary directory,
//! own loopback address and port, and it ends with the test. `./dev test` installs them as root.
//! Where one is missing, the test says so and passes; with CI=true it fails.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it meets what it does not expect"
)]

mod bounces;
mod child;
mod client;
mod delivery;
mod names;
mod postfix;
mod program;
mod routing;
mod server;
mod sink;
mod unbound;
