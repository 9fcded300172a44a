//! Tasks that fetch, call *decide*, call *talk*, and write. No arithmetic of their own.
//!
//! [`import`] and [`preparer`] bring a delivery to *ready*; [`sender`] claims its recipients and
//! sends; [`recorder`] is the only writer of results; [`workflows`] run on schedule; [`services`] hold
//! them together.

pub mod clock;
pub mod content;
pub mod import;
pub mod lock;
mod patience;
pub mod preparer;
pub mod progress;
pub mod recorder;
pub mod rules;
pub mod sender;
pub mod services;
mod slices;
pub mod spec;
pub mod words;
pub mod workflows;
