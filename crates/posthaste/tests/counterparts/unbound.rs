//! A private unbound: a recursive name server over zones of its own, which asks nobody else.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::child::{self, Child};

const UNBOUND: &str = "/usr/sbin/unbound";

/// An unbound that runs.
pub struct Unbound {
    /// Where it answers.
    pub addr: SocketAddr,
    // Ends before its directory is removed.
    _child: Child,
    _directory: tempfile::TempDir,
}

impl Unbound {
    /// Starts one that knows these records of `example.`, and these of `chain.example.`, whose
    /// CNAME records it does not follow; `None` when this machine has none. Names
    /// below `silent.example` are not answered, those below `refused.example` refused.
    pub fn start(test: &str, example: &str, chain: &str) -> Option<Self> {
        if !child::are_there(test, &[UNBOUND]) {
            return None;
        }
        let directory = child::open_directory();
        let home = directory.path();
        let addr = child::free_port(child::own_ip());
        let zone = |name: &str, records: &str| {
            let start = "$TTL 300\n@ IN SOA ns.example. root.example. 1 3600 600 86400 60\n@ IN NS ns.example.\n";
            std::fs::write(home.join(name), format!("{start}{records}")).unwrap();
        };
        zone("example", example);
        zone("chain", chain);
        // A root of its own: nothing is ever asked of the real one.
        zone("root", "");
        let config = home.join("unbound.conf");
        std::fs::write(&config, conf(home.to_str().unwrap(), addr)).unwrap();
        let child = Child::start(UNBOUND, &["-d", "-c", config.to_str().unwrap()], home);
        child::until("an answer of unbound", || answers(addr));
        Some(Self {
            addr,
            _child: child,
            _directory: directory,
        })
    }
}

fn conf(home: &str, addr: SocketAddr) -> String {
    let zone = |name: &str, file: &str, downstream: &str| {
        format!(
            "auth-zone:\n  name: \"{name}\"\n  zonefile: \"{home}/{file}\"\n  \
             for-downstream: {downstream}\n  for-upstream: yes\n  fallback-enabled: no\n"
        )
    };
    format!(
        "server:\n  directory: \"{home}\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  \
         use-syslog: no\n  interface: {}@{}\n  do-ip6: no\n  access-control: 127.0.0.0/8 allow\n  \
         module-config: \"iterator\"\n  local-zone: \"silent.example.\" always_deny\n  \
         local-zone: \"refused.example.\" always_refuse\n{}{}{}\
         remote-control:\n  control-enable: no\n",
        addr.ip(),
        addr.port(),
        zone("example.", "example", "no"),
        zone("chain.example.", "chain", "yes"),
        zone(".", "root", "no"),
    )
}

/// Asks for the SOA of the root: any answer will do.
fn answers(addr: SocketAddr) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let question = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1];
    socket.send_to(&question, addr).is_ok() && socket.recv(&mut [0; 512]).is_ok()
}
