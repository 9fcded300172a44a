//! The samples of the reader, part of the library: at least one for every dialect and format.
//!
//! Each is a mail of our own beside what is to be found in it, so that whoever changes a rule, a phrase or a
//! dialect can see at once what else it changes. A program that never calls [`samples`] does not carry them.

/// A mail, and what is to be found in it.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Its name; that of the dialect where it stands for one.
    pub name: &'static str,
    /// The mail.
    pub mail: &'static [u8],
    /// What is to be found in it, as JSON: `kind`, `dialect`, `recipients` with the fields that matter.
    pub expected: &'static str,
}

macro_rules! of_testdata {
    ($($name:literal)*) => {
        &[$(Sample {
            name: $name,
            mail: include_bytes!(concat!("../../testdata/read/", $name, ".eml")),
            expected: include_str!(concat!("../../testdata/read/", $name, ".json")),
        }),*]
    };
}

const SAMPLES: &[Sample] = of_testdata![
    "activehunter" "amavis" "amazon-ses" "aol" "arf-abuse" "arf-auth-failure" "arf-fraud"
    "arf-not-spam" "arf-opt-out" "arf-other" "arf-redacted" "arf-virus" "auto-challenge"
    "auto-french" "auto-german" "auto-japanese" "auto-precedence" "auto-rfc3834" "auto-subject"
    "auto-x-autoreply" "barracuda" "biglobe" "communigate" "complaint-forwarded" "complaint-jmrp"
    "courier" "docomo" "dragonfly" "exchange" "exchange-online" "exim" "exim-alias" "exim-delay"
    "ezweb" "facebook" "fml" "forwarded-report" "gmail" "gmx" "gone" "google-groups" "groupwise"
    "headers-only-base64" "hmailserver" "imail" "interscan" "kerio" "kmx" "left-the-company"
    "m-filter" "mailenable" "mailfoundry" "mailman" "mailmarshal" "mailru" "mcafee" "mdaemon"
    "messagelabs" "messaging-server" "mimecast" "mmdf" "mxlogic" "netease" "nobody-named" "notes"
    "ntmail" "opensmtpd" "other-confirmation" "other-mail" "other-read-receipt"
    "other-reply-to-bounce" "passed-on-silently" "postfix" "postfix-alias" "powermta" "qmail"
    "qmail-local" "qq" "quota-after-words" "rfc3464-alias" "rfc3464-delivered"
    "rfc3464-generic-field" "rfc3464-in-mixed" "rfc3464-nested" "rfc3464-notes-folds"
    "rfc3464-relayed" "rfc3464-several" "sender-is-no-recipient" "sendgrid" "sendmail" "sendmail-5"
    "several-nobody-named" "smail" "smartermail" "smtp32" "softbank" "spamcop" "summary-first"
    "surfcontrol" "unknown-dialect" "unsubscribe" "utf-7" "verizon" "virus-notice" "x1" "x2" "x3"
    "x6" "yahoo" "yandex" "zimbra" "zoho"
];

/// Every sample, by name.
#[must_use]
pub const fn samples() -> &'static [Sample] {
    SAMPLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/read");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "eml"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let listed: Vec<&str> = samples().iter().map(|sample| sample.name).collect();
        assert_eq!(listed, names);
    }
}
