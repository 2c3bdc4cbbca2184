//! Mint, wallet and vault in one hand: what a check is made of.

use secp256k1::{PublicKey, SecretKey};
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::{KeysetId, KeysetSpec, SecretKeyset};
use tacit_ecash::point::Y;
use tacit_ecash::proof::{BlindSignature, BlindedMessage, Proof};

use super::Bed;
use crate::audit::{Books, check};
use crate::identity::Identity;
use crate::melt::{MeltEnd, MeltError, PreparedMelt};
use crate::mint::Mint;
use crate::quote::{MeltQuote, MeltQuoteState, Method, MintQuote, MintQuoteState, QuoteId};
use crate::swap::{PreparedSwap, SwapError};
use crate::vault::{Change, Outcome, ProofState};

const SEED: [u8; 32] = [7; 32];

/// Seed of the mint under test.
pub fn seed() -> Secret<[u8; 32]> {
    Secret::new(SEED)
}

/// Identity key of the mint under test.
pub fn identity() -> PublicKey {
    Identity::derive(&seed()).public()
}

/// Public name of a keyset of the mint under test.
pub fn keyset_id(spec: KeysetSpec) -> KeysetId {
    SecretKeyset::derive(&seed(), spec).id()
}

/// The unit of all checks.
///
/// # Panics
/// Never.
pub fn usd() -> Unit {
    Unit::new("usd").expect("a unit")
}

fn first_keyset() -> KeysetSpec {
    KeysetSpec { unit: usd(), index: 0, orders: 16, input_fee_ppk: 0, final_expiry: None }
}

/// The messages of some drafts.
pub fn messages(drafts: &[Blinding]) -> Vec<BlindedMessage> {
    drafts.iter().map(|draft| *draft.message()).collect()
}

/// A mint and a wallet over a vault. The clock stands still unless a check moves [`Self::now`].
pub struct Rig {
    bed: Box<dyn Bed>,
    /// The mint with the keysets that the vault now has.
    pub mint: Mint,
    /// The time given to each commit.
    pub now: Timestamp,
    /// Whether the vault is closed and opened again before each commit.
    pub restarts: bool,
    is_audited: bool,
    drawn: u64,
}

impl Rig {
    /// A rig over a new vault, with one keyset of 16 denominations, without fee.
    ///
    /// # Panics
    /// As all methods here: if the vault does not do what it must.
    pub fn new(bed: Box<dyn Bed>) -> Self {
        let mut rig = Self::empty(bed);
        rig.add_keyset(first_keyset());
        rig
    }

    fn empty(bed: Box<dyn Bed>) -> Self {
        let mint = Mint::new(&seed(), Vec::new()).expect("no keyset, no wrong one");
        let now = Day::from_number(20_000).start();
        Self { bed, mint, now, restarts: false, is_audited: true, drawn: 0 }
    }

    /// A rig over any vault of [`identity`], given a keyset if it has none, whose books are not audited: for
    /// measurements, where they are too long.
    pub fn unaudited(mut bed: Box<dyn Bed>) -> Self {
        let keysets = bed.reader().keysets().expect("readable");
        let is_new = keysets.is_empty();
        let mint = Mint::new(&seed(), keysets).expect("the keysets are of this seed");
        let mut rig = Self { is_audited: false, mint, ..Self::empty(bed) };
        if is_new {
            rig.add_keyset(first_keyset());
        }
        rig
    }

    /// The same, on a vault that is restarted before each commit.
    pub fn restarting(bed: Box<dyn Bed>) -> Self {
        Self { restarts: true, ..Self::new(bed) }
    }

    /// Adds a keyset, which makes the unit's others inactive.
    pub fn add_keyset(&mut self, spec: KeysetSpec) -> KeysetId {
        let id = keyset_id(spec);
        assert_eq!(self.commit_one(Change::AddKeyset { id, spec }), Outcome::Applied(true));
        id
    }

    /// The next keyset of the unit: a rotation.
    pub fn rotate(&mut self) -> KeysetId {
        let last = self.mint.keysets().last().expect("a rig has a keyset").record().spec;
        self.add_keyset(KeysetSpec { index: last.index + 1, ..last })
    }

    /// Commits a batch and audits the books.
    pub fn commit(&mut self, batch: &[Change]) -> Vec<Outcome> {
        if self.restarts {
            self.restart();
        }
        let outcomes = self.bed.store().commit(batch, self.now).expect("the store commits");
        assert_eq!(outcomes.len(), batch.len(), "one outcome a change");
        let merchants = self.bed.reader().merchant_keys().expect("readable");
        self.mint = Mint::new(&seed(), self.bed.reader().keysets().expect("readable"))
            .expect("the keysets are of this seed")
            .with_merchants(&merchants);
        if self.is_audited {
            self.audit();
        }
        outcomes
    }

