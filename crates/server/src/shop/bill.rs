//! What a biller does: contracts are made and ended, bills come and are taken back.
//!
//! A contract is written down at the desk first and then told to the vault, like an order. Bills stand in the vault alone: each is
//! named by its contract and month, so that the same asked again is the same bill.

use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_service::bill::{Bill, BillContract, BillError, BillState, Stream, WrongBill};
use tacit_service::desk::biller::{ContractBegun, ContractPaper, ContractState};
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::paper::{Begun, Line};
use tacit_service::vault::{Change, Outcome};

use super::order::digest;
use super::refusal::ShopRefusal;
use super::request::mint_url;
use super::{merchant, money, not_committed, refused};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::text::{ENGLISH, fill};

/// Bills that are taken at once, at most.
pub(crate) const BILLS_MAX: usize = 500;

/// A contract as a biller wants it.
#[derive(Clone, Debug)]
pub(crate) struct NewContract {
    pub(crate) description: Line,
    pub(crate) reference: Option<Line>,
}

/// A bill as a biller wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewBill {
    pub(crate) contract: Contract,
    pub(crate) amount: u64,
    pub(crate) due: Day,
    pub(crate) is_last: bool,
}

/// Makes a contract, or finds the one that was made under the same key.
///
/// # Errors
/// [`ShopRefusal::RequestKeyReused`], [`ShopRefusal::Unlicensed`], [`ShopRefusal::ContractsFull`], and those of both databases.
pub(crate) async fn open(
    desk: &Desk,
    merchant: &Merchant,
    request_key: &str,
    asked: NewContract,
) -> Result<ContractPaper, Refusal> {
    let request_digest =
        digest(&(asked.description.as_str(), asked.reference.as_ref().map(Line::as_str)));
    let paper = ContractPaper {
        id: merchant.naming.contract(request_key),
        merchant: merchant.account,
        number: 0,
        request_key: request_key.to_owned(),
        request_digest,
        reference: asked.reference,
        description: asked.description,
        created: desk.now().day(),
        state: ContractState::Begun,
        ended: None,
    };
    let begun = desk.run(move |store| Ok(store.begin_contract(&paper)?)).await?;
    let paper = match begun {
        ContractBegun::Asked(Begun::New(paper) | Begun::Same(paper)) => paper,
        ContractBegun::Asked(Begun::Other) => return Err(ShopRefusal::RequestKeyReused.into()),
        ContractBegun::Unlicensed => return Err(ShopRefusal::Unlicensed.into()),
        ContractBegun::Full => return Err(ShopRefusal::ContractsFull.into()),
    };
    bring(desk, merchant, paper).await
}

/// Ends a contract. Ended already, it is answered alike.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn end(
    desk: &Desk,
    merchant: &Merchant,
    paper: ContractPaper,
) -> Result<ContractPaper, Refusal> {
    let paper = put_down(desk, paper, ContractState::Ending).await?;
    bring(desk, merchant, paper).await
}

/// Tells the vault of a contract what it is not known to have heard.
pub(super) async fn bring(
    desk: &Desk,
    merchant: &Merchant,
    paper: ContractPaper,
) -> Result<ContractPaper, Refusal> {
    let state = match paper.state {
        ContractState::Begun => ContractState::Open,
        ContractState::Ending => ContractState::Ended,
        ContractState::Open | ContractState::Ended => return Ok(paper),
    };
    merchant::open_account(desk, merchant).await?;
    let (id, holder) = (paper.id, merchant.account);
    // When it begins, the vault says; told before, it is as it was.
    let begun = Epoch::of(desk.now());
    let contract = BillContract { id, holder, unit: merchant.unit, begun, ended: None };
    commit(desk, Change::OpenContract(contract)).await?;
    if state == ContractState::Ended {
        commit(desk, Change::EndContract { contract: id, holder }).await?;
    }
    put_down(desk, paper, state).await
}

async fn commit(desk: &Desk, change: Change) -> Result<Outcome, Refusal> {
    Ok(desk.shared.writer.commit(change).await.map_err(not_committed)?.outcome)
}

async fn put_down(
    desk: &Desk,
    paper: ContractPaper,
    state: ContractState,
) -> Result<ContractPaper, Refusal> {
    let today = desk.now().day();
    desk.run(move |store| {
        store.set_contract_state(paper.id, state, today)?;
        Ok(store.contract(paper.id)?.unwrap_or(paper))
    })
    .await
}

