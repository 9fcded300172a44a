//! Where a rule applies: channel, speaker, host, stage, reply code, enhanced status.

use super::question::Question;
use super::rule::{Rule, Speaker};
use crate::enhanced::EnhancedStatus;
use crate::evidence::Stage;
use crate::log::Channel;

/// A compiled scope.
#[derive(Debug, Clone)]
pub struct Scope {
    channel: Channel,
    said_by: Option<Speaker>,
    host: Vec<String>,
    stage: Vec<Stage>,
    code: Vec<Digits>,
    enhanced: Vec<[String; 3]>,
}

/// A mask of a reply code: each place a digit, or anything.
type Digits = [Option<u8>; 3];

/// What the text and the question state together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// Reply code.
    pub code: Option<u16>,
    /// Enhanced status.
    pub status: Option<EnhancedStatus>,
    /// Whether the failure is permanent.
    pub permanent: bool,
}

impl Scope {
    /// Compiles the scope of a rule.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it and what to do.
    pub fn parse(rule: &Rule) -> Result<Self, String> {
        let code = rule
            .code
            .iter()
            .map(|mask| digits(mask))
            .collect::<Result<Vec<_>, _>>()?;
        let enhanced = rule
            .enhanced
            .iter()
            .map(|mask| fields(mask))
            .collect::<Result<Vec<_>, _>>()?;
        let scope = Self {
            channel: rule.channel,
            said_by: rule.said_by,
            host: rule.host.iter().map(|h| h.to_ascii_lowercase()).collect(),
            stage: rule.stage.clone(),
            code,
            enhanced,
        };
        match scope.contradiction() {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(scope),
        }
    }

    /// Why the scope can never apply.
    fn contradiction(&self) -> Option<&'static str> {
        let spoken = !self.code.is_empty() || !self.enhanced.is_empty() || !self.host.is_empty();
        if self.said_by == Some(Speaker::Us) && spoken {
            return Some(
                "it asks for a text of our own and for a server's code, status or host, and could \
                 never match; drop one of them",
            );
        }
        let local = |s: &Stage| matches!(s, Stage::Dns | Stage::Compose | Stage::Claim);
        if self.said_by == Some(Speaker::Remote)
            && !self.stage.is_empty()
            && self.stage.iter().all(local)
        {
            return Some(
                "no server speaks at the stages dns, compose and claim, so it could never match; \
                 drop `said_by` or the stages",
            );
        }
        None
    }

    /// Whether a text in the scope is needed to tell it from «everything».
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.host.is_empty()
            && self.stage.is_empty()
            && self.code.is_empty()
            && self.enhanced.is_empty()
            && self.said_by.is_none()
    }

    /// Whether the question lies in the scope.
    #[must_use]
    pub fn holds(&self, question: &Question<'_>, stated: &Stated) -> bool {
        let speaker = match self.said_by {
            None => true,
            Some(Speaker::Us) => question.said_by_us,
            Some(Speaker::Remote) => !question.said_by_us,
        };
        speaker
            && self.channel == question.channel
            && (self.stage.is_empty() || question.stage.is_some_and(|s| self.stage.contains(&s)))
            && (self.code.is_empty()
                || stated
                    .code
                    .is_some_and(|c| self.code.iter().any(|m| code_fits(m, c))))
            && (self.enhanced.is_empty()
                || stated
                    .status
                    .is_some_and(|s| self.enhanced.iter().any(|m| status_fits(m, s))))
            && (self.host.is_empty()
                || question
                    .host
                    .is_some_and(|h| self.host.iter().any(|m| mask_fits(m, h))))
    }

    /// A question in the middle of the scope, for trying a rule on its samples.
    #[must_use]
    pub fn example<'a>(&self, text: &'a str, host: &'a str) -> Question<'a> {
        let mut question = Question::about(text);
        question.channel = self.channel;
        question.said_by_us = self.said_by == Some(Speaker::Us);
        question.stage = self.stage.first().copied();
        question.host = (!self.host.is_empty()).then_some(host);
        question
    }

    /// A host that the first mask covers.
    #[must_use]
    pub fn example_host(&self) -> String {
        self.host
            .first()
            .map(|mask| mask.replace('*', "mx1"))
            .unwrap_or_default()
    }
}

