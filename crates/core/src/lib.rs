//! Decisions of Posthaste: values in, values out.
//!
//! What a failure means, when an address enters or leaves quarantine, who is excluded from a
//! delivery, when to try again, how gently to treat a site. Nothing here knows a clock, a file,
//! a socket, a thread or a random number: time is a parameter, and so is everything else.

pub mod address;
pub mod delivery;
pub mod enhanced;
pub mod evidence;
pub mod failure;
pub mod ids;
pub mod log;
pub mod part;
pub mod phrases;
pub mod prepare;
pub mod qualify;
pub mod quarantine;
pub mod retry;
pub mod shaping;
pub mod tally;
pub mod time;
