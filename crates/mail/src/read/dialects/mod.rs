//! Dialects: how to know the product or provider that wrote a report, and where it puts what.
//!
//! Each is a file of `rules/dialects` with a plain description. A dialect narrows what the generic
//! reader looks at; it has no code of its own. A report in a dialect nobody described is read all the same.

use std::sync::LazyLock;

use serde::Deserialize;

use super::vocabulary::AnyCase;

/// The files, the particular before the general: the first one that is met wins.
const FILES: &[&str] = &[
    include_str!("../../../../../rules/dialects/mailru.toml"),
    include_str!("../../../../../rules/dialects/yandex.toml"),
    include_str!("../../../../../rules/dialects/ezweb.toml"),
    include_str!("../../../../../rules/dialects/docomo.toml"),
    include_str!("../../../../../rules/dialects/softbank.toml"),
    include_str!("../../../../../rules/dialects/aol.toml"),
    include_str!("../../../../../rules/dialects/qq.toml"),
    include_str!("../../../../../rules/dialects/netease.toml"),
    include_str!("../../../../../rules/dialects/biglobe.toml"),
    include_str!("../../../../../rules/dialects/facebook.toml"),
    include_str!("../../../../../rules/dialects/verizon.toml"),
    include_str!("../../../../../rules/dialects/gmx.toml"),
    include_str!("../../../../../rules/dialects/mxlogic.toml"),
    include_str!("../../../../../rules/dialects/zoho.toml"),
    include_str!("../../../../../rules/dialects/interscan.toml"),
    include_str!("../../../../../rules/dialects/m-filter.toml"),
    include_str!("../../../../../rules/dialects/activehunter.toml"),
    include_str!("../../../../../rules/dialects/surfcontrol.toml"),
    include_str!("../../../../../rules/dialects/mailenable.toml"),
    include_str!("../../../../../rules/dialects/imail.toml"),
    include_str!("../../../../../rules/dialects/google-groups.toml"),
    include_str!("../../../../../rules/dialects/gmail.toml"),
    include_str!("../../../../../rules/dialects/yahoo.toml"),
    include_str!("../../../../../rules/dialects/amazon-ses.toml"),
    include_str!("../../../../../rules/dialects/sendgrid.toml"),
    include_str!("../../../../../rules/dialects/mimecast.toml"),
    include_str!("../../../../../rules/dialects/mailmarshal.toml"),
    include_str!("../../../../../rules/dialects/mailfoundry.toml"),
    include_str!("../../../../../rules/dialects/messagelabs.toml"),
    include_str!("../../../../../rules/dialects/barracuda.toml"),
    include_str!("../../../../../rules/dialects/amavis.toml"),
    include_str!("../../../../../rules/dialects/courier.toml"),
    include_str!("../../../../../rules/dialects/opensmtpd.toml"),
    include_str!("../../../../../rules/dialects/dragonfly.toml"),
    include_str!("../../../../../rules/dialects/exchange.toml"),
    include_str!("../../../../../rules/dialects/exchange-online.toml"),
    include_str!("../../../../../rules/dialects/notes.toml"),
    include_str!("../../../../../rules/dialects/groupwise.toml"),
    include_str!("../../../../../rules/dialects/messaging-server.toml"),
    include_str!("../../../../../rules/dialects/x1.toml"),
    include_str!("../../../../../rules/dialects/x2.toml"),
    include_str!("../../../../../rules/dialects/x3.toml"),
    include_str!("../../../../../rules/dialects/x6.toml"),
    include_str!("../../../../../rules/dialects/fml.toml"),
    include_str!("../../../../../rules/dialects/mailman.toml"),
    include_str!("../../../../../rules/dialects/powermta.toml"),
    include_str!("../../../../../rules/dialects/mdaemon.toml"),
    include_str!("../../../../../rules/dialects/kerio.toml"),
    include_str!("../../../../../rules/dialects/hmailserver.toml"),
    include_str!("../../../../../rules/dialects/smartermail.toml"),
    include_str!("../../../../../rules/dialects/zimbra.toml"),
    include_str!("../../../../../rules/dialects/ntmail.toml"),
    include_str!("../../../../../rules/dialects/smail.toml"),
    include_str!("../../../../../rules/dialects/exim.toml"),
    include_str!("../../../../../rules/dialects/sendmail.toml"),
    include_str!("../../../../../rules/dialects/mcafee.toml"),
    include_str!("../../../../../rules/dialects/postfix.toml"),
    include_str!("../../../../../rules/dialects/qmail.toml"),
    include_str!("../../../../../rules/dialects/smtp32.toml"),
    include_str!("../../../../../rules/dialects/kmx.toml"),
    include_str!("../../../../../rules/dialects/mmdf.toml"),
];

