//! Percentiles of latencies.

use std::time::Duration;

/// How long answers took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latencies {
    pub(crate) p50: Duration,
    pub(crate) p90: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Latencies {
    /// Of any number of measurements, in any order; `None` of none.
    pub(crate) fn of(mut measured: Vec<Duration>) -> Option<Self> {
        measured.sort_unstable();
        Some(Self {
            p50: percentile(&measured, 50)?,
            p90: percentile(&measured, 90)?,
            p99: percentile(&measured, 99)?,
            max: *measured.last()?,
        })
    }
}

/// The nearest-rank percentile of sorted values: the smallest that at least `percent` in a hundred do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(values: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        values.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let latencies = Latencies::of(milliseconds((1..=200).rev())).unwrap();
        let [p50, p90, p99, max] = [100, 180, 198, 200].map(Duration::from_millis);
        assert_eq!(latencies, Latencies { p50, p90, p99, max });
    }

    #[test]
    fn one_measurement_is_every_percentile() {
        let only = Duration::from_millis(7);
        let expected = Latencies { p50: only, p90: only, p99: only, max: only };
        assert_eq!(Latencies::of(vec![only]), Some(expected));
    }

    #[test]
    fn a_percentile_is_always_a_measured_value() {
        let latencies = Latencies::of(milliseconds([1, 2, 1000])).unwrap();
        assert_eq!(latencies.p50, Duration::from_millis(2));
        assert_eq!(latencies.p90, Duration::from_millis(1000));
    }

    #[test]
    fn nothing_measured_has_no_latency() {
        assert_eq!(Latencies::of(Vec::new()), None);
    }
}