/// Takes up contracts that a crash left between desk and vault, and those whose licence was ended.
///
/// # Errors
/// Those of both databases.
pub(super) async fn take_up(desk: &Desk, max: u32) -> Result<(), Refusal> {
    let waiting = desk.run(move |store| {
        let mut waiting = Vec::new();
        for paper in store.contracts_on_their_way(max)? {
            waiting.extend(store.merchant(paper.merchant)?.map(|merchant| (merchant, paper)));
        }
        Ok(waiting)
    });
    for (merchant, paper) in waiting.await? {
        bring(desk, &merchant, paper).await?;
    }
    Ok(())
}

/// Bills of a biller, all of them or none; within, which are wrong. The same again changes nothing.
///
/// # Errors
/// [`ShopRefusal::Unlicensed`], and those of both databases.
pub(crate) async fn bill(
    desk: &Desk,
    merchant: &Merchant,
    asked: &[NewBill],
) -> Result<Result<(), Vec<WrongBill>>, Refusal> {
    let holder = merchant.account;
    let licence = desk.run(move |store| Ok(store.licence(holder)?)).await?;
    let floor = licence.ok_or(ShopRefusal::Unlicensed)?.terms.floor;
    let new = |bill: &NewBill| Bill {
        contract: bill.contract,
        amount: bill.amount,
        due: bill.due,
        is_last: bill.is_last,
        state: BillState::Open,
    };
    let bills = asked.iter().map(new).collect();
    let outcome = commit(desk, Change::OpenBills { holder, floor, bills }).await?;
    let Outcome::Billed(billed) = outcome else { unreachable!("they were bills") };
    if let Err(wrong) = billed {
        return Ok(Err(wrong));
    }
    // The vault has ended these contracts. If the desk does not hear of it now, it does when somebody looks.
    for last in asked.iter().filter(|bill| bill.is_last) {
        let (id, today) = (last.contract, desk.now().day());
        let ended = ContractState::Ended;
        desk.run(move |store| Ok(store.set_contract_state(id, ended, today)?)).await?;
    }
    Ok(Ok(()))
}

/// Takes a bill back that is not paid. Taken back already, it is answered alike.
///
/// # Errors
/// [`Refusal::NotFound`], [`ShopRefusal::BillPaid`], and those of the vault.
pub(crate) async fn withdraw(
    desk: &Desk,
    merchant: &Merchant,
    contract: Contract,
    month: Epoch,
) -> Result<(), Refusal> {
    let holder = merchant.account;
    let outcome = commit(desk, Change::WithdrawBill { contract, holder, month }).await?;
    if outcome == Outcome::Applied(true) {
        return Ok(());
    }
    let stream = stream(desk, contract).await?;
    let stream = stream.filter(|stream| stream.contract.holder == holder);
    let bill = stream.and_then(|stream| stream.bills.get(&month).copied());
    match bill.ok_or(Refusal::NotFound)?.state {
        BillState::Withdrawn => Ok(()),
        BillState::Open | BillState::InTime | BillState::Late => Err(ShopRefusal::BillPaid.into()),
    }
}

/// A contract with its bills, as the vault has it.
///
/// # Errors
/// Those of the vault.
pub(crate) async fn stream(desk: &Desk, contract: Contract) -> Result<Option<Stream>, Refusal> {
    desk.shared.ask(move |reader| Ok(reader.stream(contract)?)).await.map_err(refused)
}

/// What a payer's wallet takes a contract on with: where its bills are.
///
/// # Errors
/// [`Refusal::Internal`] if the mint has no such unit any more.
pub(crate) fn code(desk: &Desk, unit: Unit, contract: Contract) -> Result<String, Refusal> {
    let mint = mint_url(&desk.shared, unit).ok_or(Refusal::Internal)?;
    Ok(format!("{mint}/v1/contracts/{}", String::from(contract)))
}

/// Why a bill is not taken, as its biller reads it.
pub(crate) fn why(error: BillError, unit: Unit) -> String {
    let text = &ENGLISH.biller;
    let said = match error {
        BillError::UnknownContract => text.bill_contract,
        BillError::BadAmount => text.bill_amount,
        BillError::BelowFloor { floor } => {
            return fill(text.bill_floor, "floor", money(floor, unit));
        }
        BillError::Another => text.bill_another,
        BillError::TooSoon => text.bill_soon,
        BillError::TooFar => text.bill_far,
        BillError::Ended => text.bill_ended,
        BillError::NotLast => text.bill_not_last,
        BillError::Closed => text.bill_closed,
    };
    said.to_owned()
}
