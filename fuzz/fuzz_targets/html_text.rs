//! Templates and the text made of their HTML: errors rather than panics, and text without tags left over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_core::address::Address;
use posthaste_compose::{Attributes, Content, Template};

fuzz_target!(|html: &str| {
    let content = Content {
        from: "Example <news@example.com>".to_owned(),
        subject: "news".to_owned(),
        html: Some(html.to_owned()),
        ..Content::default()
    };
    let Ok(template) = Template::compile(&content) else { return };
    let Ok(jane) = Address::parse("jane@example.net") else { return };
    let Ok(attributes) = Attributes::parse(&jane, r#"{"name": "Jane <b>"}"#) else { return };
    let _ = template.check(&attributes);
});
