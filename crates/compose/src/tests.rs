//! What compiled contents do for their recipients.

use std::sync::Arc;

use posthaste_core::address::Address;
use posthaste_core::ids::LogId;
use posthaste_core::time::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::list_headers::Unsubscribe;
use posthaste_mail::token::{Purpose, Secret};

fn ada() -> Address {
    Address::parse("ada@example.org").unwrap()
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    Attributes::from_texts(&ada(), pairs)
}

fn content() -> Content {
    Content {
        from: "Example News <news@example.com>".into(),
        subject: "Hello {{ name }}".into(),
        html: Some("<p>Dear {{ name }},</p>\n<p>Grüße aus {{ city }}</p>".into()),
        ..Content::default()
    }
}

fn identity() -> Identity {
    let secret = Secret::new(&[1; 32]).unwrap();
    let way = Unsubscribe::new(
        &Address::parse("bounces@example.com").unwrap(),
        Some("https://example.com/u"),
    )
    .unwrap();
    Identity::new(
        &secret,
        LogId(77),
        "example.com",
        Timestamp(1_795_297_258_000),
    )
    .unsubscribed_by(&way, &secret, LogId(77))
}

fn file(name: &str, content_id: Option<&str>) -> Attachment {
    Attachment {
        name: name.into(),
        content_type: "image/png".into(),
        bytes: Arc::from((0..200_u8).collect::<Vec<_>>()),
        content_id: content_id.map(Into::into),
    }
}

#[test]
fn a_message_is_read_back_by_a_parser_as_it_was_meant() {
    let mut content = content();
    content.reply_to = Some("Service <service@example.com>".into());
    content.headers = vec![
        ("X-Campaign".into(), "{{ city }}".into()),
        ("X-None".into(), "{% if false %}x{% endif %}".into()),
    ];
    content.attachments = vec![
        file("logo.png", Some("logo@example.com")),
        file("Übersicht.png", None),
    ];
    let template = Template::compile(&content).unwrap();
    let message = template
        .message(
            &identity(),
            &attributes(&[("name", "Zoë & Co"), ("city", "Köln")]),
        )
        .unwrap();
    let mail = mail_parser::MessageParser::new().parse(&message).unwrap();
    assert_eq!(mail.subject(), Some("Hello Zoë & Co"));
    assert_eq!(
        mail.from().unwrap().first().unwrap().name(),
        Some("Example News")
    );
    assert_eq!(
        mail.to().unwrap().first().unwrap().address(),
        Some("ada@example.org")
    );
    assert_eq!(
        mail.reply_to().unwrap().first().unwrap().address(),
        Some("service@example.com")
    );
    assert_eq!(
        mail.message_id(),
        Some(format!("{}@example.com", identity().token).as_str())
    );
    assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-11-21T21:40:58Z");
    assert_eq!(
        mail.header_raw("X-Campaign").unwrap().trim(),
        "=?UTF-8?B?S8O2bG4=?="
    );
    assert!(mail.header("X-None").is_none());
    assert!(mail.header("List-Unsubscribe-Post").is_some());
    assert_eq!(
        mail.body_text(0).unwrap().replace("\r\n", "\n"),
        "Dear Zoë & Co,\n\nGrüße aus Köln\n"
    );
    assert!(
        mail.body_html(0)
            .unwrap()
            .contains("<p>Dear Zoë &amp; Co,</p>")
    );
}

#[test]
fn files_and_bodies_stand_in_the_tree_that_mail_programs_expect() {
    let mut content = content();
    content.attachments = vec![
        file("logo.png", Some("logo@example.com")),
        file("Übersicht.png", None),
    ];
    let template = Template::compile(&content).unwrap();
    let values = attributes(&[("name", "Zoë"), ("city", "Köln")]);
    let message = template.message(&identity(), &values).unwrap();
    let mail = mail_parser::MessageParser::new().parse(&message).unwrap();
    let names: Vec<_> = mail
        .attachments()
        .map(|p| mail_parser::MimeHeaders::attachment_name(p).unwrap())
        .collect();
    assert_eq!(names, ["logo.png", "Übersicht.png"]);
    assert!(
        mail.attachments()
            .all(|p| p.contents() == (0..200_u8).collect::<Vec<_>>())
    );
    let kinds: Vec<_> = mail
        .parts
        .iter()
        .map(|p| {
            mail_parser::MimeHeaders::content_type(p)
                .unwrap()
                .subtype()
                .unwrap()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "mixed",
            "alternative",
            "plain",
            "related",
            "html",
            "png",
            "png"
        ]
    );
}

