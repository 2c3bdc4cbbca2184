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
use tacit_service::bank::payout::{give_back, message_id, order_of, settle};
use tacit_service::desk::payout::{Asker, Order, Payout, PayoutState, Whose};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::posting::FactId;
use tokio::runtime::Handle;

use super::{ImportError, Vault};
use crate::cash::fees;
use crate::config::UnitConfig;
use crate::log::{self, Field, Level as LogLevel};
use crate::random;
use crate::state::Shared;

/// Payouts in one order.
const ORDER_MAX: usize = 5000;

/// Payouts asked for at once.
const PAGE: u32 = 100;

/// Days after which nothing is on its way any more that was held when a payout was asked for.
const DAYS_LOOKED_BACK: u64 = 7;

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
    let id = FactId::from_bytes(random()?);
    let state = ask_for(shared, id, Asker::Machine, wanted).await?;
    Ok(Asked { id: id.to_string(), held: state == PayoutState::Held })
}

/// The same under a name, for whoever asks: asked again, it is the same payout. Returns how far it is.
pub(crate) async fn ask_for(
    shared: &Arc<Shared>,
    id: FactId,
    by: Asker,
    wanted: &Wanted,
) -> Result<PayoutState, OrderError> {
    let terms = terms(shared, &wanted.unit)?;
    let account: AccountId = wanted.account.parse().map_err(|_| OrderError::Account)?;
    let payout = Payout {
        id,
        whose: Whose::Account(account),
        by,
        asked: shared.now().day(),
        name: wanted.name.clone(),
        iban: wanted.iban.clone(),
        unit: terms.unit,
        amount: wanted.amount,
        text: wanted.text.clone(),
        state: PayoutState::Asked,
        approvals: 0,
    };
    check(shared, terms, &payout)?;
    // What holders ask for is their own, and stands in their statement; what the machine asks for is a deed.
    let deed = (by == Asker::Machine).then(|| Deed {
        moment: shared.now(),
        staff: None,
        action: Action::PayoutAsked,
        subject: format!("payout {id}"),
        detail: format!("for account {account}"),
    });
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let added = desk.run(move |store| Ok(store.add_payout(&payout, deed.as_ref())?));
    added.await.map_err(|_| ImportError::Desk)?;
    settle_payouts(shared).await?;
    let kept = desk.run(move |store| Ok(store.payout(id)?)).await;
    let kept = kept.map_err(|_| ImportError::Desk)?;
    // Under a name of somebody else's nothing was added.
    let own = kept.filter(|kept| kept.whose == Whose::Account(account));
    own.map(|kept| kept.state).ok_or(OrderError::Account)
}

/// Whether the bank could be asked for a payout.
pub(crate) fn check(
    shared: &Shared,
    terms: &UnitConfig,
    payout: &Payout,
) -> Result<(), OrderError> {
    let today = shared.now();
    let trial = Order { id: payout.id, unit: terms.unit, made: today, execution: today.day() };
    write(shared, terms, &trial, std::slice::from_ref(payout)).map(drop)
}

/// Makes an order of all that may go out, or writes one once more. The same order is the same bytes each time.
pub(crate) async fn order(shared: &Arc<Shared>, which: &Which) -> Result<Ordered, OrderError> {
    match which {
        Which::Again { message_id } => {
            again(shared, order_of(message_id).ok_or(OrderError::NoOrder)?).await
        }
        Which::New { unit, in_days } => {
            let id = FactId::from_bytes(random()?);
            let waiting = make(shared, id, unit, *in_days, None).await?;
            Ok(Ordered { waiting, ..again(shared, id).await? })
        }
    }
}

/// The file of an order that was made.
pub(crate) async fn again(shared: &Arc<Shared>, id: FactId) -> Result<Ordered, OrderError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let kept = desk.run(move |store| Ok(store.order(id)?)).await.map_err(|_| ImportError::Desk)?;
    let (order, payouts) = kept.ok_or(OrderError::NoOrder)?;
    let terms = terms(shared, order.unit.code())?;
    let file = write(shared, terms, &order, &payouts)?;
    Ok(Ordered { message_id: message_id(id), file, payouts: payouts.len() as u64, waiting: 0 })
}

