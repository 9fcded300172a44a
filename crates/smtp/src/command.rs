//! Commands of the client, typed, and the bytes they become (RFC 5321 §4.1).
//!
//! Nothing with a line end, or another control character, can be built: an argument cannot become
//! a second command.

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// EHLO with our host name.
    Ehlo(&'a str),
    /// HELO with our host name, for servers that do not know EHLO.
    Helo(&'a str),
    /// STARTTLS (RFC 3207).
    StartTls,
    /// AUTH with a mechanism and, if it has one, an initial response in base64 (RFC 4954 §4).
    Auth(&'a str, Option<&'a str>),
    /// A response to a challenge of AUTH, in base64.
    AuthResponse(&'a str),
    /// MAIL FROM.
    Mail(Mail<'a>),
    /// RCPT TO with an address.
    Rcpt(&'a str),
    /// DATA.
    Data,
    /// RSET.
    Rset,
    /// QUIT.
    Quit,
}

/// The arguments of MAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mail<'a> {
    /// The return path; empty for the null path.
    pub from: &'a str,
    /// The size of the message in octets, where SIZE is offered (RFC 1870 §3).
    pub size: Option<usize>,
    /// `BODY=8BITMIME` (RFC 6152 §2).
    pub eight_bit: bool,
    /// `SMTPUTF8` (RFC 6531 §3.4).
    pub smtputf8: bool,
}

/// An argument that no command can carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{argument:?} cannot be an argument of an SMTP command")]
pub struct Unspeakable {
    /// The argument.
    pub argument: String,
}

impl Command<'_> {
    /// Appends the command with its line end.
    ///
    /// # Errors
    /// [`Unspeakable`] when an argument holds a control character, an angle bracket outside of
    /// quotes, or a space where none may be; then nothing is appended.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        match *self {
            Self::Ehlo(name) => line(out, "EHLO ", word(name)?, ""),
            Self::Helo(name) => line(out, "HELO ", word(name)?, ""),
            Self::StartTls => line(out, "STARTTLS", "", ""),
            Self::Auth(mechanism, None) => line(out, "AUTH ", word(mechanism)?, ""),
            Self::Auth(mechanism, Some(initial)) => {
                let both = format!("{} {}", word(mechanism)?, word(initial)?);
                line(out, "AUTH ", &both, "");
            }
            Self::AuthResponse(response) => line(out, "", word(response)?, ""),
            Self::Mail(mail) => mail.write(out)?,
            Self::Rcpt(to) => line(out, "RCPT TO:<", path(to)?, ">"),
            Self::Data => line(out, "DATA", "", ""),
            Self::Rset => line(out, "RSET", "", ""),
            Self::Quit => line(out, "QUIT", "", ""),
        }
        Ok(())
    }
}

impl Mail<'_> {
    fn write(&self, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        let from = path(self.from)?;
        out.extend_from_slice(b"MAIL FROM:<");
        out.extend_from_slice(from.as_bytes());
        out.push(b'>');
        if let Some(size) = self.size {
            out.extend_from_slice(b" SIZE=");
            out.extend_from_slice(size.to_string().as_bytes());
        }
        if self.eight_bit {
            out.extend_from_slice(b" BODY=8BITMIME");
        }
        if self.smtputf8 {
            out.extend_from_slice(b" SMTPUTF8");
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

fn line(out: &mut Vec<u8>, before: &str, argument: &str, after: &str) {
    for part in [before, argument, after, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn unspeakable<T>(argument: &str) -> Result<T, Unspeakable> {
    Err(Unspeakable {
        argument: argument.to_owned(),
    })
}

/// An argument without spaces and angle brackets.
fn word(text: &str) -> Result<&str, Unspeakable> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>';
    if text.is_empty() || text.contains(bad) {
        return unspeakable(text);
    }
    Ok(text)
}

/// An address: spaces and angle brackets stand within quotes only (RFC 5321 §4.1.2).
fn path(text: &str) -> Result<&str, Unspeakable> {
    let mut quoted = false;
    let mut escaped = false;
    for c in text.chars() {
        if c.is_control() || (!quoted && (c.is_whitespace() || c == '<' || c == '>')) {
            return unspeakable(text);
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    if quoted {
        return unspeakable(text);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(command: Command<'_>) -> String {
        let mut out = Vec::new();
        command.write(&mut out).expect("speakable");
        String::from_utf8(out).unwrap()
    }

    const MAIL: Mail<'static> = Mail {
        from: "b@example.com",
        size: None,
        eight_bit: false,
        smtputf8: false,
    };

    #[test]
    fn commands_and_their_bytes() {
        let full = Mail {
            size: Some(20_480),
            eight_bit: true,
            smtputf8: true,
            ..MAIL
        };
        let rows = [
            (Command::Ehlo("mta.example.com"), "EHLO mta.example.com\r\n"),
            (Command::Helo("mta.example.com"), "HELO mta.example.com\r\n"),
            (Command::StartTls, "STARTTLS\r\n"),
            (Command::Auth("LOGIN", None), "AUTH LOGIN\r\n"),
            (
                Command::Auth("PLAIN", Some("AGEAYg==")),
                "AUTH PLAIN AGEAYg==\r\n",
            ),
            (Command::AuthResponse("YQ=="), "YQ==\r\n"),
            (Command::Mail(Mail { from: "", ..MAIL }), "MAIL FROM:<>\r\n"),
            (
                Command::Mail(full),
                "MAIL FROM:<b@example.com> SIZE=20480 BODY=8BITMIME SMTPUTF8\r\n",
            ),
            (
                Command::Rcpt("\"a b\\\" >\"@example.com"),
                "RCPT TO:<\"a b\\\" >\"@example.com>\r\n",
            ),
            (Command::Data, "DATA\r\n"),
            (Command::Rset, "RSET\r\n"),
            (Command::Quit, "QUIT\r\n"),
        ];
        for (command, bytes) in rows {
            assert_eq!(written(command), bytes);
        }
    }

    #[test]
    fn arguments_that_would_be_more_than_an_argument_are_refused() {
        for bad in [
            "a@example.com\r\nDATA",
            "a\n",
            "a b@example.com",
            "a>@example.com",
            "\"a@example.com",
            "a\0b",
        ] {
            for command in [
                Command::Rcpt(bad),
                Command::Mail(Mail { from: bad, ..MAIL }),
                Command::Ehlo(bad),
            ] {
                let mut out = Vec::new();
                let refused = command.write(&mut out).is_err();
                assert!(
                    refused || !bad.contains(['\r', '\n', ' ', '>', '\0']),
                    "{command:?}"
                );
                assert!(!refused || out.is_empty(), "{command:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_command_is_one_line_whatever_its_arguments(text in any::<String>()) {
            for command in [Command::Ehlo(&text), Command::Rcpt(&text), Command::Mail(Mail { from: &text, ..MAIL }), Command::Auth(&text, Some(&text))] {
                let mut out = Vec::new();
                if command.write(&mut out).is_ok() {
                    prop_assert_eq!(out.iter().filter(|&&b| b == b'\n' || b == b'\r').count(), 2);
                    prop_assert!(out.ends_with(b"\r\n"));
                }
            }
        }
    }
}
