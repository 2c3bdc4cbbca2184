//! The timed part: proofs checked in this process, and the same requests over HTTP.

use std::cell::Cell;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::wire::Answer as Replied;

use crate::client::{Answer, Client};
use crate::insider::answer;
use crate::prepare::{Kind, Prepared};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that was started for this.
pub(crate) struct Mint {
    pub(crate) address: SocketAddr,
    child: Child,
}

/// How fast something was done.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    /// Requests a second.
    pub(crate) per_second: f64,
    /// Processor time each took whoever checked it, in seconds.
    pub(crate) processor: f64,
}

/// What one run gave.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    /// In this process, one after another.
    pub(crate) local: Rate,
    /// Over HTTP.
    pub(crate) http: Rate,
    /// Seconds that half of the answers took at most.
    pub(crate) p50: f64,
    /// Seconds that 99 of 100 took at most.
    pub(crate) p99: f64,
}

impl Mint {
    /// Starts a demo on a directory and a free port; returns when it answers.
    pub(crate) fn start(command: &[String], data: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let child = Command::new(&command[0])
            .args(&command[1..])
            .args(["serve", "--demo", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut mint = Self { address, child };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(mint.child.try_wait().unwrap().is_none(), "the server ended");
            assert!(begun.elapsed() < PATIENCE, "the server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        mint
    }

    /// Stops it, and looks at its books.
    pub(crate) fn stop(mut self, command: &[String], data: &Path) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.unwrap(), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success(), "the server stopped as it should");
        let mut verify = Command::new(&command[0]);
        verify.args(&command[1..]).arg("verify").arg(data).stdout(Stdio::null());
        assert!(verify.status().unwrap().success(), "the books hold");
    }
}

impl Drop for Mint {
    fn drop(&mut self) {
        _ = self.child.kill(); // It may have ended.
        _ = self.child.wait();
    }
}

/// Measures the so-manieth part of a kind.
///
/// # Panics
/// If anything is refused, or a reply does not open.
pub(crate) async fn measure(
    mint: &Mint,
    keys: &IssuerKeys,
    kind: &Kind<'_>,
    at: usize,
    connections: usize,
) -> Measured {
    let some = kind.part(at);
    let clock = Stopwatch::start("self");
    for prepared in some {
        answer(keys, &prepared.pending, kind.facts);
    }
    let local = clock.stop(some.len());

    let mut clients: Vec<Client> = (0..connections).map(|_| Client::new(mint.address)).collect();
    for client in &mut clients {
        client.connect().await.unwrap();
    }
    let clock = Stopwatch::start(&mint.child.id().to_string());
    let answers = send(&mut clients, some).await;
    let http = clock.stop(some.len());

    let mut latencies = Vec::new();
    for (at, latency, answer) in answers {
        let replied: Replied = answer.ok();
        some[at].pending.finish(&replied.reply, keys.public()).expect("the reply opens");
        latencies.push(latency);
    }
    latencies.sort();
    let nearest_rank = |percent: usize| (latencies.len() * percent).div_ceil(100) - 1;
    let percentile = |percent| latencies[nearest_rank(percent)].as_secs_f64();
    Measured { local, http, p50: percentile(50), p99: percentile(99) }
}

/// Sends each request once; each connection sends its next as soon as the last answer is in.
async fn send(clients: &mut [Client], some: &[Prepared]) -> Vec<(usize, Duration, Answer)> {
    let next = Cell::new(0);
    let next = &next;
    let workers = clients.iter_mut().map(|client| async move {
        let mut answers = Vec::new();
        loop {
            let at = next.replace(next.get() + 1);
            let Some(prepared) = some.get(at) else { return answers };
            let begun = Instant::now();
            let answer = client.send(prepared.request.clone()).await.unwrap();
            answers.push((at, begun.elapsed(), answer));
        }
    });
    join_all(workers).await.into_iter().flatten().collect()
}

/// Time on the wall and of a process.
struct Stopwatch {
    process: String,
    begun: Instant,
    before: Duration,
}

impl Stopwatch {
    fn start(process: &str) -> Self {
        let process = process.to_owned();
        let before = processor(&process);
        Self { process, before, begun: Instant::now() }
    }

    fn stop(self, count: usize) -> Rate {
        let (wall, used) = (self.begun.elapsed(), processor(&self.process) - self.before);
        let count = count as f64;
        Rate { per_second: count / wall.as_secs_f64(), processor: used.as_secs_f64() / count }
    }
}

/// Processor time a process has used: `utime` and `stime` of `/proc/ID/stat`, in hundredths of a second (proc(5)).
fn processor(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux");
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    let fields = after_name.split_ascii_whitespace().skip(11).take(2);
    let ticks = fields.map(|ticks| ticks.parse::<u64>().expect("a number")).sum::<u64>();
    Duration::from_millis(10 * ticks)
}
