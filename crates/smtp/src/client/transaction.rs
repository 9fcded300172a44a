//! One message through a session: MAIL, RCPT…, DATA, the content, the final dot.
//!
//! ```text
//! Commands ──354, a recipient accepted──► Content ──sent──► FinalDot ─► Ended
//!    │ └────354, none accepted: a lone dot────────────────► Empty ────────►┘
//!    └──refused, lost, 421, or test without DATA──────────────────────────►┘
//! ```
//!
//! A machine without I/O with two cursors over the list of commands, `sent` and `answered`: with
//! PIPELINING (RFC 2920) up to [`WINDOW`] commands are on their way, without it one.

use posthaste_core::evidence::{Outcome, Stage};

use super::capabilities::Capabilities;
use super::event::{Action, Event};
use super::reach::{Voice, refusal};
use super::{Envelope, Still};
use crate::command::{Command, Mail, Unspeakable};
use crate::reply::Reply;

/// Commands that may be on their way at once. Their replies fit into any socket's buffers, so
/// neither side waits for the other to read.
pub const WINDOW: usize = 100;

/// What is asked of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Send the message. `eight_bit`: it has octets above 127.
    Send {
        /// Whether it has octets above 127.
        eight_bit: bool,
    },
    /// Stop before DATA: an accepted recipient counts as delivered.
    Test,
}

/// How the session stands before a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// An earlier transaction is still open: RSET goes first.
    pub reset: bool,
    /// The session was used before: the server may have closed it meanwhile.
    pub used: bool,
}

/// The result of a transaction.
#[derive(Debug)]
pub struct Finished {
    /// One outcome per recipient.
    pub outcomes: Vec<Outcome>,
    /// Whether more can be sent.
    pub still: Still,
    /// The session was closed before the message was taken up.
    pub stale: bool,
    /// The transaction is still open at the server: RSET goes before the next one.
    pub reset: bool,
}

#[derive(Debug)]
enum Fate {
    /// Nothing was said yet.
    Waiting,
    /// RCPT was accepted.
    Accepted,
    /// It has its outcome.
    Ended(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Commands,
    Content,
    FinalDot,
    Empty,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Rset,
    Mail,
    Rcpt(usize),
    Data,
}

/// The machine.
#[derive(Debug)]
pub struct Transaction<'a> {
    envelope: &'a Envelope<'a>,
    offers: &'a Capabilities,
    voice: Voice<'a>,
    purpose: Purpose,
    standing: Standing,
    step: Step,
    fates: Vec<Fate>,
    /// Indices of the recipients that are asked for.
    asked: Vec<usize>,
    sent: usize,
    answered: usize,
    mail_refused: bool,
    /// MAIL was accepted and the transaction has not ended.
    open: bool,
    closing: Option<String>,
    stale: bool,
}

impl<'a> Transaction<'a> {
    /// A message to be sent through a session that offers this.
    #[must_use]
    pub fn new(
        envelope: &'a Envelope<'a>,
        purpose: Purpose,
        offers: &'a Capabilities,
        standing: Standing,
        voice: Voice<'a>,
    ) -> Self {
        Self {
            envelope,
            offers,
            voice,
            purpose,
            standing,
            step: Step::Commands,
            fates: envelope.recipients.iter().map(|_| Fate::Waiting).collect(),
            asked: Vec::with_capacity(envelope.recipients.len()),
            sent: 0,
            answered: 0,
            mail_refused: false,
            open: false,
            closing: None,
            stale: false,
        }
    }

    /// Begins: what to do first.
    pub fn start(&mut self, out: &mut Vec<u8>) -> Action {
        let mut scratch = Vec::new();
        for (i, to) in self.envelope.recipients.iter().enumerate() {
            match Command::Rcpt(to).write(&mut scratch) {
                Ok(()) => self.asked.push(i),
                Err(why) => self.end_one(i, |voice| {
                    Outcome::Refused(voice.decided(Stage::Rcpt, &why.to_string()))
                }),
            }
        }
        let refused = self.refused_here();
        if let Some(why) = refused {
            let evidence = self.voice.decided(Stage::Mail, &why);
            self.end_all(|| Outcome::Refused(evidence.clone()));
        }
        if self.fates.iter().all(|f| matches!(f, Fate::Ended(_))) {
            self.open = self.standing.reset;
            return self.end();
        }
        self.go_on(out)
    }

    /// Why this message cannot be sent through this session, if so: it would fail at every try.
    fn refused_here(&self) -> Option<String> {
        let Envelope { size, smtputf8, .. } = *self.envelope;
        if smtputf8 && !self.offers.smtputf8 {
            return Some("an address needs SMTPUTF8, and the server does not offer it".to_owned());
        }
        if let Some(most) = self.offers.max_size.filter(|&most| size > most) {
            return Some(format!(
                "the message of {size} octets is larger than the {most} octets the server takes"
            ));
        }
        if self.purpose == (Purpose::Send { eight_bit: true }) && !self.offers.eight_bit {
            let why = "the message has 8-bit octets, and the server does not offer 8BITMIME";
            return Some(why.to_owned());
        }
        let scratch = &mut Vec::new();
        self.mail().write(scratch).err().map(|e| e.to_string())
    }

