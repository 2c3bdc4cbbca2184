//! A `tacitd` of its own process.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::client::Client;

const TACITD: &str = env!("CARGO_BIN_EXE_tacitd");

pub(crate) struct Process {
    child: Child,
    data: PathBuf,
    address: SocketAddr,
}

impl Process {
    /// A demo server in this directory, once it is ready.
    pub(crate) async fn start(data: &Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self::at(data.to_owned(), address).await
    }

    /// The same server after a kill: same directory, same address.
    pub(crate) async fn start_again(self) -> Self {
        Self::at(self.data.clone(), self.address).await
    }

    async fn at(data: PathBuf, address: SocketAddr) -> Self {
        let child = Command::new(TACITD)
            .args(["serve", "--demo", "--listen", &address.to_string(), "--data"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(data.join("stderr.log")).unwrap())
            .spawn()
            .unwrap();
        let mut process = Self { child, data, address };
        for _ in 0..600 {
            if let Ok(answer) = Client::new(address).try_get("/ready").await
                && answer.status.is_success()
            {
                return process;
            }
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "tacitd ended: {ended:?}: {}", process.log());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("tacitd was not ready within 15 seconds: {}", process.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.join("stderr.log")).unwrap_or_default()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and a clean end.
    pub(crate) fn stop(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Runs `tacitd verify` and demands that everything holds.
    pub(crate) fn verify(&self, when: &str) -> String {
        let output = Command::new(TACITD).arg("verify").arg(&self.data).output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{when}: {report}{errors}");
        report
    }

    /// E-cash outstanding by the books: signed less spent, in all keysets.
    pub(crate) fn outstanding(&self) -> u64 {
        let path = self.data.join("vault.sqlite");
        let mut reader = tacit_store::sqlite::SqliteReader::open(&path).unwrap();
        let books = tacit_service::vault::VaultReader::books(&mut reader).unwrap();
        books.keysets.iter().map(|keyset| keyset.signed - keyset.spent).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill(); // Of effect only when a test failed.
        _ = self.child.wait();
    }
}
