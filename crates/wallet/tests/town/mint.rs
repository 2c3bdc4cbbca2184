//! A mint in memory: signs once, spends once, and answers as a mint of this project does, or as a forgetful one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::code::Code;
use tacit_ecash::condition::{Spend, unlock};
use tacit_ecash::keyset::{KeysetSpec, SecretKeyset};
use tacit_ecash::message::info::InfoResponse;
use tacit_ecash::message::*;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{self, sign, verify};
use tacit_ecash::quote_lock;
use tacit_ecash::request;
use tacit_wallet::transport::Request;

use super::person::NOW;
use super::random::Random;

pub(crate) const DENOMINATIONS: u8 = 12;

pub(crate) struct Mint {
    pub(crate) keysets: Vec<SecretKeyset>,
    /// Whether a repeated request is answered again (NUT-19), or refused as any other.
    pub(crate) remembers: bool,
    pub(crate) spent: BTreeMap<PointBytes, u64>,
    pub(crate) pending: BTreeSet<PointBytes>,
    pub(crate) signed: BTreeMap<PointBytes, proof::BlindSignature>,
    mint_quotes: BTreeMap<String, Quoted>,
    melts: BTreeMap<String, Melting>,
    /// Orders of shops that were paid, by their names.
    pub(crate) orders: BTreeMap<String, Order>,
    /// Paid in, paid out, and taken as fees, in minor units.
    pub(crate) paid_in: u64,
    pub(crate) paid_out: u64,
    pub(crate) fees: u64,
    random: Random,
}

/// A mint quote, and what was issued for it.
#[derive(Clone)]
struct Quoted {
    amount: u64,
    state: MintQuoteState,
    key: PointBytes,
    issued: Vec<PointBytes>,
}

struct Melting {
    quote: MeltQuoteResponse,
    inputs: Vec<(PointBytes, u64)>,
    fee: u64,
    outputs: Vec<proof::BlindedMessage>,
}

/// An order that was paid.
pub(crate) struct Order {
    /// The payment, as it came.
    pub(crate) body: String,
    left: u64,
    /// Blank outputs that are not used yet.
    blanks: Vec<proof::BlindedMessage>,
}

type Answer<T> = Result<T, Code>;

impl Mint {
    pub(crate) fn new(mut random: Random) -> Self {
        let remembers = random.below(2) == 0;
        let mut mint = Self {
            keysets: Vec::new(),
            remembers,
            spent: BTreeMap::new(),
            pending: BTreeSet::new(),
            signed: BTreeMap::new(),
            mint_quotes: BTreeMap::new(),
            melts: BTreeMap::new(),
            orders: BTreeMap::new(),
            paid_in: 0,
            paid_out: 0,
            fees: 0,
            random,
        };
        mint.rotate();
        mint
    }

    /// The newest keyset signs; the others are only taken.
    pub(crate) fn rotate(&mut self) {
        let index = u32::try_from(self.keysets.len()).unwrap();
        let input_fee_ppk = [0, 100, 600][usize::try_from(self.random.below(3)).unwrap()];
        let unit = Unit::new("usd").unwrap();
        let spec =
            KeysetSpec { unit, index, orders: DENOMINATIONS, input_fee_ppk, final_expiry: None };
        self.keysets.push(SecretKeyset::derive(&Secret::new([7; 32]), spec));
    }

    /// E-cash that was signed and is not spent, by the books.
    pub(crate) fn outstanding(&self) -> u64 {
        let signed: u64 = self.signed.values().map(|signed| signed.amount).sum();
        signed - self.spent.values().sum::<u64>()
    }

