//! What the vault must not forget, as traits. The rules themselves stand in [`crate::decide`].
//!
//! A store commits a batch in three moves that no caller can pull apart: it reads the [`Facts`] a batch asks
//! about ([`wanted::Wanted`]), lets [`crate::decide::decide`] turn batch and facts into outcomes and [`Effects`], and
//! makes the effects durable. So every store obeys the same rules, and none of them knows one.

pub mod wanted;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_ecash::condition::Preimage;
use tacit_ecash::keyset::KeysetSpec;
use tacit_ecash::point::{PointBytes, Y};

use crate::account::{AccountId, Holder, HolderState, Level, Usage};
use crate::bill::{
    Bill, BillContract, MonthError, PayBillError, PreparedBillPayment, PreparedMonth, Stream,
    WrongBill,
};
use crate::issue::{MintError, PreparedMint};
use crate::keyset::{KeysetNumber, KeysetRecord, SealedTotals};
use crate::ledger::{Account, DayFlow, DayFlows, Transfer, TransferId};
use crate::melt::{MeltEnd, MeltError, PreparedMelt};
use crate::order::{
    EventId, FetchError, Order, OrderId, OutboxEvent, PayError, PreparedFetch, PreparedPayment,
    RefundError, RefundTo,
};
use crate::passport::{AnswerError, Bucket, Kept, Name, PreparedAnswer, RequestDigest};
use crate::posting::{FactId, PostError, Posted, Posting};
use crate::quote::{MeltQuote, MeltQuoteState, MintQuote, QuoteId};
use crate::reconcile::Sums;
use crate::swap::{PreparedSwap, SwapError};

/// One whole change to the vault: all of it happens, or none.
pub enum Change {
    /// Spends proofs and signs outputs (NUT-03).
    Swap(PreparedSwap),
    /// Remembers a new mint quote.
    OpenMintQuote(MintQuote),
    /// The rail received the money of a mint quote.
    Receive {
        /// Which quote.
        quote: QuoteId,
        /// Minor units received; a quote is paid by its own amount and by no other.
        amount: u64,
    },
    /// Issues e-cash for a paid quote (NUT-04).
    Mint(PreparedMint),
    /// Remembers a new melt quote.
    OpenMeltQuote(MeltQuote),
    /// Holds proofs for a payment that is about to be started (NUT-05).
    StartMelt(PreparedMelt),
    /// The rail's final word on a started payment.
    FinishMelt {
        /// Which quote.
        quote: QuoteId,
        /// Which of its payments: a word on an earlier one changes nothing.
        attempt: u32,
        /// Paid or failed.
        end: MeltEnd,
    },
    /// Adds a keyset for signing; the unit's active ones stop signing in the same commit (rotation).
    AddKeyset {
        /// Its public name, derived from the specification and the seed.
        id: tacit_ecash::keyset::KeysetId,
        /// What it is made of.
        spec: KeysetSpec,
    },
    /// Moves a closed keyset's outstanding e-cash to the expired account, under signed totals.
    Seal(SealedTotals),
    /// Makes an older copy of a vault fit to serve. It forgot what was redeemed, issued and paid since: every keyset is
    /// closed, so that nothing is redeemed twice, and every quote and order that is still open is withdrawn, so that nothing
    /// is issued or paid twice. Accounts are frozen, until somebody has held them against what is known elsewhere. Money of quotes paid and not issued goes to the account of what was set aside.
    AcceptLoss,
    /// Opens an account.
    OpenHolder(Holder),
    /// Sets how well someone is known.
    SetLevel {
        /// Whose account.
        holder: AccountId,
        /// How well.
        level: Level,
    },
    /// Freezes an account, opens it again, or closes it: the last for good, and only if it holds nothing.
    SetHolderState {
        /// Which account.
        holder: AccountId,
        /// What it is to be.
        state: HolderState,
        /// The currencies in which it may hold something.
        units: Vec<Unit>,
    },
    /// Moves money of accounts.
    Post(Posting),
    /// Remembers a merchant's new order.
    OpenOrder(Order),
    /// Withdraws an order that is not paid.
    CancelOrder(OrderId),
    /// Pays an order with e-cash, straight into the merchant's account.
    PayOrder(PreparedPayment),
    /// Gives back what was paid, or part of it.
    Refund {
        /// Of which order, as it was last read: whose account and which outputs are to be looked up.
        order: Order,
        /// The refund's own name: asked again, it is not given twice.
        refund: FactId,
        /// Minor units.
        amount: u64,
        /// How.
        to: RefundTo,
    },
    /// Issues e-cash for a refund that waits.
    FetchRefund(PreparedFetch),
    /// Lets go what is locked to a merchant, who has asked for it: whoever has these proofs may spend them.
    Release(BTreeSet<Y>),
    /// Forgets events that the desk has taken over.
    Forget(Vec<EventId>),
    /// Answers a request to the passport desk, once.
    Answer(PreparedAnswer),
    /// Remembers a biller's new contract.
    OpenContract(BillContract),
    /// Ends a contract with the present month, or with the one it ends with anyway: no bill is due later.
    EndContract {
        /// Which.
        contract: Contract,
        /// Whose.
        holder: AccountId,
    },
    /// Takes bills of a biller's in, all of them or none, of whatever contracts.
    OpenBills {
        /// Whose.
        holder: AccountId,
        /// Minor units below which its licence lets it bill nothing.
        floor: u64,
        /// Open.
        bills: Vec<Bill>,
    },
    /// Takes a bill back that is not paid.
    WithdrawBill {
        /// Of which contract.
        contract: Contract,
        /// Whose.
        holder: AccountId,
        /// Of which month.
        month: Epoch,
    },
    /// Pays a bill with e-cash, straight into the biller's account, and gives the receipt.
    PayBill(Box<PreparedBillPayment>),
    /// Gives the receipt of a contract's month in which nothing is due.
    CloseMonth(Box<PreparedMonth>),
    /// Lets time pass: posts the day that ended, closes what expired, drops quotes past their retention.
    Tick,
}

