//! Proof size check: a proof goes to a hundred recipients at most. Error.

use super::{Finding, Summary};

const MOST: u64 = 100;

/// The number of recipients of a proof.
pub(super) fn size(summary: &Summary<'_>) -> Vec<Finding> {
    if !summary.proof || summary.to_send <= MOST {
        return Vec::new();
    }
    vec![Finding::error(format!(
        "proof size check: a proof goes to at most {MOST} recipients, this one has {}; choose \
         fewer",
        summary.to_send
    ))]
}

#[cfg(test)]
mod tests {
    use super::super::tests::SOUND;
    use super::*;

    #[test]
    fn only_large_proofs_are_refused() {
        for (proof, to_send, good) in [(true, 100, true), (true, 101, false), (false, 101, true)] {
            let findings = size(&Summary {
                proof,
                to_send,
                ..SOUND
            });
            assert_eq!(findings.is_empty(), good, "{proof} {to_send}");
        }
    }
}
