//! Whether the mint did what it was measured at: every answer read, a sample put to the test.

use std::collections::BTreeMap;
use std::time::Duration;

use tacit_ecash::message::{ErrorResponse, Proof, SignaturesResponse};

use crate::bench::error::BenchError;
use crate::bench::load::{Exchange, Load, Reply};
use crate::bench::mint::{MintClient, Repeats};
use crate::bench::plan::{Plan, fee};
use crate::bench::prepare::PreparedSwap;
use crate::bench::wallet::PublicKeyset;

/// How many swaps of a run have their signatures verified.
const SIGNATURES: usize = 200;

/// How many swaps of a run are sent again, as they were and with fresh outputs.
const REPEATS: usize = 100;

/// How many swaps of a run have what they received spent.
const SPENDS: usize = 50;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// One word, a field of the JSON.
    pub(crate) name: &'static str,
    /// What is claimed.
    pub(crate) claim: &'static str,
    pub(crate) tried: usize,
    pub(crate) held: usize,
    /// What was found instead, with how often.
    pub(crate) instead: BTreeMap<String, usize>,
    pub(crate) verdict: Verdict,
}

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It held each time it was tried, at least once.
    Held,
    /// It failed, or there was nothing to try it on.
    Failed,
    /// The mint does not do this and does not say it does.
    Unsupported,
}

impl Verdict {
    /// In a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Held => "ok",
            Self::Failed => "FAILED",
            Self::Unsupported => "unsupported",
        }
    }
}

/// Counts what came instead of what was claimed.
struct Tally {
    name: &'static str,
    claim: &'static str,
    tried: usize,
    instead: BTreeMap<String, usize>,
}

impl Tally {
    fn new(name: &'static str, claim: &'static str) -> Self {
        Self { name, claim, tried: 0, instead: BTreeMap::new() }
    }

    fn add(&mut self, outcome: Result<(), String>) {
        self.tried += 1;
        if let Err(instead) = outcome {
            *self.instead.entry(instead).or_default() += 1;
        }
    }

    fn close(self) -> Check {
        let Self { name, claim, tried, instead } = self;
        let held = tried - instead.values().sum::<usize>();
        let verdict = if held == tried && held > 0 { Verdict::Held } else { Verdict::Failed };
        Check { name, claim, tried, held, instead, verdict }
    }
}

/// A swap that was answered with the right number of signatures of the right shape.
struct Signed<'a> {
    prepared: &'a PreparedSwap,
    exchange: &'a Exchange,
    answer: SignaturesResponse,
}

/// What the checks stand on.
pub(crate) struct Evidence<'a> {
    pub(crate) mint: &'a MintClient,
    pub(crate) keyset: &'a PublicKeyset,
    pub(crate) plan: &'a Plan,
    pub(crate) repeats: Repeats,
    pub(crate) swaps: &'a [PreparedSwap],
    pub(crate) load: &'a Load,
}

/// All checks, in the order they were done, and how many swaps were answered as they should be.
///
/// # Errors
/// [`BenchError`] if the mint cannot be reached any more.
pub(crate) async fn check(evidence: &Evidence<'_>) -> Result<(Vec<Check>, usize), BenchError> {
    let (answers, signed) = check_answers(evidence);
    // First, because mints may forget answers soon.
    let repeated = check_repeats(evidence, &signed).await?;
    let (signatures, received) = check_signatures(evidence, &signed);
    let respent = check_double_spends(evidence, &signed).await?;
    let spent = check_received(evidence, received).await?;
    Ok((vec![answers, signatures, spent, respent, repeated], signed.len()))
}

/// Every answer: 200, and for each output a signature of its keyset and amount that comes with a DLEQ proof.
fn check_answers<'a>(evidence: &Evidence<'a>) -> (Check, Vec<Signed<'a>>) {
    let mut tally =
        Tally::new("answers", "every swap was answered with a signature for each output");
    let mut signed = Vec::new();
    for exchange in &evidence.load.exchanges {
        let prepared = &evidence.swaps[exchange.swap];
        match read_answer(prepared, exchange) {
            Ok(answer) => {
                tally.add(Ok(()));
                signed.push(Signed { prepared, exchange, answer });
            }
            Err(instead) => tally.add(Err(instead)),
        }
    }
    for _ in evidence.load.exchanges.len()..evidence.swaps.len() {
        tally.add(Err("not sent".to_owned()));
    }
    (tally.close(), signed)
}