/// One dialect, as in its file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dialect {
    /// Its name.
    pub name: String,
    /// How to know it, in plain words.
    pub about: String,
    /// Which products and providers write so.
    pub source: String,
    /// Phrases in the From field.
    #[serde(default)]
    know_from: Vec<String>,
    /// Phrases in the subject.
    #[serde(default)]
    know_subject: Vec<String>,
    /// Phrases in the header block.
    #[serde(default)]
    know_header: Vec<String>,
    /// Phrases in the text of the notification.
    #[serde(default)]
    know_text: Vec<String>,
    /// A line with one of these stands before the failed addresses.
    #[serde(default)]
    pub begin: Vec<String>,
    /// The report ends at a line with one of these.
    #[serde(default)]
    pub end: Vec<String>,
    /// Words right before a failed address.
    #[serde(default)]
    pub recipient: Vec<String>,
    /// Sentences before the addresses that tell more than the words beside an address.
    #[serde(default)]
    pub lead: Vec<String>,
    /// Words of a reply that say nothing: what it is about stands in the lines above it.
    #[serde(default)]
    pub hollow: Vec<String>,
    /// What it means, where the text alone does not tell.
    #[serde(default)]
    pub means: Option<String>,
}

/// Where a phrase is looked for.
#[derive(Debug, Clone, Copy)]
enum Place {
    From,
    Subject,
    Header,
    Text,
}

/// What is looked at to know a dialect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looks<'a> {
    pub from: &'a str,
    pub subject: &'a str,
    pub header: &'a [u8],
    pub text: &'a str,
}

#[derive(Debug)]
struct Places {
    phrases: AnyCase,
    dialects: Vec<usize>,
}

/// All dialects, compiled.
#[derive(Debug)]
pub(super) struct Dialects {
    all: Vec<Dialect>,
    needed: Vec<u8>,
    places: Vec<(Place, Places)>,
}

impl Dialects {
    fn new(all: Vec<Dialect>) -> Self {
        let mut needed = vec![0_u8; all.len()];
        let mut places = Vec::new();
        for place in [Place::From, Place::Subject, Place::Header, Place::Text] {
            let mut phrases = Vec::new();
            let mut dialects = Vec::new();
            for (i, dialect) in all.iter().enumerate() {
                let list = dialect.phrases(place);
                if !list.is_empty()
                    && let Some(bits) = needed.get_mut(i)
                {
                    *bits |= 1 << place as u8;
                }
                for phrase in list {
                    phrases.push(phrase.as_str());
                    dialects.push(i);
                }
            }
            let phrases = AnyCase::new(&phrases);
            places.push((place, Places { phrases, dialects }));
        }
        Self {
            all,
            needed,
            places,
        }
    }

    /// The dialect that a mail is written in.
    pub(super) fn know(&self, looks: Looks<'_>) -> Option<&Dialect> {
        let mut met = vec![0_u8; self.all.len()];
        for (place, Places { phrases, dialects }) in &self.places {
            let bytes = match place {
                Place::From => looks.from.as_bytes(),
                Place::Subject => looks.subject.as_bytes(),
                Place::Header => looks.header,
                Place::Text => looks.text.as_bytes(),
            };
            for found in phrases.find_in(&bytes.to_ascii_lowercase()) {
                let dialect = dialects.get(found.phrase);
                if let Some(bits) = dialect.and_then(|&d| met.get_mut(d)) {
                    *bits |= 1 << *place as u8;
                }
            }
        }
        met.iter()
            .zip(&self.needed)
            .position(|(met, needed)| *needed != 0 && met & needed == *needed)
            .and_then(|i| self.all.get(i))
    }
}

impl Dialect {
    const fn phrases(&self, place: Place) -> &Vec<String> {
        match place {
            Place::From => &self.know_from,
            Place::Subject => &self.know_subject,
            Place::Header => &self.know_header,
            Place::Text => &self.know_text,
        }
    }
}

static SHIPPED: LazyLock<Dialects> = LazyLock::new(|| {
    Dialects::new(
        FILES
            .iter()
            .filter_map(|text| toml::from_str(text).ok())
            .collect(),
    )
});

/// The dialects shipped with the product. A test checks that every file can be read.
pub(super) fn shipped() -> &'static Dialects {
    &SHIPPED
}

/// How a dialect is described to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Its name, as in [`super::Report::dialect`].
    pub name: &'static str,
    /// How to know it, in plain words.
    pub about: &'static str,
    /// Which products and providers write so.
    pub source: &'static str,
}

/// Every dialect that is described, in the order in which they are tried.
#[must_use]
pub fn descriptions() -> Vec<Description> {
    SHIPPED
        .all
        .iter()
        .map(|dialect| Description {
            name: &dialect.name,
            about: &dialect.about,
            source: &dialect.source,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read_and_says_what_it_is() {
        let mut names = Vec::new();
        for text in FILES {
            let dialect: Dialect = toml::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert!(dialect.about.len() > 20, "{}", dialect.name);
            assert!(!dialect.source.is_empty(), "{}", dialect.name);
            assert!(!names.contains(&dialect.name), "{} twice", dialect.name);
            names.push(dialect.name);
        }
        assert_eq!(shipped().all.len(), FILES.len());
        assert!(shipped().needed.iter().all(|bits| *bits != 0));
    }

    #[test]
    fn every_file_of_the_directory_is_listed() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/dialects");
        let files = std::fs::read_dir(dir).unwrap().count();
        assert_eq!(files, FILES.len());
    }
}
