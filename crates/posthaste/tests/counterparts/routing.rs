//! A delivery by MX records of a real name server.

use std::fmt::Write as _;

use posthaste_sandbox::{Config, Provider};

use super::child::own_ip;
use super::program::Program;
use super::unbound::Unbound;

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_where_mx_records_say() {
    let (dead, alive) = (own_ip(), own_ip());
    let mut provider = Provider::new("all", ["*"]);
    provider.listen = (alive, 0).into();
    let sandbox = posthaste_sandbox::run(Config {
        providers: vec![provider],
        ..Config::default()
    })
    .await
    .unwrap();
    let zone = format!(
        "two IN MX 10 dead\ntwo IN MX 20 alive\ndead IN A {dead}\nalive IN A {alive}\n\
         bare IN A {alive}\nalias IN CNAME two\nnull IN MX 0 .\nloop IN CNAME loop\n"
    );
    let Some(unbound) = Unbound::start("a delivery by MX", &zone, "") else {
        return;
    };
    let port = sandbox.addr("all").unwrap().port();
    let program = Program::new(&format!(
        "[dns]\nnameservers = [\"{}\"]\ntimeout = \"1s\"\nattempts = 1\n\
         [sending]\nport = {port}\n[[domain]]\nname = \"example.com\"\n",
        unbound.addr
    ));
    program.write(
        "delivery.toml",
        "recipients = \"list.csv\"\nfrom = \"news@example.com\"\nerror_address = \"bounces@example.com\"\n\
         subject = \"Hello\"\ntext = \"Hello. Unsubscribe: https://example.com/unsubscribe\"\n\
         approval = \"automatic\"\nretries.waits = []\n",
    );
    let groups = [
        ("two.example", 30, "sent"),
        ("bare.example", 5, "sent"),
        ("alias.example", 5, "sent"),
        ("null.example", 3, "invalid_domain"),
        ("nowhere.example", 2, "invalid_domain"),
        ("loop.example", 2, "unreachable"),
        ("x.silent.example", 1, "unreachable"),
    ];
    let mut csv = "email\n".to_owned();
    for (domain, count, _) in groups {
        (0..count).for_each(|n| writeln!(csv, "person{n}@{domain}").unwrap());
    }
    program.write("list.csv", csv);
    let summary = tokio::task::block_in_place(|| program.json(&["send", "delivery.toml"]));
    assert_eq!(
        (&summary["sent"], &summary["target"]),
        (&40.into(), &48.into()),
        "{summary}"
    );
    for (domain, count, end) in groups {
        let log = program.json(&["log", "1", "--domain", domain]);
        let rows = log["items"].as_array().unwrap();
        assert_eq!(rows.len(), count, "{domain}");
        for row in rows {
            let said = if row["status"] == "sent" {
                &row["status"]
            } else {
                &row["reason"]
            };
            assert_eq!(said, end, "{domain}: {row}");
            assert_eq!(
                row["history"].as_array().unwrap().len(),
                1,
                "{domain}: {row}"
            );
        }
    }
    assert_eq!(sandbox.ledger().accepted(), 40);
}
