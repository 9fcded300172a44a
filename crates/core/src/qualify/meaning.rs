//! The meanings that a text can have, and the verdict that goes with each.
//!
//! Finer than the documented reasons: «listed by a DNSBL» and «looks like spam» are both Refused,
//! but the first is the sender's trouble and the second the content's. Rules, the status table and
//! the vocabulary all speak in meanings, so that one thing has one verdict everywhere.

use serde::{Deserialize, Serialize};

use crate::failure::{FailureReason as R, FailureType as T, Party as P};

/// How a meaning's type is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Hard whatever the code.
    Hard,
    /// Soft whatever the code.
    Soft,
    /// Ignored whatever the code.
    Ignored,
    /// Hard when permanent, Soft when transient.
    ByCode,
    /// Not defined: nobody can say.
    NotDefined,
}

impl Kind {
    /// The type for a failure that is permanent or not.
    #[must_use]
    pub const fn resolve(self, permanent: bool) -> T {
        match self {
            Self::Hard => T::Hard,
            Self::Soft => T::Soft,
            Self::Ignored => T::Ignored,
            Self::NotDefined => T::NotDefined,
            Self::ByCode if permanent => T::Hard,
            Self::ByCode => T::Soft,
        }
    }
}

/// Makes the enum and its table at once.
macro_rules! meanings {
    ($($(#[$doc:meta])* $name:ident $slug:literal => $kind:ident $reason:ident $party:ident $retry:literal;)*) => {
        /// What a text says, in the field's own terms.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Meaning {
            $($(#[$doc])* #[serde(rename = $slug)] $name,)*
        }

        impl Meaning {
            /// Every meaning.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word that rule files use.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }

            /// The verdict that goes with it.
            #[must_use]
            pub const fn sense(self) -> Sense {
                match self {
                    $(Self::$name => Sense {
                        kind: Kind::$kind, reason: R::$reason, party: P::$party, retry: $retry,
                    }),*
                }
            }
        }
    };
}

/// Type, reason, party and retry, before the permanence is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sense {
    /// How the type is found.
    pub kind: Kind,
    /// The reason.
    pub reason: R,
    /// Whose trouble it is.
    pub party: P,
    /// Worth another try even after a refusal.
    pub retry: bool,
}

meanings! {
    /// The address does not exist, or its owner has left.
    UserUnknown "user-unknown" => Hard UserUnknown Recipient false;
    /// The account exists but is suspended, inactive or closed.
    Disabled "disabled" => ByCode AccountDisabled Recipient false;
    /// The mailbox is full.
    MailboxFull "mailbox-full" => Soft MailboxFull Recipient false;
    /// The domain does not exist, or takes no mail at all (null MX, RFC 7505).
    DomainUnknown "domain-unknown" => Soft InvalidDomain Recipient false;
    /// The address is on a list of those that get nothing.
    Suppressed "suppressed" => Hard Denylisted Recipient false;
    /// The recipient's own filter or preferences refuse.
    Filtered "filtered" => Soft Refused Recipient false;
    /// Looks like spam.
    Spam "spam" => Soft Refused Content false;
    /// Holds malware, or a forbidden attachment or link.
    Virus "virus" => Soft Refused Content false;
    /// The content or its format is refused.
    Content "content" => Soft Refused Content false;
    /// Too big, or over a limit of the recipient.
    TooBig "too-big" => Soft Refused Content false;
    /// Our address, host or domain is blocked, listed, or of bad reputation.
    Reputation "reputation" => Soft Refused Sender false;
    /// SPF, DKIM, DMARC or ARC failed.
    Authentication "authentication" => Soft Refused Sender false;
    /// No reverse DNS, or a wrong HELO name.
    ReverseDns "reverse-dns" => Soft Refused Sender false;
    /// The sender's address or domain is refused.
    SenderRejected "sender-rejected" => Soft Refused Sender false;
    /// Refused by a policy that is not told.
    Policy "policy" => Soft Refused Sender false;
    /// A log-in, TLS or other security demand was not met.
    Security "security" => Soft Refused Sender false;
    /// Relaying denied: that host is not in charge of the recipient.
    Relay "relay" => Soft Refused Path false;
    /// Too fast, too many, too often: slow down.
    Rate "rate" => Soft Unreachable Sender true;
    /// Come back later: greylisting.
    Greylist "greylist" => Soft Unreachable Sender true;
    /// The remote system is busy.
    Busy "busy" => Soft Unreachable Path true;
    /// An incident of the remote system.
    System "system" => Soft Unreachable Path false;
    /// The disk of the remote system is full.
    SystemFull "system-full" => Soft Unreachable Path true;
    /// Network, routing or name look-up trouble.
    Network "network" => Soft Unreachable Path false;
    /// Gave up after retries.
    Expired "expired" => Soft Unreachable Path false;
    /// TLS could not be set up.
    Tls "tls" => Soft Unreachable Path false;
    /// The two programs did not understand each other.
    Protocol "protocol" => Soft Unreachable Ourselves false;
    /// Our own software or set-up failed before any server spoke.
    Ours "ours" => Ignored Refused Ourselves false;
    /// The server says no more than that it failed.
    Unclear "unclear" => NotDefined NotDefined Path false;
}
