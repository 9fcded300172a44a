//! Command lines as the server reads them (RFC 5321 §4.1.1).
//!
//! Tolerant where clients differ (space after the colon, missing angle brackets, case), strict
//! where tolerance would guess (unknown parameters, non-ASCII without SMTPUTF8).

/// The envelope that MAIL opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The return path; empty for bounces (`<>`).
    pub from: String,
    /// The size declared by SIZE, in bytes (RFC 1870 §3).
    pub size: Option<u64>,
    /// BODY=8BITMIME (RFC 6152 §2).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531 §3.4).
    pub utf8: bool,
}

/// A command and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo {
        name: String,
        extended: bool,
    },
    StartTls,
    Auth {
        mechanism: String,
        initial: Option<String>,
    },
    Mail(Mail),
    Rcpt(String),
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
    /// Understood as far as the verb; the reply says what is wrong.
    Wrong(u16, &'static str),
}

const BAD_PATH: Command = Command::Wrong(501, "5.1.7 An address in angle brackets is needed");
const BAD_PARAMETER: Command =
    Command::Wrong(555, "5.5.4 Parameter not known or not permitted here");

/// Reads a command line without its end.
pub(super) fn parse(line: &[u8]) -> Command {
    let Ok(line) = std::str::from_utf8(line) else {
        return Command::Wrong(500, "5.5.2 The line is not UTF-8");
    };
    let line = line.trim_end();
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => hello(rest, true),
        "HELO" => hello(rest, false),
        "STARTTLS" => Command::StartTls,
        "AUTH" => auth(rest),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => Command::Data,
        "RSET" => Command::Rset,
        "NOOP" => Command::Noop,
        "VRFY" => Command::Vrfy,
        "QUIT" => Command::Quit,
        _ => Command::Wrong(500, "5.5.1 Command not known"),
    }
}

fn hello(name: &str, extended: bool) -> Command {
    let name = name.trim();
    if name.is_empty() {
        return Command::Wrong(501, "5.5.4 A name is needed");
    }
    Command::Ehlo {
        name: name.to_owned(),
        extended,
    }
}

fn auth(rest: &str) -> Command {
    let mut words = rest.split_whitespace();
    let Some(mechanism) = words.next() else {
        return Command::Wrong(501, "5.5.4 A mechanism is needed");
    };
    Command::Auth {
        mechanism: mechanism.to_ascii_uppercase(),
        initial: words.next().map(str::to_owned),
    }
}

fn mail(rest: &str) -> Command {
    let Some((from, parameters)) = path(rest, "FROM:") else {
        return BAD_PATH;
    };
    let mut mail = Mail {
        from,
        ..Mail::default()
    };
    for parameter in parameters.split_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value) {
            ("SIZE", value) => match value.parse() {
                Ok(size) => mail.size = Some(size),
                Err(_) => return BAD_PARAMETER,
            },
            ("BODY", value) if value.eq_ignore_ascii_case("8BITMIME") => mail.eight_bit = true,
            ("BODY", value) if value.eq_ignore_ascii_case("7BIT") => {}
            ("SMTPUTF8", "") => mail.utf8 = true,
            ("AUTH", _) => {}
            _ => return BAD_PARAMETER,
        }
    }
    if !mail.utf8 && !mail.from.is_ascii() {
        return Command::Wrong(553, "5.6.7 Non-ASCII addresses need SMTPUTF8");
    }
    Command::Mail(mail)
}

fn rcpt(rest: &str) -> Command {
    match path(rest, "TO:") {
        Some((to, _)) if to.is_empty() => BAD_PATH,
        Some((_, parameters)) if !parameters.trim().is_empty() => BAD_PARAMETER,
        Some((to, _)) => Command::Rcpt(to),
        None => BAD_PATH,
    }
}

/// The address after `FROM:` or `TO:`, and what follows it. A source route is dropped (RFC 5321
/// §4.1.1.3).
fn path<'a>(text: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let head = text.get(..keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let text = text.get(keyword.len()..)?.trim_start();
    let (address, rest) = match text.strip_prefix('<') {
        Some(inner) => inner.split_at(closing(inner)?),
        None => text.split_at(text.find(' ').unwrap_or(text.len())),
    };
    let bare = !text.starts_with('<');
    if bare && address.is_empty() {
        return None;
    }
    let address = match address.strip_prefix('@') {
        Some(route) => route.split_once(':')?.1,
        None => address,
    };
    let rest = rest.strip_prefix('>').unwrap_or(rest);
    Some((address.to_owned(), rest))
}

/// Where the closing angle bracket stands, outside of a quoted local part.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_clients_write_them() {
        for (line, to) in [
            ("RCPT TO:<a@example.com>", "a@example.com"),
            ("rcpt to: <a@example.com>", "a@example.com"),
            ("RCPT TO:a@example.com", "a@example.com"),
            (
                "RCPT TO:<@relay.example,@b.example:a@example.com>",
                "a@example.com",
            ),
            ("RCPT TO:<\"a>b\"@example.com>", "\"a>b\"@example.com"),
        ] {
            assert_eq!(parse(line.as_bytes()), Command::Rcpt(to.into()), "{line}");
        }
        for line in [
            "RCPT",
            "RCPT TO",
            "RCPT TO:",
            "RCPT TO:<>",
            "RCPT TO:<a",
            "RCPT FROM:<a@b>",
        ] {
            assert_eq!(parse(line.as_bytes()), BAD_PATH, "{line}");
        }
    }

    #[test]
    fn parameters_of_mail_are_read_and_unknown_ones_refused() {
        let Command::Mail(mail) =
            parse("MAIL FROM:<é@example.com> SIZE=12 BODY=8bitmime SMTPUTF8".as_bytes())
        else {
            panic!("no MAIL");
        };
        assert_eq!(
            (mail.size, mail.eight_bit, mail.utf8),
            (Some(12), true, true)
        );
        assert_eq!(parse(b"MAIL FROM:<> SIZE=x"), BAD_PARAMETER);
        assert_eq!(parse(b"MAIL FROM:<> HOLDFOR=1"), BAD_PARAMETER);
        assert!(matches!(parse(b"MAIL FROM:<>"), Command::Mail(m) if m.from.is_empty()));
        assert!(matches!(
            parse("MAIL FROM:<é@example.com>".as_bytes()),
            Command::Wrong(553, _)
        ));
    }
}