/// Puts payouts into an order of this name, unless there is one; returns how many wait. `by`: who does; `None` is whoever
/// holds the machine.
pub(crate) async fn make(
    shared: &Arc<Shared>,
    id: FactId,
    unit: &str,
    in_days: u64,
    by: Option<StaffId>,
) -> Result<u64, OrderError> {
    let terms = terms(shared, unit)?;
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let kept = desk.run(move |store| Ok(store.order(id)?)).await.map_err(|_| ImportError::Desk)?;
    if kept.is_some() {
        return Ok(0);
    }
    settle_payouts(shared).await?;
    let now = shared.now();
    let execution = Day::from_number(now.day().number().saturating_add(in_days));
    let order = Order { id, unit: terms.unit, made: now, execution };
    let held = held(shared, terms.unit).await?;
    let mut ids = Vec::new();
    for payout in &held {
        let is_open = is_open(shared, payout).await?;
        match write(shared, terms, &order, std::slice::from_ref(payout)) {
            Ok(_) if is_open && ids.len() < ORDER_MAX => ids.push(payout.id),
            Ok(_) | Err(OrderError::Payout(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let alone = terms.payout_alone_max;
    let deed = Deed {
        moment: now,
        staff: by,
        action: Action::PayoutsOrdered,
        subject: message_id(order.id),
        detail: String::new(),
    };
    let ordered = desk.run(move |store| Ok(store.order_payouts(&order, alone, &ids, &deed)?));
    let ordered = ordered.await.map_err(|_| ImportError::Desk)?;
    let waiting = (held.len() as u64).saturating_sub(ordered);
    if ordered == 0 { Err(OrderError::Nothing { waiting }) } else { Ok(waiting) }
}

/// Whether a payout's account may pay out: what goes back to its sender is of none.
pub(crate) async fn is_open(shared: &Shared, payout: &Payout) -> Result<bool, ImportError> {
    let Whose::Account(account) = payout.whose else { return Ok(true) };
    let holder = shared.pool.run(move |reader| reader.holder(account)).await??;
    Ok(holder.is_some_and(|holder| holder.state == HolderState::Open))
}

/// All payouts of a currency whose money is held.
async fn held(shared: &Arc<Shared>, unit: Unit) -> Result<Vec<Payout>, OrderError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let all = desk.run(move |store| {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = store.payouts(PayoutState::Held, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(last.turn());
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
pub(crate) async fn settle_payouts(shared: &Arc<Shared>) -> Result<(), ImportError> {
    let desk = shared.desk.as_ref().ok_or(ImportError::NoDesk)?;
    let own = Arc::clone(shared);
    let settled = desk.run(move |store| {
        let limits = |unit: Unit, level: Level| {
            own.config.units.iter().find(|terms| terms.unit == unit)?.limits_out(level)
        };
        let alone = |unit: Unit| {
            let terms = own.config.units.iter().find(|terms| terms.unit == unit);
            terms.map_or(0, |terms| terms.payout_alone_max)
        };
        let fee = |unit: Unit| fees(&own, unit).payout;
        let mut vault = Vault { shared: &own, runtime: Handle::current() };
        Ok(settle(store, &mut vault, &limits, &alone, &fee, own.now()))
    });
    note_exceptions(settled.await.map_err(|_| ImportError::Desk)??);
    Ok(())
}

/// The same for whoever has written something down already: what cannot be done now is done within a minute.
pub(crate) async fn settle_payouts_by_and_by(shared: &Arc<Shared>) {
    if let Err(error) = settle_payouts(shared).await {
        log::error_chain(LogLevel::Warn, "payouts wait", &error);
    }
}

/// Gives back what a server that was killed has held for payouts that were given up on in the last days.
pub(super) async fn give_back_held(shared: &Arc<Shared>) -> Result<(), ImportError> {
    let Some(desk) = shared.desk.as_ref() else { return Ok(()) };
    let own = Arc::clone(shared);
    let given = desk.run(move |store| {
        let now = own.now();
        let from = Day::from_number(now.day().number().saturating_sub(DAYS_LOOKED_BACK));
        let mut vault = Vault { shared: &own, runtime: Handle::current() };
        Ok(give_back(store, &mut vault, from, now))
    });
    let (given, exceptions) = given.await.map_err(|_| ImportError::Desk)??;
    if given > 0 {
        let event = "what was held for payouts that were given up on is given back";
        log::write(LogLevel::Warn, event, &[(Field::Count, &given)]);
    }
    note_exceptions(exceptions);
    Ok(())
}

fn note_exceptions(count: u64) {
    if count > 0 {
        let event = "payouts wait for a person: see Exceptions on the console";
        log::write(LogLevel::Warn, event, &[(Field::Count, &count)]);
    }
}

pub(crate) fn terms<'a>(shared: &'a Shared, unit: &str) -> Result<&'a UnitConfig, OrderError> {
    let terms = shared.config.units.iter().find(|terms| terms.unit.code() == unit);
    terms.ok_or(OrderError::Unit)
}

fn random() -> Result<[u8; 16], OrderError> {
    random::bytes().map_err(|_| OrderError::Random)
}
