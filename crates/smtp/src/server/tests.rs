//! Scripted dialogues with the machine, and properties of it.

use proptest::prelude::*;

use super::*;

/// Refuses `no@…`, drops at `drop@…`, remembers contents.
#[derive(Debug, Default)]
struct Scripted {
    contents: Vec<Vec<u8>>,
    keep: bool,
}

impl Policy for &mut Scripted {
    fn rcpt(&mut self, to: &str) -> Answer {
        match to.split('@').next() {
            Some("no") => Answer::reply(550, "5.1.1 No such user\n5.1.1 Really"),
            Some("drop") => Answer::drop_connection(),
            Some("last") => Answer::last(421, "4.3.2 Closing"),
            Some("silent") => Answer::silence(),
            Some("slow") => Answer::accept().after(std::time::Duration::from_secs(7)),
            _ => Answer::accept(),
        }
    }

    fn wants_content(&self) -> bool {
        self.keep
    }

    fn content(&mut self, content: &Content<'_>) -> Answer {
        self.contents.push(content.bytes.to_vec());
        Answer::reply(250, format!("2.0.0 {} bytes", content.size))
    }
}

fn settings() -> Settings {
    Settings {
        auth: true,
        starttls: true,
        max_size: 1_000,
        max_recipients: 3,
        max_errors: 5,
        ..Settings::new("mx.example.com")
    }
}

/// What the server says to `input`, given in pieces of `piece` bytes; other actions as `[words]`.
fn dialogue(policy: &mut Scripted, input: &[u8], piece: usize) -> String {
    let mut session = Session::new(settings(), policy);
    let mut pieces = input.chunks(piece.max(1));
    let mut said = String::new();
    loop {
        match session.next_action() {
            Action::Read => match pieces.next() {
                Some(bytes) => session.room().extend_from_slice(bytes),
                None => return said,
            },
            Action::Send(bytes) => said.push_str(&String::from_utf8_lossy(&bytes)),
            Action::Wait(delay) => said.push_str(&format!("[wait {delay:?}]\n")),
            Action::StartTls => {
                said.push_str("[tls]\n");
                session.secured();
            }
            Action::Hold => return said + "[hold]",
            Action::Close => return said + "[close]",
        }
    }
}

/// The codes of the replies, one for each line, and the other actions.
fn codes(input: &str) -> String {
    let said = dialogue(&mut Scripted::default(), input.as_bytes(), 7);
    let words: Vec<&str> = said
        .lines()
        .filter(|line| line.as_bytes().get(3) != Some(&b'-'))
        .map(|line| {
            if line.starts_with('[') {
                line
            } else {
                &line[..3]
            }
        })
        .collect();
    words.join(" ")
}

/// Name, what the client says, what the server answers.
const DIALOGUES: &[(&str, &str, &str)] = &[
    ("greeting only", "", "220"),
    (
        "a mail",
        "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n",
        "220 250 250 250 354 250 221 [close]",
    ),
    (
        "bare LF in commands",
        "HELO c\nMAIL FROM:<>\nRCPT TO:<a@b>\nDATA\n.\r\nQUIT\n",
        "220 250 250 250 354 250 221 [close]",
    ),
    (
        "order",
        "MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n",
        "220 503 503 503",
    ),
    (
        "MAIL twice",
        "EHLO c\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n",
        "220 250 250 503",
    ),
    (
        "EHLO gives up",
        "EHLO c\r\nMAIL FROM:<>\r\nEHLO c\r\nRCPT TO:<a@b>\r\n",
        "220 250 250 250 503",
    ),
    (
        "no recipient left",
        "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<no@b>\r\nDATA\r\n",
        "220 250 250 550 554",
    ),
    ("unknown verb", "XYZZY\r\n", "220 500"),
    (
        "too many errors",
        "A\r\nB\r\nC\r\nD\r\nE\r\nF\r\n",
        "220 500 500 500 500 421 [close]",
    ),
    (
        "too large, declared",
        "EHLO c\r\nMAIL FROM:<> SIZE=1001\r\n",
        "220 250 552",
    ),
    (
        "auth plain",
        "EHLO c\r\nAUTH PLAIN AHNob3AAc2VjcmV0\r\n",
        "220 250 235",
    ),
    (
        "auth plain in two",
        "EHLO c\r\nAUTH PLAIN\r\nAHNob3AAc2VjcmV0\r\n",
        "220 250 334 235",
    ),
    (
        "auth login",
        "EHLO c\r\nAUTH LOGIN\r\nc2hvcA==\r\nc2VjcmV0\r\n",
        "220 250 334 334 235",
    ),
    (
        "auth given up",
        "EHLO c\r\nAUTH LOGIN\r\n*\r\n",
        "220 250 334 501",
    ),
    (
        "starttls starts again",
        "EHLO c\r\nSTARTTLS\r\n",
        "220 250 220 [tls]",
    ),
];

#[test]
fn each_dialogue_gets_its_replies() {
    for (name, input, expected) in DIALOGUES {
        assert_eq!(codes(input), *expected, "{name}");
    }
}

