//! A demo mint in this process, and wallets as processes of their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tacit_server::config::setting::Given;
use tacit_server::config::{Config, Overrides};
use tacit_server::server::{Parts, Running, start};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// A mint whose quotes pay themselves at once.
pub(crate) struct Demo {
    runtime: Runtime,
    running: Option<Running>,
    directory: TempDir,
}

impl Demo {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// The same, its parts changed before it starts.
    pub(crate) fn start_with(change: impl FnOnce(&mut Parts)) -> Self {
        let runtime = Runtime::new().unwrap();
        let directory = TempDir::new().unwrap();
        let overrides = Overrides {
            listen: Some(Given::flag("--listen", "127.0.0.1:0".to_owned())),
            data: Some(Given::flag("--data", directory.path().join("mint"))),
            demo: Some(Given::flag("--demo", true)),
            ..Overrides::default()
        };
        let mut config = Config::load(overrides, None).unwrap();
        config.bounds.receipt_delay = Duration::from_millis(30);
        std::fs::create_dir(&config.data).unwrap();
        let mut parts = Parts::open(&config).unwrap();
        change(&mut parts);
        let running = runtime.block_on(start(config, parts)).unwrap();
        Self { runtime, running: Some(running), directory }
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> String {
        self.running.as_ref().unwrap().address().to_string()
    }

    pub(crate) fn url(&self, unit: &str) -> String {
        format!("http://{}/{unit}", self.address())
    }

    /// The desk, by the name it goes by.
    pub(crate) fn desk(&self) -> String {
        self.running.as_ref().unwrap().origins().desk.as_ref().unwrap().to_string()
    }

    /// Lets days pass.
    pub(crate) fn advance(&self, days: u64) {
        let body = format!("{{\"advance_days\": {days}}}");
        let url = format!("http://{}/demo/clock", self.address());
        let sent = ureq::post(&url).header("content-type", "application/json").send(&body);
        assert_eq!(sent.unwrap().status(), 200);
    }

    /// Lets days pass until another month has begun.
    pub(crate) fn next_month(&self) {
        let url = format!("http://{}/v1/passport", self.address());
        let month = || -> Value {
            let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
            serde_json::from_str::<Value>(&text).unwrap()["month"].clone()
        };
        let before = month();
        while month() == before {
            self.advance(1);
        }
    }

    /// A directory for whatever a test needs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A wallet without money.
    pub(crate) fn wallet(&self, name: &str) -> Wallet {
        let wallet = Wallet { file: self.path(name) };
        let done = wallet.run(&["init"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        wallet
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let is_sound = self.runtime.block_on(running.stop());
            assert!(is_sound || std::thread::panicking(), "the store was sound to the end");
        }
    }
}

/// A wallet file, and the program that opens it.
#[derive(Clone)]
pub(crate) struct Wallet {
    pub(crate) file: PathBuf,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// The first line of the result of a command that went well.
    pub(crate) fn line(&self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout.lines().next().unwrap_or_default().to_owned()
    }
}

/// The program, with nothing of the caller's environment that it would heed.
pub(crate) fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tacit"));
    command.env_clear().env("HOME", home).arg("wallet");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Wallet {
    /// A command of `tacit passport`.
    pub(crate) fn passport(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tacit"));
        command.env_clear().env("HOME", self.file.parent().unwrap()).arg("passport");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("TACIT_WALLET_PASSPHRASE", PASSPHRASE).env("TACIT_WALLET", &self.file);
        command.args(arguments);
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.file.parent().unwrap());
        command.env("TACIT_WALLET_PASSPHRASE", PASSPHRASE).env("TACIT_WALLET", &self.file);
        command.args(arguments);
        command
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        ended(self.spawn(arguments))
    }

    /// A command that must go well.
    pub(crate) fn must(&self, arguments: &[&str]) -> Done {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
        done
    }

    /// A command with something on its standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Done {
        use std::io::Write;
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        ended(child)
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let done = self.must(&[arguments, &["--json"]].concat());
        serde_json::from_str(&done.stdout).unwrap()
    }

    /// What can be spent of a unit, wherever it is.
    pub(crate) fn balance(&self, unit: &str) -> u64 {
        let balance = self.json(&["balance"]);
        let of_unit = balance.as_array().unwrap().iter().filter(|row| row["unit"] == unit);
        of_unit.map(|row| row["amount"].as_u64().unwrap()).sum()
    }
}

pub(crate) fn ended(child: Child) -> Done {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    Done { code: output.status.code(), stdout, stderr }
}
