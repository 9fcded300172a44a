//! Measures composing: `cargo run --release -p posthaste-compose --example compose_bench`.
//!
//! A 20 KB HTML with ten variables: checks, messages, messages signed with Ed25519 and RSA-2048; CPU time of this
//! process. With the word `fuel`: how long a template may run until its fuel is used up.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;

use posthaste_compose::dkim::{PrivateKey, Signer, generate_ed25519, generate_rsa};
use posthaste_compose::list_headers::Unsubscribe;
use posthaste_compose::{Attributes, Content, FUEL, Identity, Template};
use posthaste_core::address::Address;
use posthaste_core::ids::LogId;
use posthaste_core::time::Timestamp;
use posthaste_mail::token::Secret;

/// User and system time of this process so far, in seconds (Linux: fields 14 and 15 of its stat, in 1/100 s).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn measure(name: &str, times: u32, mut work: impl FnMut(u32)) {
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = cpu_seconds();
        (0..times).for_each(&mut work);
        best = best.min(cpu_seconds() - start);
    }
    let each = best / f64::from(times);
    println!("{name:<44} {:>8.1} µs {:>9.0}/s", each * 1e6, 1.0 / each);
}

fn html() -> String {
    let mut html = String::from("<html><head><style>p { margin: 0 }</style></head><body><table>\n");
    for n in 0..72 {
        let variable = format!("v{}", n % 10);
        let row = if n % 2 == 0 {
            format!(" {{{{ {variable} }}}}")
        } else {
            String::new()
        };
        let _infallible = writeln!(
            html,
            "<tr><td style=\"padding: 12px; font-family: Arial, sans-serif; color: #333333\"><p class=\"row\">Paragraph{row} of a usual \
             newsletter, with a few words that fill the line and a bit more than that, as real ones have.</p>\
             <a href=\"https://example.com/articles/{n}\">Read on</a></td></tr>"
        );
    }
    html.push_str(
        "</table>{% if v3 == 'x' %}<p>special</p>{% else %}<p>usual</p>{% endif %}</body></html>\n",
    );
    html
}

/// How long templates may run until their fuel is used up.
fn burn_fuel(mut content: Content, ada: &Address) -> Result<(), Box<dyn Error>> {
    for (name, body) in [
        ("empty loops", ""),
        ("a value in each", "{{ v1 }}"),
        (
            "a sum in each",
            "{% set x = a * b + 1 %}{% if x > 5 %}{% endif %}",
        ),
    ] {
        content.html = Some(format!(
            "{{% for a in range(99999) %}}{{% for b in range(99999) %}}{body}{{% endfor %}}{{% endfor %}}"
        ));
        let template = Template::compile(&content)?;
        let start = cpu_seconds();
        let end = template.check(&Attributes::from_texts(ada, &[("v1", "")]));
        let took = cpu_seconds() - start;
        println!(
            "{FUEL} steps, {name}: {took:.2} s, then: {:?}",
            end.map_err(|e| e.to_string())
        );
    }
    Ok(())
}

fn sign_many(message: &[u8], date: Timestamp) -> Result<(), Box<dyn Error>> {
    for (name, pem, times) in [
        ("Ed25519 signature", generate_ed25519()?, 20_000),
        ("RSA-2048 signature", generate_rsa()?, 2_000),
    ] {
        let signer = Signer::new(PrivateKey::from_pem(&pem)?, "example.com", "s1")?;
        measure(name, times, |_| {
            drop(black_box(signer.sign(message, date)));
        });
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let ada = Address::parse("ada@example.org")?;
    let content = Content {
        from: "Example News <news@example.com>".into(),
        subject: "Hello {{ v1 }}".into(),
        html: Some(html()),
        ..Content::default()
    };
    if std::env::args().nth(1).as_deref() == Some("fuel") {
        return burn_fuel(content, &ada);
    }
    let template = Template::compile(&content)?;
    let pairs: Vec<String> = (0..10)
        .map(|n| format!("\"v{n}\": \"a value & {n}\""))
        .collect();
    let json = format!("{{{}}}", pairs.join(", "));
    let attributes = Attributes::parse(&ada, &json)?;
    let (secret, date) = (Secret::new(&[7; 32])?, Timestamp(1_795_297_258_000));
    let error_address = Address::parse("bounces@example.com")?;
    let way = Unsubscribe::new(&error_address, Some("https://example.com/u"))?;
    let identity = |n: u32| {
        let log = LogId(n.into());
        Identity::new(&secret, log, "example.com", date).unsubscribed_by(&way, &secret, log)
    };
    let message = template.message(&identity(1), &attributes)?;
    println!(
        "html {} bytes, message {} bytes, estimated {}",
        content.html.as_ref().map_or(0, String::len),
        message.len(),
        template.estimated_size()
    );
    measure("attributes read from JSON", 100_000, |_| {
        drop(black_box(Attributes::parse(&ada, &json)));
    });
    measure("identity (two tokens, list headers)", 100_000, |n| {
        drop(black_box(identity(n)));
    });
    measure("check", 100_000, |_| {
        let _measured = black_box(template.check(&attributes));
    });
    measure("check, attributes read", 100_000, |_| {
        let attributes = Attributes::parse(&ada, &json);
        drop(black_box(attributes.map(|a| template.check(&a))));
    });
    measure("render", 50_000, |_| {
        drop(black_box(template.render(&attributes)));
    });
    measure("message, all included, unsigned", 30_000, |n| {
        let attributes = Attributes::parse(&ada, &json);
        drop(black_box(
            attributes.map(|a| template.message(&identity(n), &a)),
        ));
    });
    sign_many(&message, date)
}
