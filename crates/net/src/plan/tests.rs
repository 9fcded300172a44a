//! Plans over a table of names, with time as a parameter.

use super::*;
use crate::fake::FakeResolver;
use crate::resolver::{Answering, MxRecord, Trouble};
use crate::route::DomainMask;
use std::sync::atomic::{AtomicUsize, Ordering};

fn names() -> FakeResolver {
    let at = |n: u16| SocketAddr::from(([127, 0, 0, 1], n));
    FakeResolver::new(Duration::from_secs(300))
        .domain("example.com", 10, "mx1.example.com")
        .domain("example.com", 20, "mx2.example.com")
        .domain("shop.example", 5, "mx2.example.com")
        .domain("shop.example", 5, "mx1.example.com")
        .host("mx1.example.com", at(2501))
        .host("mx2.example.com", at(2502))
        .without_mx("plain.example")
        .host("plain.example", at(2503))
        .without_mx("bare.example")
        .domain("null.example", 0, ".")
        .domain("ghost.example", 10, "gone.example.net")
        .failing_domain("slow.example", Trouble::TimeOut)
        .domain("half.example", 10, "slow.example.net")
        .failing_host("slow.example.net", Trouble::Server("SERVFAIL".to_owned()))
        .host("relay.example.net", at(25))
}

fn router(routes: Vec<Route>) -> Router {
    let settings = PlanSettings {
        routes,
        ..PlanSettings::default()
    };
    Router::new(Arc::new(names()), settings)
}

#[tokio::test]
async fn domains_and_where_their_mail_goes() {
    let router = router(Vec::new());
    let rows = [
        ("example.com", Ok(("example.com", "mx1.example.com"))),
        ("shop.example", Ok(("example.com", "mx1.example.com"))),
        ("plain.example", Ok(("plain.example", "plain.example"))),
        (
            "bare.example",
            Err(("DNS: bare.example has neither an MX nor an address", true)),
        ),
        (
            "null.example",
            Err((
                "DNS: null.example accepts no mail (null MX, RFC 7505)",
                true,
            )),
        ),
        (
            "none.example",
            Err((
                "DNS: the domain none.example does not exist (NXDOMAIN)",
                true,
            )),
        ),
        (
            "ghost.example",
            Err(("DNS: no MX host of ghost.example has an address", true)),
        ),
        (
            "slow.example",
            Err(("DNS: no answer for MX of slow.example (time-out)", false)),
        ),
        (
            "half.example",
            Err((
                "DNS: no answer for the MX host slow.example.net of half.example (the name server said SERVFAIL)",
                false,
            )),
        ),
    ];
    for (domain, expected) in rows {
        let got = router.plan(domain, 0).await;
        let got = match &got {
            Ok(plan) => Ok((plan.site.as_str(), plan.hosts[0].name.as_str())),
            Err(why) => Err((why.why.as_str(), why.permanent)),
        };
        assert_eq!(got, expected, "{domain}");
    }
}

#[tokio::test]
async fn a_failure_becomes_evidence_of_our_own() {
    let router = router(Vec::new());
    let at = Timestamp(5);
    let gone = router
        .plan("none.example", 0)
        .await
        .unwrap_err()
        .outcome(at);
    assert!(matches!(&gone, Outcome::Refused(e) if e.stage == Stage::Dns && e.at == at));
    let slow = router
        .plan("slow.example", 0)
        .await
        .unwrap_err()
        .outcome(at);
    assert!(matches!(slow, Outcome::Deferred(_)));
}

#[tokio::test]
async fn the_first_route_that_matches_overrides_mx() {
    let route = |mask: &str, host: &str| Route {
        domains: vec![DomainMask::parse(mask).unwrap()],
        host: host.to_owned(),
        port: 2525,
        tls: TlsPolicy::Required,
        auth: None,
    };
    let router = router(vec![
        route("*.com", "127.0.0.9"),
        route("null.example", "relay.example.net"),
        route("*", "lost.example.net"),
    ]);
    let plan = router.plan("example.com", 0).await.unwrap();
    assert_eq!(plan.site.as_str(), "127.0.0.9:2525");
    assert_eq!(plan.tls, TlsPolicy::Required);
    assert_eq!(
        plan.hosts[0].addresses,
        [SocketAddr::from(([127, 0, 0, 9], 2525))]
    );
    let plan = router.plan("null.example", 0).await.unwrap();
    assert_eq!(plan.site.as_str(), "relay.example.net:2525");
    assert_eq!(
        plan.hosts[0].addresses,
        [SocketAddr::from(([127, 0, 0, 1], 2525))]
    );
    let lost = router.plan("shop.example", 0).await.unwrap_err();
    assert!(
        !lost.permanent,
        "a relay that has no address may be our own mistake"
    );
}

#[tokio::test]
async fn equal_hosts_take_turns_by_seed_and_preference_holds() {
    let router = router(Vec::new());
    let equal = router.plan("shop.example", 0).await.unwrap();
    let mut firsts = [false; 2];
    for seed in 0..64 {
        let first = &equal.in_order(seed)[0].name;
        firsts[usize::from(first == "mx2.example.com")] = true;
    }
    assert_eq!(firsts, [true; 2]);
    let ranked = router.plan("example.com", 0).await.unwrap();
    assert!((0..64).all(|seed| ranked.in_order(seed)[0].name == "mx1.example.com"));
}

/// Counts what is asked.
struct Counting(FakeResolver, AtomicUsize);

impl Resolver for Counting {
    fn mx<'a>(&'a self, domain: &'a str) -> Answering<'a, MxRecord> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.mx(domain)
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Answering<'a, SocketAddr> {
        self.0.addresses(host)
    }
}

#[tokio::test]
async fn plans_and_failures_are_kept_for_their_time() {
    let resolver = Arc::new(Counting(names(), AtomicUsize::new(0)));
    let router = Router::new(resolver.clone(), PlanSettings::default());
    let asked = || resolver.1.load(Ordering::Relaxed);
    // TTL 300 s, within the limits of a plan.
    for (now_ms, questions) in [(0, 1), (299_999, 1), (300_000, 2)] {
        router.plan("example.com", now_ms).await.unwrap();
        assert_eq!(asked(), questions, "at {now_ms} ms");
    }
    // A time-out has no TTL: it is kept for the least time of a failure, 30 s.
    for (now_ms, questions) in [(0, 3), (29_999, 3), (30_000, 4)] {
        router.plan("slow.example", now_ms).await.unwrap_err();
        assert_eq!(asked(), questions, "at {now_ms} ms");
    }
}

#[tokio::test]
async fn ten_thousand_domains_are_kept_within_the_bound() {
    let settings = PlanSettings {
        capacity: 1000,
        ..PlanSettings::default()
    };
    let router = Router::new(Arc::new(names()), settings);
    for n in 0..10_000 {
        router.plan(&format!("d{n}.example"), 0).await.unwrap_err();
    }
    assert!(router.kept().len() <= 1000);
}
