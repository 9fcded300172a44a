//! Scripted dialogues (`testdata/*.dlg`) against the pure machines, and arbitrary server bytes.
//!
//! A script is read line by line:
//!
//! ```text
//! # a comment; the first one says the fact
//! with tls=opportunistic auth=user:pass to=a@example.com,b@example.com test smtputf8 eight_bit size=N reused
//! S: 220 …        the server says this; `\r\n` within it is a line end in the same packet
//! C: EHLO …       the client must have said exactly this
//! C+ …            the same, written together with the line before (PIPELINING)
//! C. content      the client must be sending the content
//! T: ready        the handshake succeeds (T: failed …: it fails)
//! !: timeout      (or: lost)
//! = outcome a@example.com delivered final_dot 250 2.0.0 …
//! = failure starttls host retry | text
//! = open | = closing | = stale | = reset
//! next            another message through the same session
//! ```

use super::event::{Action, Event};
use super::opening::Opening;
use super::reach::Voice;
use super::transaction::{Finished, Purpose, Standing, Transaction};
use super::*;
use crate::reply::ReplyParser;
use posthaste_core::evidence::{Outcome, OutcomeKind, Stage};
use posthaste_core::time::Timestamp;
use posthaste_net::route::Secret;
use proptest::prelude::*;
use std::collections::VecDeque;

const HOST: &str = "mx1.example.com";
const AT: Timestamp = Timestamp(42);

/// What the first lines of a script ask for.
struct With {
    tls: TlsPolicy,
    auth: Option<Arc<Credentials>>,
    to: Vec<String>,
    from: String,
    purpose: Purpose,
    smtputf8: bool,
    size: usize,
    reused: bool,
    offers: Option<capabilities::Capabilities>,
}

fn read_with(line: &str) -> With {
    let mut with = With {
        tls: TlsPolicy::Opportunistic,
        auth: None,
        to: vec!["a@example.com".to_owned()],
        from: "b@example.net".to_owned(),
        purpose: Purpose::Send { eight_bit: false },
        smtputf8: false,
        size: 1000,
        reused: false,
        offers: None,
    };
    for word in line.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "tls" => {
                with.tls = match value {
                    "none" => TlsPolicy::None,
                    "opportunistic" => TlsPolicy::Opportunistic,
                    "required" => TlsPolicy::Required,
                    "implicit" => TlsPolicy::Implicit,
                    other => panic!("tls={other}"),
                }
            }
            "auth" | "clear_auth" => {
                let (user, password) = value.split_once(':').unwrap();
                with.auth = Some(Arc::new(Credentials {
                    user: user.to_owned(),
                    password: Secret::new(password),
                    in_clear_text: key == "clear_auth",
                }));
            }
            "to" => with.to = value.split(',').map(|a| a.replace("%20", " ")).collect(),
            "from" => with.from = value.to_owned(),
            "test" => with.purpose = Purpose::Test,
            "eight_bit" => with.purpose = Purpose::Send { eight_bit: true },
            "smtputf8" => with.smtputf8 = true,
            "size" => with.size = value.parse().unwrap(),
            "reused" => with.reused = true,
            // The session is open, and the server offers this: the script begins with MAIL.
            "session" => {
                let lines: String = value
                    .split(',')
                    .map(|o| format!("250-{}\r\n", o.replace(':', " ")))
                    .collect();
                let reply = format!("250-{HOST}\r\n{lines}250 HELP\r\n");
                let (_, reply) = ReplyParser::default().feed(reply.as_bytes());
                with.offers = Some(capabilities::Capabilities::read(&reply.unwrap().unwrap()));
            }
            other => panic!("unknown word {other}"),
        }
    }
    with
}

/// A script being played.
struct Player {
    name: String,
    lines: VecDeque<(usize, String)>,
    out: Vec<u8>,
    parser: ReplyParser,
    pending: Vec<u8>,
}

