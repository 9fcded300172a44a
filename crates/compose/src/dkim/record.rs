//! Does the published TXT record fit the private key? A pure comparison that says what differs.

use super::key::PrivateKey;
use crate::encode::read_base64;

/// What is wrong with the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordProblem {
    /// `v=` is there and is not DKIM1.
    #[error("the record begins with v={found}, not v=DKIM1: publish it again as generated")]
    Version {
        /// What it says.
        found: String,
    },
    /// `k=` names another algorithm.
    #[error(
        "the record is for a key of kind {found}, the private key is {expected}: publish the record of this key"
    )]
    Kind {
        /// What it says.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// `h=` does not allow SHA-256.
    #[error("the record allows the hashes {found} only, signatures use sha256: remove h= from it")]
    Hash {
        /// What it says.
        found: String,
    },
    /// `s=` does not allow mail.
    #[error("the record is for the services {found} only, not for email: remove s= from it")]
    Service {
        /// What it says.
        found: String,
    },
    /// `p=` is missing.
    #[error("the record has no public key (p=): publish it again as generated")]
    NoKey,
    /// `p=` is empty.
    #[error(
        "the record revokes the key (p= is empty): publish the generated record, or use another selector"
    )]
    Revoked,
    /// `p=` is not base64, for instance cut off or with a quotation mark left in it.
    #[error(
        "the public key in the record is not base64, perhaps cut off or with quotation marks in it: publish it again as generated"
    )]
    NotBase64,
    /// `p=` is another key.
    #[error(
        "the record publishes another key than the private key's: publish this key's record, or sign with the other key"
    )]
    OtherKey,
    /// `t=y`: receivers may treat signed mail as unsigned.
    #[error(
        "the record is marked as a test (t=y), so receivers may ignore signatures: remove t=y from it"
    )]
    Testing,
}

/// The name of the record: `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1).
#[must_use]
pub fn record_name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// Whether a record's text (its strings joined) publishes this key.
///
/// # Errors
/// The first [`RecordProblem`].
pub fn check(record: &str, key: &PrivateKey) -> Result<(), RecordProblem> {
    // RFC 6376 §3.2: tags are separated by semicolons, white space around them means nothing.
    let tag = |name: &str| {
        record
            .split(';')
            .filter_map(|t| t.split_once('='))
            .find(|(n, _)| n.trim() == name)
            .map(|(_, value)| value.trim())
    };
    let lists = |value: &str, any: &[&str]| value.split(':').any(|v| any.contains(&v.trim()));
    if let Some(found) = tag("v").filter(|v| *v != "DKIM1") {
        return Err(RecordProblem::Version {
            found: found.to_owned(),
        });
    }
    let expected = key.algorithm().name();
    let found = tag("k").unwrap_or("rsa");
    if found != expected {
        return Err(RecordProblem::Kind {
            found: found.to_owned(),
            expected,
        });
    }
    if let Some(found) = tag("h").filter(|h| !lists(h, &["sha256"])) {
        return Err(RecordProblem::Hash {
            found: found.to_owned(),
        });
    }
    if let Some(found) = tag("s").filter(|s| !lists(s, &["*", "email"])) {
        return Err(RecordProblem::Service {
            found: found.to_owned(),
        });
    }
    let published = tag("p").ok_or(RecordProblem::NoKey)?;
    if published.is_empty() {
        return Err(RecordProblem::Revoked);
    }
    let published = read_base64(published).ok_or(RecordProblem::NotBase64)?;
    if published != key.public_key() && published != key.bare_public_key() {
        return Err(RecordProblem::OtherKey);
    }
    if tag("t").is_some_and(|t| lists(t, &["y"])) {
        return Err(RecordProblem::Testing);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::generate_ed25519;

    #[test]
    fn a_record_fits_its_key_or_the_difference_is_named() {
        let key = PrivateKey::from_pem(&generate_ed25519().unwrap()).unwrap();
        let other = PrivateKey::from_pem(&generate_ed25519().unwrap()).unwrap();
        let record = key.record();
        let public = record.split("p=").nth(1).unwrap().to_owned();
        assert_eq!(check(&record, &key), Ok(()));
        assert_eq!(
            check(
                &format!(" k = ed25519 ; s=email;h=sha1 : sha256; p = {public} "),
                &key
            ),
            Ok(())
        );
        let rows = [
            (other.record(), RecordProblem::OtherKey),
            (
                record.replace("DKIM1", "DKIM2"),
                RecordProblem::Version {
                    found: "DKIM2".into(),
                },
            ),
            (
                format!("p={public}"),
                RecordProblem::Kind {
                    found: "rsa".into(),
                    expected: "ed25519",
                },
            ),
            (
                format!("h=sha1; {record}"),
                RecordProblem::Hash {
                    found: "sha1".into(),
                },
            ),
            (
                format!("s=tlsrpt; {record}"),
                RecordProblem::Service {
                    found: "tlsrpt".into(),
                },
            ),
            ("v=DKIM1; k=ed25519; p=".into(), RecordProblem::Revoked),
            ("v=DKIM1; k=ed25519".into(), RecordProblem::NoKey),
            (
                format!("v=DKIM1; k=ed25519; p=\"{public}"),
                RecordProblem::NotBase64,
            ),
            (format!("t=s:y; {record}"), RecordProblem::Testing),
        ];
        for (text, problem) in rows {
            assert_eq!(check(&text, &key), Err(problem), "{text}");
        }
        assert_eq!(
            record_name("s1", "example.com"),
            "s1._domainkey.example.com"
        );
    }
}
