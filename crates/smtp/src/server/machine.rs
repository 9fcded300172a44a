//! The server's machine: which command may come when, what is answered, and what the driver does.
//!
//! Bytes go in by [`Session::room`], [`Action`]s come out of [`Session::next_action`]. Replies to
//! pipelined commands (RFC 2920) are sent together. Nothing here panics, whatever comes in.

use std::collections::VecDeque;
use std::time::Duration;

use super::auth::{self, Credentials, Exchange};
use super::input::{Input, Line, Part, unstuff};
use super::line::{self, Command, Mail};
use super::policy::{Answer, Content, Flow, Policy, Verdict};

/// What a server offers, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name, in the greeting and in the reply to EHLO.
    pub host: String,
    /// Offer PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// Offer 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// Offer SMTPUTF8 (RFC 6531).
    pub utf8: bool,
    /// Offer ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced: bool,
    /// Offer STARTTLS (RFC 3207); the driver needs a certificate then.
    pub starttls: bool,
    /// Offer AUTH PLAIN LOGIN (RFC 4954).
    pub auth: bool,
    /// Most bytes of a message, offered by SIZE (RFC 1870).
    pub max_size: u64,
    /// Most recipients of a transaction (RFC 5321 §4.5.3.1.8: at least 100).
    pub max_recipients: usize,
    /// Most bytes of a command line (RFC 5321 §4.5.3.1.4: at least 512).
    pub max_line: usize,
    /// Most commands that are wrong before the server hangs up.
    pub max_errors: u32,
    /// How long the driver waits for the client (RFC 5321 §4.5.3.2.7: at least 5 minutes).
    pub idle: Duration,
}

impl Settings {
    /// Everything is offered except STARTTLS and AUTH; 50 MB, 1,000 recipients.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            pipelining: true,
            eight_bit: true,
            utf8: true,
            enhanced: true,
            starttls: false,
            auth: false,
            max_size: 50 << 20,
            max_recipients: 1_000,
            max_line: 2_048,
            max_errors: 50,
            idle: Duration::from_secs(300),
        }
    }
}

/// What the driver has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Read more into [`Session::room`]; at the end of the stream, stop.
    Read,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Wait so long, without reading.
    Wait(Duration),
    /// Begin TLS, then call [`Session::secured`].
    StartTls,
    /// Say nothing more, and stay until the client leaves.
    Hold,
    /// Close the connection.
    Close,
}

/// Where the dialogue stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Start,
    Greeted,
    Ready,
    Auth(Exchange),
    Mail { accepted: usize, offered: usize },
    Content,
    Closed,
}

/// One connection's dialogue.
#[derive(Debug)]
pub struct Session<P> {
    policy: P,
    settings: Settings,
    stage: Stage,
    secure: bool,
    errors: u32,
    skipping: bool,
    input: Input,
    out: Vec<u8>,
    queue: VecDeque<Action>,
    content: Vec<u8>,
    received: u64,
}

impl<P: Policy> Session<P> {
    /// A dialogue that begins with the greeting.
    #[must_use]
    pub fn new(settings: Settings, policy: P) -> Self {
        Self {
            policy,
            settings,
            stage: Stage::Start,
            secure: false,
            errors: 0,
            skipping: false,
            input: Input::default(),
            out: Vec::new(),
            queue: VecDeque::new(),
            content: Vec::new(),
            received: 0,
        }
    }

    /// Where the driver puts what it reads, by appending.
    pub fn room(&mut self) -> &mut Vec<u8> {
        self.input.room()
    }

