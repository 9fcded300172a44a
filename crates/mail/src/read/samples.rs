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
    "activehunter" "address-given-up" "addresses-spelled-out" "amavis" "amazon-ses"
    "answer-from-program" "aol" "arabic-full" "arf-abuse" "arf-auth-failure" "arf-fraud"
    "arf-not-spam" "arf-opt-out" "arf-other" "arf-redacted" "arf-virus" "auto-challenge"
    "auto-french" "auto-german" "auto-italian" "auto-japanese" "auto-polish" "auto-precedence"
    "auto-rfc3834" "auto-spanish-plain" "auto-subject" "auto-ticket" "auto-x-autoreply" "axigen"
    "barracuda" "biglobe" "carrier-japanese" "communigate" "complaint-forwarded" "complaint-jmrp"
    "complaint-summed-up" "contact-on-next-line" "conversation-about-an-address" "coremail-chinese"
    "courier" "czech-unknown" "delay-norwegian" "delay-without-reason" "docomo" "docomo-filter"
    "dragonfly" "exchange" "exchange-dutch" "exchange-french" "exchange-german" "exchange-italian"
    "exchange-online" "exchange-portuguese" "exchange-russian" "exchange-spanish" "exim"
    "exim-alias" "exim-delay" "expired-in-words" "ezmlm" "ezweb" "ezweb-disabled" "facebook"
    "filter-sums-up" "filter-sums-up-danish" "fml" "fortimail" "forwarded-report" "gateway-bare"
    "gmail" "gmail-french" "gmail-german" "gmail-spanish" "gmx" "gone" "google-groups"
    "greek-unknown" "greeting-refused" "groupwise" "halon" "haraka" "headers-only-base64"
    "headings-above" "hmailserver" "html-only" "html-table" "icewarp" "imail" "indonesian"
    "interscan" "ironport" "kerio" "kmx" "kumomta" "left-the-company" "list-held" "list-owner-told"
    "list-refuses" "list-refuses-french" "list-robot-refuses" "listed-with-others" "local-names"
    "local-names-in-brackets" "m-filter" "mailenable" "mailfoundry" "mailgun" "mailman"
    "mailmarshal" "mailru" "mcafee" "mdaemon" "messagelabs" "messaging-server" "mimecast" "mmdf"
    "moved-to" "multipart-lost-field" "mxlogic" "name-before-address" "neighbour-without-words"
    "netease" "new-address-told" "nobody-named" "notes" "ntmail" "null-mx" "odd-sender-destination"
    "odd-sender-directory" "odd-sender-quota" "only-in-subject" "opensmtpd" "other-confirmation"
    "other-deleted-by-hand" "other-dmarc-report" "other-forwarded-for-help" "other-mail"
    "other-mailbox-lure" "other-newsletter-on-bounces" "other-parcel" "other-person-asks"
    "other-quota-warning" "other-read-receipt" "other-reply-to-bounce" "other-statistics"
    "other-ticket-on-bounce" "passed-on-attached" "passed-on-silently" "path-of-hosts"
    "pmdf-addressee" "policy-in-words" "portal-korean" "postal" "postfix" "postfix-alias" "powermta"
    "program-behind-alias" "proofpoint" "proton" "qmail" "qmail-local" "qq" "quota-after-words"
    "quota-romanian" "quota-while-retrying" "reason-before-address" "reason-colon-address"
    "reasons-ahead" "relay-gave-up" "return-receipt" "rfc3464-alias" "rfc3464-delivered"
    "rfc3464-generic-field" "rfc3464-in-mixed" "rfc3464-nested" "rfc3464-notes-folds"
    "rfc3464-relayed" "rfc3464-several" "robot-own-address" "sender-is-no-recipient" "sendgrid"
    "sendmail" "sendmail-5" "sendmail-quoted-reply" "ses-suppressed" "several-nobody-named"
    "several-on-one-line" "sieve-quota" "sieve-reject" "smail" "smartermail" "smtp32" "softbank"
    "sophos" "spamcop" "status-lost-a-group" "summary-first" "surfcontrol" "swedish-full" "sympa"
    "undelivered-in-czech" "unknown-dialect" "unknown-language" "unsubscribe" "utf-7" "verizon"
    "virus-notice" "waiting-mail" "warning-in-german" "webmail-polish" "webmail-turkish"
    "windows-1251" "words-of-a-server" "wrapped-sentence" "x1" "x2" "x3" "x400-encoded" "x6" "yahoo"
    "yandex" "zimbra" "zoho"
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
