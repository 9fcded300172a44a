//! Composing campaign mail, and reading what comes back.
//!
//! Everything here is a pure function: no clock, no randomness (but for making keys), no file, no socket. The same
//! content, attributes and identity give the same message, byte for byte, so a message that has to be sent again is
//! the same message.
//!
//! - [`compose`]: templates, MIME; [`dkim`]: keys, records, signatures; [`list_headers`]: unsubscription.
//! - [`token`]: signed names of delivery log rows in return paths and Message-IDs, which bounces bring back.
//!
//! ```
//! use posthaste_core::{address::Address, ids::LogId, time::Timestamp};
//! use posthaste_mail::compose::{Attributes, Content, Identity, Template};
//! use posthaste_mail::dkim::{PrivateKey, Signer, generate_ed25519};
//! use posthaste_mail::list_headers::Unsubscribe;
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

pub mod compose;
pub mod dkim;
pub mod list_headers;
pub mod read;
pub mod token;