impl Change {
    /// How many rows of proofs and outputs it concerns, and at least one: what it costs a commit.
    pub fn rows(&self) -> usize {
        match self {
            Self::Swap(swap) => swap.inputs().len() + swap.outputs().len(),
            Self::Mint(mint) => mint.outputs().len(),
            Self::StartMelt(melt) => melt.inputs().len() + melt.outputs().len(),
            Self::OpenMintQuote(_)
            | Self::Receive { .. }
            | Self::OpenMeltQuote(_)
            | Self::FinishMelt { .. }
            | Self::Seal(_)
            | Self::AddKeyset { .. }
            | Self::AcceptLoss
            | Self::OpenHolder(_)
            | Self::SetLevel { .. }
            | Self::SetHolderState { .. }
            | Self::Post(_)
            | Self::OpenOrder(_)
            | Self::CancelOrder(_)
            | Self::Forget(_)
            | Self::OpenContract(_)
            | Self::EndContract { .. }
            | Self::WithdrawBill { .. }
            | Self::Tick => 1,
            Self::Release(proofs) => proofs.len(),
            Self::PayOrder(payment) => payment.inputs().len(),
            Self::Refund { .. } => 8, // The parts of an amount, about.
            Self::FetchRefund(fetch) => fetch.outputs().len(),
            Self::Answer(answer) => answer.names.len() + 1,
            Self::OpenBills { bills, .. } => bills.len(),
            Self::PayBill(payment) => payment.inputs().len() + 2,
            Self::CloseMonth(_) => 2,
        }
        .max(1)
    }
}

