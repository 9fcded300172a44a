//! Checked templates of a delivery, and their rendering for one recipient.
//!
//! The language is Jinja, by minijinja: undefined names are errors, values are escaped in HTML only, and nothing in
//! it knows a clock or a random number, so the same attributes make the same text. It has no access to files.
//!
//! A run-away template is stopped by fuel, one unit per instruction, because a clock would make the result depend on the load.

use std::io;

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use super::attributes::Attributes;
use super::header::Mailbox;
use super::message::Skeleton;
use super::variables::{self, UnknownVariable};
use super::{Content, ContentError, Part, RenderError, text_from_html};

/// Instructions that one part may take for one recipient. It stands for the budget of 5 s: 150 million
/// took 3.7 to 4.3 s of CPU on a Xeon with AVX2, measured by
/// `cargo run --release -p posthaste-compose --example compose_bench -- fuel`.
pub const FUEL: u64 = 150_000_000;

/// What one part may come to, in bytes: a bound on memory, far above what any server accepts.
pub const MAX_RENDERED_BYTES: usize = 16 * 1024 * 1024;

/// A content that has been checked, ready to be rendered many times, from several threads.
#[derive(Debug)]
pub struct Template {
    pub(super) environment: Environment<'static>,
    pub(super) skeleton: Skeleton,
    subject: Source,
    html: Option<Source>,
    text: Option<Source>,
    text_is_derived: bool,
    headers: Vec<(String, Source)>,
}

/// One template by its name in the environment, or its text where nothing is to be filled in.
#[derive(Debug)]
struct Source {
    part: Part,
    name: String,
    source: String,
    fixed: bool,
}

/// The parts of one recipient's message before they are encoded: what a preview shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The subject.
    pub subject: String,
    /// Extra headers with a value, in order.
    pub headers: Vec<(String, String)>,
    /// The HTML part.
    pub html: Option<String>,
    /// The text part.
    pub text: Option<String>,
}

impl Template {
    /// Checks a content and compiles its templates.
    ///
    /// # Errors
    /// [`ContentError`] with the first thing that is wrong, its part and line.
    pub fn compile(content: &Content) -> Result<Self, ContentError> {
        if content.html.is_none() && content.text.is_none() {
            return Err(ContentError::Empty);
        }
        let mut environment = environment();
        let mut add = |part, name: &str, source: &str| add(&mut environment, part, name, source);
        let subject = add(Part::Subject, "subject", content.subject.trim())?;
        let html = content
            .html
            .as_deref()
            .map(|h| add(Part::Html, "html", h))
            .transpose()?;
        let mut headers = Vec::new();
        for (name, source) in &content.headers {
            check_header_name(name)?;
            let part = Part::Header(name.clone());
            headers.push((
                name.clone(),
                add(part, &format!("header {name}"), source.trim())?,
            ));
        }
        let text_is_derived = content.text.is_none();
        let text = match (&content.text, &content.html) {
            (Some(text), _) => Some(add(Part::Text, "text", text)?),
            (None, Some(html)) => {
                let source = text_from_html::derive(html);
                let added = add(Part::Text, "text", &source);
                Some(added.map_err(|e| ContentError::NoText {
                    what: e.to_string(),
                })?)
            }
            (None, None) => None,
        };
        let mailbox = |part: Part, text: &str| {
            Mailbox::parse(text).map_err(|what| ContentError::Invalid {
                part,
                what: format!(
                    "\"{}\" is no mailbox ({what}): write Name <address>",
                    text.escape_debug()
                ),
            })
        };
        let from = mailbox(Part::From, &content.from)?;
        let reply_to = content
            .reply_to
            .as_deref()
            .map(|r| mailbox(Part::ReplyTo, r))
            .transpose()?;
        Ok(Self {
            skeleton: Skeleton::new(&from, reply_to.as_ref(), content)?,
            environment,
            subject,
            html,
            text,
            text_is_derived,
            headers,
        })
    }

