//! The wallet's side: blinds, asks, unblinds. Every signature's DLEQ proof is checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use secp256k1::{PublicKey, SecretKey};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::limit;
use tacit_ecash::message::{
    self, CheckStateResponse, KeysResponse, KeysetsResponse, MeltQuoteResponse, MeltQuoteState,
    MintQuoteResponse, MintQuoteState, SignaturesResponse, SpendState,
};
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{BlindSignature, BlindedMessage, Proof};
use tacit_ecash::request::{Inputs, MeltRequest, MintRequest, Outputs, SwapRequest};

use super::client::{Answer, Client, NoAnswer};

/// A wallet of one unit at one mint.
pub struct Wallet {
    pub client: Client,
    /// Path of the unit, such as `/usd`.
    pub path: String,
    pub unit: String,
    pub keyset: KeysetId,
    pub fee_ppk: u64,
    keys: BTreeMap<KeysetId, BTreeMap<u64, PublicKey>>,
}

/// A swap as it is sent, with what makes proofs of its answer.
pub struct Swap {
    pub request: message::SwapRequest,
    pub blindings: Vec<Blinding>,
}

impl Wallet {
    /// Reads the keys of the mint under `/unit`.
    pub async fn new(address: SocketAddr, unit: &str) -> Self {
        let mut client = Client::new(address);
        let path = format!("/{unit}");
        let (keyset, fee_ppk, keys) = signing_keys(&mut client, &path).await;
        let keys = BTreeMap::from([(keyset, keys)]);
        Self { client, path, unit: unit.to_owned(), keyset, fee_ppk, keys }
    }

    /// Moves on to the keyset that signs now; keys of earlier ones are kept.
    pub async fn refresh(&mut self) {
        let (keyset, fee_ppk, keys) = signing_keys(&mut self.client, &self.path).await;
        self.keys.insert(keyset, keys);
        (self.keyset, self.fee_ppk) = (keyset, fee_ppk);
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.client.get(&format!("{}{path}", self.path)).await
    }

    pub async fn post(&mut self, path: &str, body: &impl serde::Serialize) -> Answer {
        self.client.post(&format!("{}{path}", self.path), body).await
    }

    /// Opens a mint quote.
    pub async fn mint_quote(&mut self, method: &str, amount: u64) -> MintQuoteResponse {
        let body = serde_json::json!({"amount": amount, "unit": self.unit});
        self.post(&format!("/v1/mint/quote/{method}"), &body).await.ok()
    }

