//! DKIM (RFC 6376): keys, the record that publishes them, and signatures, RSA-2048 and Ed25519 (RFC 8463).
//!
//! Signing is our own rather than mail-auth's, which takes the time of a signature from the clock: here it is
//! a parameter, so a message that is sent again carries the same signature. Tests verify ours with mail-auth.

mod canonical;
mod key;
mod record;
mod sign;

pub use key::{Algorithm, KeyError, PrivateKey, generate_ed25519, generate_rsa};
pub use record::{RecordProblem, check, record_name};
pub use sign::{SignError, Signer};

#[cfg(test)]
mod tests;