    /// TLS is up: the dialogue begins again with EHLO (RFC 3207 §4.2).
    pub fn secured(&mut self) {
        self.secure = true;
        self.stage = Stage::Greeted;
        self.input.clear();
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What to do next.
    pub fn next_action(&mut self) -> Action {
        loop {
            if let Some(action) = self.queue.pop_front() {
                return action;
            }
            let moved = match self.stage {
                Stage::Closed => return Action::Close,
                Stage::Start => self.on_connect(),
                Stage::Content => self.on_content(),
                Stage::Greeted | Stage::Ready | Stage::Auth(_) | Stage::Mail { .. } => {
                    self.on_line()
                }
            };
            if self.queue.is_empty() && !moved {
                return match self.out.is_empty() {
                    true => Action::Read,
                    false => Action::Send(std::mem::take(&mut self.out)),
                };
            }
        }
    }

    fn on_connect(&mut self) -> bool {
        let greeting = format!("{} ESMTP", self.settings.host);
        let answer = self.policy.connect();
        self.stage = Stage::Greeted;
        self.answer(answer, 220, &greeting);
        true
    }

    /// Takes one line; false when there is none yet.
    fn on_line(&mut self) -> bool {
        if self.skipping {
            self.skipping = !self.input.skip_line();
            return !self.skipping;
        }
        match self.input.line(self.settings.max_line) {
            Line::Missing => return false,
            Line::TooLong { ended } => {
                self.skipping = !ended;
                self.wrong(500, "5.5.6 Line too long");
            }
            Line::Whole(line) => match std::mem::replace(&mut self.stage, Stage::Ready) {
                Stage::Auth(exchange) => self.on_exchange(exchange, &line),
                stage @ (Stage::Start
                | Stage::Greeted
                | Stage::Ready
                | Stage::Mail { .. }
                | Stage::Content
                | Stage::Closed) => {
                    self.stage = stage;
                    self.on_command(line::parse(&line));
                }
            },
        }
        true
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Ehlo { name, extended } => self.on_ehlo(&name, extended),
            Command::StartTls => self.on_starttls(),
            Command::Auth { mechanism, initial } => self.on_auth(&mechanism, initial),
            Command::Mail(mail) => self.on_mail(&mail),
            Command::Rcpt(to) => self.on_rcpt(&to),
            Command::Data => self.on_data(),
            Command::Rset => {
                self.give_up();
                self.say(250, "2.0.0 Ok");
            }
            Command::Noop => self.say(250, "2.0.0 Ok"),
            Command::Vrfy => self.say(252, "2.5.2 Send some mail, and see"),
            Command::Quit => {
                self.say(221, "2.0.0 Bye");
                self.close();
            }
            Command::Wrong(code, text) => self.wrong(code, text),
        }
    }

    fn on_ehlo(&mut self, name: &str, extended: bool) {
        let answer = self.policy.ehlo(name);
        let accepted = answer.is_accepting();
        let text = match extended {
            true => self.offers(),
            false => self.settings.host.clone(),
        };
        if self.stage != Stage::Greeted {
            self.give_up();
        }
        if accepted {
            self.stage = Stage::Ready;
        }
        self.answer(answer, 250, &text);
    }

    /// The reply to EHLO (RFC 5321 §4.1.1.1).
    fn offers(&self) -> String {
        let settings = &self.settings;
        let mut text = settings.host.clone();
        let mut offer = |on: bool, keyword: &str| {
            if on {
                text.push('\n');
                text.push_str(keyword);
            }
        };
        offer(settings.pipelining, "PIPELINING");
        offer(true, &format!("SIZE {}", settings.max_size));
        offer(settings.starttls && !self.secure, "STARTTLS");
        offer(settings.auth, "AUTH PLAIN LOGIN");
        offer(settings.enhanced, "ENHANCEDSTATUSCODES");
        offer(settings.eight_bit, "8BITMIME");
        offer(settings.utf8, "SMTPUTF8");
        text
    }

    fn on_starttls(&mut self) {
        if !self.settings.starttls || self.secure {
            return self.wrong(502, "5.5.1 STARTTLS is not on offer");
        }
        self.give_up();
        let answer = self.policy.starttls();
        if self.answer(answer, 220, "2.0.0 Ready to start TLS") {
            self.input.clear();
            self.flush();
            self.queue.push_back(Action::StartTls);
        }
    }

    fn on_auth(&mut self, mechanism: &str, initial: Option<String>) {
        if !self.settings.auth || self.stage != Stage::Ready {
            return self.wrong(503, "5.5.1 AUTH is not possible here");
        }
        match (mechanism, initial) {
            ("PLAIN", None) => self.ask(Exchange::Plain, ""),
            ("PLAIN", Some(message)) => self.on_exchange(Exchange::Plain, message.as_bytes()),
            ("LOGIN", None) => self.ask(Exchange::LoginUser, "VXNlcm5hbWU6"),
            ("LOGIN", Some(user)) => self.on_exchange(Exchange::LoginUser, user.as_bytes()),
            _ => self.wrong(504, "5.5.4 Mechanism not known"),
        }
    }

    fn ask(&mut self, exchange: Exchange, challenge: &str) {
        self.stage = Stage::Auth(exchange);
        self.say(334, challenge);
    }

    fn on_exchange(&mut self, exchange: Exchange, line: &[u8]) {
        self.stage = Stage::Ready;
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        let read = match exchange {
            Exchange::Plain => auth::plain(text),
            Exchange::LoginUser => match auth::login(text) {
                Some(user) => return self.ask(Exchange::LoginPassword(user), "UGFzc3dvcmQ6"),
                None => None,
            },
            Exchange::LoginPassword(user) => {
                auth::login(text).map(|password| Credentials { user, password })
            }
        };
        match read {
            Some(credentials) => {
                let answer = self.policy.auth(&credentials);
                self.answer(answer, 235, "2.7.0 Authenticated");
            }
            None => self.wrong(501, "5.5.2 Authentication given up or not readable"),
        }
    }