    /// Commits one change.
    pub fn commit_one(&mut self, change: Change) -> Outcome {
        self.commit(&[change]).pop().expect("one outcome")
    }

    /// Closes the vault and opens it again.
    pub fn restart(&mut self) {
        self.bed.restart();
    }

    /// The writer's side, for what must not be audited.
    pub fn bed(&mut self) -> &mut dyn Bed {
        self.bed.as_mut()
    }

    /// Takes the books and checks them.
    pub fn audit(&mut self) -> Books {
        let books = self.bed.reader().books().expect("the books can be taken");
        for check in check(&books, &identity()) {
            assert!(check.holds, "{}: {}", check.claim, check.found);
        }
        books
    }

    /// 32 bytes that were not drawn before.
    pub fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        Sha256::digest(self.drawn.to_be_bytes()).into()
    }

    /// Passes over so many draws, so that two rigs over one vault draw different bytes.
    pub fn skip(&mut self, draws: u64) {
        self.drawn += draws;
    }

    /// The keyset that signs.
    pub fn active(&self) -> KeysetId {
        let active = self.mint.keysets().iter().find(|keyset| keyset.record().signs(self.now));
        active.expect("a keyset signs").record().id
    }

    /// New outputs of these amounts in the keyset that signs.
    pub fn drafts(&mut self, amounts: &[u64]) -> Vec<Blinding> {
        let keyset = self.active();
        amounts.iter().map(|amount| self.draft(*amount, keyset)).collect()
    }

    /// A new output.
    pub fn draft(&mut self, amount: u64, keyset: KeysetId) -> Blinding {
        let secret = hex::encode(&self.draw());
        self.draft_of(secret, amount, keyset)
    }

    /// A new output of a given secret.
    pub fn draft_of(&mut self, secret: String, amount: u64, keyset: KeysetId) -> Blinding {
        let factor = SecretKey::from_byte_array(self.draw()).expect("a scalar");
        Blinding::new(amount, keyset, Secret::new(secret), factor).expect("a point")
    }

    /// The proofs of signed drafts. Change is worth what its signature says.
    pub fn unblind(&self, drafts: &[Blinding], signatures: &[BlindSignature]) -> Vec<Proof> {
        let pairs = drafts.iter().zip(signatures);
        pairs
            .map(|(draft, signed)| {
                let keyset = self.mint.keyset(&signed.keyset).expect("a known keyset");
                let key = keyset.keys().key(signed.amount).expect("a denomination");
                draft.unblind(signed, key.public()).expect("what was asked for")
            })
            .collect()
    }

    /// A new mint quote, unpaid, open for an hour.
    pub fn new_mint_quote(&mut self, amount: u64) -> MintQuote {
        let id = self.new_quote_id();
        MintQuote {
            id,
            unit: usd(),
            method: Method::Bank,
            request: format!("reference {id}"),
            amount,
            pubkey: None,
            expiry: Timestamp::from_seconds(self.now.seconds() + 3600),
            state: MintQuoteState::Unpaid,
        }
    }

    /// A mint quote the vault has been paid for.
    pub fn paid_mint_quote(&mut self, amount: u64) -> MintQuote {
        let quote = self.new_mint_quote(amount);
        let batch = [
            Change::OpenMintQuote(quote.clone()),
            Change::Receive { quote: quote.id, amount: quote.amount },
        ];
        assert_eq!(self.commit(&batch), [Outcome::Applied(true), Outcome::Applied(true)]);
        self.mint_quote(quote.id).expect("the quote is there")
    }

    /// Proofs of these amounts, minted against a paid quote.
    pub fn issue(&mut self, amounts: &[u64]) -> Vec<Proof> {
        let drafts = self.drafts(amounts);
        self.issue_on(&drafts)
    }

    /// Proofs of these drafts, minted against a paid quote.
    pub fn issue_on(&mut self, drafts: &[Blinding]) -> Vec<Proof> {
        let quote = self.paid_mint_quote(drafts.iter().map(|draft| draft.message().amount).sum());
        let prepare = || {
            self.mint
                .prepare_mint((usd(), Method::Bank), &quote, &messages(drafts), None)
                .expect("a good request")
        };
        let (sent, kept) = (prepare(), prepare());
        let outcome = self.commit_one(Change::Mint(sent));
        self.unblind(drafts, &kept.answer(outcome).expect("issued"))
    }

    /// A swap, checked and signed.
    pub fn prepare_swap(&self, inputs: &[Proof], drafts: &[Blinding]) -> PreparedSwap {
        self.try_prepare_swap(inputs, &messages(drafts)).expect("a good request")
    }

    /// A swap, checked and signed, or the reason why not.
    ///
    /// # Errors
    /// As [`Mint::prepare_swap`].
    pub fn try_prepare_swap(
        &self,
        inputs: &[Proof],
        outputs: &[BlindedMessage],
    ) -> Result<PreparedSwap, SwapError> {
        self.mint.prepare_swap(usd(), inputs, outputs, self.now)
    }

    /// Swaps, in a batch of its own.
    ///
    /// # Errors
    /// What the vault refuses it with.
    pub fn swap(
        &mut self,
        inputs: &[Proof],
        drafts: &[Blinding],
    ) -> Result<Vec<BlindSignature>, SwapError> {
        let (sent, kept) = (self.prepare_swap(inputs, drafts), self.prepare_swap(inputs, drafts));
        let outcome = self.commit_one(Change::Swap(sent));
        kept.answer(outcome)
    }

    /// A melt quote that the vault has, open for an hour.
    pub fn melt_quote_for(&mut self, amount: u64, fee_reserve: u64) -> MeltQuote {
        let quote = MeltQuote {
            id: self.new_quote_id(),
            unit: usd(),
            method: Method::Bank,
            request: "payto://demo/somebody".to_owned(),
            amount,
            fee_reserve,
            expiry: Timestamp::from_seconds(self.now.seconds() + 3600),
            attempt: 0,
            state: MeltQuoteState::Unpaid,
        };
        let opened = self.commit_one(Change::OpenMeltQuote(quote.clone()));
        assert_eq!(opened, Outcome::Applied(true));
        quote
    }

    /// A melt, checked.
    pub fn prepare_melt(
        &self,
        quote: &MeltQuote,
        inputs: &[Proof],
        blanks: &[Blinding],
    ) -> PreparedMelt {
        let route = (usd(), Method::Bank);
        let prepared = self.mint.prepare_melt(route, quote, inputs, &messages(blanks), self.now);
        prepared.expect("a good request")
    }

    /// Starts a melt, in a batch of its own.
    ///
    /// # Errors
    /// What the vault refuses it with.
    pub fn start_melt(
        &mut self,
        quote: &MeltQuote,
        inputs: &[Proof],
        blanks: &[Blinding],
    ) -> Result<MeltQuote, MeltError> {
        let prepared = self.prepare_melt(quote, inputs, blanks);
        melt_outcome(self.commit_one(Change::StartMelt(prepared)))
    }

    /// Ends a melt, in a batch of its own. `None` if the word came late.
    pub fn finish_melt(&mut self, started: &MeltQuote, end: MeltEnd) -> Option<MeltQuote> {
        finished(self.commit_one(Change::FinishMelt {
            quote: started.id,
            attempt: started.attempt,
            end,
        }))
    }

    /// The proofs of a paid melt's change.
    pub fn change_of(&self, quote: &MeltQuote, blanks: &[Blinding]) -> Vec<Proof> {
        let MeltQuoteState::Paid { change, .. } = &quote.state else { panic!("not paid") };
        let signatures: Vec<BlindSignature> = change
            .iter()
            .map(|output| self.mint.sign_again(output).expect("signed before"))
            .collect();
        self.unblind(blanks, &signatures)
    }

    /// A mint quote as the vault has it.
    pub fn mint_quote(&mut self, id: QuoteId) -> Option<MintQuote> {
        self.bed.reader().mint_quote(id).expect("readable")
    }

    /// A melt quote as the vault has it.
    pub fn melt_quote(&mut self, id: QuoteId) -> Option<MeltQuote> {
        self.bed.reader().melt_quote(id).expect("readable")
    }

    /// What the vault says of each proof.
    pub fn states(&mut self, proofs: &[Proof]) -> Vec<ProofState> {
        let ys: Vec<Y> = proofs.iter().map(y_of).collect();
        self.bed.reader().proof_states(&ys).expect("readable")
    }

    fn new_quote_id(&mut self) -> QuoteId {
        let mut random = [0; 16];
        random.copy_from_slice(&self.draw()[..16]);
        QuoteId::from_random(random)
    }
}

/// The name under which a proof is remembered.
///
/// # Panics
/// Never for a secret of a rig.
pub fn y_of(proof: &Proof) -> Y {
    hash_to_curve(proof.secret.expose().as_bytes()).expect("a point").y()
}

/// The outcome of starting a melt.
///
/// # Errors
/// What the vault refused it with.
///
/// # Panics
/// If the outcome is of another change.
pub fn melt_outcome(outcome: Outcome) -> Result<MeltQuote, MeltError> {
    let Outcome::Melt(result) = outcome else { panic!("not a melt's outcome") };
    result.map(|quote| *quote)
}

/// The outcome of ending a melt.
///
/// # Panics
/// If the outcome is of another change.
pub fn finished(outcome: Outcome) -> Option<MeltQuote> {
    let Outcome::Finished(quote) = outcome else { panic!("not the end of a melt") };
    quote.map(|quote| *quote)
}
