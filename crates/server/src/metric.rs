//! Totals, for Prometheus. None of them says anything of one request; nothing is counted by wallet or address.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tacit_ecash::code::Code;
use tacit_service::inventory::{Declaration, Kind};
use tacit_service::melt::MeltEnd;
use tacit_service::vault::{Change, Outcome};

/// A total that only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// HTTP requests under the mints' paths.
    Requests,
    /// Requests refused because too many came at once, those to all sites.
    Limited,
    /// New certificates taken, from files or by ACME.
    CertificatesTaken,
    /// New certificates that could not be used, or not be got.
    CertificatesRefused,
    /// Swaps answered, repeated ones included.
    Swaps,
    /// Mint quotes opened.
    MintQuotes,
    /// Mint quotes that were paid.
    Receipts,
    /// Mint requests answered, repeated ones included.
    Mints,
    /// Melt quotes opened.
    MeltQuotes,
    /// Payments started.
    MeltsStarted,
    /// Payments that arrived.
    MeltsPaid,
    /// Payments that failed for good.
    MeltsFailed,
    /// Commits to the vault.
    Commits,
    /// Commits that had to be offered again.
    CommitsRepeated,
    /// Changes in all commits.
    Changes,
    /// Microseconds spent in commits.
    CommitMicroseconds,
    /// Passport requests whose points made the verifier panic.
    PassportPanics,
}

/// A number that goes up and down, read when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Tasks that wait for the pool.
    PoolQueue,
    /// Changes that wait for the writer.
    WriterQueue,
    /// Open connections.
    Connections,
    /// Open WebSockets.
    Sockets,
    /// Things subscribed to.
    Watched,
    /// Payments under way.
    Payouts,
    /// When the TLS certificate ends, in seconds since 1970; 0 without one.
    CertificateEnd,
    /// Complaints that should have been answered.
    ComplaintsOverdue,
}

impl Counter {
    /// All counters.
    pub const ALL: [Self; 17] = [
        Self::Requests,
        Self::Limited,
        Self::CertificatesTaken,
        Self::CertificatesRefused,
        Self::Swaps,
        Self::MintQuotes,
        Self::Receipts,
        Self::Mints,
        Self::MeltQuotes,
        Self::MeltsStarted,
        Self::MeltsPaid,
        Self::MeltsFailed,
        Self::Commits,
        Self::CommitsRepeated,
        Self::Changes,
        Self::CommitMicroseconds,
        Self::PassportPanics,
    ];

    /// Its name, and why it is counted.
    pub const fn declaration(self) -> Declaration {
        match self {
            Self::Requests => {
                declare("tacit_requests_total", "HTTP requests under the mints' paths")
            }
            Self::Limited => declare(
                "tacit_limited_total",
                "requests refused because too many came at once, to all sites",
            ),
            Self::CertificatesTaken => declare(
                "tacit_certificates_taken_total",
                "new TLS certificates taken, from files or by ACME",
            ),
            Self::CertificatesRefused => declare(
                "tacit_certificates_refused_total",
                "new TLS certificates that could not be used, or not be got",
            ),
            Self::Swaps => declare("tacit_swaps_total", "swaps answered, repeated ones included"),
            Self::MintQuotes => declare("tacit_mint_quotes_total", "mint quotes opened"),
            Self::Receipts => declare("tacit_receipts_total", "mint quotes that were paid"),
            Self::Mints => {
                declare("tacit_mints_total", "mint requests answered, repeated ones included")
            }
            Self::MeltQuotes => declare("tacit_melt_quotes_total", "melt quotes opened"),
            Self::MeltsStarted => declare("tacit_melts_started_total", "payments started"),
            Self::MeltsPaid => declare("tacit_melts_paid_total", "payments that arrived"),
            Self::MeltsFailed => {
                declare("tacit_melts_failed_total", "payments that failed for good")
            }
            Self::Commits => declare("tacit_commits_total", "commits to the vault"),
            Self::CommitsRepeated => {
                declare("tacit_commits_repeated_total", "commits offered again to a busy store")
            }
            Self::Changes => declare("tacit_changes_total", "changes in all commits"),
            Self::CommitMicroseconds => declare(
                "tacit_commit_microseconds_total",
                "time spent in commits, the disk's included",
            ),
            Self::PassportPanics => declare(
                "tacit_passport_panics_total",
                "passport requests refused because their points made the verifier panic",
            ),
        }
    }
}