    /// Waits until a mint quote is paid.
    pub async fn until_paid(&mut self, quote: &MintQuoteResponse) {
        for _ in 0..400 {
            let path = format!("/v1/mint/quote/{}/{}", quote.method, quote.quote);
            let now: MintQuoteResponse = self.get(&path).await.ok();
            if now.state != MintQuoteState::Unpaid {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the quote was not paid within ten seconds");
    }

    /// Mints an amount, from quote to proofs.
    pub async fn mint(&mut self, method: &str, amount: u64) -> Vec<Proof> {
        let quote = self.mint_quote(method, amount).await;
        self.until_paid(&quote).await;
        self.issue(method, &quote.quote, &split(amount)).await
    }

    /// Mints a paid quote in these denominations.
    pub async fn issue(&mut self, method: &str, quote: &str, amounts: &[u64]) -> Vec<Proof> {
        let blindings = self.blind(amounts);
        let body = mint_request(quote, &blindings);
        let answer = self.post(&format!("/v1/mint/{method}"), &body).await;
        self.unblind(&blindings, &answer.ok())
    }

    /// Fresh secrets for amounts, under the keyset that signs.
    pub fn blind(&self, amounts: &[u64]) -> Vec<Blinding> {
        amounts.iter().map(|amount| blind(*amount, self.keyset)).collect()
    }

    /// The proofs of signatures.
    #[track_caller]
    pub fn unblind(&self, blindings: &[Blinding], answer: &SignaturesResponse) -> Vec<Proof> {
        assert!(answer.signatures.len() <= blindings.len(), "no more signatures than outputs");
        blindings
            .iter()
            .zip(&answer.signatures)
            .map(|(blinding, signed)| {
                let signed = BlindSignature::try_from(*signed).expect("a DLEQ proof comes along");
                let key = &self.keys[&signed.keyset][&signed.amount];
                blinding.unblind(&signed, key).expect("the signature holds")
            })
            .collect()
    }

    /// A swap of proofs into denominations, not sent yet.
    pub fn prepare_swap(&self, inputs: &[Proof], amounts: &[u64]) -> Swap {
        let blindings = self.blind(amounts);
        Swap { request: swap_request(inputs.to_vec(), &blindings), blindings }
    }

    /// Swaps proofs into denominations.
    pub async fn swap(&mut self, inputs: &[Proof], amounts: &[u64]) -> Vec<Proof> {
        let swap = self.prepare_swap(inputs, amounts);
        let answer = self.post("/v1/swap", &swap.request).await;
        self.unblind(&swap.blindings, &answer.ok())
    }

    /// Sends a swap; its answer is what the mint said.
    pub async fn try_swap(&mut self, swap: &Swap) -> Result<Answer, NoAnswer> {
        self.client.try_post(&format!("{}/v1/swap", self.path), &swap.request).await
    }

    /// Opens a melt quote for a payment request.
    pub async fn melt_quote(&mut self, method: &str, request: &str) -> MeltQuoteResponse {
        let body = serde_json::json!({"request": request, "unit": self.unit});
        self.post(&format!("/v1/melt/quote/{method}"), &body).await.ok()
    }

    /// The body of a melt, with this many blank outputs.
    pub fn melt_request(
        &self,
        quote: &str,
        inputs: &[Proof],
        blanks: usize,
    ) -> (message::MeltRequest, Vec<Blinding>) {
        let blindings = self.blind(&vec![1; blanks]);
        let request = MeltRequest {
            quote: quote.to_owned(),
            inputs: Inputs::new(inputs.to_vec()).expect("within bounds"),
            outputs: Outputs::blank(messages(&blindings)).expect("within bounds"),
            prefer_async: false,
        };
        (request.into(), blindings)
    }

    /// Melts, and waits for the end; gives the change.
    pub async fn melt(
        &mut self,
        method: &str,
        quote: &str,
        inputs: &[Proof],
        blanks: usize,
    ) -> (MeltQuoteResponse, Vec<Proof>) {
        let (body, blindings) = self.melt_request(quote, inputs, blanks);
        let paid: MeltQuoteResponse = self.post(&format!("/v1/melt/{method}"), &body).await.ok();
        assert_eq!(paid.state, MeltQuoteState::Paid);
        let signatures = paid.change.clone().unwrap_or_default();
        let change = self.unblind(&blindings, &SignaturesResponse { signatures });
        (paid, change)
    }

    /// A melt quote as it is now.
    pub async fn look_up_melt(&mut self, method: &str, quote: &str) -> MeltQuoteResponse {
        self.get(&format!("/v1/melt/quote/{method}/{quote}")).await.ok()
    }

    /// States of proofs.
    pub async fn states(&mut self, proofs: &[Proof]) -> Vec<SpendState> {
        let mut states = Vec::with_capacity(proofs.len());
        for some in proofs.chunks(limit::STATES) {
            let body = message::CheckStateRequest { ys: some.iter().map(y).collect() };
            let answer: CheckStateResponse = self.post("/v1/checkstate", &body).await.ok();
            states.extend(answer.states.iter().map(|state| state.state));
        }
        states
    }

    /// The input fee of that many proofs of the keyset that signs.
    pub fn fee(&self, inputs: usize) -> u64 {
        (self.fee_ppk * inputs as u64).div_ceil(1000)
    }
}

/// Name of a proof's secret.
pub fn y(proof: &Proof) -> PointBytes {
    hash_to_curve(proof.secret.expose().as_bytes()).expect("a point").y().to_point()
}

/// Sum of proofs.
pub fn total(proofs: &[Proof]) -> u64 {
    proofs.iter().map(|proof| proof.amount).sum()
}

/// The powers of two of an amount, smallest first.
pub fn split(amount: u64) -> Vec<u64> {
    (0..u64::BITS).map(|bit| 1 << bit).filter(|part| amount & part != 0).collect()
}

/// A fresh secret of 32 random bytes.
pub fn blind(amount: u64, keyset: KeysetId) -> Blinding {
    blind_secret(amount, keyset, hex::encode(&random()))
}

/// A given secret, freshly blinded.
pub fn blind_secret(amount: u64, keyset: KeysetId, secret: String) -> Blinding {
    let factor = SecretKey::from_byte_array(random()).expect("a scalar");
    Blinding::new(amount, keyset, Secret::new(secret), factor).expect("a point")
}

pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes
}

pub fn swap_request(inputs: Vec<Proof>, blindings: &[Blinding]) -> message::SwapRequest {
    let inputs = Inputs::new(inputs).expect("within bounds");
    SwapRequest { inputs, outputs: outputs(blindings) }.into()
}

pub fn mint_request(quote: &str, blindings: &[Blinding]) -> message::MintRequest {
    let outputs = outputs(blindings);
    MintRequest { quote: quote.to_owned(), outputs, signature: None }.into()
}

pub fn outputs(blindings: &[Blinding]) -> Outputs {
    Outputs::new(messages(blindings)).expect("within bounds")
}

pub fn messages(blindings: &[Blinding]) -> Vec<BlindedMessage> {
    blindings.iter().map(|blinding| *blinding.message()).collect()
}

async fn signing_keys(
    client: &mut Client,
    path: &str,
) -> (KeysetId, u64, BTreeMap<u64, PublicKey>) {
    let keysets: KeysetsResponse = client.get(&format!("{path}/v1/keysets")).await.ok();
    let active = keysets.keysets.iter().find(|keyset| keyset.active).expect("a keyset signs");
    let id = active.id.id().expect("a keyset id");
    let keys: KeysResponse = client.get(&format!("{path}/v1/keys/{id}")).await.ok();
    let of_active = keys.keysets.iter().find(|keys| keys.keyset.id == active.id);
    let keys = &of_active.expect("the signing keyset's keys").keys;
    let parsed = keys.iter().map(|(amount, key)| (*amount, key.parse().expect("a point")));
    (id, active.input_fee_ppk, parsed.collect())
}