    /// Renders all parts for one recipient.
    ///
    /// # Errors
    /// [`RenderError`] with the part, its line and what is wrong.
    pub fn render(&self, attributes: &Attributes) -> Result<Rendered, RenderError> {
        let subject = self.render_header(&self.subject, attributes)?;
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, source) in &self.headers {
            let value = self.render_header(source, attributes)?;
            if !value.trim().is_empty() {
                headers.push((name.clone(), value));
            }
        }
        let body = |source: &Option<Source>| {
            source
                .as_ref()
                .map(|s| self.render_one(s, attributes))
                .transpose()
        };
        let html = body(&self.html)?;
        let mut text = body(&self.text)?;
        if self.text_is_derived {
            text = text.map(|t| text_from_html::lay_out(&t));
        }
        Ok(Rendered {
            subject,
            headers,
            html,
            text,
        })
    }

    /// Whether the content can be personalised for this recipient: what preparation asks for everyone.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn check(&self, attributes: &Attributes) -> Result<(), RenderError> {
        self.render_header(&self.subject, attributes)?;
        for (_, source) in &self.headers {
            self.render_header(source, attributes)?;
        }
        // A text derived from the HTML has no expression that the HTML has not.
        let text = self.text.as_ref().filter(|_| !self.text_is_derived);
        for source in self.html.iter().chain(text).filter(|s| !s.fixed) {
            self.run(
                source,
                attributes,
                &mut Limited {
                    out: None,
                    left: MAX_RENDERED_BYTES,
                },
            )?;
        }
        Ok(())
    }

    /// Names that the templates use and that are no column: each would fail for every recipient.
    #[must_use]
    pub fn unknown_variables(&self, columns: &[&str]) -> Vec<UnknownVariable> {
        let text = self.text.as_ref().filter(|_| !self.text_is_derived);
        let bodies = self.html.iter().chain(text);
        let sources = std::iter::once(&self.subject)
            .chain(self.headers.iter().map(|(_, s)| s))
            .chain(bodies);
        let mut found = Vec::new();
        for source in sources.filter(|s| !s.fixed) {
            if let Ok(template) = self.environment.get_template(&source.name) {
                let used = template.undeclared_variables(true).into_iter();
                found.extend(variables::unknown(
                    &source.part,
                    &source.source,
                    used,
                    columns,
                ));
            }
        }
        found
    }

    /// Bytes of a typical message, from the length of the templates and the encoded attachments: for the automatic batch quantity.
    #[must_use]
    pub fn estimated_size(&self) -> usize {
        const HEADERS: usize = 1024;
        let body =
            |source: &Option<Source>| source.as_ref().map_or(0, |s| s.source.len() * 17 / 16);
        let extra: usize = self
            .headers
            .iter()
            .map(|(n, s)| n.len() + s.source.len() + 4)
            .sum();
        HEADERS
            + extra
            + self.subject.source.len()
            + body(&self.html)
            + body(&self.text)
            + self.skeleton.size()
    }

    fn render_header(
        &self,
        source: &Source,
        attributes: &Attributes,
    ) -> Result<String, RenderError> {
        let value = self.render_one(source, attributes)?;
        if value.contains(['\r', '\n', '\0']) {
            return Err(RenderError {
                part: source.part.clone(),
                line: None,
                what: format!(
                    "the value \"{}\" holds a line break or a NUL character, which a header cannot: correct the recipient's attributes",
                    value.chars().take(80).collect::<String>().escape_debug()
                ),
            });
        }
        Ok(value)
    }

    fn render_one(&self, source: &Source, attributes: &Attributes) -> Result<String, RenderError> {
        if source.fixed {
            return Ok(source.source.clone());
        }
        let mut out = Vec::with_capacity(source.source.len() + source.source.len() / 8 + 64);
        self.run(
            source,
            attributes,
            &mut Limited {
                out: Some(&mut out),
                left: MAX_RENDERED_BYTES,
            },
        )?;
        String::from_utf8(out).map_err(|_| RenderError {
            part: source.part.clone(),
            line: None,
            what: "the result is not UTF-8: correct the template".to_owned(),
        })
    }

    fn run(
        &self,
        source: &Source,
        attributes: &Attributes,
        out: &mut Limited<'_>,
    ) -> Result<(), RenderError> {
        let template = self.environment.get_template(&source.name);
        let result = template.and_then(|t| t.render_captured_to(attributes.context(), &mut *out));
        match result {
            Ok(_) => Ok(()),
            Err(_) if out.left == 0 => Err(RenderError {
                part: source.part.clone(),
                line: None,
                what: format!(
                    "it comes to more than {MAX_RENDERED_BYTES} bytes: shorten the template's loops"
                ),
            }),
            Err(error) => Err(source.explain(&error)),
        }
    }
}

