//! The program as a person runs it: the real binary in directories of its own.

mod bad_input;
mod delivery;
mod place;
mod quarantine;
mod setup;
