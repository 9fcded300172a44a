//! The outside of a mail: who sent it, how, and which of its texts speaks.

use super::addresses;
use super::auto_reply;
use super::charset;
use super::lines;
use super::notice::{self, Notice};
use super::structure::{PartKind, Structure};
use super::vocabulary::{Sign, Signs, Vocabulary};

/// Bytes of the header block in which a dialect's marks are looked for.
const MAX_MARKS: usize = 8 << 10;

/// Bytes of text, as they stand in the mail, of one that passes another one on without a word.
const MAX_SILENT: usize = 600;

/// The outer headers, decoded once.
#[derive(Debug)]
pub(super) struct Outer {
    pub from: String,
    pub subject: String,
    pub subject_signs: Signs,
    /// A mail system sent it.
    pub daemon: bool,
    /// The return path is empty (RFC 5321 §4.5.5).
    pub null_path: bool,
    /// Its headers show that a program wrote it.
    pub robot: bool,
    /// It came to an address to which only reports are sent (`garden-bounces@`, `err+42@`, one made for one recipient), and belongs to no conversation.
    pub expected: bool,
    /// Whom it is to.
    pub addressees: Vec<String>,
    /// Addresses that are never blamed while others are there: whom it is from and to.
    pub bystanders: Vec<String>,
    /// Short fields of its own in which a program names itself.
    pub header: Vec<u8>,
}

impl Outer {
    pub(super) fn of(mail: &Structure<'_>, vocabulary: &Vocabulary) -> Self {
        let decoded = |name: &str| {
            mail.headers
                .raw(name)
                .map(charset::header)
                .unwrap_or_default()
        };
        let from = decoded("from");
        let subject = decoded("subject");
        let mut subject_signs = vocabulary.subject.signs(&subject);
        let as_text = vocabulary.text.signs(&subject);
        for sign in [Sign::Failure, Sign::Delay] {
            if as_text.has(sign) {
                subject_signs.add(sign);
            }
        }
        let known = [Sign::Failure, Sign::Delay, Sign::Success, Sign::AutoReply]
            .iter()
            .any(|sign| subject_signs.has(*sign));
        if !known && vocabulary.undelivered.is_told(&subject) {
            subject_signs.add(Sign::Failure);
        }
        let path = mail.headers.get("return-path").unwrap_or_default();
        let to = decoded("to");
        let addressees = addresses::all(&to);
        let made_for_one = addressees
            .iter()
            .any(|to| addresses::in_return_path(to).is_some());
        let mut bystanders = addresses::all(&from);
        bystanders.extend(addressees.iter().cloned());
        // The list for which the reader speaks has not failed, one of its members has; but for what its own program tells.
        let own = addresses::list_of(&from);
        bystanders.extend(addresses::list_of(&to).filter(|list| own.as_ref() != Some(list)));
        let mut header = Vec::new();
        for (name, value) in mail.headers.iter() {
            // Programs name themselves in short fields of their own; traces and signatures are long.
            let own = name.len() < 24 && value.len() < 120;
            if header.len() > MAX_MARKS {
                break;
            }
            if !own
                || !name
                    .first()
                    .is_some_and(|b| matches!(b, b'x' | b'X' | b'u' | b'U'))
            {
                continue;
            }
            header.extend_from_slice(name);
            header.push(b':');
            header.extend_from_slice(value);
        }
        Self {
            daemon: vocabulary.is_daemon(&from)
                || addresses::is_system(&path)
                || from.trim() == "<>",
            null_path: path.trim() == "<>",
            robot: is_robot(mail, &from),
            expected: (vocabulary.takes_reports(&to) || made_for_one) && !is_conversation(mail),
            subject_signs,
            from,
            subject,
            addressees,
            bystanders,
            header,
        }
    }

    /// Whether the mail is from or to this address.
    pub(super) fn is_bystander(&self, address: &str) -> bool {
        self.bystanders.iter().any(|b| addresses::same(b, address))
    }

    /// Whether the subject is that of an answer or of a mail passed on, and no mail system sent it.
    pub(super) fn answers(&self) -> bool {
        auto_reply::is_answer(&self.subject) && !self.daemon && !self.null_path && !self.robot
    }
}