impl Player {
    fn fail(&self, what: &str) -> ! {
        let next = self.lines.front();
        panic!(
            "{}: {what}; next in the script: {next:?}; written: {:?}",
            self.name,
            String::from_utf8_lossy(&self.out)
        );
    }

    /// The rest of the next line if it begins so.
    fn next(&mut self, prefix: &str) -> Option<String> {
        let rest = self
            .lines
            .front()?
            .1
            .strip_prefix(prefix)?
            .trim()
            .to_owned();
        self.lines.pop_front();
        Some(rest)
    }

    /// What the client wrote must be what the script says next, in one piece.
    fn check_written(&mut self) {
        let mut expected = String::new();
        while let Some(line) = self.next(if expected.is_empty() { "C:" } else { "C+" }) {
            expected.push_str(&line);
            expected.push_str("\r\n");
        }
        if String::from_utf8_lossy(&self.out) != expected {
            self.fail(&format!("expected {expected:?}"));
        }
        self.out.clear();
    }

    /// What happens next in the script, after this was asked for.
    fn event(&mut self, action: Action) -> Option<Event> {
        if action == Action::Finish {
            if !self.out.is_empty() {
                self.fail("the client wrote something and did not wait");
            }
            return None;
        }
        self.check_written();
        match action {
            Action::Finish => None,
            Action::SendContent => {
                if self.next("C.").is_none() {
                    self.fail("the client sends the content");
                }
                Some(self.trouble().unwrap_or(Event::ContentSent))
            }
            Action::StartTls => {
                // Buffered bytes are dropped with the plain stream.
                self.pending.clear();
                match self.next("T:").as_deref() {
                    Some("ready") => Some(Event::TlsReady),
                    Some(why) => Some(Event::TlsFailed(
                        why.trim_start_matches("failed ").to_owned(),
                    )),
                    None => self.fail("the client starts TLS"),
                }
            }
            Action::Await(_) => Some(self.reply()),
        }
    }

    fn trouble(&mut self) -> Option<Event> {
        match self.next("!:").as_deref() {
            Some("timeout") => Some(Event::TimedOut),
            Some("lost") => Some(Event::Lost("connection lost".to_owned())),
            Some("reply") => Some(self.reply()),
            Some(other) => panic!("unknown trouble {other}"),
            None => None,
        }
    }

    fn reply(&mut self) -> Event {
        loop {
            let bytes = std::mem::take(&mut self.pending);
            let (taken, end) = self.parser.feed(&bytes);
            self.pending = bytes[taken..].to_vec();
            match end {
                Some(Ok(reply)) => return Event::Reply(reply),
                Some(Err(garbage)) => return Event::Garbage(garbage),
                None => {}
            }
            if let Some(said) = self.next("S:") {
                self.pending
                    .extend_from_slice(said.replace("\\r\\n", "\r\n").as_bytes());
                self.pending.extend_from_slice(b"\r\n");
            } else {
                match self.trouble() {
                    Some(event) => return event,
                    None => self.fail("the client waits for a reply"),
                }
            }
        }
    }
}

fn outcome_line(address: &str, outcome: &Outcome) -> String {
    let evidence = outcome.evidence();
    assert_eq!(evidence.at, AT);
    format!(
        "outcome {address} {} {} {}",
        outcome.kind().slug(),
        evidence.stage.slug(),
        evidence.text
    )
}

fn check_finished(player: &mut Player, with: &With, finished: &Finished) {
    let mut got: Vec<String> = with
        .to
        .iter()
        .zip(&finished.outcomes)
        .map(|(address, outcome)| outcome_line(&address.replace(' ', "%20"), outcome))
        .collect();
    got.push(
        if finished.still == Still::Open {
            "open"
        } else {
            "closing"
        }
        .to_owned(),
    );
    if finished.stale {
        got.push("stale".to_owned());
    }
    if finished.reset {
        got.push("reset".to_owned());
    }
    let mut expected = Vec::new();
    while let Some(line) = player.next("=") {
        expected.push(line);
    }
    assert_eq!(got, expected, "{}", player.name);
    assert_eq!(finished.outcomes.len(), with.to.len(), "{}", player.name);
}

