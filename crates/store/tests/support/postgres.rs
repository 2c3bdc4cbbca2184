//! A PostgreSQL server of the test's own: its directory, its port, killed with it.

use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tacit_store::postgres::Target;

/// Steps of a tenth of a second until a server must answer.
const PATIENCE: u32 = 600;

/// A server on a port of this machine, as safe as it comes: every commit is synced.
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    settings: Vec<String>,
    child: Option<Child>,
    vaults: AtomicU32,
}

impl Postgres {
    /// Makes a database cluster and starts its server.
    ///
    /// # Panics
    /// If there is no PostgreSQL 15 or later to be had, with a word on how to get it.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with further settings, such as `synchronous_commit=remote_apply`.
    pub fn start_with(settings: &[&str]) -> Self {
        let mut server = Self::unmade(settings);
        let done = server
            .command("initdb")
            .args(["--pgdata", &server.path("data"), "--username=tacit", "--auth=trust"])
            .args(["--encoding=UTF8", "--locale=C", "--no-instructions"])
            .output()
            .expect("initdb runs");
        assert!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
        server.run();
        server
    }

    fn unmade(settings: &[&str]) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("tacit-postgres").tempdir().expect("a folder");
        // The server refuses to run as root; its packages bring an account for it.
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).expect("root may give away");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("ours");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr());
        let port = port.expect("a free port").port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let vaults = AtomicU32::new(0);
        Self { folder, programs, owner, port, settings, child: None, vaults }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.stdin(Stdio::null()).current_dir(self.folder.path());
        // Locales and the like of whoever runs the test must not reach the server.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts the server again where it was stopped.
    pub fn run(&mut self) {
        assert!(self.child.is_none(), "it runs");
        for _ in 0..PATIENCE {
            // Whatever made it end at once, such as its port in use for a moment, it is started anew.
            let ended = self
                .child
                .as_mut()
                .is_none_or(|child| child.try_wait().is_ok_and(|it| it.is_some()));
            if ended {
                self.child = Some(self.spawn());
            }
            if self.psql("SELECT 1").is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL does not answer: {}", self.log());
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let mut command = self.command("postgres");
        command.args(["-D", &self.path("data"), "-p", &self.port.to_string(), "-k", ""]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let log_too = log.try_clone().expect("a file");
        command.stdout(log).stderr(log_too).spawn().expect("postgres starts")
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        let mut text = String::new();
        let file = File::open(self.path("log"));
        _ = file.and_then(|mut file| file.read_to_string(&mut text));
        text
    }

    /// Runs SQL as the owner of everything, and says what was printed.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn psql(&self, sql: &str) -> Result<String, String> {
        let url = format!("postgres://tacit@127.0.0.1:{}/postgres", self.port);
        let done = self
            .command("psql")
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", sql])
            .output();
        let done = done.expect("psql runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
    }

    /// Kills the server and all its processes at once (SIGKILL): it gets no chance to tidy up.
    ///
    /// # Panics
    /// If one of its processes is still there after a minute.
    pub fn kill(&mut self) {
        let left = self.end();
        assert!(left.is_empty(), "processes of PostgreSQL do not end: {left:?}");
    }

    /// The same; says which processes are still there after a minute.
    fn end(&mut self) -> Vec<u32> {
        let Some(mut child) = self.child.take() else { return Vec::new() };
        let left = kill_all(&self.folder.path().join("data"), child.id());
        _ = child.wait();
        left
    }

    /// Copies all that the server has on disk; it is killed for that, and runs again.
    pub fn copy(&mut self, name: &str) {
        self.kill();
        self.carry("cp", "data", name);
        self.run();
    }

    /// Kills the server, keeps what it has under a name, and runs it with what [`Self::copy`] kept under another.
    pub fn go_back_to(&mut self, copy: &str, kept: &str) {
        self.kill();
        self.carry("mv", "data", kept);
        self.carry("cp", copy, "data");
        self.run();
    }

    fn carry(&self, program: &str, from: &str, to: &str) {
        let mut command = Command::new(program);
        if program == "cp" {
            command.arg("-a");
        }
        let done = command.args([self.path(from), self.path(to)]).status();
        assert!(done.expect("it is there").success(), "{program} {from} {to}");
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a new, empty place for a vault, a schema of its own.
    pub fn new_url(&self) -> String {
        let name = format!("vault_{}", self.vaults.fetch_add(1, Ordering::Relaxed));
        self.psql(&format!("CREATE SCHEMA {name}")).expect("the owner may");
        self.url_of(&name, self.port)
    }

    /// The URL of a schema, through some port.
    pub fn url_of(&self, schema: &str, port: u16) -> String {
        format!("postgres://tacit@127.0.0.1:{port}/postgres?options=-csearch_path%3D{schema}")
    }

    /// The same as a target.
    pub fn new_target(&self) -> Target {
        self.new_url().parse().expect("a target")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            eprintln!("the last PostgreSQL said, newest first:\n{}", tail.join("\n"));
        }
    }
}

/// Kills (SIGKILL) every process of a server, and whoever looks after it; says which are still there after a minute.
///
/// `data`: the server's directory.
pub fn kill_all(data: &Path, keeper: u32) -> Vec<u32> {
    // The first process forks one for each connection: stopped, it cannot fork another while they are listed.
    signal("STOP", &[processes_in(data), vec![keeper]].concat());
    signal("KILL", &[processes_in(data), vec![keeper]].concat());
    for _ in 0..PATIENCE {
        let left = processes_in(data);
        if left.is_empty() {
            return left;
        }
        signal("KILL", &left);
        std::thread::sleep(Duration::from_millis(100));
    }
    processes_in(data)
}

/// All that work in a server's directory: none of its processes leaves it, and nobody else goes there.
fn processes_in(data: &Path) -> Vec<u32> {
    let Ok(data) = fs::canonicalize(data) else { return Vec::new() };
    let all = fs::read_dir("/proc").expect("processes").flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ours = |number: &u32| {
        fs::read_link(format!("/proc/{number}/cwd")).is_ok_and(|place| place == data)
    };
    numbers.filter(ours).collect()
}

/// Sends a signal to processes; those that have ended meanwhile are passed over.
fn signal(name: &str, processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).args(processes.iter().map(u32::to_string));
    _ = kill.stderr(Stdio::null()).status();
}

