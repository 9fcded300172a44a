//! Facts about the shipped rules and about judging.
