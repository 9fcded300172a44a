//! Sizes of files and of the message. Warning: large mail arrives late, or clipped, or not.

use super::{Finding, Summary};

/// An image or attachment should be smaller than this, in bytes.
const FILE: u64 = 100_000;
/// A message should be at most this large, in bytes.
const MESSAGE: u64 = 60 * 1024;

/// Every file that is too large.
pub(super) fn files(summary: &Summary<'_>) -> Vec<Finding> {
    let large = summary.files.iter().filter(|(_, size)| *size >= FILE);
    large
        .map(|(name, size)| {
            Finding::warning(format!(
                "image check: {name} has {size} bytes; files of {FILE} bytes or more make mail \
                 slow, make it smaller or link to it"
            ))
        })
        .collect()
}

/// The message as a whole.
pub(super) fn message(summary: &Summary<'_>) -> Vec<Finding> {
    if summary.message_bytes <= MESSAGE {
        return Vec::new();
    }
    vec![Finding::warning(format!(
        "message size: a message has about {} KB; above {} KB mail programs clip it or load it \
         late, make it smaller",
        summary.message_bytes / 1024,
        MESSAGE / 1024
    ))]
}

#[cfg(test)]
mod tests {
    use super::super::tests::SOUND;
    use super::*;

    #[test]
    fn large_files_and_messages_are_named() {
        let large = Summary {
            files: &[("small.png", 99_999), ("large.png", 100_000)],
            message_bytes: 60 * 1024 + 1,
            ..SOUND
        };
        let findings = files(&large);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text.contains("large.png"));
        assert_eq!(message(&large).len(), 1);
        assert!(
            message(&Summary {
                message_bytes: 60 * 1024,
                ..SOUND
            })
            .is_empty()
        );
    }
}
