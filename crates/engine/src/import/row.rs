//! One row of a source, whatever its form, and the recipient it makes.

use posthaste_core::address::Address;
use posthaste_store::rows::NewRecipient;

/// Names of the column that holds the address, the surest first: *address* is often a postal one.
const ADDRESS_NAMES: &[&str] = &[
    "email",
    "e-mail",
    "e_mail",
    "email_address",
    "email address",
    "e-mail address",
    "emailaddress",
    "mail",
    "address",
];

/// Whether a column is named like one of addresses, and how sure that is (0 is surest).
pub(super) fn is_named_like_an_address(name: &str) -> Option<usize> {
    let name = name.trim().to_lowercase();
    ADDRESS_NAMES.iter().position(|known| *known == name)
}

/// What a source says about one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The address as given; may be empty or wrong.
    pub(super) address: String,
    /// The text of the column *quality*.
    pub(super) quality: Option<String>,
    /// The text of the column *denylisted*.
    pub(super) denylisted: Option<String>,
    /// All columns as a JSON object of texts.
    pub(super) attributes: String,
}

impl Row {
    /// The recipient to be stored; its line is set by the writer.
    ///
    /// An empty or misspelled address is kept as it is. A quality or a denylist mark that cannot
    /// be understood rejects the row: guessing could send to somebody who must not get it.
    pub(super) fn into_recipient(self) -> Result<NewRecipient, String> {
        let quality = match self.quality.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(
                text.parse::<i64>()
                    .map_err(|_| format!("the quality {text:?} is not a whole number"))?,
            ),
        };
        let denylisted = truth(self.denylisted.as_deref().unwrap_or_default())?;
        let address = self.address.trim().to_owned();
        let key = Address::parse(&address)
            .map(|parsed| parsed.key().to_owned())
            .unwrap_or_default();
        Ok(NewRecipient {
            address,
            key,
            attributes: self.attributes,
            line: 0,
            quality,
            denylisted,
        })
    }
}

fn truth(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" | "" => Ok(false),
        _ => Err(format!(
            "the value {text:?} of the column denylisted is none of true, false, 1, 0, yes, no"
        )),
    }
}
