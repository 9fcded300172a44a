//! From content and attributes to the bytes of one message.
//!
//! [`Template::compile`] checks a [`Content`] once per delivery; [`Template::check`] tries it on every recipient at
//! preparation; [`Template::message`] makes the message when a connection is ready for it. The bytes are a pure
//! function of content, attributes and [`Identity`]: a message that has to be sent again is the same message.
//!
//! Everything here is a pure function: no clock, no randomness (but for making keys), no file, no socket.
//! Beside the MIME: [`dkim`] (keys, records, signatures) and [`list_headers`] (unsubscription).
//!
//! ```
//! use posthaste_core::{address::Address, ids::LogId, time::Timestamp};
//! use posthaste_compose::{Attributes, Content, Identity, Template};
//! use posthaste_compose::dkim::{PrivateKey, Signer, generate_ed25519};
//! use posthaste_compose::list_headers::Unsubscribe;
//! use posthaste_mail::token::{Purpose, Secret, return_path};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once per delivery: check the content.
//! let template = Template::compile(&Content {
//!     from: "Example News <news@example.com>".into(),
//!     subject: "Offers for {{ city }}".into(),
//!     html: Some("<p>Dear {{ attributes[\"first name\"] }},</p><a href='https://example.com/'>Offers</a>".into()),
//!     ..Content::default()
//! })?;
//! assert_eq!(template.unknown_variables(&["first name", "city"]), []);
//!
//! // Once per recipient.
//! let ada = Address::parse("ada@example.org")?;
//! let attributes = Attributes::parse(&ada, r#"{"first name": "Ada", "city": "Turin"}"#)?;
//! template.check(&attributes)?;
//!
//! // When a connection is ready.
//! let (secret, row, date) = (Secret::new(&[7; 32])?, LogId(42), Timestamp(1_795_297_258_000));
//! let error_address = Address::parse("bounces@example.com")?;
//! let way = Unsubscribe::new(&error_address, Some("https://example.com/unsubscribe"))?;
//! let identity = Identity::new(&secret, row, "example.com", date).unsubscribed_by(&way, &secret, row);
//! let message = template.message(&identity, &attributes)?;
//! let signer = Signer::new(PrivateKey::from_pem(&generate_ed25519()?)?, "example.com", "s1")?;
//! let signature = signer.sign(&message, date)?;
//! assert!(signature.starts_with("DKIM-Signature: v=1; a=ed25519-sha256;"));
//!
//! // Days later: whose bounce is this?
//! let path = return_path(&error_address, &identity.token);
//! assert_eq!(secret.find(Purpose::Delivery, &path), Ok(row));
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

mod attributes;
pub mod dkim;
mod encode;
mod header;
pub mod list_headers;
mod message;
mod template;
mod text_from_html;
mod variables;

pub use attributes::{Attributes, NotAttributes};
pub use header::Mailbox;
pub use message::Identity;
pub use template::{FUEL, MAX_RENDERED_BYTES, Rendered, Template};
pub use variables::UnknownVariable;

/// What a delivery sends, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The From mailbox: `Name <address>` or `address`. Not a template.
    pub from: String,
    /// The Reply-To mailbox. Not a template.
    pub reply_to: Option<String>,
    /// Template of the subject.
    pub subject: String,
    /// Template of the HTML part: values are escaped.
    pub html: Option<String>,
    /// Template of the text part; derived from the HTML when there is none.
    pub text: Option<String>,
    /// Extra headers, name and template, in order. A header whose value comes out empty is left out.
    pub headers: Vec<(String, String)>,
    /// Attachments and inline images.
    pub attachments: Vec<Attachment>,
}

/// A file that goes with every message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name shown to the recipient.
    pub name: String,
    /// Its media type, such as `image/png`.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Content-ID of an inline image (`<img src="cid:…">`), without angle brackets; `None` for an attachment.
    pub content_id: Option<String>,
}

/// A part of the content, as errors name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// The From mailbox.
    From,
    /// The Reply-To mailbox.
    ReplyTo,
    /// The subject.
    Subject,
    /// The HTML part.
    Html,
    /// The text part.
    Text,
    /// An extra header, by name.
    Header(String),
    /// An attachment, by file name.
    Attachment(String),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::From => f.write_str("from"),
            Self::ReplyTo => f.write_str("reply-to"),
            Self::Subject => f.write_str("subject"),
            Self::Html => f.write_str("html"),
            Self::Text => f.write_str("text"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Attachment(name) => write!(f, "attachment {name}"),
        }
    }
}

/// Why a content cannot be sent to anybody. Each names the part, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Neither HTML nor text.
    #[error("the content is empty: give an html part, a text part, or both")]
    Empty,
    /// A template does not parse.
    #[error("{part}, line {line}: {what}: correct the template")]
    Syntax {
        /// The part.
        part: Part,
        /// The line, from 1; 0 when it is not known.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A mailbox, an attachment or a header name is wrong.
    #[error("{part}: {what}")]
    Invalid {
        /// The part.
        part: Part,
        /// What is wrong and what to write instead.
        what: String,
    },
    /// A header that is not the author's to write.
    #[error("the header {name} cannot be written in a delivery: {instead}")]
    OwnedHeader {
        /// Its name.
        name: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// No text part could be derived.
    #[error(
        "no text part can be made from the html ({what}): give the delivery a text part of its own"
    )]
    NoText {
        /// What went wrong.
        what: String,
    },
}

/// Why the content cannot be personalised for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}{}: {what}", line.map_or_else(String::new, |line| format!(", line {line}")))]
pub struct RenderError {
    /// The part.
    pub part: Part,
    /// The line of the template, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

#[cfg(test)]
mod tests;