fn check_failure(player: &mut Player, failure: &SessionFailure) {
    let retry = if failure.clear_text_retry {
        " retry"
    } else {
        ""
    };
    let kind = failure.outcome().kind().slug();
    let got = format!(
        "failure {} {:?} {kind}{retry} | {}",
        failure.evidence.stage.slug(),
        failure.reach,
        failure.evidence.text,
    );
    let expected = player.next("=").unwrap_or_default();
    assert_eq!(got, expected, "{}", player.name);
}

fn open(player: &mut Player, with: &With) -> Result<capabilities::Capabilities, SessionFailure> {
    let target = Target {
        host: HOST.to_owned(),
        address: SocketAddr::from(([127, 0, 0, 1], 25)),
        tls: with.tls,
        auth: with.auth.clone(),
    };
    let voice = Voice { host: HOST, at: AT };
    let mut machine = Opening::new(&target, "mta.example.com", voice);
    let mut event = Event::Connected;
    loop {
        let action = machine.on(event, &mut player.out);
        match player.event(action) {
            Some(next) => event = next,
            None => return machine.finish(),
        }
    }
}

fn transact(
    player: &mut Player,
    with: &With,
    offers: &capabilities::Capabilities,
    standing: Standing,
) -> Finished {
    let recipients: Vec<&str> = with.to.iter().map(String::as_str).collect();
    let envelope = Envelope {
        from: &with.from,
        recipients: &recipients,
        smtputf8: with.smtputf8,
        size: with.size,
    };
    let voice = Voice { host: HOST, at: AT };
    let mut machine = Transaction::new(&envelope, with.purpose, offers, standing, voice);
    let mut action = machine.start(&mut player.out);
    while let Some(event) = player.event(action) {
        action = machine.on(event, &mut player.out);
    }
    machine.finish()
}

fn play(name: &str, script: &str) {
    let lines = script
        .lines()
        .enumerate()
        .map(|(n, l)| (n + 1, l.trim_end().to_owned()))
        .filter(|(_, l)| !l.is_empty() && !l.starts_with('#'))
        .collect();
    let mut player = Player {
        name: name.to_owned(),
        lines,
        out: Vec::new(),
        parser: ReplyParser::default(),
        pending: Vec::new(),
    };
    let first = player.next("with").unwrap_or_default();
    let mut with = read_with(&first);
    let offers = match with.offers.take() {
        Some(offers) => offers,
        None => match open(&mut player, &with) {
            Ok(offers) => offers,
            Err(failure) => {
                check_failure(&mut player, &failure);
                assert!(
                    player.lines.is_empty(),
                    "{name}: the script goes on: {:?}",
                    player.lines
                );
                return;
            }
        },
    };
    let mut standing = Standing {
        reset: false,
        used: with.reused,
    };
    loop {
        let finished = transact(&mut player, &with, &offers, standing);
        check_finished(&mut player, &with, &finished);
        standing = Standing {
            reset: finished.reset,
            used: true,
        };
        match player.next("next") {
            Some(words) => with = read_with(&words),
            None => break,
        }
    }
    assert!(
        player.lines.is_empty(),
        "{name}: the script goes on: {:?}",
        player.lines
    );
}

#[test]
fn dialogues_go_as_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "dlg") {
            let script = std::fs::read_to_string(&path).unwrap();
            play(&path.file_name().unwrap().to_string_lossy(), &script);
            played += 1;
        }
    }
    assert!(played >= 25, "only {played} dialogues were found");
}

