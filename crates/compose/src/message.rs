//! The MIME tree of one message (RFC 2045, 2046, 2387), written in one pass.
//!
//! ```text
//! multipart/mixed                     when there are attachments
//! ├── multipart/alternative           when there is HTML
//! │   ├── text/plain
//! │   └── multipart/related           when there are inline images
//! │       ├── text/html
//! │       └── image/… (Content-ID)
//! └── application/… (attachment)
//! ```
//!
//! Written by hand rather than with mail-builder, whose boundaries come from the clock and which would encode
//! every attachment again for every recipient: here they are encoded once per delivery.

use posthaste_core::time::Timestamp;

use super::encode::{Encoding, write_base64, write_text};
use super::header::{self, Mailbox, parameter};
use super::template::{Rendered, Template};
use super::{Attributes, Content, ContentError, Part, RenderError};
use crate::list_headers::Unsubscribe;
use posthaste_core::ids::LogId;
use posthaste_mail::token::{Purpose, Secret, Token, message_id};

/// What makes one message different from all others, apart from its recipient's attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token of the delivery log row.
    pub token: Token,
    /// The domain of the Message-ID, in A-label form.
    pub domain: String,
    /// The Date: frozen with the delivery or its row, never the time of an attempt.
    pub date: Timestamp,
    /// List headers, name and value.
    pub list_headers: Vec<(&'static str, String)>,
}

impl Identity {
    /// The identity of one delivery log row.
    #[must_use]
    pub fn new(secret: &Secret, log: LogId, domain: &str, date: Timestamp) -> Self {
        Self {
            token: secret.token(Purpose::Delivery, log),
            domain: domain.to_owned(),
            date,
            list_headers: Vec::new(),
        }
    }

    /// With the headers by which this row's recipient unsubscribes.
    #[must_use]
    pub fn unsubscribed_by(mut self, way: &Unsubscribe, secret: &Secret, log: LogId) -> Self {
        self.list_headers = way.headers(&secret.token(Purpose::Unsubscribe, log));
        self
    }
}

/// What is the same in every message of a delivery, already encoded.
#[derive(Debug)]
pub(super) struct Skeleton {
    /// From and Reply-To.
    sender: Vec<u8>,
    /// Body parts with a Content-ID, each without its boundary.
    inline: Vec<Vec<u8>>,
    /// Attachments, each without its boundary.
    attached: Vec<Vec<u8>>,
}

impl Skeleton {
    pub(super) fn new(
        from: &Mailbox,
        reply_to: Option<&Mailbox>,
        content: &Content,
    ) -> Result<Self, ContentError> {
        let mut sender = Vec::new();
        from.write(&mut sender, "From");
        if let Some(reply_to) = reply_to {
            reply_to.write(&mut sender, "Reply-To");
        }
        let (mut inline, mut attached) = (Vec::new(), Vec::new());
        for file in &content.attachments {
            let part = attachment(file)?;
            // Without HTML nothing refers to an inline image: it is shown as an attachment.
            if file.content_id.is_some() && content.html.is_some() {
                inline.push(part);
            } else {
                attached.push(part);
            }
        }
        Ok(Self {
            sender,
            inline,
            attached,
        })
    }

    /// Bytes of the encoded files.
    pub(super) fn size(&self) -> usize {
        self.inline
            .iter()
            .chain(&self.attached)
            .map(|p| p.len() + 40)
            .sum()
    }
}

impl Template {
    /// The message of one recipient, with CRLF line ends, not yet signed nor dot-stuffed.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn message(
        &self,
        identity: &Identity,
        attributes: &Attributes,
    ) -> Result<Vec<u8>, RenderError> {
        let rendered = self.render(attributes)?;
        let mut out = Vec::with_capacity(self.estimated_size() * 5 / 4 + 512);
        self.write_headers(&mut out, identity, attributes, &rendered);
        let tree = Tree {
            token: &identity.token,
            skeleton: &self.skeleton,
            rendered: &rendered,
        };
        tree.mixed(&mut out);
        Ok(out)
    }

    fn write_headers(
        &self,
        out: &mut Vec<u8>,
        identity: &Identity,
        attributes: &Attributes,
        rendered: &Rendered,
    ) {
        header::write_folded(out, "Date", &header::date(identity.date));
        out.extend_from_slice(&self.skeleton.sender);
        header::write_folded(out, "To", &attributes.address().envelope());
        header::write_unstructured(out, "Subject", &rendered.subject);
        header::write_folded(
            out,
            "Message-ID",
            &message_id(&identity.token, &identity.domain),
        );
        for (name, value) in &identity.list_headers {
            header::write_folded(out, name, value);
        }
        for (name, value) in &rendered.headers {
            header::write_unstructured(out, name, value);
        }
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
}

/// One message's parts while they are written. Each function writes the part's headers, an empty line and its body.
struct Tree<'a> {
    token: &'a Token,
    skeleton: &'a Skeleton,
    rendered: &'a Rendered,
}

