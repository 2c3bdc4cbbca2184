//! What is printed: a line for each run as it ends, then medians and the best run of each kind.

use std::collections::BTreeMap;

use crate::run::{Measured, Rate};

/// All runs so far, by number of connections and kind.
pub(crate) struct Table(BTreeMap<(usize, &'static str), Vec<Measured>>);

const COLUMNS: &str = "| in process, a second | HTTP, a second | ratio | p50 ms | p99 ms \
                       | in process, ms of processor | HTTP, ms of processor | ratio |\n\
                       |---|---|---|---|---|---|---|---|---|---|---|";

impl Table {
    /// Prints the head.
    pub(crate) fn begin() -> Self {
        println!("| round | request | connections {COLUMNS}");
        Self(BTreeMap::new())
    }

    /// Prints a run and keeps it.
    pub(crate) fn add(
        &mut self,
        round: usize,
        kind: &'static str,
        connections: usize,
        run: Measured,
    ) {
        println!("| {round} | {kind} | {connections} {}", cells(&run));
        self.0.entry((connections, kind)).or_default().push(run);
    }

    /// Prints the median of each column, and the run that was fastest over HTTP.
    pub(crate) fn end(&self) {
        println!("\n| runs | request | connections {COLUMNS}");
        for ((connections, kind), runs) in &self.0 {
            println!("| median | {kind} | {connections} {}", cells(&middle(runs)));
            let by_rate = |one: &&Measured, other: &&Measured| {
                one.http.per_second.total_cmp(&other.http.per_second)
            };
            let best = runs.iter().max_by(by_rate).expect("there was a run");
            println!("| best | {kind} | {connections} {}", cells(best));
        }
    }
}

fn middle(runs: &[Measured]) -> Measured {
    let median = |of: &dyn Fn(&Measured) -> f64| {
        let mut all: Vec<f64> = runs.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[(all.len() - 1) / 2]
    };
    let rate = |of: &dyn Fn(&Measured) -> Rate| Rate {
        per_second: median(&|run| of(run).per_second),
        processor: median(&|run| of(run).processor),
    };
    Measured {
        local: rate(&|run| run.local),
        http: rate(&|run| run.http),
        p50: median(&|run| run.p50),
        p99: median(&|run| run.p99),
    }
}

fn cells(run: &Measured) -> String {
    let Measured { local, http, p50, p99 } = run;
    format!(
        "| {:.0} | {:.0} | {:.2} | {:.1} | {:.1} | {:.2} | {:.2} | {:.2} |",
        local.per_second,
        http.per_second,
        http.per_second / local.per_second,
        p50 * 1e3,
        p99 * 1e3,
        local.processor * 1e3,
        http.processor * 1e3,
        local.processor / http.processor,
    )
}
