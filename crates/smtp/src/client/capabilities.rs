//! What a server offers in its reply to EHLO (RFC 5321 §4.1.1.1).

use crate::reply::Reply;

/// The offers that matter to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// SIZE is known (RFC 1870).
    pub size: bool,
    /// The largest message it takes, in octets, if it says so.
    pub max_size: Option<usize>,
    /// AUTH PLAIN (RFC 4616).
    pub auth_plain: bool,
    /// AUTH LOGIN.
    pub auth_login: bool,
}

impl Capabilities {
    /// Reads the reply to EHLO. Unknown keywords are passed over.
    #[must_use]
    pub fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines().skip(1) {
            offers.read_line(&line.to_ascii_uppercase());
        }
        offers
    }

    fn read_line(&mut self, line: &str) {
        // Old servers write AUTH=LOGIN.
        let mut words = line.split([' ', '\t', '=']).filter(|w| !w.is_empty());
        match words.next() {
            Some("PIPELINING") => self.pipelining = true,
            Some("STARTTLS") => self.starttls = true,
            Some("8BITMIME") => self.eight_bit = true,
            Some("SMTPUTF8") => self.smtputf8 = true,
            Some("SIZE") => {
                self.size = true;
                // RFC 1870 §4: zero means no fixed limit.
                self.max_size = words.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0);
            }
            Some("AUTH") => {
                for mechanism in words {
                    self.auth_plain |= mechanism == "PLAIN";
                    self.auth_login |= mechanism == "LOGIN";
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::ReplyParser;

    fn read(text: &str) -> Capabilities {
        let (_, reply) = ReplyParser::default().feed(text.as_bytes());
        Capabilities::read(&reply.unwrap().unwrap())
    }

    #[test]
    fn offers_are_read_whatever_their_case() {
        let all = read(
            "250-mx PIPELINING\r\n250-PipeLining\r\n250-starttls\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 1000\r\n250-X-OTHER a b\r\n250 AUTH PLAIN LOGIN\r\n",
        );
        let expected = Capabilities {
            pipelining: true,
            starttls: true,
            eight_bit: true,
            smtputf8: true,
            size: true,
            max_size: Some(1000),
            auth_plain: true,
            auth_login: true,
        };
        assert_eq!(all, expected);
    }

    #[test]
    fn the_greeting_line_offers_nothing_and_size_zero_is_no_limit() {
        let offers = read("250-PIPELINING\r\n250-SIZE 0\r\n250 AUTH=LOGIN\r\n");
        let expected = Capabilities {
            size: true,
            auth_login: true,
            ..Capabilities::default()
        };
        assert_eq!(offers, expected);
    }
}
