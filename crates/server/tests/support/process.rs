//! `tacitd` as a process of its own, which can be told to stop, and killed.

use std::fs::File;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a process may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `tacitd serve --demo`. Killed when dropped.
pub struct Tacitd {
    child: Child,
    pub address: SocketAddr,
    /// Holds what it prints: a pipe that nobody reads would make it wait.
    output: TempDir,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Tacitd {
    /// Starts a demo on a directory and a free port; returns when it answers.
    pub fn start(data: &Path) -> Self {
        Self::start_at(data, free_address())
    }

    /// The same at a given address: where the one before it was.
    pub fn start_at(data: &Path, address: SocketAddr) -> Self {
        Self::start_with(data, address, &[])
    }

    /// The same with more flags.
    pub fn start_with(data: &Path, address: SocketAddr, flags: &[&str]) -> Self {
        let output = TempDir::new().expect("a directory");
        let file = |name| File::create(output.path().join(name)).expect("a file");
        let child = serve(data, &["--demo", "--listen", &address.to_string()])
            .args(flags)
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("tacitd starts");
        let mut tacitd = Self { child, address, output };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = tacitd.child.try_wait().expect("the process can be asked");
            assert!(ended.is_none(), "tacitd ended: {:?}", tacitd.read("stderr"));
            assert!(begun.elapsed() < PATIENCE, "tacitd does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        tacitd
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.output.path().join(name)).expect("text")
    }

    /// Asks it to stop (SIGTERM), and waits until it has.
    pub fn terminate(self) -> Done {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), Signal::TERM).expect("the process is ours");
        self.wait()
    }

    /// Waits until it has stopped by itself.
    pub fn wait(mut self) -> Done {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the process can be asked") {
                let (stdout, stderr) = (self.read("stdout"), self.read("stderr"));
                return Done { code: status.code(), stdout, stderr };
            }
            assert!(begun.elapsed() < PATIENCE, "tacitd does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it (SIGKILL): it gets no chance to tidy up.
    pub fn kill(mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process can be asked");
    }
}

impl Drop for Tacitd {
    fn drop(&mut self) {
        _ = self.child.kill(); // It may have ended.
        _ = self.child.wait();
    }
}

/// An address that nothing listens on.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// A command of `tacitd`, without the environment's `TACITD_*` and without credentials.
pub fn tacitd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tacitd"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TACITD_") || name == "CREDENTIALS_DIRECTORY" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// `tacitd serve` on a directory.
pub fn serve(data: &Path, arguments: &[&str]) -> Command {
    let mut command = tacitd();
    command.arg("serve").arg("--data").arg(data).args(arguments);
    command
}

/// What [`init`] encrypts a seed under.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Makes a mint that is no demo, under [`PASSPHRASE`].
pub fn init(data: &Path) -> Done {
    let done =
        run(tacitd().args(["init", "--data"]).arg(data).env("TACITD_PASSPHRASE", PASSPHRASE));
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    done
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Done {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tacitd starts");
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("text");
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    let code = child.wait().expect("the process can be asked").code();
    Done { code, stdout, stderr }
}

/// Runs `tacitd verify` on a directory.
pub fn verify(data: &Path) -> Done {
    run(tacitd().arg("verify").arg(data))
}