impl Tree<'_> {
    fn mixed(&self, out: &mut Vec<u8>) {
        if self.skeleton.attached.is_empty() {
            return self.alternative(out);
        }
        let boundary = self.open(out, "multipart/mixed", 'm');
        delimiter(out, &boundary);
        self.alternative(out);
        self.files(out, &boundary, &self.skeleton.attached);
    }

    fn alternative(&self, out: &mut Vec<u8>) {
        match (&self.rendered.text, &self.rendered.html) {
            (Some(text), Some(html)) => {
                let boundary = self.open(out, "multipart/alternative", 'a');
                delimiter(out, &boundary);
                leaf(out, "text/plain", text);
                delimiter(out, &boundary);
                self.related(out, html);
                close(out, &boundary);
            }
            (None, Some(html)) => self.related(out, html),
            (Some(text), None) => leaf(out, "text/plain", text),
            (None, None) => leaf(out, "text/plain", ""),
        }
    }

    fn related(&self, out: &mut Vec<u8>, html: &str) {
        if self.skeleton.inline.is_empty() {
            return leaf(out, "text/html", html);
        }
        // RFC 2387 §3.1: the type of the root is named.
        let boundary = self.open(out, "multipart/related; type=\"text/html\"", 'r');
        delimiter(out, &boundary);
        leaf(out, "text/html", html);
        self.files(out, &boundary, &self.skeleton.inline);
    }

    fn files(&self, out: &mut Vec<u8>, boundary: &str, files: &[Vec<u8>]) {
        for file in files {
            delimiter(out, boundary);
            out.extend_from_slice(file);
        }
        close(out, boundary);
    }

    /// Writes a multipart's headers; its boundary follows from the token, so it is the same at each attempt.
    fn open(&self, out: &mut Vec<u8>, kind: &str, letter: char) -> String {
        let boundary = format!("=_{letter}_{}", self.token);
        let lines = format!("Content-Type: {kind};\r\n boundary=\"{boundary}\"\r\n\r\n");
        out.extend_from_slice(lines.as_bytes());
        boundary
    }
}

fn delimiter(out: &mut Vec<u8>, boundary: &str) {
    for piece in ["\r\n--", boundary, "\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}

fn close(out: &mut Vec<u8>, boundary: &str) {
    for piece in ["\r\n--", boundary, "--\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}

fn leaf(out: &mut Vec<u8>, kind: &str, text: &str) {
    let encoding = Encoding::of(text);
    let lines = format!(
        "Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n",
        encoding.name()
    );
    out.extend_from_slice(lines.as_bytes());
    write_text(out, text, encoding);
}

/// A file as a body part, encoded.
fn attachment(file: &super::Attachment) -> Result<Vec<u8>, ContentError> {
    let wrong = |what: &str| {
        Err(ContentError::Invalid {
            part: Part::Attachment(file.name.escape_debug().to_string()),
            what: what.to_owned(),
        })
    };
    if file.name.is_empty() || file.name.len() > 255 || file.name.chars().any(char::is_control) {
        return wrong("a file's name is 1 to 255 bytes without control characters");
    }
    if !is_media_type(&file.content_type) {
        return wrong("its media type is not of the form type/subtype, as in image/png");
    }
    if file
        .content_type
        .to_ascii_lowercase()
        .starts_with("multipart/")
    {
        return wrong(
            "a multipart cannot be attached: attach its parts, or use application/octet-stream",
        );
    }
    let mut lines = format!(
        "Content-Type: {}{}\r\n",
        file.content_type,
        parameter("name", &file.name)
    );
    lines.push_str("Content-Transfer-Encoding: base64\r\n");
    let shown = if file.content_id.is_some() {
        "inline"
    } else {
        "attachment"
    };
    lines.push_str(&format!(
        "Content-Disposition: {shown}{}\r\n",
        parameter("filename", &file.name)
    ));
    if let Some(id) = &file.content_id {
        let fits = |b: u8| b.is_ascii_graphic() && !b"<>()\\\",;:[]".contains(&b);
        if id.is_empty() || id.len() > 200 || !id.bytes().all(fits) {
            return wrong(
                "its content id is 1 to 200 ASCII characters without spaces or brackets, as in logo@example.com",
            );
        }
        lines.push_str(&format!("Content-ID: <{id}>\r\n"));
    }
    lines.push_str("\r\n");
    let mut out = lines.into_bytes();
    write_base64(&mut out, &file.bytes);
    Ok(out)
}

/// RFC 2045 §5.1: two tokens and a slash, without parameters.
fn is_media_type(text: &str) -> bool {
    let token = |t: &str| {
        (1..=127).contains(&t.len())
            && t.bytes()
                .all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
    };
    text.split_once('/')
        .is_some_and(|(kind, sub)| token(kind) && token(sub))
}