/// What became of a [`Change`]. Given out only once the whole batch is durable.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Of [`Change::Swap`].
    Swap(Result<(), SwapError>),
    /// Of [`Change::Mint`].
    Mint(Result<(), MintError>),
    /// Of [`Change::StartMelt`]: the quote as it now is.
    Melt(Result<Box<MeltQuote>, MeltError>),
    /// Of [`Change::FinishMelt`]: the quote as it now is, or `None` if that word was late or about no payment.
    Finished(Option<Box<MeltQuote>>),
    /// Of [`Change::PayOrder`].
    Paid(Result<Posted, PayError>),
    /// Of [`Change::Refund`].
    Refunded(Result<Posted, RefundError>),
    /// Of [`Change::FetchRefund`].
    Fetched(Result<Posted, FetchError>),
    /// Of [`Change::Post`].
    Posted(Result<Posted, PostError>),
    /// Of [`Change::Answer`]: the reply, which is the one given before if there was one.
    Answered(Result<Vec<u8>, AnswerError>),
    /// Of [`Change::OpenBills`]: whether any is new, or all that are wrong.
    Billed(Result<Posted, Vec<WrongBill>>),
    /// Of [`Change::PayBill`]: the receipt's reply, if one was asked for; the one given before if there was one.
    BillPaid(Result<Option<Vec<u8>>, PayBillError>),
    /// Of [`Change::CloseMonth`]: the reply, which is the one given before if there was one.
    MonthClosed(Result<Vec<u8>, MonthError>),
    /// Of any other change: whether it changed anything. Asked again, it does not.
    Applied(bool),
}

/// An output the mint has signed: enough to make the signature again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignedOutput {
    /// Keyset that signed.
    pub keyset: KeysetNumber,
    /// Denomination signed, in minor units.
    pub amount: u64,
}

/// What the vault knows of what was asked. Absent from a map means absent from the vault.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Of the proofs asked about, those spent.
    pub spent: HashSet<Y>,
    /// Of the proofs asked about, those held by a pending melt.
    pub held: HashSet<Y>,
    /// Of the outputs asked about, those signed.
    pub signed: HashMap<PointBytes, SignedOutput>,
    /// Of the outputs asked about, those promised as change to a pending melt.
    pub promised: HashSet<PointBytes>,
    /// The mint quotes asked about; with [`wanted::Wanted::open_quotes`] also all that are not issued.
    pub mint_quotes: HashMap<QuoteId, MintQuote>,
    /// The melt quotes asked about; with [`wanted::Wanted::open_quotes`] also all that are unpaid.
    pub melt_quotes: HashMap<QuoteId, MeltQuote>,
    /// The accounts asked about; with [`wanted::Wanted::open_quotes`] also all that are open.
    pub holders: HashMap<AccountId, Holder>,
    /// What they hold, by currency; absent means nothing, never used.
    pub purses: HashMap<(AccountId, Unit), Purse>,
    /// The orders asked about; with [`wanted::Wanted::open_quotes`] also all that are open.
    pub orders: HashMap<OrderId, Order>,
    /// The transfers asked about that are posted.
    pub transfers: HashMap<TransferId, Transfer>,
    /// Of the names asked about, those answered: with which request.
    pub shown: HashMap<Name, RequestDigest>,
    /// Of the requests asked about, those answered: with which reply.
    pub replies: HashMap<RequestDigest, Vec<u8>>,
    /// The contracts asked about, with all their bills; with [`wanted::Wanted::open_quotes`] also all that have open ones.
    pub streams: HashMap<Contract, Stream>,
    /// Every keyset, in order of its number.
    pub keysets: Vec<KeysetRecord>,
    /// The day swaps are counted on. Never moves back, whatever the clock does.
    pub open_day: Day,
    /// The open day's counters; needed only when `now` lies on a later day than [`Self::open_day`].
    pub day_flows: DayFlows,
    /// Debits and credits of e-cash accounts, in minor units; filled if [`wanted::Wanted::balances`].
    pub balances: HashMap<Account, Balance>,
    /// Keysets that pending melts will yet move money in ([`crate::quote::PendingMelt::keysets`]); filled if [`wanted::Wanted::balances`].
    pub keysets_held: HashSet<KeysetNumber>,
}

