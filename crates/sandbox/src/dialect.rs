//! How real providers word their replies, under pretend names.
//!
//! One row per dialect, one text per fate. The formats (codes, enhanced status, where the address
//! and the queue name stand) are those seen in the field; `{to}`, `{host}`, `{ip}` and `{id}` are
//! filled in. Several lines are parted by `\n`.

mod words;

use serde::{Deserialize, Serialize};

use crate::Fate;

/// A way of wording replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// A site with Postfix.
    #[default]
    Postfix,
    /// A site with Exim.
    Exim,
    /// A site with Exchange.
    Exchange,
    /// A site with qmail.
    Qmail,
    /// Gmail.
    Gmail,
    /// Outlook.com.
    Outlook,
    /// Yahoo and AOL.
    Yahoo,
    /// iCloud.
    Icloud,
    /// Orange (France).
    Orange,
    /// Free (France).
    Free,
    /// GMX and WEB.DE.
    Gmx,
    /// Mail.ru.
    MailRu,
    /// Yandex.
    Yandex,
}

/// What a reply is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A recipient or a content meets its fate.
    Fate(Fate),
    /// The domain is not taken here.
    Relay,
    /// Too many connections at a time (greeting).
    Connections,
    /// Too many messages: the connection ends, or a pause.
    Rate,
}

/// A reply's code and text, placeholders not yet filled in.
pub(crate) type Wording = (u16, &'static str);

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 13] = [
        Self::Postfix,
        Self::Exim,
        Self::Exchange,
        Self::Qmail,
        Self::Gmail,
        Self::Outlook,
        Self::Yahoo,
        Self::Icloud,
        Self::Orange,
        Self::Free,
        Self::Gmx,
        Self::MailRu,
        Self::Yandex,
    ];

    /// The wording for an occasion; `None` where nothing is refused.
    pub(crate) const fn wording(self, occasion: Occasion) -> Option<Wording> {
        let words = self.words();
        Some(match occasion {
            Occasion::Relay => words.relay,
            Occasion::Connections => words.connections,
            Occasion::Rate => words.rate,
            Occasion::Fate(fate) => match fate {
                Fate::UserUnknown => words.unknown,
                Fate::AccountDisabled => words.disabled,
                Fate::MailboxFull => words.full,
                Fate::Greylisted => words.grey,
                Fate::SpamBlocked => words.spam,
                Fate::PolicyRefused => words.policy,
                Fate::ContentRefused => words.content,
                Fate::Deferred => words.deferred,
                Fate::Novel => words.novel,
                Fate::Accepted | Fate::DroppedInContent | Fate::DroppedAfterDot | Fate::Slow => {
                    return None;
                }
            },
        })
    }

    const fn words(self) -> &'static Words {
        match self {
            Self::Postfix => &words::POSTFIX,
            Self::Exim => &words::EXIM,
            Self::Exchange => &words::EXCHANGE,
            Self::Qmail => &words::QMAIL,
            Self::Gmail => &words::GMAIL,
            Self::Outlook => &words::OUTLOOK,
            Self::Yahoo => &words::YAHOO,
            Self::Icloud => &words::ICLOUD,
            Self::Orange => &words::ORANGE,
            Self::Free => &words::FREE,
            Self::Gmx => &words::GMX,
            Self::MailRu => &words::MAIL_RU,
            Self::Yandex => &words::YANDEX,
        }
    }
}

/// The texts of one dialect.
struct Words {
    unknown: Wording,
    disabled: Wording,
    full: Wording,
    grey: Wording,
    spam: Wording,
    policy: Wording,
    content: Wording,
    deferred: Wording,
    novel: Wording,
    relay: Wording,
    connections: Wording,
    rate: Wording,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_refuses_for_good_and_for_now_where_it_should() {
        for dialect in Dialect::ALL {
            let code = |occasion| dialect.wording(occasion).unwrap().0 / 100;
            for fate in [
                Fate::UserUnknown,
                Fate::AccountDisabled,
                Fate::SpamBlocked,
                Fate::PolicyRefused,
                Fate::ContentRefused,
                Fate::Novel,
            ] {
                assert_eq!(code(Occasion::Fate(fate)), 5, "{dialect:?} {fate:?}");
            }
            assert_eq!(code(Occasion::Fate(Fate::Greylisted)), 4, "{dialect:?}");
            assert_eq!(code(Occasion::Fate(Fate::Deferred)), 4, "{dialect:?}");
            assert_eq!(code(Occasion::Connections), 4, "{dialect:?}");
            assert_eq!(code(Occasion::Rate), 4, "{dialect:?}");
            assert_eq!(dialect.wording(Occasion::Fate(Fate::Accepted)), None);
        }
    }
}