fn digits(mask: &str) -> Result<Digits, String> {
    let wrong =
        || format!("code \"{mask}\" is no reply code; write three places such as 550, 55z or 5yz");
    let mut out = [None; 3];
    let bytes: [u8; 3] = mask.as_bytes().try_into().map_err(|_| wrong())?;
    for (place, byte) in out.iter_mut().zip(bytes) {
        *place = match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'x' | b'y' | b'z' => None,
            _ => return Err(wrong()),
        };
    }
    if out.first().is_none_or(|d| !matches!(d, Some(2..=5))) {
        return Err(wrong());
    }
    Ok(out)
}

fn code_fits(mask: &Digits, code: u16) -> bool {
    let digits = [code / 100, code / 10 % 10, code % 10];
    mask.iter()
        .zip(digits)
        .all(|(m, d)| m.is_none_or(|m| u16::from(m) == d))
}

fn fields(mask: &str) -> Result<[String; 3], String> {
    let fits = |f: &str| {
        let digits = f.strip_suffix('*').unwrap_or(f);
        !f.is_empty() && digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let parts: Vec<String> = mask.split('.').map(str::to_owned).collect();
    <[String; 3]>::try_from(parts)
        .ok()
        .filter(|parts| parts.iter().all(|f| fits(f)))
        .ok_or_else(|| {
            format!("enhanced \"{mask}\" is no status; write three fields such as 5.1.1, *.1.* or 5.7.6*")
        })
}

fn status_fits(mask: &[String; 3], status: EnhancedStatus) -> bool {
    let values = [u16::from(status.class), status.subject, status.detail];
    mask.iter().zip(values).all(|(mask, value)| {
        let value = value.to_string();
        match mask.strip_suffix('*') {
            Some(start) => value.starts_with(start),
            None => *mask == value,
        }
    })
}

/// Whether a mask with `*` covers a host.
fn mask_fits(mask: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let mut parts = mask.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = strip_prefix_ci(host, first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.to_ascii_lowercase().find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.len() >= last.len()
        && rest
            .get(rest.len() - last.len()..)
            .is_some_and(|tail| tail.eq_ignore_ascii_case(last))
}

fn strip_prefix_ci<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_hosts() {
        let rows = [
            ("*.example.com", "mx.example.com", true),
            ("*.example.com", "example.com", false),
            ("mx*.example.*", "MX12.example.net.", true),
            ("mx.example.com", "mx.example.com", true),
            ("mx.example.com", "mx.example.com.test", false),
            ("*", "anything", true),
        ];
        for (mask, host, expected) in rows {
            assert_eq!(mask_fits(mask, host), expected, "{mask} on {host}");
        }
    }

    #[test]
    fn masks_of_codes_and_statuses() {
        assert!(code_fits(&digits("5yz").unwrap(), 550));
        assert!(code_fits(&digits("55z").unwrap(), 552));
        assert!(!code_fits(&digits("450").unwrap(), 550));
        for wrong in ["", "55", "5500", "abc", "9yz", "éa"] {
            assert!(digits(wrong).is_err(), "{wrong}");
        }
        let status = EnhancedStatus::parse("5.7.606").unwrap();
        for (mask, expected) in [
            ("5.7.606", true),
            ("5.7.6*", true),
            ("*.7.*", true),
            ("4.7.*", false),
        ] {
            assert_eq!(
                status_fits(&fields(mask).unwrap(), status),
                expected,
                "{mask}"
            );
        }
        for wrong in ["5.1", "5.1.1.1", "5.a.1", "5..1"] {
            assert!(fields(wrong).is_err(), "{wrong}");
        }
    }
}
