//! A private Postfix: an MX for `real.example` that delivers into Maildirs.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::child::{self, Child};

const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// Postfix's services without chroot: its directories are ours.
const SERVICES: &str = "\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

/// What differs between one Postfix and the next.
#[derive(Default)]
pub struct Setup {
    /// Local parts that have a mailbox at `real.example`.
    pub mailboxes: Vec<String>,
    /// Local parts at `real.example` and the reply to RCPT that they get.
    pub refusals: Vec<(String, &'static str)>,
    /// Further lines of `main.cf`.
    pub settings: String,
}

/// A Postfix that runs.
pub struct Postfix {
    /// Where it listens.
    pub addr: SocketAddr,
    // Ends before its directory is removed.
    _master: Child,
    directory: tempfile::TempDir,
}

impl Postfix {
    /// Starts one; `None` when this machine cannot run it.
    pub fn start(test: &str, setup: &Setup) -> Option<Self> {
        if !child::are_there(test, &["/usr/sbin/postfix", MASTER]) || !child::is_root(test) {
            return None;
        }
        let directory = child::open_directory();
        let home = directory.path();
        let addr = child::free_port(child::own_ip());
        write_all(home, addr, setup);
        let config = home.to_str().unwrap();
        // Makes the directories of the queue, and finds what is wrong.
        child::run("/usr/sbin/postfix", &["-c", config, "check"], home);
        let master = Child::start(MASTER, &["-c", config, "-d"], home);
        let postfix = Self {
            addr,
            _master: master,
            directory,
        };
        child::until_listening(addr);
        Some(postfix)
    }

    /// The directory of everybody's Maildirs.
    pub fn mail(&self) -> PathBuf {
        self.directory.path().join("mail")
    }

    /// The mails that have come into somebody's mailbox until now.
    pub fn mails(&self, local: &str) -> Vec<Vec<u8>> {
        let Ok(files) = std::fs::read_dir(self.mail().join(local).join("new")) else {
            return Vec::new();
        };
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    }

    /// Waits for that many mails in somebody's mailbox.
    pub fn wait_for(&self, local: &str, count: usize) -> Vec<Vec<u8>> {
        child::until(&format!("{count} mails for {local}"), || {
            self.mails(local).len() >= count
        });
        self.mails(local)
    }

    /// The certificate of its STARTTLS, as PEM.
    pub fn certificate(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("cert.pem")).unwrap()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

fn write_all(home: &Path, addr: SocketAddr, setup: &Setup) {
    let write = |name: &str, text: &str| std::fs::write(home.join(name), text).unwrap();
    for name in ["queue", "data", "mail"] {
        std::fs::create_dir(home.join(name)).unwrap();
    }
    // Written by the user `postfix` and by that of the mailboxes.
    for name in ["data", "mail"] {
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(home.join(name), open).unwrap();
    }
    let made = rcgen::generate_simple_self_signed(vec!["mx.real.example".to_owned()]).unwrap();
    write("cert.pem", &made.cert.pem());
    write("key.pem", &made.signing_key.serialize_pem());
    let (mut mailboxes, mut access) = (String::new(), String::new());
    for local in &setup.mailboxes {
        writeln!(mailboxes, "{local}@real.example {local}/").unwrap();
    }
    for (local, reply) in &setup.refusals {
        writeln!(access, "{local}@real.example {reply}").unwrap();
    }
    write("mailboxes", &mailboxes);
    write("access", &access);
    write(
        "master.cf",
        &format!("{addr} inet n - n - - smtpd\n{SERVICES}"),
    );
    write("main.cf", &main_cf(home.to_str().unwrap(), &setup.settings));
}

fn main_cf(home: &str, settings: &str) -> String {
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {home}/queue\n\
         data_directory = {home}/data\n\
         command_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\n\
         maillog_file = {home}/log\n\
         maillog_file_prefixes = {home}\n\
         myhostname = mx.real.example\n\
         mydestination =\n\
         mynetworks =\n\
         inet_protocols = ipv4\n\
         alias_maps =\n\
         alias_database =\n\
         virtual_mailbox_domains = real.example\n\
         virtual_mailbox_maps = texthash:{home}/mailboxes\n\
         virtual_mailbox_base = {home}/mail\n\
         virtual_uid_maps = static:65534\n\
         virtual_gid_maps = static:65534\n\
         virtual_minimum_uid = 1\n\
         smtpd_recipient_restrictions =\n  \
           check_recipient_access texthash:{home}/access, reject_unauth_destination\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = {home}/cert.pem\n\
         smtpd_tls_key_file = {home}/key.pem\n\
         message_size_limit = 100000\n\
         smtpd_client_connection_count_limit = 0\n\
         {settings}\n"
    )
}