/// Keysets that these quotes, if their payments are pending, will yet move money in: none of them may be sealed.
pub fn keysets_held<'a>(quotes: impl IntoIterator<Item = &'a MeltQuote>) -> HashSet<KeysetNumber> {
    let mut held = HashSet::new();
    for quote in quotes {
        if let MeltQuoteState::Pending(pending) = &quote.state {
            held.extend(pending.keysets());
        }
    }
    held
}

/// Sums of all transfers of one account, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Sum of transfers that debit the account.
    pub debits: u64,
    /// Sum of transfers that credit it.
    pub credits: u64,
}

impl Balance {
    /// What credits leave over debits: what is owed to the holder of a liability.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if debits are more: rules keep every account of a holder from that.
    pub fn owed(self) -> Result<u64, StoreError> {
        let overdrawn = StoreError::Corrupt("an account is overdrawn");
        self.credits.checked_sub(self.debits).ok_or(overdrawn)
    }
}

/// What an account holds of one currency, and how much of it has passed the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    /// Sums of its transfers.
    pub balance: Balance,
    /// What has passed the edge.
    pub usage: Usage,
}

/// A proof to be remembered as spent or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpentProof {
    /// Its name.
    pub y: Y,
    /// Keyset that signed it.
    pub keyset: KeysetNumber,
    /// Denomination, in minor units.
    pub amount: u64,
    /// What opened its hash lock (NUT-14): kept until its keyset is sealed, for the sender (NUT-07).
    pub preimage: Option<Preimage>,
}

