//! Our signatures, judged by another implementation's verifier.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::common::cache::NoCache;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt,
};
use posthaste_core::time::Timestamp;

use super::*;

/// The one published record.
struct Published(Mutex<HashMap<Box<str>, Txt>>);

impl ResolverCache<Box<str>, Txt> for Published {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        self.0.lock().unwrap().get(name).cloned()
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        self.0.lock().unwrap().remove(name)
    }

    fn insert(&self, key: Box<str>, value: Txt, _: Instant) {
        self.0.lock().unwrap().insert(key, value);
    }
}

fn verdict(message: &[u8], name: &str, record: &str) -> DkimResult {
    let key = DomainKey::parse(record.as_bytes()).expect("the record parses");
    let published = Published(Mutex::new(HashMap::new()));
    published.insert(
        format!("{name}.").into(),
        Txt::DomainKey(Arc::new(key)),
        Instant::now(),
    );
    let resolver =
        MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
    let message = AuthenticatedMessage::parse(message).expect("the message parses");
    let parameters = Parameters {
        params: &message,
        cache_txt: Some(&published),
        cache_mx: None::<&NoCache<_, _>>,
        cache_ptr: None::<&NoCache<_, _>>,
        cache_ipv4: None::<&NoCache<_, _>>,
        cache_ipv6: None::<&NoCache<_, _>>,
    };
    let mut outputs = pin!(resolver.verify_dkim(parameters));
    // Everything it asks for is published above: nothing is awaited.
    let Poll::Ready(outputs) = outputs
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("the verifier asked the network");
    };
    outputs
        .first()
        .map_or(DkimResult::None, |output| output.result().clone())
}

const MESSAGE: &str = "Date: Sat, 21 Nov 2026 21:40:58 +0000\r\nFrom: News  <news@example.com>\r\nTo: ada@example.org\r\n\
    Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n and\tmore\r\nX-Other: not signed\r\nMIME-Version: 1.0\r\n\
    List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nContent-Type: text/plain\r\n\r\nHello  you \r\n\r\n.dot\r\n\r\n\r\n";

fn signer(pem: &str) -> Signer {
    Signer::new(PrivateKey::from_pem(pem).unwrap(), "example.com", "s1").unwrap()
}

#[test]
fn another_verifier_accepts_our_signatures_and_notices_changes() {
    for pem in [generate_rsa().unwrap(), generate_ed25519().unwrap()] {
        let key = PrivateKey::from_pem(&pem).unwrap();
        let signer = signer(&pem);
        let header = signer
            .sign(MESSAGE.as_bytes(), Timestamp(1_795_297_258_000))
            .unwrap();
        assert!(
            header.split("\r\n").all(|line| line.len() <= 78),
            "{header}"
        );
        let signed = format!("{header}{MESSAGE}");
        let judge = |text: &str| verdict(text.as_bytes(), &signer.record_name(), &key.record());
        assert_eq!(judge(&signed), DkimResult::Pass, "{header}");
        assert_eq!(
            judge(&signed.replace("X-Other: not", "X-Other: really not")),
            DkimResult::Pass
        );
        assert_eq!(
            judge(&signed.replace("you \r\n", "you\t\r\n")),
            DkimResult::Pass
        );
        for (from, to) in [
            ("Hello", "Hallo"),
            ("News", "Olds"),
            ("=One-Click", "=Two-Click"),
            ("To: ada", "From: other@example.com\r\nTo: ada"),
            ("Subject:", "Subject: another\r\nSubject:"),
        ] {
            assert_ne!(judge(&signed.replace(from, to)), DkimResult::Pass, "{from}");
        }
    }
}

#[test]
fn the_same_message_gets_the_same_signature() {
    for pem in [generate_rsa().unwrap(), generate_ed25519().unwrap()] {
        let sign = || {
            signer(&pem)
                .sign(MESSAGE.as_bytes(), Timestamp(5_000))
                .unwrap()
        };
        assert_eq!(sign(), sign());
        assert!(sign().contains("t=5;"));
    }
}

#[test]
fn keys_survive_their_file_and_stay_secret() {
    for (pem, length) in [
        (generate_rsa().unwrap(), 294),
        (generate_ed25519().unwrap(), 32),
    ] {
        let key = PrivateKey::from_pem(&pem.replace('\n', "\r\n")).unwrap();
        assert_eq!(key.public_key().len(), length);
        assert!(format!("{key:?}").ends_with("***)"));
        assert_eq!(check(&key.record(), &key), Ok(()));
    }
}

#[test]
fn other_files_names_and_messages_are_refused() {
    assert_eq!(PrivateKey::from_pem("hello").unwrap_err(), KeyError::NotPem);
    let other = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(PrivateKey::from_pem(other).unwrap_err(), KeyError::NotAKey);
    let pem = generate_ed25519().unwrap();
    for (domain, selector) in [
        ("", "s"),
        ("example.com", "a b"),
        ("example.com;", "s"),
        ("exa\r\nmple.com", "s"),
    ] {
        assert!(Signer::new(PrivateKey::from_pem(&pem).unwrap(), domain, selector).is_err());
    }
    for text in [
        "",
        "From: a@example.com\r\n",
        "To: a@example.com\r\n\r\nbody",
    ] {
        assert_eq!(
            signer(&pem).sign(text.as_bytes(), Timestamp(0)),
            Err(SignError::NotAMessage)
        );
    }
}
