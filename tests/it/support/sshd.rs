//! OpenSSH's server on a port of the loopback interface, with keys of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::sandbox::path_variable;
use super::{Sandbox, finish, have};

/// Ends with the value.
pub(crate) struct Sshd {
    child: Child,
    port: u16,
    folder: PathBuf,
    user: String,
}

/// Whether the machine has what a test with `ssh` needs.
pub(crate) fn have_ssh() -> bool {
    have("ssh") && have("ssh-keygen") && program().is_some_and(|p| privileges_can_be_split(&p))
}

/// Whether the server starts at all. As root it splits its privileges, in a folder that the
/// machine makes when it boots; where no server ever ran it is made here.
fn privileges_can_be_split(program: &Path) -> bool {
    if is_root() && !Path::new("/run/sshd").exists() {
        let made = fs::create_dir("/run/sshd");
        let there = made.is_ok() || Path::new("/run/sshd").exists();
        assert!(there, "{} needs /run/sshd: {made:?}", program.display());
    }
    true
}

pub(crate) fn is_root() -> bool {
    let id = finish(Command::new("id").arg("-u")).ok();
    id.out().trim() == "0"
}

/// The server is not in everyone's PATH.
fn program() -> Option<PathBuf> {
    let usual = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];
    let found = usual.into_iter().map(PathBuf::from).find(|p| p.exists());
    // Says loudly that it is missing.
    found.or_else(|| have("sshd").then(|| PathBuf::from("sshd")))
}

impl Sshd {
    /// Starts a server whose one user is the present one, and which logs what it is asked to run.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        let folder = sandbox.root().join("ssh");
        fs::create_dir_all(&folder).expect("a folder");
        for key in ["host_key", "user_key", "other_key"] {
            make_key(&folder.join(key));
        }
        fs::copy(folder.join("user_key.pub"), folder.join("authorized_keys")).expect("keys");
        let session = format!(
            "#!/bin/sh\nprintf '%s|%s\\n' \"$GIT_PROTOCOL\" \"$SSH_ORIGINAL_COMMAND\" >> '{}'\n\
             exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
            folder.join("sessions").display()
        );
        fs::write(folder.join("session"), session).expect("a file");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.join("session"), mode).expect("chmod");
        let user = finish(Command::new("id").arg("-un")).ok();
        let user = user.out().trim().to_owned();
        let started = Instant::now();
        loop {
            let port = free_port();
            if let Some(child) = start(&folder, port) {
                let sshd = Self {
                    child,
                    port,
                    folder,
                    user,
                };
                sshd.trust("known_hosts", "host_key");
                sshd.write_client("config", "known_hosts", "user_key");
                return sshd;
            }
            // Somebody else may have taken the port.
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(30), "sshd: {log}");
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `user@127.0.0.1:port`.
    pub(crate) fn authority(&self) -> String {
        format!("{}@127.0.0.1:{}", self.user, self.port)
    }

    /// The address of a folder of this machine.
    pub(crate) fn url(&self, folder: &Path) -> String {
        format!("ssh://{}{}", self.authority(), folder.display())
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// What `GIT_SSH_COMMAND` is for a client that knows the server, and whom the server knows. It
    /// knows the server as `kitchen`, too.
    pub(crate) fn client(&self) -> String {
        self.client_of("config")
    }

    /// The same for a client that was written before.
    pub(crate) fn client_of(&self, config: &str) -> String {
        format!("ssh -F '{}'", self.folder.join(config).display())
    }

    /// Writes the configuration of another client, by what it knows and who it is.
    pub(crate) fn write_client(&self, config: &str, known_hosts: &str, key: &str) {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let text = format!(
            "Host kitchen\n  HostName 127.0.0.1\n  Port {}\n  User {}\n\
             Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n\
             IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  ConnectTimeout 20\n",
            self.port,
            self.user,
            at(known_hosts),
            at(key)
        );
        fs::write(self.folder.join(config), text).expect("a file");
    }

    /// Writes a list of known hosts in which the server has this key, under both of its names.
    pub(crate) fn trust(&self, known_hosts: &str, key: &str) {
        let key = fs::read_to_string(self.folder.join(format!("{key}.pub"))).expect("a key");
        let line = format!("[127.0.0.1]:{0},[kitchen]:{0} {key}", self.port);
        fs::write(self.folder.join(known_hosts), line).expect("a file");
    }

    /// What the server was asked to run, each after the protocol's version and a `|`.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("sessions")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn make_key(file: &Path) {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(file)
        .env_clear()
        .env("PATH", path_variable());
    finish(&mut command).ok();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Starts the server, and waits until it listens. None if it ended before.
fn start(folder: &Path, port: u16) -> Option<Child> {
    let at = |name: &str| folder.join(name).display().to_string();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile {}\n\
         UsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PubkeyAuthentication yes\nPermitRootLogin yes\nAcceptEnv GIT_PROTOCOL\nUseDNS no\n\
         MaxStartups 200\nPermitUserRC no\nPrintMotd no\nForceCommand {}\n\
         SetEnv PATH={} HOME={} GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null\n",
        at("host_key"),
        at("authorized_keys"),
        at("pid"),
        at("session"),
        path_variable().display(),
        folder.display()
    );
    fs::write(folder.join("sshd_config"), config).expect("a file");
    let log = fs::File::create(folder.join("log")).expect("a file");
    // It runs itself again for each connection, and wants to know its whole path for that.
    let program = program().expect("sshd");
    let mut child = Command::new(program)
        .args(["-D", "-e", "-f"])
        .arg(folder.join("sshd_config"))
        .env_clear()
        .env("PATH", path_variable())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("sshd");
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if child.try_wait().expect("sshd").is_some() {
            return None;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(child);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}
