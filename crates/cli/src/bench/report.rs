//! The result of a run, for people and for programs.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tacit_core::unit::Unit;

use crate::bench::check::{Check, Verdict};
use crate::bench::load::Load;
use crate::bench::mint::{MintClient, MintInfo};
use crate::bench::plan::Plan;
use crate::bench::statistics::Latencies;
use crate::bench::wallet::PublicKeyset;

/// All there is to say of a run.
pub(crate) struct Report<'a> {
    pub(crate) mint: &'a MintClient,
    pub(crate) info: &'a MintInfo,
    pub(crate) unit: Unit,
    pub(crate) keyset: &'a PublicKeyset,
    pub(crate) plan: &'a Plan,
    pub(crate) swaps: u32,
    pub(crate) connections: u32,
    pub(crate) preparation: Duration,
    pub(crate) load: &'a Load,
    /// Swaps answered with a signature for each output.
    pub(crate) signed: usize,
    /// The first is that of every answer.
    pub(crate) checks: &'a [Check],
}

impl Report<'_> {
    /// Whether every check held.
    pub(crate) fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.verdict == Verdict::Held)
    }

    /// Signed swaps a second, from the first request to the last answer.
    fn rate(&self) -> f64 {
        let seconds = self.load.duration.as_secs_f64();
        let signed = u32::try_from(self.signed).map_or(f64::INFINITY, f64::from);
        if seconds > 0.0 { signed / seconds } else { 0.0 }
    }

    /// Of all that was answered, refusals too.
    fn latencies(&self) -> Option<Latencies> {
        let answered = self.load.exchanges.iter().filter(|exchange| exchange.outcome.is_ok());
        Latencies::of(answered.map(|exchange| exchange.latency).collect())
    }

    /// What came instead of signatures.
    fn errors(&self) -> Map<String, Value> {
        let answers = self.checks.first().into_iter();
        answers
            .flat_map(|check| &check.instead)
            .map(|(kind, count)| (kind.clone(), json!(count)))
            .collect()
    }

    /// One object with everything.
    pub(crate) fn to_json(&self) -> Value {
        let checks: Map<String, Value> =
            self.checks.iter().map(|check| (check.name.to_owned(), check_to_json(check))).collect();
        json!({
            "mint": self.mint.url.to_string(),
            "mint_version": self.info.version,
            "unit": self.unit.code(),
            "method": self.info.method.name(),
            "keyset": self.keyset.id.to_string(),
            "input_fee_ppk": self.keyset.fee_ppk,
            "swaps": self.swaps,
            "connections": self.connections,
            "input_amounts": self.plan.inputs,
            "output_amounts": self.plan.outputs,
            "preparation_seconds": self.preparation.as_secs_f64(),
            "seconds": self.load.duration.as_secs_f64(),
            "signed": self.signed,
            "swaps_per_second": self.rate(),
            "latency_ms": self.latencies().map(|latencies| json!({
                "p50": milliseconds(latencies.p50),
                "p90": milliseconds(latencies.p90),
                "p99": milliseconds(latencies.p99),
                "max": milliseconds(latencies.max),
            })),
            "errors": self.errors(),
            "generator_cpu_seconds": self.load.own_cpu.map(|cpu| cpu.as_secs_f64()),
            "mint_cpu_seconds": self.load.mint_cpu.map(|cpu| cpu.as_secs_f64()),
            "checks": checks,
            "passed": self.passed(),
        })
    }

    /// A short table.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { info, keyset, plan, load, .. } = self;
        let version = info.version.as_deref().unwrap_or("unnamed").escape_debug();
        writeln!(out, "mint        {} ({version})", self.mint.url)?;
        writeln!(out, "keyset      {} at {} ppk", keyset.id, keyset.fee_ppk)?;
        writeln!(
            out,
            "load        {} swaps of {} into {} {}, over {} connections",
            self.swaps,
            sum(&plan.inputs),
            sum(&plan.outputs),
            self.unit,
            self.connections
        )?;
        let seconds = load.duration.as_secs_f64();
        writeln!(out, "rate        {:.1} swaps/s, {} in {seconds:.2} s", self.rate(), self.signed)?;
        if let Some(Latencies { p50, p90, p99, max }) = self.latencies() {
            let [p50, p90, p99, max] = [p50, p90, p99, max].map(milliseconds);
            writeln!(
                out,
                "latency     p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms, max {max:.1} ms"
            )?;
        }
        for (whose, cpu) in [("generator", load.own_cpu), ("mint", load.mint_cpu)] {
            let Some(cpu) = cpu.map(|cpu| cpu.as_secs_f64()) else { continue };
            let share = 100.0 * cpu / seconds.max(f64::MIN_POSITIVE);
            writeln!(out, "{whose:<12}{cpu:.2} s of processor time, {share:.0} % of one core")?;
        }
        writeln!(out)?;
        for Check { claim, tried, held, instead, verdict, .. } in self.checks {
            writeln!(out, "{:<12}{claim}: {held} of {tried}", verdict.name())?;
            for (kind, count) in instead {
                writeln!(out, "            instead: {kind} ({count} times)")?;
            }
        }
        Ok(())
    }
}

fn check_to_json(check: &Check) -> Value {
    json!({
        "verdict": check.verdict.name().to_lowercase(),
        "tried": check.tried,
        "held": check.held,
        "instead": check.instead,
    })
}

/// `1+2`; a long list is cut.
fn sum(amounts: &[u64]) -> String {
    let shown: Vec<String> = amounts.iter().take(4).map(u64::to_string).collect();
    let rest = if amounts.len() > shown.len() { "+…" } else { "" };
    format!("{}{rest}", shown.join("+"))
}

fn milliseconds(duration: Duration) -> f64 {
    1000.0 * duration.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_as_a_sum() {
        assert_eq!(sum(&[1, 2]), "1+2");
        assert_eq!(sum(&[1, 1, 1, 1]), "1+1+1+1");
        assert_eq!(sum(&[1, 1, 1, 1, 2]), "1+1+1+1+…");
    }
}
