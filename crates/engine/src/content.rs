//! The content of a delivery, as the composer wants it: texts from the spec, files from the store.

use std::sync::Arc;

use posthaste_compose::{Attachment, Content};
use posthaste_store::{Preparing, StoreError};

use crate::spec::Spec;

/// Why the content of a delivery cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum ContentMissing {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bytes of a file are not in the store.
    #[error(
        "the attachment {name} is not in the store under its hash {sha256}: \
         create the delivery again from its file"
    )]
    File {
        /// Its file name.
        name: String,
        /// The hash the delivery names.
        sha256: String,
    },
}

/// `content_of(spec, store) -> Result<Content, ContentMissing>`: what the sender and the preparer
/// give to `Template::compile`. Reads each attachment once.
///
/// # Errors
/// When the store cannot be read, or has no bytes under an attachment's hash.
pub fn content_of<S: Preparing + ?Sized>(
    spec: &Spec,
    store: &S,
) -> Result<Content, ContentMissing> {
    let mut attachments = Vec::with_capacity(spec.attachments.len());
    for file in &spec.attachments {
        let missing = || ContentMissing::File {
            name: file.name.clone(),
            sha256: file.sha256.clone(),
        };
        let sha256 = hash_from_hex(&file.sha256).ok_or_else(missing)?;
        let bytes = store.blob(&sha256)?.ok_or_else(missing)?;
        attachments.push(Attachment {
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            bytes: Arc::from(bytes),
            content_id: file.content_id.clone(),
        });
    }
    Ok(Content {
        from: spec.from.clone(),
        reply_to: spec.reply_to.clone(),
        subject: spec.subject.clone(),
        html: spec.html.clone(),
        text: spec.text.clone(),
        headers: spec.headers.clone(),
        attachments,
    })
}

/// Reads a SHA-256 from 64 hexadecimal digits.
#[must_use]
pub fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut hash = [0; 32];
    let (pairs, _) = digits.as_chunks::<2>();
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_from_64_hexadecimal_digits() {
        let mut expected = [0xAB; 32];
        expected[31] = 0x01;
        let text = format!("{}01", "aB".repeat(31));
        assert_eq!(hash_from_hex(&text), Some(expected));
        for wrong in ["", "ab", &"g".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert_eq!(hash_from_hex(wrong), None, "{wrong}");
        }
    }
}