impl Gauge {
    /// All gauges.
    pub const ALL: [Self; 8] = [
        Self::PoolQueue,
        Self::WriterQueue,
        Self::Connections,
        Self::Sockets,
        Self::Watched,
        Self::Payouts,
        Self::CertificateEnd,
        Self::ComplaintsOverdue,
    ];

    /// Its name, and why it is measured.
    pub const fn declaration(self) -> Declaration {
        match self {
            Self::PoolQueue => declare("tacit_pool_queue", "tasks that wait for the pool"),
            Self::WriterQueue => declare("tacit_writer_queue", "changes that wait for the writer"),
            Self::Connections => declare("tacit_connections", "open connections"),
            Self::Sockets => declare("tacit_sockets", "open WebSockets"),
            Self::Watched => declare("tacit_watched", "quotes and proofs subscribed to"),
            Self::Payouts => declare("tacit_payouts", "payments under way"),
            Self::CertificateEnd => declare(
                "tacit_certificate_end_seconds",
                "when the TLS certificate ends, in seconds since 1970; 0 without one",
            ),
            Self::ComplaintsOverdue => {
                declare("tacit_complaints_overdue", "complaints that should have been answered")
            }
        }
    }
}

/// Refusals, and the label that tells them apart.
pub const REFUSALS: [Declaration; 2] = [
    declare("tacit_refusals_total", "requests refused"),
    declare("tacit_refusals_total.code", "the refusal's code of NUT-00"),
];

/// Sizes of commits, and the label of their buckets.
pub const COMMIT_SIZES: [Declaration; 2] = [
    declare("tacit_commit_changes", "changes in a commit"),
    declare("tacit_commit_changes.le", "largest size in a bucket"),
];

/// The web wallet's release, and the label that names it.
pub const RELEASE: [Declaration; 2] = [
    declare("tacit_wallet_release", "1, if a release of the web wallet is served"),
    declare("tacit_wallet_release.sha256", "the release's hash: that of its list"),
];

const fn declare(name: &'static str, purpose: &'static str) -> Declaration {
    let retention = "the process ends, and as long as the operator's Prometheus keeps it";
    Declaration { kind: Kind::Metric, name, purpose, reader: "operator", retention }
}

/// Upper bounds of the commit sizes counted apart: powers of two from 1.
const SIZE_BUCKETS: usize = 10;

/// All totals of a process.
#[derive(Default)]
pub struct Metrics {
    counters: [AtomicU64; Counter::ALL.len()],
    sizes: [AtomicU64; SIZE_BUCKETS],
    refusals: Mutex<BTreeMap<Code, u64>>,
    certificate_end: AtomicU64,
    complaints_overdue: AtomicU64,
    release: OnceLock<String>,
}