    fn on_mail(&mut self, mail: &Mail) {
        if self.stage != Stage::Ready {
            return self.wrong(503, "5.5.1 Not now: MAIL comes after EHLO, one at a time");
        }
        if mail.size.is_some_and(|size| size > self.settings.max_size) {
            return self.say(552, "5.3.4 The message is too large");
        }
        let answer = self.policy.mail(mail);
        if self.answer(answer, 250, "2.1.0 Ok") {
            self.stage = Stage::Mail {
                accepted: 0,
                offered: 0,
            };
        }
    }

    fn on_rcpt(&mut self, to: &str) {
        let Stage::Mail { accepted, offered } = self.stage else {
            return self.wrong(503, "5.5.1 MAIL comes first");
        };
        if !to.is_ascii() && !self.settings.utf8 {
            return self.wrong(553, "5.6.7 Non-ASCII addresses are not taken");
        }
        if accepted >= self.settings.max_recipients {
            return self.say(452, "4.5.3 Too many recipients");
        }
        let answer = self.policy.rcpt(to);
        let accepted = accepted + usize::from(answer.is_accepting());
        self.stage = Stage::Mail {
            accepted,
            offered: offered + 1,
        };
        self.answer(answer, 250, "2.1.5 Ok");
    }

    fn on_data(&mut self) {
        let Stage::Mail { accepted, offered } = self.stage else {
            return self.wrong(503, "5.5.1 MAIL comes first");
        };
        if accepted == 0 {
            return match offered {
                0 => self.wrong(503, "5.5.1 RCPT comes first"),
                _ => self.say(554, "5.5.1 No valid recipients"),
            };
        }
        let answer = self.policy.data();
        if self.answer(answer, 354, "End data with <CR><LF>.<CR><LF>") {
            self.stage = Stage::Content;
            self.content.clear();
            self.received = 0;
        }
    }

    /// Takes what there is of the content; false when more is needed.
    fn on_content(&mut self) -> bool {
        let (length, ended) = match self.input.part(self.received == 0) {
            Part::End(length) => (length, true),
            Part::Some(length) => (length, false),
        };
        self.received += length as u64;
        let keeps = self.policy.wants_content() && self.received <= self.settings.max_size;
        self.input.take(length, keeps.then_some(&mut self.content));
        if length > 0 && self.policy.receiving(self.received) == Flow::Drop {
            self.close();
            return true;
        }
        if ended {
            self.input.take(b".\r\n".len(), None);
            self.on_final_dot();
        }
        ended
    }

    fn on_final_dot(&mut self) {
        self.stage = Stage::Ready;
        if self.received > self.settings.max_size {
            self.policy.reset();
            return self.say(552, "5.3.4 The message is too large");
        }
        unstuff(&mut self.content);
        let answer = self.policy.content(&Content {
            bytes: &self.content,
            size: self.received,
        });
        self.content.clear();
        self.answer(answer, 250, "2.0.0 Ok");
    }

    /// Ends a transaction that was begun.
    fn give_up(&mut self) {
        if matches!(self.stage, Stage::Mail { .. }) {
            self.policy.reset();
            self.stage = Stage::Ready;
        }
    }

    /// Queues an answer; whether it lets the dialogue go on.
    fn answer(&mut self, answer: Answer, code: u16, text: &str) -> bool {
        let goes_on = answer.is_accepting();
        if !answer.delay.is_zero() {
            self.flush();
            self.queue.push_back(Action::Wait(answer.delay));
        }
        match answer.verdict {
            Verdict::Accept => self.say(code, text),
            Verdict::Reply { code, text } => self.say(code, &text),
            Verdict::Last { code, text } => {
                self.say(code, &text);
                self.close();
            }
            Verdict::Drop => self.close(),
            Verdict::Silence => {
                self.flush();
                self.queue.push_back(Action::Hold);
                self.stage = Stage::Closed;
            }
        }
        goes_on
    }

    /// A reply to a command that cannot be; too many of them end the connection.
    fn wrong(&mut self, code: u16, text: &str) {
        self.errors += 1;
        if self.errors >= self.settings.max_errors {
            self.say(421, "4.7.0 Too many errors");
            return self.close();
        }
        self.say(code, text);
    }

    /// Writes a reply (RFC 5321 §4.2.1), one line for each line of the text.
    fn say(&mut self, code: u16, text: &str) {
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let mark = if lines.peek().is_some() { '-' } else { ' ' };
            let line = line.trim_end_matches('\r');
            self.out
                .extend_from_slice(format!("{code}{mark}").as_bytes());
            self.out
                .extend(line.bytes().map(|b| if b < b' ' { b'?' } else { b }));
            self.out.extend_from_slice(b"\r\n");
        }
    }

    fn flush(&mut self) {
        if !self.out.is_empty() {
            let out = std::mem::take(&mut self.out);
            self.queue.push_back(Action::Send(out));
        }
    }

    /// Closes after what was said until now is sent.
    fn close(&mut self) {
        self.flush();
        self.queue.push_back(Action::Close);
        self.stage = Stage::Closed;
    }
}