fn reply_or_garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "220 x", "220-x\r\n220 y", "250 ok", "250-x\r\n250-PIPELINING\r\n250-STARTTLS\r\n250-SIZE 10\r\n250 AUTH PLAIN",
            "250-x\r\n250-SMTPUTF8\r\n250 AUTH LOGIN", "354 go", "334 VXNlcm5hbWU6", "235 in", "421 bye", "450 later", "550 5.1.1 no", "552 full", "554 no",
        ]).prop_map(|s| format!("{s}\r\n").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// Plays arbitrary bytes; when there are no more, the connection is lost.
fn events(bytes: &[u8]) -> Vec<Event> {
    let mut parser = ReplyParser::default();
    let mut out = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (taken, end) = parser.feed(rest);
        rest = &rest[taken..];
        out.extend(end.map(|end| match end {
            Ok(reply) => Event::Reply(reply),
            Err(garbage) => Event::Garbage(garbage),
        }));
    }
    out
}

proptest! {
    #[test]
    fn whatever_the_server_says_a_session_opens_or_fails(
        bytes in prop::collection::vec(reply_or_garbage(), 0..12), tls in 0..4usize, auth: bool, handshake: bool,
    ) {
        let target = Target {
            host: HOST.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 25)),
            tls: [TlsPolicy::None, TlsPolicy::Opportunistic, TlsPolicy::Required, TlsPolicy::Implicit][tls],
            auth: auth.then(|| Arc::new(Credentials { user: "u".to_owned(), password: Secret::new("p"), in_clear_text: true })),
        };
        let mut machine = Opening::new(&target, "mta.example.com", Voice { host: HOST, at: AT });
        let mut replies = events(&bytes.concat()).into_iter();
        let mut out = Vec::new();
        let mut action = machine.on(Event::Connected, &mut out);
        let mut encrypted = false;
        for _ in 0..100 {
            let event = match action {
                Action::Finish => break,
                Action::StartTls if handshake => { encrypted = true; Event::TlsReady }
                Action::StartTls => Event::TlsFailed("no".to_owned()),
                Action::Await(_) | Action::SendContent => replies.next().unwrap_or(Event::Lost("gone".to_owned())),
            };
            action = machine.on(event, &mut out);
        }
        prop_assert_eq!(action, Action::Finish);
        let opened = machine.finish().is_ok();
        prop_assert!(!opened || encrypted || !target.tls.is_required(), "clear text where TLS is required");
    }

    #[test]
    fn whatever_the_server_says_every_recipient_has_one_outcome(
        bytes in prop::collection::vec(reply_or_garbage(), 0..12), recipients in 0..6usize, pipelining: bool, test: bool, reset: bool, used: bool,
    ) {
        let addresses: Vec<String> = (0..recipients).map(|n| format!("r{n}@example.com")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let envelope = Envelope { from: "", recipients: &addresses, smtputf8: false, size: 10 };
        let offers = capabilities::Capabilities { pipelining, ..capabilities::Capabilities::default() };
        let purpose = if test { Purpose::Test } else { Purpose::Send { eight_bit: false } };
        let voice = Voice { host: HOST, at: AT };
        let mut machine = Transaction::new(&envelope, purpose, &offers, Standing { reset, used }, voice);
        let mut replies = events(&bytes.concat()).into_iter();
        let mut out = Vec::new();
        let mut content = false;
        let mut ended = false;
        let mut action = machine.start(&mut out);
        for _ in 0..100 {
            let event = match action {
                Action::Finish => break,
                Action::SendContent => { content = true; Event::ContentSent }
                Action::Await(Stage::FinalDot) => match replies.next() {
                    Some(event) => { ended = true; event }
                    None => Event::Lost("gone".to_owned()),
                },
                Action::Await(_) | Action::StartTls => replies.next().unwrap_or(Event::Lost("gone".to_owned())),
            };
            action = machine.on(event, &mut out);
        }
        prop_assert_eq!(action, Action::Finish);
        let finished = machine.finish();
        prop_assert_eq!(finished.outcomes.len(), recipients);
        for outcome in &finished.outcomes {
            let kind = outcome.kind();
            prop_assert!(kind != OutcomeKind::Delivered || test || (content && ended));
            prop_assert!(kind != OutcomeKind::Doubtful || content);
        }
        if content && !ended {
            prop_assert!(finished.outcomes.iter().any(|o| o.kind() == OutcomeKind::Doubtful));
        }
    }
}
