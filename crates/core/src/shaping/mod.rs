//! How many connections to a site, and when it needs rest.
