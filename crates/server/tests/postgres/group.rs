//! Three nodes of PostgreSQL that Patroni watches over, and one etcd in which they agree who leads.

use std::fs::{self, File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::postgres::{kill_all, owner, programs};
use crate::support::process::free_address;

/// How long nodes may take to come up, to join and to agree.
const PATIENCE: Duration = Duration::from_secs(120);
const NODES: usize = 3;

/// The group, on ports of this machine. Killed when dropped.
pub(crate) struct Group {
    folder: tempfile::TempDir,
    etcd: Child,
    nodes: [Node; NODES],
}

struct Node {
    name: String,
    postgres: SocketAddr,
    /// The node's own folder: configuration, log, and `data`.
    folder: PathBuf,
    patroni: Option<Child>,
}

impl Group {
    /// Makes all three, and waits until one leads and both others stream from it, one of them in step.
    ///
    /// # Panics
    /// If etcd or Patroni are missing or do not come up; says what stands in their logs.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tacit-patroni").tempdir().expect("a folder");
        give(folder.path());
        let (clients, peers) = (free_address(), free_address());
        let mut etcd = command("etcd", folder.path(), "etcd.log");
        etcd.args([
            "--name=one",
            "--data-dir=etcd",
            &format!("--initial-cluster=one=http://{peers}"),
        ]);
        for (flag, address) in [
            ("listen-client-urls", clients),
            ("advertise-client-urls", clients),
            ("listen-peer-urls", peers),
            ("initial-advertise-peer-urls", peers),
        ] {
            etcd.arg(format!("--{flag}=http://{address}"));
        }
        let etcd = etcd.spawn().expect("etcd starts: ./tacit test --only patroni sees to it");
        let nodes = std::array::from_fn(|at| Node::make(folder.path(), at, clients));
        let mut group = Self { folder, etcd, nodes };
        for at in 0..NODES {
            group.nodes[at].run();
        }
        group.await_whole();
        group
    }

    /// The URL of its database, by whichever node leads.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| node.postgres.to_string()).collect();
        format!("postgres://tacit@{}/postgres?target_session_attrs=read-write", hosts.join(","))
    }

    /// The node that takes writes.
    pub(crate) fn leader(&self) -> Option<usize> {
        (0..NODES).find(|at| self.nodes[*at].psql("SELECT NOT pg_is_in_recovery()") == "t")
    }

    /// Waits until one node leads and streams to both others, one of which must have each commit.
    pub(crate) fn await_whole(&self) {
        let begun = Instant::now();
        let wanted = "SELECT count(*) = 2 AND count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) = 1 \
                      FROM pg_stat_replication WHERE state = 'streaming'";
        while self.leader().is_none_or(|at| self.nodes[at].psql(wanted) != "t") {
            assert!(begun.elapsed() < PATIENCE, "the group is not whole: {}", self.logs());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Kills a node (SIGKILL), PostgreSQL and its Patroni at once: nobody tidies up or hands over.
    pub(crate) fn kill(&mut self, at: usize) {
        self.nodes[at].kill();
    }

    /// Starts a killed node again; it joins whoever leads now.
    pub(crate) fn run(&mut self, at: usize) {
        self.nodes[at].run();
    }

    /// The last lines of every log.
    pub(crate) fn logs(&self) -> String {
        let nodes = self.nodes.iter().map(|node| node.folder.join("log"));
        let files = nodes.chain([self.folder.path().join("etcd.log")]);
        let tails = files.map(|file| {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(15)..].join("\n");
            format!("\n--- {}\n{tail}", file.display())
        });
        tails.collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what the group said last:{}", self.logs());
        }
        for node in &mut self.nodes {
            node.kill();
        }
        _ = self.etcd.kill(); // It may have ended.
        _ = self.etcd.wait();
    }
}

impl Node {
    fn make(group: &Path, at: usize, etcd: SocketAddr) -> Self {
        let (name, postgres, rest) = (format!("node{at}"), free_address(), free_address());
        let folder = group.join(&name);
        fs::create_dir(&folder).expect("ours");
        give(&folder);
        let text = configuration(&name, &folder, postgres, rest, etcd);
        fs::write(folder.join("patroni.yml"), text).expect("ours");
        Self { name, postgres, folder, patroni: None }
    }

    fn run(&mut self) {
        assert!(self.patroni.is_none(), "{} runs", self.name);
        let mut patroni = command("patroni", &self.folder, "log");
        let patroni = patroni.arg("patroni.yml").spawn();
        self.patroni =
            Some(patroni.expect("patroni starts: ./tacit test --only patroni sees to it"));
    }

    fn kill(&mut self) {
        let Some(mut patroni) = self.patroni.take() else { return };
        _ = kill_all(&self.folder.join("data"), patroni.id());
        _ = patroni.wait();
    }

    /// What this prints, or nothing if the node does not answer.
    fn psql(&self, sql: &str) -> String {
        let url = format!("postgres://tacit@{}/postgres?connect_timeout=2", self.postgres);
        let done =
            Command::new(programs().join("psql")).args(["-XAtq", "-d", &url, "-c", sql]).output();
        String::from_utf8_lossy(&done.expect("psql runs").stdout).trim().to_owned()
    }
}

/// A program as the account that PostgreSQL may run as, in a folder, with its own log.
fn command(program: &str, folder: &Path, log: &str) -> Command {
    let log = File::options().create(true).append(true).open(folder.join(log)).expect("a log");
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).current_dir(folder);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    command.stdout(log.try_clone().expect("a file")).stderr(log);
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    command
}

/// Makes a folder that of the account, and nobody else's.
fn give(folder: &Path) {
    if let Some((user, group)) = owner() {
        chown(folder, Some(user), Some(group)).expect("root may give away");
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700)).expect("ours");
}

/// A node's `patroni.yml`: synchronous in the strict way, and a leader is missed after 20 seconds, Patroni's least.
fn configuration(
    name: &str,
    folder: &Path,
    postgres: SocketAddr,
    rest: SocketAddr,
    etcd: SocketAddr,
) -> String {
    let (programs, folder) = (programs().display().to_string(), folder.display());
    format!(
        "\
scope: tacit
name: {name}
restapi: {{listen: '{rest}', connect_address: '{rest}'}}
etcd3: {{host: '{etcd}'}}
watchdog: {{mode: 'off'}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      parameters: {{max_connections: 100}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}]
postgresql:
  listen: '{postgres}'
  connect_address: '{postgres}'
  data_dir: '{folder}/data'
  bin_dir: '{programs}'
  pgpass: '{folder}/pgpass'
  pg_hba: ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
  authentication: {{superuser: {{username: tacit}}, replication: {{username: copier}}}}
  parameters: {{unix_socket_directories: '{folder}'}}
"
    )
}
