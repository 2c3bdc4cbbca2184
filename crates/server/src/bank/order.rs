//! What the bank is asked to pay: payouts of accounts, and the order files in which they go out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tacit_bank::iban::{BankAccount, Iban};
use tacit_bank::payout::{self as file, PayoutFile};
use tacit_core::amount::Amount;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, HolderState, Level};
use tacit_service::bank::end_to_end_id;
use tacit_service::bank::payout::{message_id, order_of, settle};
use tacit_service::desk::payout::{Order, Payout, PayoutState};
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::posting::FactId;
use tokio::runtime::Handle;

use super::{ImportError, Vault};
use crate::config::UnitConfig;
use crate::random;
use crate::state::Shared;

/// Payouts in one order.
const ORDER_MAX: usize = 5000;

/// Payouts asked for at once.
const PAGE: u32 = 100;

/// Money of an account that is to go to a bank account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Number of the account.
    pub account: String,
    /// Who is paid.
    pub name: String,
    /// Where.
    pub iban: String,
    /// Currency.
    pub unit: String,
    /// In minor units.
    pub amount: u64,
    /// What the payee reads.
    pub text: String,
}

/// A payout that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Its name.
    pub id: String,
    /// Whether the money is held for it; if not, there was not enough, or it is above a limit.
    pub held: bool,
}

/// Which order is to be made, or written once more.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Which {
    /// Of all payouts of this currency that may go out.
    New {
        /// Currency.
        unit: String,
        /// How many days from today.
        in_days: u64,
    },
    /// The one of this message id.
    Again {
        /// As [`message_id`].
        message_id: String,
    },
}

/// An order to the bank.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ordered {
    /// `MsgId` of the file.
    pub message_id: String,
    /// The file, pain.001.001.09.
    pub file: String,
    /// Payouts in it.
    pub payouts: u64,
    /// Payouts that wait: for approval, for an account to be thawed, or since they cannot be written.
    pub waiting: u64,
}