fn read_answer(prepared: &PreparedSwap, exchange: &Exchange) -> Result<SignaturesResponse, String> {
    let reply = exchange.outcome.as_ref().map_err(|error| error.kind().to_owned())?;
    let answer = read_signatures(reply)?;
    if answer.signatures.len() != prepared.outputs.len() {
        return Err("wrong number of signatures".to_owned());
    }
    for (output, signature) in prepared.outputs.iter().zip(&answer.signatures) {
        output.check_shape(signature).map_err(|error| error.to_string())?;
    }
    Ok(answer)
}

fn read_signatures(reply: &Reply) -> Result<SignaturesResponse, String> {
    if reply.status != 200 {
        return Err(refusal(reply));
    }
    serde_json::from_slice(&reply.body).map_err(|_| "unreadable answer".to_owned())
}

/// A refusal by its numbers: the mint's text may differ each time.
fn refusal(reply: &Reply) -> String {
    let status = reply.status;
    match serde_json::from_slice::<ErrorResponse>(&reply.body) {
        Ok(error) if error.code != 0 => format!("status {status}, code {}", error.code),
        Ok(_) | Err(_) => format!("status {status}"),
    }
}

/// The same bytes again must be answered with the same signatures (NUT-19).
async fn check_repeats(
    evidence: &Evidence<'_>,
    signed: &[Signed<'_>],
) -> Result<Check, BenchError> {
    let mut tally =
        Tally::new("repeats", "the same bytes sent again were answered with the same signatures");
    // Half of the time, so that the oldest is not forgotten while the sample is sent.
    let age_max = match evidence.repeats {
        Repeats::Seconds(seconds) => Duration::from_secs(seconds) / 2,
        Repeats::Always | Repeats::NotPromised => Duration::MAX,
    };
    let young = |signed: &&Signed<'_>| {
        evidence.load.duration.saturating_sub(signed.exchange.finished) <= age_max
    };
    let remembered: Vec<&Signed<'_>> = signed.iter().filter(young).collect();
    let mut refused = 0;
    for Signed { prepared, answer, .. } in sample(&remembered, REPEATS) {
        let reply = send(evidence, &prepared.request, "a repeated swap").await?;
        if (400..500).contains(&reply.status) {
            refused += 1;
        }
        tally.add(match read_signatures(&reply) {
            Ok(again) if again == *answer => Ok(()),
            Ok(_) => Err("other signatures".to_owned()),
            Err(instead) => Err(instead),
        });
    }
    let mut check = tally.close();
    if evidence.repeats == Repeats::NotPromised && check.tried > 0 && refused == check.tried {
        check.verdict = Verdict::Unsupported;
    }
    Ok(check)
}

/// A sample of the signatures, verified by their DLEQ proofs; with the proofs they became.
fn check_signatures(evidence: &Evidence<'_>, signed: &[Signed<'_>]) -> (Check, Vec<Vec<Proof>>) {
    let mut tally = Tally::new("signatures", "the signatures were made with the mint's own keys");
    let mut received = Vec::new();
    for Signed { prepared, answer, .. } in sample(signed, SIGNATURES) {
        let mut proofs = Vec::new();
        for (output, signature) in prepared.outputs.iter().zip(&answer.signatures) {
            let unblinded = output.unblind(signature, evidence.keyset);
            tally.add(unblinded.map(|proof| proofs.push(proof.into())).map_err(|e| e.to_string()));
        }
        if proofs.len() == prepared.outputs.len() {
            received.push(proofs);
        }
    }
    (tally.close(), received)
}