/// Whether headers show that a program wrote it: RFC 3834 §5, `Precedence: junk`, a mark against loops, a role as sender.
fn is_robot(mail: &Structure<'_>, from: &str) -> bool {
    let says = |name: &str, words: &[&str]| {
        mail.headers
            .get(name)
            .is_some_and(|value| words.iter().any(|w| value.trim().eq_ignore_ascii_case(w)))
    };
    let generated = mail
        .headers
        .get("auto-submitted")
        .is_some_and(|value| !value.trim().eq_ignore_ascii_case("no"));
    let role = addresses::first(from)
        .is_some_and(|address| addresses::is_role(address) || addresses::is_unread(address));
    generated
        || mail.headers.get("x-loop").is_some()
        || mail.headers.get("x-auto-response-suppress").is_some()
        || says("precedence", &["junk", "auto_reply"])
        || role
}

/// Whether a mail belongs to a conversation or a list: most programs that report do not say so.
pub(super) fn is_conversation(mail: &Structure<'_>) -> bool {
    ["in-reply-to", "references", "list-unsubscribe", "list-id"]
        .iter()
        .any(|name| mail.headers.get(name).is_some())
}

/// Whether a mail that belongs to a conversation is one of a person: programs that report say `Re:` or nothing of the kind.
pub(super) fn is_talk(mail: &Structure<'_>, outer: &Outer) -> bool {
    let program = outer.daemon || outer.null_path || outer.robot;
    is_conversation(mail) && (auto_reply::is_answer(&outer.subject) || !program)
}

/// Whether lines of another mail are quoted in it.
pub(super) fn quotes(text: &Notice) -> bool {
    let text = text.before();
    text.starts_with('>') || memchr::memmem::find(text.as_bytes(), b"\n>").is_some()
}

/// The mail that is attached to another one, which adds no words of its own or those of a list server.
pub(super) fn passed_on(mail: &Structure<'_>, vocabulary: &Vocabulary) -> Option<Vec<u8>> {
    let mut inner = mail
        .parts
        .iter()
        .filter(|part| part.kind == PartKind::Message && part.level == 0);
    let (only, None) = (inner.next()?, inner.next()) else {
        return None;
    };
    let message = || {
        let inner = charset::bytes(only.body, only.encoding.as_deref());
        lines::without_mbox_line(inner.trim_ascii_start()).to_vec()
    };
    // A list server tells its owner what it did about a report, and adds the report.
    if mail.headers.get("x-list-administrivia").is_some() {
        return Some(message());
    }
    let texts = mail
        .parts
        .iter()
        .filter(|part| part.level == 0 && matches!(part.kind, PartKind::Text | PartKind::Html));
    // Too much to be so few words: not worth decoding.
    if texts.map(|part| part.body.len()).sum::<usize>() > MAX_SILENT {
        return None;
    }
    let from = mail.headers.raw("from").map(charset::header);
    let program = from.is_some_and(|from| vocabulary.is_daemon(&from));
    // A person who adds a sentence asks about the report; a program tells that it adds it.
    let most = if program { 60 } else { 8 };
    let text = notice::gather(mail, 0);
    (!lines::is_longer(&text, most) && !text.contains('@')).then(message)
}

/// The text of the level that speaks: the mail itself, or a report of a mail system that is passed on
/// without a word.
pub(super) fn text_of(mail: &Structure<'_>, vocabulary: &Vocabulary) -> String {
    let outer = notice::gather(mail, 0);
    if memchr::memchr(b'@', outer.as_bytes()).is_some() {
        return outer;
    }
    let subject = mail.headers.raw("subject").map(charset::header);
    let forwarded = subject.is_some_and(|subject| auto_reply::is_forward(&subject));
    // Who forwards with a few words of one's own speaks; a footer or a blank line does not.
    if lines::is_longer(&outer, if forwarded { 8 } else { 30 }) {
        return outer;
    }
    let inner = mail
        .parts
        .iter()
        .find(|part| part.kind == PartKind::Message && part.level == 0);
    let from = inner.and_then(|part| {
        let (headers, _) = super::structure::Headers::parse(part.body.trim_ascii_start());
        headers.raw("from").map(charset::header)
    });
    if from.is_some_and(|from| vocabulary.is_daemon(&from)) {
        notice::gather(mail, 1)
    } else {
        outer
    }
}