    /// The result, once [`Action::Finish`] was asked for.
    #[must_use]
    pub fn finish(self) -> Finished {
        let voice = self.voice;
        let outcomes = self.fates.into_iter().map(|fate| match fate {
            Fate::Ended(outcome) => outcome,
            Fate::Waiting | Fate::Accepted => {
                Outcome::Deferred(voice.decided(Stage::Mail, "the message was not taken up"))
            }
        });
        Finished {
            outcomes: outcomes.collect(),
            reset: self.open && self.closing.is_none(),
            still: self.closing.map_or(Still::Open, Still::Closing),
            stale: self.stale,
        }
    }

    /// What to do next, after this happened.
    pub fn on(&mut self, event: Event, out: &mut Vec<u8>) -> Action {
        match event {
            Event::Reply(reply) => self.on_reply(&reply, out),
            Event::ContentSent => {
                self.step = Step::FinalDot;
                Action::Await(Stage::FinalDot)
            }
            Event::Garbage(garbage) => self.broken(&garbage.to_string()),
            Event::TimedOut => self.broken("time-out"),
            Event::Lost(why) => self.broken(&why),
            Event::Connected | Event::TlsReady | Event::TlsFailed(_) => {
                self.broken("the stream changed")
            }
        }
    }

    fn on_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        if reply.code == 421 {
            return self.on_closing(reply);
        }
        match self.step {
            Step::Commands => match self.command(self.answered) {
                Some(Asked::Rset) => self.on_rset(reply, out),
                Some(Asked::Mail) => self.on_mail(reply, out),
                Some(Asked::Rcpt(i)) => self.on_rcpt(i, reply, out),
                Some(Asked::Data) => self.on_data(reply, out),
                None => self.broken("a reply came that nobody asked for"),
            },
            Step::Content => self.on_early_reply(reply),
            Step::FinalDot => self.on_final_dot(reply),
            Step::Empty => self.on_empty(),
            Step::Ended => Action::Finish,
        }
    }

    fn on_rset(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        if !reply.is_success() {
            let evidence = self.voice.said(Stage::Mail, reply);
            self.end_all(|| Outcome::Deferred(evidence.clone()));
            return self.close("the server refused RSET");
        }
        self.answer(out)
    }

    fn on_mail(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        self.open = reply.is_success();
        if !reply.is_success() {
            self.mail_refused = true;
            let evidence = self.voice.said(Stage::Mail, reply);
            self.end_all(|| refusal(evidence.clone(), false));
        }
        self.answer(out)
    }

    fn on_rcpt(&mut self, recipient: usize, reply: &Reply, out: &mut Vec<u8>) -> Action {
        if !self.mail_refused {
            let accepted = self.has_accepted();
            let evidence = |voice: &Voice<'_>| voice.said(Stage::Rcpt, reply);
            match (reply.is_success(), self.purpose) {
                (true, Purpose::Send { .. }) => {
                    if let Some(fate) = self.fates.get_mut(recipient) {
                        *fate = Fate::Accepted;
                    }
                }
                (true, Purpose::Test) => {
                    self.end_one(recipient, |voice| Outcome::Delivered(evidence(voice)));
                }
                (false, _) => self.end_one(recipient, |voice| refusal(evidence(voice), accepted)),
            }
        }
        self.answer(out)
    }

    fn on_data(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Action {
        self.answered += 1;
        if reply.is_intermediate() {
            if self.has_accepted() {
                self.step = Step::Content;
                return Action::SendContent;
            }
            // RFC 2920 §3.1: the server wants content although nobody is to get it.
            out.extend_from_slice(b".\r\n");
            self.step = Step::Empty;
            return Action::Await(Stage::FinalDot);
        }
        let evidence = self.voice.said(Stage::Data, reply);
        if reply.is_success() {
            self.end_all(|| Outcome::Deferred(evidence.clone()));
            return self.close("the server answered DATA out of turn");
        }
        self.end_all(|| refusal(evidence.clone(), true));
        self.end()
    }

    /// The server spoke while the content was being sent, and then the connection broke.
    fn on_early_reply(&mut self, reply: &Reply) -> Action {
        let evidence = self.voice.said(Stage::Content, reply);
        self.end_all(|| refusal(evidence.clone(), true));
        self.close("the connection broke while the content was sent")
    }

    fn on_final_dot(&mut self, reply: &Reply) -> Action {
        self.open = false;
        let evidence = self.voice.said(Stage::FinalDot, reply);
        if reply.is_success() {
            self.end_all(|| Outcome::Delivered(evidence.clone()));
        } else if reply.is_intermediate() {
            self.end_all(|| Outcome::Doubtful(evidence.clone()));
            return self.close("the server answered the final dot out of turn");
        } else {
            self.end_all(|| refusal(evidence.clone(), true));
        }
        self.end()
    }

    /// The lone dot is answered: whatever was said, nobody was to get anything.
    fn on_empty(&mut self) -> Action {
        self.open = false;
        self.end()
    }

    /// RFC 5321 §3.8: 421 may come at any time; it is the answer to what it answers, and the end.
    fn on_closing(&mut self, reply: &Reply) -> Action {
        self.stale = self.is_untouched();
        let evidence = self.voice.said(self.stage(), reply);
        self.end_all(|| Outcome::Deferred(evidence.clone()));
        self.close(&format!("the server is closing: {}", reply.text()))
    }

    /// The connection is of no use any more. After the final dot nobody knows what it did.
    fn broken(&mut self, what: &str) -> Action {
        self.stale = self.is_untouched();
        let evidence = self.voice.met(self.stage(), what);
        let text = evidence.text.clone();
        if self.step == Step::FinalDot {
            self.end_all(|| Outcome::Doubtful(evidence.clone()));
        } else {
            self.end_all(|| Outcome::Deferred(evidence.clone()));
        }
        self.close(&text)
    }

    /// Nothing of this message was answered in a session that had been used before.
    fn is_untouched(&self) -> bool {
        let begins = matches!(self.command(self.answered), Some(Asked::Rset | Asked::Mail));
        self.standing.used && self.step == Step::Commands && begins
    }

    fn stage(&self) -> Stage {
        match self.step {
            Step::Commands => match self.command(self.answered) {
                Some(Asked::Rset | Asked::Mail) | None => Stage::Mail,
                Some(Asked::Rcpt(_)) => Stage::Rcpt,
                Some(Asked::Data) => Stage::Data,
            },
            Step::Content => Stage::Content,
            Step::FinalDot | Step::Empty | Step::Ended => Stage::FinalDot,
        }
    }

    /// The command with this number. The list begins with RSET or, if none is needed, with MAIL.
    fn command(&self, number: usize) -> Option<Asked> {
        let number = number + usize::from(!self.standing.reset);
        match number {
            0 => Some(Asked::Rset),
            1 => Some(Asked::Mail),
            _ => match self.asked.get(number - 2) {
                Some(&recipient) => Some(Asked::Rcpt(recipient)),
                None if number - 2 == self.asked.len() && self.purpose != Purpose::Test => {
                    Some(Asked::Data)
                }
                None => None,
            },
        }
    }

    fn mail(&self) -> Command<'a> {
        Command::Mail(Mail {
            from: self.envelope.from,
            size: self.offers.size.then_some(self.envelope.size),
            eight_bit: self.purpose == (Purpose::Send { eight_bit: true }),
            smtputf8: self.envelope.smtputf8,
        })
    }

    /// One more command is answered.
    fn answer(&mut self, out: &mut Vec<u8>) -> Action {
        self.answered += 1;
        self.go_on(out)
    }

    /// Says what may be said now; then waits for the next answer, or ends.
    fn go_on(&mut self, out: &mut Vec<u8>) -> Action {
        let window = if self.offers.pipelining { WINDOW } else { 1 };
        while self.sent - self.answered < window {
            let Some(command) = self.command(self.sent).filter(|&c| self.is_wanted(c)) else {
                break;
            };
            if let Err(why) = self.write(command, out) {
                return self.broken(&why.to_string());
            }
            self.sent += 1;
        }
        if self.answered == self.sent {
            return self.end();
        }
        Action::Await(self.stage())
    }

    /// Whether a command still makes sense, by the answers so far.
    fn is_wanted(&self, command: Asked) -> bool {
        match command {
            Asked::Rset | Asked::Mail => true,
            Asked::Rcpt(_) => !self.mail_refused,
            Asked::Data => {
                let alive = |f: &Fate| matches!(f, Fate::Waiting | Fate::Accepted);
                !self.mail_refused && self.fates.iter().any(alive)
            }
        }
    }

    fn write(&self, command: Asked, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        match command {
            Asked::Rset => Command::Rset.write(out),
            Asked::Mail => self.mail().write(out),
            Asked::Rcpt(i) => {
                let to = self.envelope.recipients.get(i).copied().unwrap_or_default();
                Command::Rcpt(to).write(out)
            }
            Asked::Data => Command::Data.write(out),
        }
    }

    fn has_accepted(&self) -> bool {
        self.fates.iter().any(|f| matches!(f, Fate::Accepted))
    }

    fn end_one(&mut self, recipient: usize, outcome: impl FnOnce(&Voice<'_>) -> Outcome) {
        if let Some(fate) = self.fates.get_mut(recipient) {
            *fate = Fate::Ended(outcome(&self.voice));
        }
    }

    /// Gives an outcome to every recipient that has none.
    fn end_all(&mut self, outcome: impl Fn() -> Outcome) {
        for fate in &mut self.fates {
            match fate {
                Fate::Waiting | Fate::Accepted => *fate = Fate::Ended(outcome()),
                Fate::Ended(_) => {}
            }
        }
    }

    fn close(&mut self, why: &str) -> Action {
        self.closing = Some(why.to_owned());
        self.end()
    }

    fn end(&mut self) -> Action {
        self.step = Step::Ended;
        Action::Finish
    }
}
