//! The content of a delivery file: subject, bodies, headers and attachments.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use posthaste_compose::{ContentError, Part, Template};
use posthaste_engine::spec::Attachment;

use crate::section::Section;

/// The largest attachment.
const MOST_BYTES: usize = 20 * 1024 * 1024;

/// Media types by the end of a file's name, for attachments that name none.
const TYPES: &[(&str, &str)] = &[
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
    ("zip", "application/zip"),
];

/// What a delivery file says about the message.
pub struct Content {
    pub subject: String,
    pub html: Option<String>,
    pub text: Option<String>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
    pub blobs: Vec<([u8; 32], Vec<u8>)>,
}

/// Reads the content and the files it names, and tries its templates, with these columns where
/// they are known.
pub fn read(
    root: &mut Section,
    home: &Path,
    from: Option<&str>,
    columns: Option<&[String]>,
) -> Content {
    if !root.has("subject") {
        root.wrong(
            "subject",
            "it is missing: write the subject, a template as the bodies are",
        );
    }
    let subject = root.text("subject");
    let bodies_given = ["html", "html_file", "text", "text_file"]
        .iter()
        .any(|key| root.has(key));
    if !bodies_given {
        root.wrong(
            "html",
            "there is no content: give html_file or html, text_file or text",
        );
    }
    let html = body(root, "html", "html_file", home);
    let text = body(root, "text", "text_file", home);
    let headers = root.pairs("headers");
    let mut blobs = Vec::new();
    let attachments: Vec<Attachment> = root
        .sections("attachment")
        .into_iter()
        .filter_map(|section| attachment(section, home, &mut blobs))
        .collect();
    if let (Some(from), Some(subject), true) = (from, &subject, html.is_some() || text.is_some()) {
        let content = posthaste_compose::Content {
            from: from.to_owned(),
            reply_to: None,
            subject: subject.clone(),
            html: html.clone(),
            text: text.clone(),
            headers: headers.clone(),
            attachments: composed(&attachments, &blobs),
        };
        match Template::compile(&content) {
            Ok(template) => note_unknown(root, &template, columns),
            Err(error) => note(root, &error),
        }
    }
    Content {
        subject: subject.unwrap_or_default(),
        html,
        text,
        headers,
        attachments,
        blobs,
    }
}

/// Attachments as the composer takes them; their bytes stand in the same order.
fn composed(
    attachments: &[Attachment],
    blobs: &[([u8; 32], Vec<u8>)],
) -> Vec<posthaste_compose::Attachment> {
    let pairs = attachments.iter().zip(blobs);
    pairs
        .map(|(attachment, (_, bytes))| posthaste_compose::Attachment {
            name: attachment.name.clone(),
            content_type: attachment.content_type.clone(),
            bytes: Arc::from(bytes.as_slice()),
            content_id: attachment.content_id.clone(),
        })
        .collect()
}

/// Notes names that the templates use and that are no column.
fn note_unknown(root: &Section, template: &Template, columns: Option<&[String]>) {
    let Some(columns) = columns else { return };
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    for unknown in template.unknown_variables(&columns) {
        let (line, what) = (unknown.line, unknown.what());
        root.wrong(&key_of(&unknown.part), format!("line {line}: {what}"));
    }
}

fn note(root: &Section, error: &ContentError) {
    let (key, what) = match error {
        ContentError::Syntax { part, line, what } => (
            key_of(part),
            format!("line {line}: {what}; correct the template"),
        ),
        ContentError::Invalid { part, what } => (key_of(part), what.clone()),
        ContentError::OwnedHeader { name, .. } => (format!("headers.{name}"), error.to_string()),
        ContentError::Empty | ContentError::NoText { .. } => ("html".to_owned(), error.to_string()),
    };
    root.wrong(&key, what);
}