/// What a store makes durable, all or nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// New rows of spent proofs. A row that is there already means the facts were stale: nothing is written.
    pub spend: Vec<SpentProof>,
    /// New rows of signed outputs; as with [`Self::spend`], none may be there already.
    pub sign: Vec<(PointBytes, SignedOutput)>,
    /// Proofs held for a melt. A store writes these after it has freed what was held before, below: a payment that
    /// failed may be started again in the same batch.
    pub hold: Vec<(QuoteId, SpentProof)>,
    /// Melts whose held proofs become spent. A store moves these rows; they are not in [`Self::spend`].
    pub spend_held: Vec<QuoteId>,
    /// Melts whose held proofs are free again.
    pub release_held: Vec<QuoteId>,
    /// Outputs promised as change to a melt; as with [`Self::hold`], written after those before are released.
    pub promise: Vec<(QuoteId, PointBytes)>,
    /// Melts whose promised outputs are forgotten (those signed are in [`Self::sign`]).
    pub release_promised: Vec<QuoteId>,
    /// Mint quotes to insert or overwrite.
    pub mint_quotes: BTreeMap<QuoteId, MintQuote>,
    /// Melt quotes to insert or overwrite.
    pub melt_quotes: BTreeMap<QuoteId, MeltQuote>,
    /// Accounts to insert or overwrite.
    pub holders: BTreeMap<AccountId, Holder>,
    /// What has passed the edge, to insert or overwrite: also of every account that is debited, in which case a store that
    /// several write to refuses if the version is no longer the one before.
    pub usage: BTreeMap<(AccountId, Unit), Usage>,
    /// Orders to insert or overwrite.
    pub orders: BTreeMap<OrderId, Order>,
    /// Events for the desk, to insert.
    pub outbox: Vec<OutboxEvent>,
    /// Proofs of merchants to be let go; some may be among those that are.
    pub release: BTreeSet<Y>,
    /// Events to delete.
    pub forget: Vec<EventId>,
    /// Answers of the passport desk, to insert with all their names: a name that is there already means the facts were stale.
    pub answers: Vec<PreparedAnswer>,
    /// Contracts to insert or overwrite: only when they end changes.
    pub contracts: BTreeMap<Contract, BillContract>,
    /// Bills to insert or overwrite.
    pub bills: BTreeMap<(Contract, Epoch), Bill>,
    /// Keysets to insert or overwrite.
    pub keysets: BTreeMap<KeysetNumber, KeysetRecord>,
    /// Totals of sealed keysets; their preimages are dropped in the same commit.
    pub sealed: Vec<(KeysetNumber, SealedTotals)>,
    /// Transfers to post; an id that is posted already means the facts were stale.
    pub transfers: Vec<Transfer>,
    /// To add to the open day's counters, after [`Self::close_day`] emptied them.
    pub flows: BTreeMap<(KeysetNumber, KeysetNumber), DayFlow>,
    /// Empties the open day's counters, whose transfers are posted here, and opens this day.
    pub close_day: Option<Day>,
    /// Quotes of either kind to delete, whatever else these effects do with them.
    pub withdraw: BTreeSet<QuoteId>,
    /// Drops mint quotes unpaid or issued, and melt quotes unpaid or paid, whose expiry lies before this moment.
    pub drop_quotes_before: Option<Timestamp>,
    /// Drops some of what the passport desk answered under keys before this epoch, whose passports nobody can show any more.
    pub drop_keys_before: Option<u32>,
    /// Drops orders whose expiry lies before the first of these moments, and those paid that expired before the second.
    pub drop_orders_before: Option<(Timestamp, Timestamp)>,
    /// Drops bills of the months before this one, and contracts that ended before it and have none left.
    pub drop_bills_before: Option<Epoch>,
}

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written; the same batch may be tried again (a lock, a serialisation failure).
    #[error("the store is busy")]
    Busy,
    /// Nothing was written, and nothing will be until an operator acts (disk full, read-only).
    #[error("the store cannot write")]
    Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database cannot be reached. Nothing was written; the same batch may be tried again.
    #[error("the store cannot be reached")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection was lost during the commit. Offered the same batch again, and nothing else, the store says
    /// what became of it.
    #[error("the store was lost while it committed")]
    InDoubt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored contradicts itself. The process must stop rather than answer.
    #[error("the store is corrupt: {0}")]
    Corrupt(&'static str),
    /// Anything else. Whether the batch was written is unknown until it is asked for.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The one writer's side. Every implementation passes [`conformance`](crate::conformance).
///
/// There is no `begin`, so no caller can leave a change half done.
pub trait VaultStore: Send {
    /// Commits a batch in order: each change whole or not at all, one outcome each. All of it is durable
    /// once this returns `Ok`; on `Err` no outcome may be told to anyone.
    ///
    /// # Errors
    /// [`StoreError`], for the whole batch.
    fn commit(&mut self, batch: &[Change], now: Timestamp) -> Result<Vec<Outcome>, StoreError>;
}

/// What became of a proof (NUT-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofState {
    /// Neither spent nor held.
    Unspent,
    /// Held by a pending melt.
    Pending,
    /// Spent, by this preimage if it was hash-locked and its keyset is not sealed.
    Spent(Option<Preimage>),
}

/// The readers' side: sees what is durable and nothing else.
pub trait VaultReader: Send {
    /// Every keyset, in order of its number.
    ///
    /// # Errors
    /// [`StoreError`], as all methods here.
    fn keysets(&mut self) -> Result<Vec<KeysetRecord>, StoreError>;

    /// A mint quote.
    ///
    /// # Errors
    /// [`StoreError`].
    fn mint_quote(&mut self, id: QuoteId) -> Result<Option<MintQuote>, StoreError>;

    /// A melt quote.
    ///
    /// # Errors
    /// [`StoreError`].
    fn melt_quote(&mut self, id: QuoteId) -> Result<Option<MeltQuote>, StoreError>;

    /// What became of each proof, in the order asked.
    ///
    /// # Errors
    /// [`StoreError`].
    fn proof_states(&mut self, proofs: &[Y]) -> Result<Vec<ProofState>, StoreError>;

    /// Which of these outputs were signed, under which keyset and amount, in the order asked (NUT-09).
    ///
    /// # Errors
    /// [`StoreError`].
    fn signed(&mut self, outputs: &[PointBytes]) -> Result<Vec<Option<SignedOutput>>, StoreError>;

    /// Mint quotes that wait for money: unpaid and not expired at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn unpaid_mint_quotes(&mut self, now: Timestamp) -> Result<Vec<MintQuote>, StoreError>;