/// Why there is no payout or order. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    /// Not a unit of this mint.
    #[error("no such unit is served")]
    Unit,
    /// Nobody to pay for.
    #[error("bank.name is not set")]
    NoName,
    /// No account to pay from.
    #[error("the unit has no bank_account that is an IBAN")]
    NoAccount,
    /// Not an account number.
    #[error("no such account")]
    Account,
    /// Not an IBAN.
    #[error("the payee's account number is no IBAN")]
    Iban,
    /// Nothing the bank could be asked for.
    #[error("the payout cannot be written")]
    Payout(#[source] file::PayoutError),
    /// No order has this message id.
    #[error("there is no such order")]
    NoOrder,
    /// Nothing may go out.
    #[error("no payout may go out; {waiting} wait")]
    Nothing {
        /// For approval, or an account to be thawed.
        waiting: u64,
    },
    /// The system gave no random numbers.
    #[error("no random numbers")]
    Random,
    /// Desk or vault.
    #[error(transparent)]
    Store(#[from] ImportError),
}

/// Writes a payout down and holds its money.
pub(crate) async fn ask(shared: &Arc<Shared>, wanted: &Wanted) -> Result<Asked, OrderError> {
    let terms = terms(shared, &wanted.unit)?;
    let id = FactId::from_bytes(random()?);
    let account: AccountId = wanted.account.parse().map_err(|_| OrderError::Account)?;
    let payout = Payout {
        id,
        account,
        name: wanted.name.clone(),
        iban: wanted.iban.clone(),
        unit: terms.unit,
        amount: wanted.amount,
        text: wanted.text.clone(),
        state: PayoutState::Asked,
        approvals: 0,
    };
    let trial = Order { id, unit: terms.unit, made: shared.now(), execution: shared.now().day() };
    write(shared, terms, &trial, std::slice::from_ref(&payout))?;
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    desk.run(move |store| Ok(store.add_payout(&payout)?)).await.map_err(|_| ImportError::Desk)?;
    settle_payouts(shared).await?;
    let kept = desk.run(move |store| Ok(store.payout(id)?)).await;
    let kept = kept.map_err(|_| ImportError::Desk)?;
    let held = kept.is_some_and(|payout| payout.state == PayoutState::Held);
    Ok(Asked { id: id.to_string(), held })
}

/// Makes an order of all that may go out, or writes one once more. The same order is the same bytes each time.
pub(crate) async fn order(shared: &Arc<Shared>, which: &Which) -> Result<Ordered, OrderError> {
    let (id, waiting) = match which {
        Which::Again { message_id } => (order_of(message_id).ok_or(OrderError::NoOrder)?, 0),
        Which::New { unit, in_days } => {
            let today = shared.now().day().number();
            let execution = Day::from_number(today.saturating_add(*in_days));
            make(shared, terms(shared, unit)?, execution).await?
        }
    };
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let kept = desk.run(move |store| Ok(store.order(id)?)).await.map_err(|_| ImportError::Desk)?;
    let (order, payouts) = kept.ok_or(OrderError::NoOrder)?;
    let terms = terms(shared, order.unit.code())?;
    let file = write(shared, terms, &order, &payouts)?;
    Ok(Ordered { message_id: message_id(id), file, payouts: payouts.len() as u64, waiting })
}

/// Puts payouts into a new order; returns its name, and how many wait.
async fn make(
    shared: &Arc<Shared>,
    terms: &UnitConfig,
    execution: Day,
) -> Result<(FactId, u64), OrderError> {
    settle_payouts(shared).await?;
    let now = shared.now();
    let order = Order { id: FactId::from_bytes(random()?), unit: terms.unit, made: now, execution };
    let held = held(shared, terms.unit).await?;
    let mut ids = Vec::new();
    for payout in &held {
        let account = payout.account;
        let holder = shared.pool.run(move |reader| reader.holder(account)).await;
        let holder = holder.map_err(ImportError::from)?.map_err(ImportError::from)?;
        let is_open = holder.is_some_and(|holder| holder.state == HolderState::Open);
        match write(shared, terms, &order, std::slice::from_ref(payout)) {
            Ok(_) if is_open && ids.len() < ORDER_MAX => ids.push(payout.id),
            Ok(_) | Err(OrderError::Payout(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let alone = terms.payout_alone_max;
    let deed = Deed {
        moment: now,
        staff: None,
        action: Action::PayoutsOrdered,
        subject: message_id(order.id),
        detail: String::new(),
    };
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let ordered = desk.run(move |store| Ok(store.order_payouts(&order, alone, &ids, &deed)?));
    let ordered = ordered.await.map_err(|_| ImportError::Desk)?;
    let waiting = (held.len() as u64).saturating_sub(ordered);
    if ordered == 0 { Err(OrderError::Nothing { waiting }) } else { Ok((order.id, waiting)) }
}

/// All payouts of a currency whose money is held.
async fn held(shared: &Arc<Shared>, unit: Unit) -> Result<Vec<Payout>, OrderError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let all = desk.run(move |store| {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = store.payouts(PayoutState::Held, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(last.id);
            all.extend(page.into_iter().filter(|payout| payout.unit == unit));
        }
    });
    Ok(all.await.map_err(|_| ImportError::Desk)?)
}

/// The file of an order.
fn write(
    shared: &Shared,
    terms: &UnitConfig,
    order: &Order,
    payouts: &[Payout],
) -> Result<String, OrderError> {
    let debtor_name = shared.config.bank_name.clone().ok_or(OrderError::NoName)?;
    let account = terms.bank.as_ref().map(|bank| &bank.account);
    let Some(BankAccount::Iban(debtor)) = account else { return Err(OrderError::NoAccount) };
    let one = |payout: &Payout| -> Result<file::Payout, OrderError> {
        let creditor: Iban = payout.iban.parse().map_err(|_| OrderError::Iban)?;
        let too_large = |_| OrderError::Payout(file::PayoutError::Amount { index: 0 });
        Ok(file::Payout {
            end_to_end_id: end_to_end_id(payout.id),
            creditor_name: payout.name.clone(),
            creditor,
            amount: Amount::new(payout.amount, payout.unit).map_err(too_large)?,
            remittance: payout.text.clone(),
        })
    };
    let file = PayoutFile {
        message_id: message_id(order.id),
        created: order.made,
        execution: order.execution,
        debtor_name,
        debtor: debtor.clone(),
        debtor_bank: None,
        payouts: payouts.iter().map(one).collect::<Result<_, _>>()?,
    };
    file::write(&file).map_err(OrderError::Payout)
}

/// Holds what was asked for, and gives back what was rejected.
pub(super) async fn settle_payouts(shared: &Arc<Shared>) -> Result<(), ImportError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let own = Arc::clone(shared);
    let settled = desk.run(move |store| {
        let limits = |unit: Unit, level: Level| {
            own.config.units.iter().find(|terms| terms.unit == unit)?.limits_out(level)
        };
        let mut vault = Vault { shared: &own, runtime: Handle::current() };
        Ok(settle(store, &mut vault, &limits))
    });
    settled.await.map_err(|_| ImportError::Desk)?
}

fn terms<'a>(shared: &'a Shared, unit: &str) -> Result<&'a UnitConfig, OrderError> {
    let terms = shared.config.units.iter().find(|terms| terms.unit.code() == unit);
    terms.ok_or(OrderError::Unit)
}

fn random() -> Result<[u8; 16], OrderError> {
    random::bytes().map_err(|_| OrderError::Random)
}
