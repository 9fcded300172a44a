//! Who is excluded from a delivery and why, and how the rest is split into parts.
