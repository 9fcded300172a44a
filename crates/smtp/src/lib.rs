//! SMTP: replies, stages, the client and the server machine, and their drivers.

pub mod server;
