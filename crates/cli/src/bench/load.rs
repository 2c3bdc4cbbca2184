//! The timed part: so many connections, each sending its next request as soon as the last answer is in.
//!
//! A closed loop: a slow mint is sent less, so latencies are those at this many connections, not at a given rate.
//! Nothing is parsed here but the head of the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::bench::http::{Connection, HttpError, MintUrl};
use crate::bench::prepare::PreparedSwap;
use crate::bench::progress::Progress;

/// How often progress is shown.
const SHOW: Duration = Duration::from_millis(250);

/// Room for the answers of one connection at first: bytes for each output it is likely to have signed.
const BYTES_PER_SIGNATURE: usize = 400;

/// What came of the swaps.
pub(crate) struct Load {
    /// From the first request to the last answer.
    pub(crate) duration: Duration,
    /// Processor time of this process in between, if the system tells.
    pub(crate) own_cpu: Option<Duration>,
    /// Processor time of the mint's process in between, if it was named.
    pub(crate) mint_cpu: Option<Duration>,
    /// One for each swap that was sent, by number of the swap.
    pub(crate) exchanges: Vec<Exchange>,
}

/// A swap that was sent, and what came back.
pub(crate) struct Exchange {
    /// Which of the prepared swaps, from 0.
    pub(crate) swap: usize,
    /// When the answer was there, from the start.
    pub(crate) finished: Duration,
    pub(crate) latency: Duration,
    pub(crate) outcome: Result<Reply, HttpError>,
}

/// An answer as it came.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Sends every swap once, over so many connections. `mint_process` is the mint's, if it runs on this machine.
///
/// # Errors
/// [`HttpError::Connect`] if the connections cannot be opened. What fails later stands in the exchanges.
pub(crate) async fn run(
    url: &MintUrl,
    swaps: &Arc<Vec<PreparedSwap>>,
    connections: u32,
    mint_process: Option<u32>,
) -> Result<Load, HttpError> {
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(Connection::open(url).await?);
    }
    let (next, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let share = swaps.len().div_ceil(opened.len());
    let progress = Progress::new("swapping", swaps.len());
    let mint_cpu = || mint_process.and_then(|id| process_cpu(&id.to_string()));
    let (own_before, mint_before) = (process_cpu(SELF), mint_cpu());
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for connection in opened {
        let (swaps, next, done) = (Arc::clone(swaps), Arc::clone(&next), Arc::clone(&done));
        workers.spawn(async move {
            Worker::new(&swaps, share).run(connection, &next, &done, start).await
        });
    }
    let mut recorded = Vec::new();
    let mut show = tokio::time::interval(SHOW);
    loop {
        tokio::select! {
            joined = workers.join_next() => match joined {
                Some(Ok(record)) => recorded.push(record),
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => break,
            },
            _ = show.tick() => progress.set(done.load(Ordering::Relaxed)),
        }
    }
    let own_cpu = difference(own_before, process_cpu(SELF));
    let mint_cpu = difference(mint_before, mint_cpu());
    drop(progress);
    let mut exchanges: Vec<Exchange> =
        recorded.into_iter().flat_map(Record::into_exchanges).collect();
    exchanges.sort_unstable_by_key(|exchange| exchange.swap);
    let duration = exchanges.iter().map(|exchange| exchange.finished).max().unwrap_or_default();
    Ok(Load { duration, own_cpu, mint_cpu, exchanges })
}

/// One connection's loop.
struct Worker<'a> {
    swaps: &'a [PreparedSwap],
    record: Record,
}

/// What one connection saw: all bodies in one buffer, so that the loop allocates nothing.
struct Record {
    bodies: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    swap: usize,
    finished: Duration,
    latency: Duration,
    /// Status, and where the body ends in the buffer; it begins where the one before ends.
    outcome: Result<(u16, usize), HttpError>,
}

impl<'a> Worker<'a> {
    fn new(swaps: &'a [PreparedSwap], share: usize) -> Self {
        let outputs = swaps.first().map_or(0, |swap| swap.outputs.len());
        let bodies = Vec::with_capacity(share * outputs * BYTES_PER_SIGNATURE);
        Self { swaps, record: Record { bodies, entries: Vec::with_capacity(2 * share) } }
    }

    async fn run(
        mut self,
        mut connection: Connection,
        next: &AtomicUsize,
        done: &AtomicUsize,
        start: Instant,
    ) -> Record {
        loop {
            let swap = next.fetch_add(1, Ordering::Relaxed);
            let Some(prepared) = self.swaps.get(swap) else { break };
            let sent = Instant::now();
            let status = connection.exchange(&prepared.request, &mut self.record.bodies).await;
            let received = Instant::now();
            // Who cannot connect sends nothing more; the swap stays without an answer.
            let is_lost = matches!(status, Err(HttpError::Connect { .. }));
            let (finished, latency) = (received - start, received - sent);
            let outcome = status.map(|status| (status, self.record.bodies.len()));
            self.record.entries.push(Entry { swap, finished, latency, outcome });
            done.fetch_add(1, Ordering::Relaxed);
            if is_lost {
                break;
            }
        }
        self.record
    }
}

impl Record {
    fn into_exchanges(self) -> impl Iterator<Item = Exchange> {
        let Self { bodies, entries } = self;
        let mut begin = 0;
        entries.into_iter().map(move |Entry { swap, finished, latency, outcome }| {
            let outcome = outcome.map(|(status, end)| {
                let body = bodies[begin..end].to_vec();
                begin = end;
                Reply { status, body }
            });
            Exchange { swap, finished, latency, outcome }
        })
    }
}

/// This process, as a process id.
const SELF: &str = "self";

/// Processor time a process has used, from `/proc/ID/stat`: to the hundredth of a second, on Linux only.
pub(crate) fn process_cpu(id: &str) -> Option<Duration> {
    parse_cpu(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

fn difference(before: Option<Duration>, after: Option<Duration>) -> Option<Duration> {
    before.zip(after).map(|(before, after)| after.saturating_sub(before))
}

/// The fields `utime` and `stime`, counted in ticks of 10 ms on every Linux in use (proc(5); `USER_HZ` is 100).
fn parse_cpu(stat: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses and may hold anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()?.checked_add(ticks()?)?;
    Some(Duration::from_millis(10 * ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_the_sum_of_user_and_system() {
        let stat =
            "4242 (a) b (c) S 1 4242 4242 0 -1 4194304 100 0 0 0 123 45 6 7 20 0 1 0 99 1000";
        assert_eq!(parse_cpu(stat), Some(Duration::from_millis(1680)));
        assert_eq!(parse_cpu("4242 (tacit) S 1"), None);
        assert_eq!(parse_cpu(""), None);
    }

    #[test]
    fn every_answer_gets_its_own_body_back() {
        let entry = |swap, outcome| Entry {
            swap,
            finished: Duration::ZERO,
            latency: Duration::ZERO,
            outcome,
        };
        let entries =
            vec![entry(3, Ok((200, 2))), entry(5, Err(HttpError::Closed)), entry(9, Ok((400, 5)))];
        let record = Record { bodies: b"abcde".to_vec(), entries };
        let replies: Vec<_> = record
            .into_exchanges()
            .map(|exchange| (exchange.swap, exchange.outcome.ok().map(|reply| reply.body)))
            .collect();
        assert_eq!(replies, [(3, Some(b"ab".to_vec())), (5, None), (9, Some(b"cde".to_vec()))]);
    }
}
