//! The demo's eight providers.

use crate::{Config, Dialect, Provider, Shares, StartTls};

/// What fates and recipients of the demo depend on.
pub(super) const SEED: u64 = 5;

/// The sandbox of the demo.
#[must_use]
pub fn config() -> Config {
    Config {
        seed: SEED,
        providers: vec![
            reliable(),
            reputation(),
            comes_back(),
            throttles(),
            greylists(),
            often_full(),
            drops(),
            small_site(),
        ],
        ..Config::default()
    }
}

fn provider<const N: usize>(name: &str, domains: [&str; N], mx: [&str; 2]) -> Provider {
    Provider {
        mx: mx.map(str::to_owned).to_vec(),
        ..Provider::new(name, domains)
    }
}

/// Large and very reliable.
fn reliable() -> Provider {
    Provider {
        dialect: Dialect::Gmail,
        starttls: StartTls::On,
        shares: Shares {
            user_unknown: 12,
            account_disabled: 5,
            mailbox_full: 6,
            ..Shares::none()
        },
        ..provider(
            "gmail",
            ["gmail.example"],
            ["mx1.gmail.example", "mx2.gmail.example"],
        )
    }
}

/// Blocks some because of the sender's reputation.
fn reputation() -> Provider {
    Provider {
        dialect: Dialect::Outlook,
        starttls: StartTls::On,
        shares: Shares {
            user_unknown: 20,
            spam_blocked: 45,
            policy_refused: 8,
            mailbox_full: 5,
            ..Shares::none()
        },
        ..provider(
            "outlook",
            ["outlook.example", "hotmail.example"],
            ["mx1.outlook.example", "mx2.outlook.example"],
        )
    }
}

/// Down at first, and back after a few connections.
fn comes_back() -> Provider {
    Provider {
        dialect: Dialect::Icloud,
        down_connections: 6,
        shares: Shares {
            user_unknown: 15,
            deferred: 4,
            ..Shares::none()
        },
        ..provider(
            "icloud",
            ["icloud.example"],
            ["mx1.icloud.example", "mx2.icloud.example"],
        )
    }
}

/// Few connections, few messages on each, and pauses.
fn throttles() -> Provider {
    Provider {
        dialect: Dialect::Orange,
        max_connections: 2,
        messages_per_connection: 50,
        pause_after_messages: 200,
        pause_refusals: 3,
        shares: Shares {
            user_unknown: 18,
            account_disabled: 10,
            mailbox_full: 10,
            ..Shares::none()
        },
        ..provider(
            "orange",
            ["orange.example", "wanadoo.example"],
            ["smtp1.orange.example", "smtp2.orange.example"],
        )
    }
}

/// Defers strangers at first.
fn greylists() -> Provider {
    Provider {
        dialect: Dialect::Free,
        greylist_attempts: 1,
        shares: Shares {
            greylisted: 600,
            user_unknown: 15,
            account_disabled: 12,
            ..Shares::none()
        },
        ..provider(
            "free",
            ["free.example"],
            ["mx1.free.example", "mx2.free.example"],
        )
    }
}

/// Its mailboxes are often full.
fn often_full() -> Provider {
    Provider {
        dialect: Dialect::Gmx,
        starttls: StartTls::On,
        shares: Shares {
            mailbox_full: 120,
            user_unknown: 20,
            ..Shares::none()
        },
        ..provider(
            "gmx",
            ["gmx.example", "web.example"],
            ["mx1.gmx.example", "mx2.gmx.example"],
        )
    }
}

/// Drops connections, in the content and after the final dot.
fn drops() -> Provider {
    Provider {
        dialect: Dialect::MailRu,
        shares: Shares {
            dropped_in_content: 25,
            dropped_after_dot: 20,
            content_refused: 10,
            user_unknown: 20,
            ..Shares::none()
        },
        ..provider(
            "mail-ru",
            ["mail-ru.example"],
            ["mx1.mail-ru.example", "mx2.mail-ru.example"],
        )
    }
}

/// A small site with Postfix: its TLS is out of order, and it says what no one has heard before.
fn small_site() -> Provider {
    Provider {
        dialect: Dialect::Postfix,
        starttls: StartTls::Broken,
        shares: Shares {
            novel: 60,
            user_unknown: 30,
            slow: 20,
            greylisted: 50,
            ..Shares::none()
        },
        slow_ms: 100,
        ..provider(
            "atelier",
            ["atelier.example"],
            ["mail.atelier.example", "backup.atelier.example"],
        )
    }
}