#[test]
fn answers_and_limits_show_in_the_dialogue() {
    const HEAD: &str = "EHLO c.example\r\nMAIL FROM:<a@example.com>\r\n";
    for (to, expected) in [
        ("drop@b", "220 250 250 [close]"),
        ("last@b", "220 250 250 421 [close]"),
        ("silent@b", "220 250 250 [hold]"),
        ("slow@b", "220 250 250 [wait 7s] 250"),
    ] {
        assert_eq!(
            codes(&format!("{HEAD}RCPT TO:<{to}>\r\n")),
            expected,
            "{to}"
        );
    }
    let four = "RCPT TO:<a@b>\r\n".repeat(4);
    assert_eq!(
        codes(&format!("{HEAD}{four}")),
        "220 250 250 250 250 250 452"
    );
    let large = "x".repeat(1_100);
    let mail = format!("{HEAD}RCPT TO:<a@b>\r\nDATA\r\n{large}\r\n.\r\nNOOP\r\n");
    assert_eq!(codes(&mail), "220 250 250 250 354 552 250");
    let long = format!("NOOP {}\r\nNOOP\r\n", "x".repeat(3_000));
    assert_eq!(codes(&long), "220 500 250");
    let long = format!("NOOP {}\r\nNOOP\r\n", "x".repeat(3_000));
    let said = dialogue(&mut Scripted::default(), long.as_bytes(), 10_000);
    assert!(
        said.ends_with("500 5.5.6 Line too long\r\n250 2.0.0 Ok\r\n"),
        "{said}"
    );
}

#[test]
fn what_was_pipelined_before_tls_is_forgotten() {
    let input = b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@example.com>\r\n";
    let said = dialogue(&mut Scripted::default(), input, 1_000);
    assert!(
        said.ends_with("220 2.0.0 Ready to start TLS\r\n[tls]\n"),
        "{said}"
    );
}

#[test]
fn pipelined_commands_are_answered_in_one_write() {
    let mut policy = Scripted::default();
    let mut session = Session::new(settings(), &mut policy);
    assert!(matches!(session.next_action(), Action::Send(_)));
    assert_eq!(session.next_action(), Action::Read);
    session
        .room()
        .extend_from_slice(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n");
    let Action::Send(bytes) = session.next_action() else {
        panic!("nothing said");
    };
    assert!(bytes.ends_with(b"354 End data with <CR><LF>.<CR><LF>\r\n"));
    assert_eq!(session.next_action(), Action::Read);
}

#[test]
fn a_bare_lf_does_not_end_the_content() {
    let mut policy = Scripted {
        keep: true,
        ..Scripted::default()
    };
    let input =
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\na\n.\nMAIL FROM:<x@y>\r\n.\r\n";
    dialogue(&mut policy, input, 3);
    assert_eq!(policy.contents, [b"a\n.\nMAIL FROM:<x@y>\r\n".to_vec()]);
}

/// Stuffs dots as a client does; the content ends with CRLF.
fn stuffed(lines: &[String]) -> (Vec<u8>, Vec<u8>) {
    let (mut plain, mut wire) = (Vec::new(), Vec::new());
    for line in lines {
        plain.extend_from_slice(format!("{line}\r\n").as_bytes());
        let dot = if line.starts_with('.') { "." } else { "" };
        wire.extend_from_slice(format!("{dot}{line}\r\n").as_bytes());
    }
    (plain, wire)
}

proptest! {
    #[test]
    fn content_comes_through_as_it_was_whatever_the_pieces(
        lines in prop::collection::vec("[.a\n]{0,6}", 0..20),
        piece in 1usize..40,
        keep: bool,
    ) {
        let lines: Vec<String> = lines.into_iter().map(|l| l.trim_end_matches('\n').to_owned()).collect();
        let (plain, wire) = stuffed(&lines);
        let mut input = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n".to_vec();
        input.extend_from_slice(&wire);
        input.extend_from_slice(b".\r\nQUIT\r\n");
        let mut policy = Scripted { keep, ..Scripted::default() };
        let said = dialogue(&mut policy, &input, piece);
        prop_assert!(said.ends_with("221 2.0.0 Bye\r\n[close]"), "{}", said);
        let size = format!("250 2.0.0 {} bytes", wire.len());
        prop_assert!(said.contains(&size), "{}", said);
        prop_assert_eq!(policy.contents, vec![if keep { plain } else { Vec::new() }]);
    }

    #[test]
    fn any_bytes_are_survived_and_pieces_make_no_difference(
        words in prop::collection::vec(prop::sample::select(vec![
            &b"EHLO x\r\n"[..], b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"DATA\r\n", b".\r\n",
            b"RSET\r\n", b"AUTH PLAIN\r\n", b"AUTH LOGIN AAAA\r\n", b"\xff\xfe\r\n", b"\r", b"\n",
            b"RCPT TO:<no@d>\r\n", b"MAIL FROM:<\r\n", b"\0", b"QUIT", b"HELO x\n",
        ]), 0..30),
        noise in prop::collection::vec(any::<u8>(), 0..50),
        piece in 1usize..30,
    ) {
        let mut input = words.concat();
        input.extend_from_slice(&noise);
        let whole = dialogue(&mut Scripted::default(), &input, usize::MAX);
        let pieces = dialogue(&mut Scripted::default(), &input, piece);
        prop_assert_eq!(whole, pieces);
    }
}