    /// Mint quotes that ask for payment under this reference, whatever became of them. Fails as the others do.
    fn mint_quotes_of(&mut self, request: &str) -> Result<Vec<MintQuote>, StoreError>;

    /// Melt quotes whose payment was started and has no final word.
    ///
    /// # Errors
    /// [`StoreError`].
    fn pending_melt_quotes(&mut self) -> Result<Vec<MeltQuote>, StoreError>;

    /// An account of a person or firm.
    ///
    /// # Errors
    /// [`StoreError`].
    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, StoreError>;

    /// Accounts by their numbers, at most `limit` after the one given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn holders(&mut self, after: Option<AccountId>, limit: u64) -> Result<Vec<Holder>, StoreError>;

    /// What an account holds of a currency, and how much has passed the edge.
    ///
    /// # Errors
    /// [`StoreError`].
    fn purse(&mut self, id: AccountId, unit: Unit) -> Result<Purse, StoreError>;

    /// An order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreError>;

    /// Keys of all merchants whose accounts are not closed.
    ///
    /// # Errors
    /// [`StoreError`].
    fn merchant_keys(&mut self) -> Result<Vec<PointBytes>, StoreError>;

    /// Which of these proofs a merchant has let go.
    ///
    /// # Errors
    /// [`StoreError`].
    fn released(&mut self, proofs: &[Y]) -> Result<HashSet<Y>, StoreError>;

    /// Events that the desk has not taken over, at most `limit`, in any order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn outbox(&mut self, limit: u64) -> Result<Vec<OutboxEvent>, StoreError>;

    /// What the passport desk answered to the requests of one bucket, at most `limit` after the one given, by their digests.
    ///
    /// # Errors
    /// [`StoreError`].
    fn answers(
        &mut self,
        bucket: Bucket,
        after: Option<RequestDigest>,
        limit: u64,
    ) -> Result<Vec<Kept>, StoreError>;

    /// To which request each of these names was answered, in the order asked.
    ///
    /// # Errors
    /// [`StoreError`].
    fn shown(&mut self, names: &[Name]) -> Result<Vec<Option<RequestDigest>>, StoreError>;

    /// What a request to the passport desk was answered with. Fails as the others do.
    fn reply(&mut self, request: RequestDigest) -> Result<Option<Vec<u8>>, StoreError>;

    /// A contract with its bills, as far as they are kept. Fails as the others do.
    fn stream(&mut self, contract: Contract) -> Result<Option<Stream>, StoreError>;

    /// A transfer that was posted. Fails as the others do.
    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError>;

    /// Transfers of one account, the latest day first, at most `limit` after the first `skip`. Fails as the others do.
    fn statement(
        &mut self,
        account: Account,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Transfer>, StoreError>;

    /// The same of several accounts, in the order asked, all of one moment. Fails as the others do.
    fn statements(
        &mut self,
        accounts: &[Account],
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Vec<Transfer>>, StoreError>;

    /// Keysets closed but not sealed, with their e-cash account's sums; those of [`keysets_held`] are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    fn sealable_keysets(&mut self) -> Result<Vec<(KeysetRecord, Balance)>, StoreError>;

    /// Sums of all transfers of a currency, as they are kept with each posting.
    ///
    /// # Errors
    /// [`StoreError`].
    fn sums(&mut self, unit: Unit) -> Result<Sums, StoreError>;

    /// All sums that must agree, each taken from its own rows, of one moment.
    ///
    /// # Errors
    /// [`StoreError`].
    fn books(&mut self) -> Result<crate::audit::Books, StoreError>;
}

/// The keyset of a number.
///
/// # Panics
/// If there is none: numbers come from rows of the same vault, which refer to its keysets.
pub fn keyset_of(keysets: &[KeysetRecord], number: KeysetNumber) -> &KeysetRecord {
    let found = keysets.iter().find(|keyset| keyset.number == number);
    found.expect("a row's keyset number names a keyset of the same vault")
}