fn key_of(part: &Part) -> String {
    match part {
        Part::From => "from".to_owned(),
        Part::ReplyTo => "reply_to".to_owned(),
        Part::Subject => "subject".to_owned(),
        Part::Html => "html".to_owned(),
        Part::Text => "text".to_owned(),
        Part::Header(name) => format!("headers.{name}"),
        Part::Attachment(name) => format!("attachment ({name})"),
    }
}

/// A body: written inline or in a file of its own.
fn body(
    root: &mut Section,
    inline: &'static str,
    file: &'static str,
    home: &Path,
) -> Option<String> {
    let (text, path) = (root.text(inline), root.text(file));
    if text.is_some() && path.is_some() {
        root.wrong(file, format!("give {inline} or {file}, not both"));
        return None;
    }
    let Some(path) = path else { return text };
    let path = home.join(path);
    let shown = path.display();
    match std::fs::read(&path).map(String::from_utf8) {
        Ok(Ok(text)) => Some(text.trim_start_matches('\u{feff}').to_owned()),
        Ok(Err(_)) => {
            root.wrong(file, format!("{shown} is not UTF-8: save it as UTF-8"));
            None
        }
        Err(error) => {
            root.wrong(
                file,
                format!("{shown} cannot be read: {error}; check the path"),
            );
            None
        }
    }
}

fn attachment(
    mut section: Section,
    home: &Path,
    blobs: &mut Vec<([u8; 32], Vec<u8>)>,
) -> Option<Attachment> {
    let (path, name) = (section.text("path"), section.text("name"));
    let (media_type, cid) = (
        section.parsed("type", media_type),
        section.parsed("cid", content_id),
    );
    let Some(path) = path else {
        section.wrong("path", "it is missing: name the file");
        section.done();
        return None;
    };
    let path = home.join(path);
    let name = name.or_else(|| path.file_name().map(|n| n.to_string_lossy().into_owned()));
    let bytes = match std::fs::read(&path) {
        Ok(bytes) if bytes.len() <= MOST_BYTES => Some(bytes),
        Ok(bytes) => {
            let (size, most) = (bytes.len() >> 20, MOST_BYTES >> 20);
            section.wrong(
                "path",
                format!(
                    "{} has {size} MiB, at most {most} MiB are sent",
                    path.display()
                ),
            );
            None
        }
        Err(error) => {
            let shown = path.display();
            section.wrong(
                "path",
                format!("{shown} cannot be read: {error}; check the path"),
            );
            None
        }
    };
    section.done();
    let bytes = bytes?;
    let sha256 = sha256(&bytes);
    let attachment = Attachment {
        content_type: media_type.unwrap_or_else(|| type_of(&path).to_owned()),
        name: name.unwrap_or_default(),
        sha256: hex(&sha256),
        size: bytes.len() as u64,
        content_id: cid,
    };
    blobs.push((sha256, bytes));
    Some(attachment)
}

fn media_type(text: &str) -> Result<String, String> {
    let token = |t: &str| {
        !t.is_empty()
            && t.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-.+_".contains(&b))
    };
    match text.split_once('/') {
        Some((kind, sub)) if token(kind) && token(sub) => Ok(text.to_lowercase()),
        _ => Err(format!(
            "\"{text}\" is not a media type, as in \"image/png\""
        )),
    }
}

fn content_id(text: &str) -> Result<String, String> {
    let odd = |c: char| !c.is_ascii_graphic() || "<>()\"\\".contains(c);
    if text.is_empty() || text.contains(odd) {
        return Err(format!(
            "\"{text}\" cannot be the id of an inline image, as in \"logo\""
        ));
    }
    Ok(text.to_owned())
}

fn type_of(path: &Path) -> &'static str {
    let end = path
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    TYPES
        .iter()
        .find(|(known, _)| *known == end)
        .map_or("application/octet-stream", |(_, media)| media)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    // SHA-256 has 32 bytes: the whole digest is copied.
    for (to, from) in hash
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    hash
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
