//! What a failure is: its type, its reason with the technical value, and whose trouble it is.
//!
//! Numbers stand in the store and in exports, slugs in every face. Both are frozen.

/// An enum that has a number for the store and a slug for people.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $slug:literal;)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::serde::Serialize, ::serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $slug)] $variant,)*
        }

        impl $name {
            /// Every value, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number that the store and exports use.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),* }
            }

            /// The word that every face uses.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),* }
            }

            /// The value with this number.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The value with this slug.
            #[must_use]
            pub fn from_slug(slug: &str) -> Option<Self> {
                match slug { $($slug => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.slug())
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// How final a failure is.
    FailureType {
        /// Nobody has said yet what the text means.
        NotDefined = 0, "not_defined";
        /// Temporary by nature, or technical: never touches the address.
        Ignored = 1, "ignored";
        /// Perhaps temporary: counted, and quarantined at the threshold.
        Soft = 2, "soft";
        /// The address is invalid.
        Hard = 3, "hard";
    }
}

coded! {
    /// Why a recipient did not get the delivery. The numbers are the documented technical values.
    FailureReason {
        /// New text, not yet qualified.
        NotDefined = 0, "not_defined";
        /// The address does not exist.
        UserUnknown = 1, "user_unknown";
        /// The domain is wrong or gone.
        InvalidDomain = 2, "invalid_domain";
        /// An incident on the way: relay, network, remote system.
        Unreachable = 3, "unreachable";
        /// The account exists but is inactive.
        AccountDisabled = 4, "account_disabled";
        /// The mailbox is full.
        MailboxFull = 5, "mailbox_full";
        /// The phone is off or out of the network.
        NotConnected = 6, "not_connected";
        /// The recipient has no address.
        AddressNotSpecified = 7, "address_not_specified";
        /// The address or the profile is on the denylist.
        Denylisted = 8, "denylisted";
        /// The address was already in quarantine.
        Quarantine = 9, "quarantine";
        /// The address is already in this delivery.
        Double = 10, "double";
        /// Excluded by a filtering typology rule.
        ExcludedSqlRule = 11, "excluded_sql_rule";
        /// Excluded by a pressure typology rule.
        ExcludedArbitration = 12, "excluded_arbitration";
        /// Wrong syntax, or a quality below the delivery's minimum.
        BadQuality = 14, "bad_quality";
        /// A postal address that is not qualified.
        Unqualified = 15, "unqualified";
        /// Not eligible for the offers.
        NotEligible = 16, "not_eligible";
        /// The delivery's maximum size was reached.
        TargetLimited = 17, "target_limited";
        /// Refused for security, reputation, policy or content.
        Refused = 20, "refused";
        /// The address is allowlisted: its error is ignored.
        ErrorIgnored = 25, "error_ignored";
        /// Member of the control group.
        Control = 127, "control";
    }
}

coded! {
    /// Whose trouble a failure is. Recipient and path move the address's counter; the others never do.
    Party {
        /// The address or its mailbox.
        Recipient = 0, "recipient";
        /// The way to it: names, network, the remote system.
        Path = 1, "path";
        /// Us as senders: reputation, authentication, rate.
        Sender = 2, "sender";
        /// What the message says or how it is built.
        Content = 3, "content";
        /// Our own software or set-up.
        Ourselves = 4, "ourselves";
    }
}

impl Party {
    /// Whether a failure of this party's can ever count against the address.
    #[must_use]
    pub const fn may_blame_address(self) -> bool {
        match self {
            Self::Recipient | Self::Path => true,
            Self::Sender | Self::Content | Self::Ourselves => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_slugs_lead_back() {
        for &reason in FailureReason::ALL {
            assert_eq!(FailureReason::from_code(reason.code()), Some(reason));
            assert_eq!(FailureReason::from_slug(reason.slug()), Some(reason));
        }
        for &kind in FailureType::ALL {
            assert_eq!(FailureType::from_slug(kind.slug()), Some(kind));
        }
        assert_eq!(FailureReason::from_code(13), None);
        assert_eq!(FailureReason::Control.code(), 127);
    }

    #[test]
    fn only_recipient_and_path_can_be_blamed() {
        let blamed: Vec<_> = Party::ALL
            .iter()
            .filter(|party| party.may_blame_address())
            .map(|p| p.slug())
            .collect();
        assert_eq!(blamed, ["recipient", "path"]);
    }
}
