//! The client's reply parser: bounded, and the same whatever the pieces in which bytes arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_smtp::reply::{NotAReply, Reply, ReplyParser};

fn replies(mut pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Result<Reply, NotAReply>> {
    let mut parser = ReplyParser::default();
    let mut found = Vec::new();
    while let Some(piece) = pieces.next() {
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            let (taken, reply) = parser.feed(rest);
            assert!(taken > 0 || reply.is_some(), "no progress");
            rest = &rest[taken..];
            let wrong = matches!(reply, Some(Err(_)));
            found.extend(reply);
            if wrong {
                return found;
            }
        }
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let whole = replies(std::iter::once(bytes.to_vec()));
    let single = replies(bytes.iter().map(|b| vec![*b]));
    assert_eq!(whole, single);
    for reply in whole.into_iter().flatten() {
        assert!((200..600).contains(&reply.code));
        assert!(!reply.text().contains(['\r', '\n']));
    }
});