impl Metrics {
    /// Adds to a counter.
    pub fn add(&self, counter: Counter, count: u64) {
        self.counters[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// How far a counter is.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counters[counter as usize].load(Ordering::Relaxed)
    }

    /// Notes when the TLS certificate ends, in seconds since 1970.
    pub(crate) fn set_certificate_end(&self, seconds: u64) {
        self.certificate_end.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn certificate_end(&self) -> u64 {
        self.certificate_end.load(Ordering::Relaxed)
    }

    /// Notes which release of the web wallet is served: one, from start to end.
    pub(crate) fn set_release(&self, digest: &str) {
        self.release.get_or_init(|| digest.to_owned());
    }

    /// Notes how many complaints should have been answered.
    pub(crate) fn set_complaints_overdue(&self, count: u64) {
        self.complaints_overdue.store(count, Ordering::Relaxed);
    }

    pub(crate) fn complaints_overdue(&self) -> u64 {
        self.complaints_overdue.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse(&self, code: Code) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry(code).or_default() += 1;
    }

    pub(crate) fn observe_commit(&self, changes: usize, took: Duration) {
        self.add(Counter::Commits, 1);
        self.add(Counter::Changes, changes as u64);
        self.add(Counter::CommitMicroseconds, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        let bucket = changes.max(1).next_power_of_two().trailing_zeros() as usize;
        if let Some(size) = self.sizes.get(bucket) {
            size.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn observe(&self, change: &Change, outcome: &Outcome) {
        let counter = match (change, outcome) {
            (Change::Swap(_), Outcome::Swap(Ok(()))) => Counter::Swaps,
            (Change::Mint(_), Outcome::Mint(Ok(()))) => Counter::Mints,
            (Change::StartMelt(_), Outcome::Melt(Ok(_))) => Counter::MeltsStarted,
            (Change::OpenMintQuote(_), Outcome::Applied(true)) => Counter::MintQuotes,
            (Change::OpenMeltQuote(_), Outcome::Applied(true)) => Counter::MeltQuotes,
            (Change::Receive { .. }, Outcome::Applied(true)) => Counter::Receipts,
            (Change::FinishMelt { end, .. }, Outcome::Finished(Some(_))) => match end {
                MeltEnd::Paid { .. } => Counter::MeltsPaid,
                MeltEnd::Failed => Counter::MeltsFailed,
            },
            _ => return,
        };
        self.add(counter, 1);
    }

    /// The text that Prometheus reads (exposition format 0.0.4). `gauge` reads a gauge.
    pub fn render(&self, gauge: impl Fn(Gauge) -> u64) -> String {
        let mut text = String::new();
        let mut line = |args: std::fmt::Arguments<'_>| {
            text.write_fmt(args).expect("writing to a String does not fail");
        };
        for counter in Counter::ALL {
            let Declaration { name, purpose, .. } = counter.declaration();
            let value = self.count(counter);
            line(format_args!("# HELP {name} {purpose}\n# TYPE {name} counter\n{name} {value}\n"));
        }
        for each in Gauge::ALL {
            let Declaration { name, purpose, .. } = each.declaration();
            let value = gauge(each);
            line(format_args!("# HELP {name} {purpose}\n# TYPE {name} gauge\n{name} {value}\n"));
        }
        let [Declaration { name, purpose, .. }, _] = REFUSALS;
        line(format_args!("# HELP {name} {purpose}\n# TYPE {name} counter\n"));
        for (code, count) in self.refusals.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            line(format_args!("{name}{{code=\"{}\"}} {count}\n", code.number()));
        }
        let [Declaration { name, purpose, .. }, _] = COMMIT_SIZES;
        line(format_args!("# HELP {name} {purpose}\n# TYPE {name} histogram\n"));
        let mut below = 0;
        for (order, size) in self.sizes.iter().enumerate() {
            below += size.load(Ordering::Relaxed);
            line(format_args!("{name}_bucket{{le=\"{}\"}} {below}\n", 1_u64 << order));
        }
        let (count, sum) = (self.count(Counter::Commits), self.count(Counter::Changes));
        line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}\n"));
        line(format_args!("{name}_sum {sum}\n{name}_count {count}\n"));
        if let Some(digest) = self.release.get() {
            let [Declaration { name, purpose, .. }, _] = RELEASE;
            line(format_args!("# HELP {name} {purpose}\n# TYPE {name} gauge\n"));
            line(format_args!("{name}{{sha256=\"{digest}\"}} 1\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tacit_service::inventory::differences;

    use super::*;

    #[test]
    fn all_lists_every_counter_and_gauge_in_order() {
        for (at, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, at, "{}", counter.declaration().name);
        }
        assert_eq!(Gauge::ALL.last().map(|last| *last as usize), Some(Gauge::ALL.len() - 1));
    }

    #[test]
    fn what_is_published_is_what_is_declared() {
        let metrics = Metrics::default();
        metrics.refuse(Code::AlreadySpent);
        metrics.set_release("ab");
        let mut found = BTreeSet::new();
        for line in metrics.render(|_| 0).lines().filter(|line| !line.starts_with('#')) {
            let (full, label) = match line.split_once('{') {
                Some((name, rest)) => (name, rest.split('=').next()),
                None => (line.split(' ').next().unwrap(), None),
            };
            let of_histogram = ["_bucket", "_sum", "_count"];
            let suffix = of_histogram.iter().find(|suffix| full.ends_with(*suffix));
            let name = suffix.map_or(full, |suffix| full.strip_suffix(suffix).unwrap());
            found.insert((Kind::Metric, name.to_owned()));
            found.extend(label.map(|label| (Kind::Metric, format!("{name}.{label}"))));
        }
        assert_eq!(differences(crate::inventory::METRICS.declarations, found), [""; 0]);
    }

    #[test]
    fn sizes_fall_into_their_power_of_two() {
        let metrics = Metrics::default();
        for size in [1, 2, 3, 4, 64, 65, 10_000] {
            metrics.observe_commit(size, Duration::ZERO);
        }
        let text = metrics.render(|_| 0);
        for line in [
            "tacit_commit_changes_bucket{le=\"1\"} 1",
            "tacit_commit_changes_bucket{le=\"2\"} 2",
            "tacit_commit_changes_bucket{le=\"4\"} 4",
            "tacit_commit_changes_bucket{le=\"64\"} 5",
            "tacit_commit_changes_bucket{le=\"128\"} 6",
            "tacit_commit_changes_bucket{le=\"+Inf\"} 7",
            "tacit_commit_changes_count 7",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