impl Source {
    fn explain(&self, error: &minijinja::Error) -> RenderError {
        let at = error.range().and_then(|range| self.source.get(range));
        let what = match (error.kind(), at) {
            (ErrorKind::UndefinedError, Some(name)) => {
                format!(
                    "\"{}\" is not defined for this recipient: correct the name, or use `{} | default(\"…\")`",
                    name.trim(),
                    name.trim()
                )
            }
            (ErrorKind::OutOfFuel, _) => {
                format!("it takes more than {FUEL} steps (about 5 s): simplify its loops")
            }
            _ => error.detail().map_or_else(
                || error.kind().to_string(),
                |d| format!("{}: {d}", error.kind()),
            ),
        };
        RenderError {
            part: self.part.clone(),
            line: error.line(),
            what,
        }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name {
        "html" => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment.set_fuel(Some(FUEL));
    // Source ranges, so that an undefined name can be named.
    environment.set_debug(true);
    // Shows the engine's inside, which is nothing for a recipient to see.
    environment.remove_global("debug");
    environment.remove_filter("pprint");
    environment
}

fn add(
    environment: &mut Environment<'static>,
    part: Part,
    name: &str,
    source: &str,
) -> Result<Source, ContentError> {
    environment
        .add_template_owned(name.to_owned(), source.to_owned())
        .map_err(|error| ContentError::Syntax {
            part: part.clone(),
            line: error.line().unwrap_or(0),
            what: error
                .detail()
                .unwrap_or("the template does not parse")
                .to_owned(),
        })?;
    Ok(Source {
        part,
        name: name.to_owned(),
        fixed: !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)),
        source: source.to_owned(),
    })
}

/// RFC 5322 §3.6.8: printable ASCII without colon; and not one of ours.
fn check_header_name(name: &str) -> Result<(), ContentError> {
    let fits = !name.is_empty()
        && name.len() <= 76
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if !fits {
        return Err(ContentError::Invalid {
            part: Part::Header(name.escape_debug().to_string()),
            what: "a header's name is 1 to 76 ASCII letters, digits and hyphens, as in X-Campaign"
                .to_owned(),
        });
    }
    let lower = name.to_ascii_lowercase();
    let instead = match lower.as_str() {
        "from" | "reply-to" | "subject" => "use the delivery's own setting of that name",
        "to" | "cc" | "bcc" => "each message goes to its one recipient, and To names it",
        "return-path" => "the return path is made from the error address",
        "date" | "message-id" | "mime-version" | "received" => "it is made for each message",
        "dkim-signature" => "messages are signed with the key configured for the From domain",
        _ if lower.starts_with("content-") => "it follows from the parts and attachments",
        _ if lower.starts_with("list-unsubscribe") => {
            "it is made for each message; configure the endpoint for one-click unsubscription"
        }
        _ => return Ok(()),
    };
    Err(ContentError::OwnedHeader {
        name: name.to_owned(),
        instead,
    })
}

/// Counts what is written, keeps it where asked to, and refuses more than the limit.
struct Limited<'a> {
    out: Option<&'a mut Vec<u8>>,
    left: usize,
}

impl io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            self.left = 0;
            return Err(io::Error::other("too long"));
        };
        self.left = left;
        if let Some(out) = self.out.as_deref_mut() {
            out.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