/// What is spent must stay spent: the same inputs with fresh outputs must be refused.
async fn check_double_spends(
    evidence: &Evidence<'_>,
    signed: &[Signed<'_>],
) -> Result<Check, BenchError> {
    let mut tally = Tally::new("double_spends", "spent inputs with fresh outputs were refused");
    for Signed { prepared, .. } in sample(signed, REPEATS) {
        let reply = swap(evidence, prepared.inputs(), &evidence.plan.outputs).await?;
        tally.add(match reply.status {
            400..500 => Ok(()),
            200 => Err("signed a second time".to_owned()),
            _ => Err(refusal(&reply)),
        });
    }
    Ok(tally.close())
}

/// What was received must be money: the unblinded outputs can be spent.
async fn check_received(
    evidence: &Evidence<'_>,
    received: Vec<Vec<Proof>>,
) -> Result<Check, BenchError> {
    let mut tally = Tally::new("received", "what the swaps returned could be spent");
    let outputs = &evidence.plan.outputs;
    let count = u16::try_from(outputs.len()).expect("the command line bounds it");
    let fee = fee(count, evidence.keyset.fee_ppk).expect("the plan leaves room for this fee");
    let amounts = split_freely(outputs.iter().sum::<u64>() - fee, evidence.keyset);
    for proofs in sample(&received, SPENDS) {
        let reply = swap(evidence, proofs.clone(), &amounts).await?;
        tally.add(read_signatures(&reply).map(drop));
    }
    Ok(tally.close())
}

/// Any denominations that make up an amount, smallest first.
fn split_freely(mut amount: u64, keyset: &PublicKeyset) -> Vec<u64> {
    let mut parts = Vec::new();
    for part in keyset.keys.keys().rev().filter(|part| **part > 0) {
        while *part <= amount {
            parts.push(*part);
            amount -= part;
        }
    }
    parts.reverse();
    parts
}

async fn swap(
    evidence: &Evidence<'_>,
    inputs: Vec<Proof>,
    amounts: &[u64],
) -> Result<Reply, BenchError> {
    let swap = PreparedSwap::new(&evidence.mint.url, evidence.keyset, inputs, amounts)?;
    send(evidence, &swap.request, "a swap after the run").await
}

async fn send(
    evidence: &Evidence<'_>,
    request: &[u8],
    what: &'static str,
) -> Result<Reply, BenchError> {
    let (status, body) = evidence.mint.send(request, what).await?;
    Ok(Reply { status, body })
}

/// At most so many, evenly spread.
fn sample<T>(all: &[T], count: usize) -> impl Iterator<Item = &T> {
    let count = count.min(all.len());
    (0..count).map(move |index| &all[index * all.len() / count])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_spreads_over_the_whole() {
        let all: Vec<usize> = (0..10).collect();
        let taken = |count| sample(&all, count).copied().collect::<Vec<_>>();
        assert!(taken(0).is_empty());
        assert_eq!(taken(3), [0, 3, 6]);
        assert_eq!(taken(10), all);
        assert_eq!(taken(99), all);
        assert_eq!(sample::<u8>(&[], 5).count(), 0);
    }

    #[test]
    fn a_check_that_tried_nothing_has_failed() {
        assert_eq!(Tally::new("name", "claim").close().verdict, Verdict::Failed);
    }

    #[test]
    fn one_exception_fails_a_check() {
        let mut tally = Tally::new("name", "claim");
        tally.add(Ok(()));
        tally.add(Err("status 500".to_owned()));
        tally.add(Err("status 500".to_owned()));
        let check = tally.close();
        assert_eq!((check.tried, check.held, check.verdict), (3, 1, Verdict::Failed));
        assert_eq!(check.instead, BTreeMap::from([("status 500".to_owned(), 2)]));
    }

    #[test]
    fn refusals_are_named_by_their_numbers() {
        let named = |body: &[u8]| refusal(&Reply { status: 400, body: body.to_vec() });
        assert_eq!(named(br#"{"detail":"spent","code":11001}"#), "status 400, code 11001");
        assert_eq!(named(br#"{"detail":"no"}"#), "status 400");
        assert_eq!(named(b"<html>"), "status 400");
    }
}
