//! Everything a swap needs, done before the clock runs: e-cash issued and checked, outputs blinded, requests rendered.

use std::time::{Duration, Instant};

use tacit_core::unit::Unit;
use tacit_ecash::limit;
use tacit_ecash::message::{BlindSignature, Proof, SwapRequest};

use crate::bench::error::BenchError;
use crate::bench::http::MintUrl;
use crate::bench::mint::{Method, MintClient};
use crate::bench::plan::Plan;
use crate::bench::progress::{Progress, in_parallel};
use crate::bench::wallet::{Output, PublicKeyset, render_swap};

/// How long to wait before asking again whether a quote is paid.
const POLL: Duration = Duration::from_millis(200);

/// A swap ready to be sent.
pub(crate) struct PreparedSwap {
    /// The HTTP request, head and body.
    pub(crate) request: Vec<u8>,
    body_at: usize,
    pub(crate) outputs: Vec<Output>,
}

impl PreparedSwap {
    /// Renders a swap of these inputs for fresh outputs.
    ///
    /// # Errors
    /// If the operating system has no random numbers.
    pub(crate) fn new(
        url: &MintUrl,
        keyset: &PublicKeyset,
        inputs: Vec<Proof>,
        amounts: &[u64],
    ) -> Result<Self, getrandom::Error> {
        let draw = |amount: &u64| Output::draw(*amount, keyset.id);
        let outputs = amounts.iter().map(draw).collect::<Result<Vec<_>, _>>()?;
        let body = render_swap(inputs, &outputs);
        let request = url.render_post("/v1/swap", &body);
        Ok(Self { body_at: request.len() - body.len(), request, outputs })
    }

    /// The proofs it spends, read back from the request: the generator keeps no second copy of them.
    pub(crate) fn inputs(&self) -> Vec<Proof> {
        let read: Result<SwapRequest, _> = serde_json::from_slice(&self.request[self.body_at..]);
        read.expect("what was rendered here can be read").inputs
    }
}

/// What is to be prepared.
pub(crate) struct Order<'a> {
    pub(crate) unit: Unit,
    pub(crate) method: Method,
    pub(crate) keyset: &'a PublicKeyset,
    pub(crate) plan: &'a Plan,
    pub(crate) swaps: u32,
    /// The most the mint issues on one quote, in minor units.
    pub(crate) amount_max: Option<u64>,
    /// How long the mint may take to see its quotes paid.
    pub(crate) pay_seconds: u64,
}

/// Prepares the swaps of an order.
///
/// # Errors
/// [`BenchError`], if the mint fails or signs falsely.
pub(crate) async fn prepare(
    mint: &MintClient,
    order: &Order<'_>,
) -> Result<Vec<PreparedSwap>, BenchError> {
    let Order { keyset, plan, .. } = *order;
    let amounts: Vec<u64> = (0..order.swaps).flat_map(|_| plan.inputs.iter().copied()).collect();
    let blank = in_parallel("blinding inputs", amounts, |amount| Output::draw(amount, keyset.id))?;
    let signed = issue(mint, order, &blank).await?;

    let mut pairs = blank.into_iter().zip(signed);
    let mut swaps = Vec::new();
    for _ in 0..order.swaps {
        swaps.push(pairs.by_ref().take(plan.inputs.len()).collect::<Vec<_>>());
    }
    in_parallel("rendering swaps", swaps, |inputs| {
        let inputs = inputs
            .iter()
            .map(|(output, signed)| output.unblind(signed, keyset).map(Proof::from))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(PreparedSwap::new(&mint.url, keyset, inputs, &plan.outputs)?)
    })
}

/// Has all outputs signed, on as few quotes as the mint's limits allow.
async fn issue(
    mint: &MintClient,
    order: &Order<'_>,
    outputs: &[Output],
) -> Result<Vec<BlindSignature>, BenchError> {
    let batch = outputs_per_quote(order.plan, order.amount_max)?;
    let mut quotes = Vec::new();
    let progress = Progress::new("asking for quotes", outputs.len());
    for batch in outputs.chunks(batch) {
        let amount = batch.iter().map(|output| output.message().amount).sum();
        quotes.push(mint.quote(order.method, order.unit, amount).await?);
        progress.add(batch.len());
    }
    drop(progress);
    wait_until_paid(mint, order, &quotes).await?;
    let mut signed = Vec::with_capacity(outputs.len());
    let progress = Progress::new("minting inputs", outputs.len());
    for (batch, quote) in outputs.chunks(batch).zip(quotes) {
        let messages = batch.iter().map(|output| (*output.message()).into()).collect();
        signed.append(&mut mint.issue(order.method, quote, messages).await?);
        progress.add(batch.len());
    }
    Ok(signed)
}

/// How many outputs go on one quote: the inputs of whole swaps, up to what any mint takes in one request.
fn outputs_per_quote(plan: &Plan, amount_max: Option<u64>) -> Result<usize, BenchError> {
    let needed = plan.total();
    let by_count = limit::OUTPUTS / plan.inputs.len();
    let by_amount = match amount_max.map(|max| (max, max / needed)) {
        None => by_count,
        Some((max, 0)) => return Err(BenchError::QuoteTooSmall { needed, max }),
        Some((_, swaps)) => usize::try_from(swaps).unwrap_or(usize::MAX),
    };
    Ok(by_count.min(by_amount) * plan.inputs.len())
}

async fn wait_until_paid(
    mint: &MintClient,
    order: &Order<'_>,
    quotes: &[String],
) -> Result<(), BenchError> {
    let deadline = Instant::now() + Duration::from_secs(order.pay_seconds);
    let progress = Progress::new("waiting for payment", quotes.len());
    for (paid, quote) in quotes.iter().enumerate() {
        while !mint.is_paid(order.method, quote).await? {
            if Instant::now() >= deadline {
                let unpaid = quotes.len() - paid;
                return Err(BenchError::NeverPaid { unpaid, seconds: order.pay_seconds });
            }
            tokio::time::sleep(POLL).await;
        }
        progress.add(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan { inputs: vec![1, 1, 2], outputs: vec![4], fee: 0 }
    }

    #[test]
    fn a_quote_holds_the_inputs_of_whole_swaps() {
        assert_eq!(outputs_per_quote(&plan(), None).unwrap(), 999);
        assert_eq!(outputs_per_quote(&plan(), Some(1_000_000)).unwrap(), 999);
        assert_eq!(outputs_per_quote(&plan(), Some(11)).unwrap(), 6);
        assert_eq!(outputs_per_quote(&plan(), Some(4)).unwrap(), 3);
    }

    #[test]
    fn a_limit_below_one_swap_is_an_error() {
        assert!(matches!(
            outputs_per_quote(&plan(), Some(3)),
            Err(BenchError::QuoteTooSmall { needed: 4, max: 3 })
        ));
    }
}