#[test]
fn the_same_row_makes_the_same_message_and_lines_are_fit_for_smtp() {
    let mut content = content();
    content.attachments = vec![file("a.png", None)];
    let values = attributes(&[("name", "x"), ("city", "y")]);
    let first = Template::compile(&content)
        .unwrap()
        .message(&identity(), &values)
        .unwrap();
    let second = Template::compile(&content)
        .unwrap()
        .message(&identity(), &values)
        .unwrap();
    assert_eq!(first, second);
    let text = String::from_utf8(first).unwrap();
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
    assert!(text.split("\r\n").all(|line| line.len() <= 100), "{text}");
}

#[test]
fn syntax_errors_name_part_and_line() {
    let mut broken = content();
    broken.html = Some("one\n{% if x %}\nthree {{ }}".into());
    let error = Template::compile(&broken).unwrap_err();
    assert!(
        matches!(
            &error,
            ContentError::Syntax {
                part: Part::Html,
                line: 3,
                ..
            }
        ),
        "{error}"
    );
    let mut broken = content();
    broken.headers = vec![("X-A".into(), "{{ }}".into())];
    assert!(
        Template::compile(&broken)
            .unwrap_err()
            .to_string()
            .starts_with("header X-A, line 1: ")
    );
    let mut broken = content();
    broken.subject = "{{ name | nosuch }}".into();
    let template = Template::compile(&broken);
    let said = match template {
        Err(error) => error.to_string(),
        Ok(template) => template
            .check(&attributes(&[("name", "x"), ("city", "y")]))
            .unwrap_err()
            .to_string(),
    };
    assert!(
        said.contains("subject") && said.contains("nosuch"),
        "{said}"
    );
}

