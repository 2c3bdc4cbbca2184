//! Billers: who may bill people's contracts, and what of their contracts is on paper. Bills themselves are the vault's.
//!
//! A bill that is paid says in somebody's passport that they pay in time, so not every shop may write one: a licence is proposed by
//! one member of staff and granted by another, says below which amount nothing is billed and how many contracts there may be at
//! once, and can be ended.

use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_credit::passport::standing::Contract;

use super::paper::{Begun, Digest32, Line};
use super::person::Name;
use super::staff::StaffId;
use super::trail::Deed;
use crate::account::AccountId;
use crate::vault::StoreError;

/// What a biller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenceTerms {
    /// Minor units of the shop's currency below which nothing is billed.
    pub floor: u64,
    /// How many contracts it may have at once that have not ended.
    pub contracts_max: u64,
}

impl LicenceTerms {
    /// The most contracts a licence may allow.
    pub const CONTRACTS_MAX: u64 = 10_000_000;
}

/// What somebody proposed, until another has granted or declined it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenceProposal {
    /// For which shop.
    pub merchant: AccountId,
    /// What it may do.
    pub terms: LicenceTerms,
    /// Who proposed it.
    pub by: StaffId,
    /// When.
    pub day: Day,
}

/// A licence that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Of which shop.
    pub merchant: AccountId,
    /// What it may do.
    pub terms: LicenceTerms,
    /// Since when, as it stands.
    pub granted: Day,
    /// The day it was ended.
    pub ended: Option<Day>,
}

/// A shop as a biller: what was granted, what was proposed, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Biller {
    /// Its account.
    pub merchant: AccountId,
    /// What payers read.
    pub name: Name,
    /// The currency it bills in.
    pub unit: Unit,
    /// What was granted.
    pub licence: Option<Licence>,
    /// What waits for a second member of staff.
    pub proposal: Option<LicenceProposal>,
    /// Its contracts that have not ended.
    pub contracts: u64,
}

/// What became of granting a licence. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// Nothing is proposed, or something else than was looked at.
    Unknown,
    /// Whoever proposed it cannot grant it.
    Own,
    /// It is granted.
    Done,
}

/// How far a contract is, as the desk knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContractState {
    /// The vault is not known to have it: telling it is tried again.
    Begun,
    /// Bills may come.
    Open,
    /// It is to end: telling the vault is tried again.
    Ending,
    /// No more bills come.
    Ended,
}

/// A contract, as the desk keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractPaper {
    /// Its number: whoever has it sees its bills and pays them.
    pub id: Contract,
    /// Whose.
    pub merchant: AccountId,
    /// Counts the biller's contracts from 1. Given by the store.
    pub number: u64,
    /// The key it was asked for under.
    pub request_key: String,
    /// Of what was asked.
    pub request_digest: Digest32,
    /// What the biller calls it, such as the number of a customer.
    pub reference: Option<Line>,
    /// What it is for, as the payer reads it.
    pub description: Line,
    /// The day it was made.
    pub created: Day,
    /// How far it is.
    pub state: ContractState,
    /// The day it ended.
    pub ended: Option<Day>,
}

/// What became of a contract that was begun. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractBegun {
    /// What became of the request.
    Asked(Begun<ContractPaper>),
    /// The shop has no licence.
    Unlicensed,
    /// It has as many contracts as its licence allows.
    Full,
}

/// What the desk keeps of billers.
pub trait BillerStore {
    /// Proposes a licence, or other terms of one, in the place of an earlier proposal. `false`, and nothing is written, if there is no
    /// such shop.
    ///
    /// # Errors
    /// [`StoreError`]
    fn propose_licence(
        &mut self,
        proposal: &LicenceProposal,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// Grants what was proposed: these terms and no others.
    ///
    /// # Errors
    /// [`StoreError`]
    fn grant_licence(
        &mut self,
        merchant: AccountId,
        terms: LicenceTerms,
        by: StaffId,
        deed: &Deed,
    ) -> Result<Granted, StoreError>;

    /// Declines what was proposed, or takes it back. `false` if nothing is proposed.
    ///
    /// # Errors
    /// [`StoreError`]
    fn decline_licence(&mut self, merchant: AccountId, deed: &Deed) -> Result<bool, StoreError>;

    /// Ends a licence, and with it all contracts of its shop. `false` if there is none, or it has ended.
    ///
    /// # Errors
    /// [`StoreError`]
    fn end_licence(
        &mut self,
        merchant: AccountId,
        today: Day,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// The licence of a shop, if it has one that has not ended.
    ///
    /// # Errors
    /// [`StoreError`]
    fn licence(&mut self, merchant: AccountId) -> Result<Option<Licence>, StoreError>;

    /// A shop as a biller. `None` if there is no such shop.
    ///
    /// # Errors
    /// [`StoreError`]
    fn biller(&mut self, merchant: AccountId) -> Result<Option<Biller>, StoreError>;

    /// Shops with a licence or a proposal by name, so many left out at the beginning; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn billers(&mut self, skip: u64, max: u32) -> Result<Vec<Biller>, StoreError>;

    /// Begins a contract, and numbers it, if the licence has room for it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn begin_contract(&mut self, paper: &ContractPaper) -> Result<ContractBegun, StoreError>;

    /// A contract goes from begun to open, and from either to ending and to ended; no other way.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_contract_state(
        &mut self,
        id: Contract,
        state: ContractState,
        today: Day,
    ) -> Result<(), StoreError>;

    /// A contract.
    ///
    /// # Errors
    /// [`StoreError`]
    fn contract(&mut self, id: Contract) -> Result<Option<ContractPaper>, StoreError>;

    /// The contract that a biller counts so.
    ///
    /// # Errors
    /// [`StoreError`]
    fn contract_of_number(
        &mut self,
        merchant: AccountId,
        number: u64,
    ) -> Result<Option<ContractPaper>, StoreError>;

    /// A biller's contracts, the latest first, from below a number on; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn contracts(
        &mut self,
        merchant: AccountId,
        below: Option<u64>,
        limit: u64,
    ) -> Result<Vec<ContractPaper>, StoreError>;

    /// Contracts of which the vault has to be told something, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn contracts_on_their_way(&mut self, max: u32) -> Result<Vec<ContractPaper>, StoreError>;
}

impl ContractState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Begun, Self::Open, Self::Ending, Self::Ended];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Open => "open",
            Self::Ending => "ending",
            Self::Ended => "ended",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