    /// Payments under way end, well or badly.
    pub(crate) fn end_payments(&mut self) {
        let pending: Vec<String> = self
            .melts
            .iter()
            .filter(|(_, melt)| melt.quote.state == MeltQuoteState::Pending)
            .map(|(id, _)| id.clone())
            .collect();
        for id in pending {
            self.end_payment(&id);
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> (u16, String) {
        let body = request.body.as_ref().map_or("", |body| body.expose());
        let path: Vec<&str> = request.path.trim_start_matches("/v1/").split('/').collect();
        let answer = match path.as_slice() {
            ["info"] => to_json(Ok(info())),
            ["keysets"] => to_json(Ok(KeysetsResponse { keysets: self.list() })),
            ["keys"] => to_json(Ok(self.keys_of(self.keysets.len() - 1))),
            ["keys", id] => {
                let at = self.keysets.iter().position(|keyset| keyset.id().to_string() == *id);
                to_json(Ok(self.keys_of(at.unwrap())))
            }
            ["mint", "quote", "bank"] => to_json(Ok(self.open_quote(&read(body)))),
            ["mint", "quote", "bank", id] => to_json(self.mint_quote(id)),
            ["mint", "bank"] => to_json(self.mint(&read(body))),
            ["swap"] => to_json(self.swap(read(body))),
            ["melt", "quote", "bank"] => to_json(Ok(self.open_melt(&read(body)))),
            ["melt", "quote", "bank", id] => to_json(Ok(self.melts[*id].quote.clone())),
            ["melt", "bank"] => to_json(self.melt(read(body))),
            ["checkstate"] => to_json(Ok(self.states(&read(body)))),
            ["restore"] => to_json(Ok(self.restore(&read(body)))),
            _ => panic!("no such path: {}", request.path),
        };
        answer.map_or_else(refusal, |text| (200, text))
    }

    fn list(&self) -> Vec<Keyset> {
        (0..self.keysets.len()).map(|at| self.keys_of(at).keysets.remove(0).keyset).collect()
    }

    fn keys_of(&self, at: usize) -> KeysResponse {
        let keyset = &self.keysets[at];
        let keys = keyset.public_keys().map(|(amount, key)| (amount, key.into())).collect();
        let keyset = Keyset {
            id: keyset.id().into(),
            unit: "usd".to_owned(),
            active: at == self.keysets.len() - 1,
            input_fee_ppk: keyset.spec().input_fee_ppk,
            final_expiry: None,
        };
        KeysResponse { keysets: vec![KeysetKeys { keyset, keys }] }
    }

    /// Quotes are paid at once.
    fn open_quote(&mut self, request: &MintQuoteRequest) -> MintQuoteResponse {
        let id = format!("mint-{}", self.mint_quotes.len());
        let amount = request.amount.unwrap();
        let key = request.pubkey.as_ref().expect("each quote has a key").parse().unwrap();
        let state = MintQuoteState::Paid;
        self.mint_quotes.insert(id.clone(), Quoted { amount, state, key, issued: Vec::new() });
        self.mint_quote(&id).unwrap()
    }

    fn mint_quote(&self, id: &str) -> Answer<MintQuoteResponse> {
        let Quoted { amount, state, key, .. } =
            self.mint_quotes.get(id).ok_or(Code::QuoteRefused)?;
        Ok(MintQuoteResponse {
            quote: id.to_owned(),
            request: "pay me".to_owned(),
            amount: *amount,
            unit: "usd".to_owned(),
            method: "bank".to_owned(),
            state: *state,
            expiry: None,
            pubkey: Some(*key),
            amount_paid: None,
            amount_issued: None,
        })
    }

    fn mint(&mut self, body: &MintRequest) -> Answer<SignaturesResponse> {
        let request = request::MintRequest::try_from(body.clone()).unwrap();
        let outputs = request.outputs.into_vec();
        let Quoted { amount, state, key, issued } = self.mint_quotes[&request.quote].clone();
        let points: Vec<PointBytes> = outputs.iter().map(|output| output.blinded).collect();
        if state == MintQuoteState::Issued {
            let is_repeated = self.remembers && issued == points;
            return if is_repeated { Ok(self.repeat(&points)) } else { Err(Code::QuoteIssued) };
        }
        self.check_outputs(&outputs)?;
        if outputs.iter().map(|output| output.amount).sum::<u64>() != amount {
            return Err(Code::Unbalanced);
        }
        let signature = request.signature.ok_or(Code::InvalidMintSignature)?;
        quote_lock::verify(&key, &request.quote, &outputs, &signature)
            .map_err(|_| Code::InvalidMintSignature)?;
        self.paid_in += amount;
        let state = MintQuoteState::Issued;
        self.mint_quotes.insert(request.quote, Quoted { amount, state, key, issued: points });
        Ok(self.sign(&outputs))
    }

    fn swap(&mut self, body: SwapRequest) -> Answer<SignaturesResponse> {
        let request = request::SwapRequest::try_from(body).unwrap();
        let (inputs, outputs) = (request.inputs.into_vec(), request.outputs.into_vec());
        let points: Vec<PointBytes> = outputs.iter().map(|output| output.blinded).collect();
        let is_same = |output: &proof::BlindedMessage| {
            self.signed
                .get(&output.blinded)
                .is_some_and(|it| (it.amount, it.keyset) == (output.amount, output.keyset))
        };
        let all_spent = inputs.iter().all(|input| self.spent.contains_key(&y(input)));
        if self.remembers && all_spent && outputs.iter().all(is_same) {
            return Ok(self.repeat(&points));
        }
        // As a mint that knows no repetition does: outputs first, then inputs.
        self.check_outputs(&outputs)?;
        let (sum, fee) = self.check_inputs(&inputs)?;
        let spend = Spend { inputs: &inputs, outputs: &outputs, melt_quote: None };
        unlock(&spend, NOW).map_err(|error| error.code())?;
        if outputs.iter().map(|output| output.amount).sum::<u64>() + fee != sum {
            return Err(Code::Unbalanced);
        }
        self.fees += fee;
        self.spent.extend(inputs.iter().map(|input| (y(input), input.amount)));
        Ok(self.sign(&outputs))
    }

    fn open_melt(&mut self, request: &MeltQuoteRequest) -> MeltQuoteResponse {
        let id = format!("melt-{}", self.melts.len());
        let quote = MeltQuoteResponse {
            quote: id.clone(),
            request: request.request.clone(),
            amount: request.amount.unwrap(),
            unit: "usd".to_owned(),
            method: "bank".to_owned(),
            fee_reserve: self.random.below(6),
            state: MeltQuoteState::Unpaid,
            expiry: Timestamp::from_seconds(u64::MAX >> 12),
            payment_preimage: None,
            change: None,
        };
        let melt =
            Melting { quote: quote.clone(), inputs: Vec::new(), fee: 0, outputs: Vec::new() };
        self.melts.insert(id, melt);
        quote
    }

    fn melt(&mut self, body: MeltRequest) -> Answer<MeltQuoteResponse> {
        let request = request::MeltRequest::try_from(body).unwrap();
        let melt = &self.melts[&request.quote];
        match melt.quote.state {
            MeltQuoteState::Paid if self.remembers => return Ok(melt.quote.clone()),
            MeltQuoteState::Paid => return Err(Code::AlreadyPaid),
            MeltQuoteState::Pending => return Err(Code::QuotePending),
            MeltQuoteState::Unpaid => {}
        }
        let needed = melt.quote.amount + melt.quote.fee_reserve;
        let (inputs, outputs) = (request.inputs.into_vec(), request.outputs.into_vec());
        self.check_outputs(&outputs)?;
        let (sum, fee) = self.check_inputs(&inputs)?;
        if sum < needed + fee {
            return Err(Code::Unbalanced);
        }
        let inputs: Vec<_> = inputs.iter().map(|input| (y(input), input.amount)).collect();
        self.pending.extend(inputs.iter().map(|(y, _)| *y));
        let melt = self.melts.get_mut(&request.quote).unwrap();
        (melt.inputs, melt.fee, melt.outputs) = (inputs, fee, outputs);
        melt.quote.state = MeltQuoteState::Pending;
        if self.random.below(3) != 0 {
            self.end_payment(&request.quote);
        }
        Ok(self.melts[&request.quote].quote.clone())
    }

    fn end_payment(&mut self, id: &str) {
        let is_paid = self.random.below(3) != 0;
        let cost = self.random.below(self.melts[id].quote.fee_reserve + 1);
        let melt = self.melts.get_mut(id).unwrap();
        melt.inputs.iter().for_each(|(y, _)| {
            self.pending.remove(y);
        });
        if !is_paid {
            melt.quote.state = MeltQuoteState::Unpaid;
            return;
        }
        melt.quote.state = MeltQuoteState::Paid;
        let sum: u64 = melt.inputs.iter().map(|(_, amount)| amount).sum();
        self.spent.extend(melt.inputs.iter().copied());
        self.paid_out += melt.quote.amount + cost;
        self.fees += melt.fee;
        let excess = sum - melt.quote.amount - cost - melt.fee;
        let keyset =
            self.keysets.iter().rev().find(|keyset| {
                melt.outputs.first().is_some_and(|output| output.keyset == keyset.id())
            });
        let parts = keyset.map_or_else(Vec::new, |keyset| keyset.split(excess));
        assert_eq!(parts.iter().sum::<u64>(), excess, "blanks for all change");
        assert!(parts.len() <= melt.outputs.len(), "blanks for all change");
        let outputs: Vec<_> = melt
            .outputs
            .iter()
            .zip(parts)
            .map(|(output, amount)| proof::BlindedMessage { amount, ..*output })
            .collect();
        let signatures = self.sign(&outputs).signatures;
        // Some mints do not repeat the change in the quote.
        let is_told = self.remembers && !signatures.is_empty();
        self.melts.get_mut(id).unwrap().quote.change = is_told.then_some(signatures);
    }

    /// Pays an order, whose name begins with its amount. What is sent again must be the same.
    pub(crate) fn pay_order(&mut self, order: &str, body: &str) -> (u16, String) {
        if let Some(known) = self.orders.get(order) {
            assert_eq!(known.body, body, "the same bytes each time");
            return (200, String::new());
        }
        to_json(self.pay(order, body)).map_or_else(refusal, |text| (200, text))
    }

    fn pay(&mut self, order: &str, body: &str) -> Answer<()> {
        let amount: u64 = order.split_once('o').unwrap().0.parse().unwrap();
        let request = request::PayRequest::try_from(read::<PayRequest>(body)).unwrap();
        let (inputs, blanks) = (request.inputs.into_vec(), request.refund_outputs.into_vec());
        let (sum, fee) = self.check_inputs(&inputs)?;
        if !(amount..=amount + fee).contains(&sum) {
            return Err(Code::Unbalanced);
        }
        self.spent.extend(inputs.iter().map(|input| (y(input), input.amount)));
        self.paid_out += sum;
        let body = body.to_owned();
        self.orders.insert(order.to_owned(), Order { body, left: amount, blanks });
        Ok(())
    }

    /// What a shop can still give back.
    pub(crate) fn left(&self, order: &str) -> u64 {
        self.orders[order].left
    }

    /// Gives back so much on the payer's outputs, if they suffice and may be signed.
    pub(crate) fn refund(&mut self, order: &str, amount: u64) -> bool {
        let parts = self.keysets.last().unwrap().split(amount);
        let Order { left, blanks, .. } = &self.orders[order];
        assert!(amount <= *left);
        if blanks.len() < parts.len() {
            return false;
        }
        let used = blanks[..parts.len()].iter().zip(parts);
        let used: Vec<_> =
            used.map(|(blank, amount)| proof::BlindedMessage { amount, ..*blank }).collect();
        if self.check_outputs(&used).is_err() {
            return false;
        }
        let order = self.orders.get_mut(order).unwrap();
        order.blanks.drain(..used.len());
        order.left -= amount;
        self.paid_in += amount;
        self.sign(&used);
        true
    }

    fn states(&self, request: &CheckStateRequest) -> CheckStateResponse {
        let state = |y: &PointBytes| {
            let state = if self.spent.contains_key(y) {
                SpendState::Spent
            } else if self.pending.contains(y) {
                SpendState::Pending
            } else {
                SpendState::Unspent
            };
            ProofState { y: *y, state, witness: None }
        };
        CheckStateResponse { states: request.ys.iter().map(state).collect() }
    }

    fn restore(&self, request: &RestoreRequest) -> RestoreResponse {
        let signed = |output: &BlindedMessage| {
            self.signed.get(&output.blinded).map(|signed| (*output, BlindSignature::from(*signed)))
        };
        let (outputs, signatures) = request.outputs.iter().filter_map(signed).unzip();
        RestoreResponse { outputs, signatures }
    }

    fn check_outputs(&self, outputs: &[proof::BlindedMessage]) -> Answer<()> {
        if outputs.iter().any(|output| self.signed.contains_key(&output.blinded)) {
            return Err(Code::AlreadySigned);
        }
        // Blank outputs of a payment under way will be signed when it ends.
        let is_held = |blinded: PointBytes| {
            self.melts.values().any(|melt| {
                melt.quote.state == MeltQuoteState::Pending
                    && melt.outputs.iter().any(|output| output.blinded == blinded)
            })
        };
        if outputs.iter().map(|output| output.blinded).any(is_held) {
            return Err(Code::OutputsPending);
        }
        let active = self.keysets.last().unwrap().id();
        if outputs.iter().any(|output| output.keyset != active) {
            return Err(Code::InactiveKeyset);
        }
        Ok(())
    }

    /// Sum and fee.
    fn check_inputs(&self, inputs: &[proof::Proof]) -> Answer<(u64, u64)> {
        let mut fee = 0;
        for input in inputs {
            let keyset = self.keysets.iter().find(|keyset| keyset.id() == input.keyset).unwrap();
            verify(input, keyset).map_err(|_| Code::InvalidProof)?;
            if self.spent.contains_key(&y(input)) {
                return Err(Code::AlreadySpent);
            }
            if self.pending.contains(&y(input)) {
                return Err(Code::ProofsPending);
            }
            fee += keyset.spec().input_fee_ppk;
        }
        Ok((inputs.iter().map(|input| input.amount).sum(), fee.div_ceil(1000)))
    }

    fn sign(&mut self, outputs: &[proof::BlindedMessage]) -> SignaturesResponse {
        let signatures = outputs.iter().map(|output| {
            let keyset = self.keysets.iter().find(|keyset| keyset.id() == output.keyset);
            let signed = sign(output, keyset.unwrap()).unwrap();
            assert!(self.signed.insert(output.blinded, signed).is_none(), "signed once");
            signed.into()
        });
        SignaturesResponse { signatures: signatures.collect() }
    }

    fn repeat(&self, points: &[PointBytes]) -> SignaturesResponse {
        points.iter().map(|point| self.signed[point]).collect::<Vec<_>>().into()
    }
}

fn info() -> InfoResponse {
    let nuts = json!({
        "5": { "methods": [{ "method": "bank", "unit": "usd" }], "disabled": false },
        "11": { "supported": true },
        "14": { "supported": true },
    });
    serde_json::from_value(json!({ "nuts": nuts })).unwrap()
}

fn y(proof: &proof::Proof) -> PointBytes {
    hash_to_curve(proof.secret.expose().as_bytes()).unwrap().y().to_point()
}

fn read<T: DeserializeOwned>(body: &str) -> T {
    serde_json::from_str(body).unwrap()
}

fn to_json<T: Serialize>(answer: Answer<T>) -> Answer<String> {
    answer.map(|message| serde_json::to_string(&message).unwrap())
}

fn refusal(code: Code) -> (u16, String) {
    let refusal = ErrorResponse { detail: format!("{code:?}"), code: code.number().into() };
    (400, serde_json::to_string(&refusal).unwrap())
}