#[test]
fn contents_that_cannot_be_sent_are_refused_with_what_to_do() {
    type Change = fn(&mut Content);
    let rows: [(Change, &str); 9] = [
        (|c| c.html = None, "give an html part"),
        (|c| c.from = "nobody".into(), "is no mailbox"),
        (
            |c| c.from = "A <a@example.com>\r\nBcc: b@example.com".into(),
            "line break",
        ),
        (
            |c| c.headers = vec![("Message-ID".into(), "x".into())],
            "made for each message",
        ),
        (
            |c| c.headers = vec![("list-unsubscribe".into(), "x".into())],
            "one-click",
        ),
        (
            |c| c.headers = vec![("X A".into(), "x".into())],
            "X-Campaign",
        ),
        (
            |c| c.headers = vec![("X-A\r\nBcc".into(), "x".into())],
            "X-Campaign",
        ),
        (
            |c| c.attachments = vec![file("a\r\n.png", None)],
            "control characters",
        ),
        (
            |c| c.attachments = vec![file("a.png", Some("a>\r\nX: y"))],
            "content id",
        ),
    ];
    for (change, expected) in rows {
        let mut content = content();
        change(&mut content);
        let said = Template::compile(&content).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_missing_attribute_is_named_with_its_line() {
    let template = Template::compile(&content()).unwrap();
    let error = template.check(&attributes(&[("name", "x")])).unwrap_err();
    assert_eq!((&error.part, error.line), (&Part::Html, Some(2)));
    assert!(error.what.contains("\"city\" is not defined"), "{error}");
    assert_eq!(
        template.render(&attributes(&[("name", "x")])).unwrap_err(),
        error
    );
}

#[test]
fn unknown_names_are_found_before_the_first_recipient() {
    let mut content = content();
    content.html = Some("{% for n in range(2) %}{{ n }}{% endfor %}{{ address }}\n{{ Frist_Name }}{{ attributes['last-name'] }}{{ attributes.zip }}{{ nick | default('x') }}{% if vip is defined %}{{ vip }}{% endif %}".into());
    let template = Template::compile(&content).unwrap();
    let found = template.unknown_variables(&["name", "first name", "last name"]);
    let rows: Vec<_> = found
        .iter()
        .map(|u| (u.line, u.name.as_str(), u.nearest.as_deref()))
        .collect();
    assert_eq!(
        rows,
        [
            (2, "Frist_Name", Some("first name")),
            (2, "last-name", Some("last name")),
            (2, "zip", None)
        ]
    );
    assert_eq!(
        found[1].to_string(),
        "html, line 2: there is no column \"last-name\": did you mean \"last name\"?"
    );
}

#[test]
fn a_value_can_be_put_into_a_link() {
    let mut content = content();
    content.html = Some("<a href=\"https://example.com/?q={{ name | urlencode }}\">x</a>".into());
    let template = Template::compile(&content).unwrap();
    let rendered = template
        .render(&attributes(&[("name", "Åsa & \"Co\"")]))
        .unwrap();
    let html = rendered.html.unwrap();
    assert!(html.contains("?q=%C3%85sa%20%26%20%22Co%22\""), "{html}");
}

#[test]
fn no_value_can_add_a_header() {
    let mut content = content();
    content.headers = vec![("X-City".into(), "{{ city }}".into())];
    let template = Template::compile(&content).unwrap();
    for bad in ["x\r\nBcc: victim@example.com", "x\ny", "x\ry", "x\0y"] {
        let error = template
            .check(&attributes(&[("name", bad), ("city", "y")]))
            .unwrap_err();
        assert_eq!(error.part, Part::Subject, "{bad:?}");
        let error = template
            .message(&identity(), &attributes(&[("name", "x"), ("city", bad)]))
            .unwrap_err();
        assert!(
            error.to_string().starts_with("header X-City: the value"),
            "{error}"
        );
    }
}

#[test]
fn run_away_templates_are_stopped() {
    let mut content = content();
    content.html = Some(
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}".into(),
    );
    let mut template = Template::compile(&content).unwrap();
    assert_eq!(template.environment.fuel(), Some(FUEL));
    template.environment.set_fuel(Some(10_000));
    let error = template.check(&attributes(&[("name", "x")])).unwrap_err();
    assert!(error.what.contains("steps"), "{error}");
    content.html = Some(format!(
        "{{% for a in range(99999) %}}{}{{% endfor %}}",
        "x".repeat(1000)
    ));
    let error = Template::compile(&content)
        .unwrap()
        .check(&attributes(&[("name", "x")]))
        .unwrap_err();
    assert!(error.what.contains("bytes"), "{error}");
}

#[test]
fn attributes_keep_their_names_and_json_values() {
    let mut content = content();
    content.html = None;
    content.text = Some("{{ address }} {{ attributes['first name'] }} {{ n + 1 }}{{ empty }} {{ tags[0] }} <{{ a }}>".into());
    content.subject = "fixed".into();
    let template = Template::compile(&content).unwrap();
    let json = r#"{"first name": "Ada", "n": 1, "empty": null, "tags": ["t"], "address": "hidden", "a": "&"}"#;
    let rendered = template
        .render(&Attributes::parse(&ada(), json).unwrap())
        .unwrap();
    assert_eq!(rendered.text.unwrap(), "ada@example.org Ada 2 t <&>");
    assert!(Attributes::parse(&ada(), "[1]").is_err());
    assert!(Attributes::parse(&ada(), "").is_ok());
}

#[test]
fn the_estimate_is_near_the_real_size() {
    let mut content = content();
    content.html = Some("<p>A sentence of a usual length for {{ name }}.</p>\n".repeat(400));
    content.attachments = vec![file("a.png", None)];
    let template = Template::compile(&content).unwrap();
    let real = template
        .message(&identity(), &attributes(&[("name", "Ada")]))
        .unwrap()
        .len();
    let ratio = template.estimated_size() as f64 / real as f64;
    assert!((0.8..1.25).contains(&ratio), "{ratio}");
}

#[test]
fn delivery_and_unsubscription_tokens_differ() {
    let secret = Secret::new(&[1; 32]).unwrap();
    let identity = identity();
    let header = &identity.list_headers[0].1;
    assert_eq!(secret.find(Purpose::Unsubscribe, header), Ok(LogId(77)));
    assert!(secret.find(Purpose::Delivery, header).is_err());
}

proptest! {
    #[test]
    fn any_attribute_gives_a_message_with_its_own_headers_only(name in "(\\PC|[ \t\u{b}]){0,60}", city in "(\\PC|[ \t\r\n\0]){0,200}") {
        let template = Template::compile(&content()).unwrap();
        let message = template.message(&identity(), &attributes(&[("name", &name), ("city", &city)])).unwrap();
        let text = String::from_utf8(message).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        let names: Vec<_> = head.split("\r\n").filter(|l| !l.starts_with(' ')).map(|l| l.split(':').next().unwrap()).collect();
        prop_assert_eq!(names, ["Date", "From", "To", "Subject", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"]);
        prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
        prop_assert!(text.split("\r\n").all(|l| l.len() <= 998));
    }

    #[test]
    fn no_template_text_makes_anything_panic(html in "(\\{\\{|\\}\\}|\\{%|%\\}|<|>|a|\"| if | for | endif |href=|\\PC){0,40}") {
        let mut content = content();
        content.html = Some(html);
        if let Ok(template) = Template::compile(&content) {
            let _rendered_or_refused = template.message(&identity(), &attributes(&[("name", "x")]));
        }
    }
}