/// Where the server's programs are: `TACIT_POSTGRES_BIN`, or the newest of Debian's packages.
pub fn programs() -> PathBuf {
    if let Some(given) = std::env::var_os("TACIT_POSTGRES_BIN") {
        return given.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbered = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let programs = version.path().join("bin");
        (15 <= number && programs.join("postgres").exists()).then_some((number, programs))
    });
    let newest = numbered.max().map(|(_, programs)| programs);
    newest.expect(
        "there is no PostgreSQL 15 or later in /usr/lib/postgresql: install it (apt-get install postgresql), \
         name its programs with TACIT_POSTGRES_BIN, or let ./tacit test --only postgres see to it",
    )
}

/// User and group to run the server as, where it must not run as who runs the test.
pub fn owner() -> Option<(u32, u32)> {
    is_root().then(account)
}

fn is_root() -> bool {
    let own = fs::metadata("/proc/self").expect("a process knows itself");
    std::os::unix::fs::MetadataExt::uid(&own) == 0
}

/// User and group of the account `postgres`.
fn account() -> (u32, u32) {
    let accounts = fs::read_to_string(Path::new("/etc/passwd")).expect("accounts");
    let line = accounts.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("run as root, the server needs the account postgres of its packages");
    let part = |at| line.split(':').nth(at).and_then(|id| id.parse().ok()).expect("a number");
    (part(2), part(3))
}
