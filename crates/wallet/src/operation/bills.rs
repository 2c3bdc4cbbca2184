//! Bill streams: takes a contract on, and pays a bill with a receipt for the passport.
//!
//! A payment goes the way of any other ([`super::pay`]): a token that is in the state before it is sent, and is sent until the mint
//! answers. The request for the receipt goes with it, and the mint answers both or neither. Whatever is lost, the same bytes get the
//! same receipt; and if the wallet itself is lost, the receipt is found when the month is closed.

use tacit_core::amount::{Amount, AmountError};
use tacit_core::secret::Secret;
use tacit_core::unit::{Unit, UnitError};
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Passport, PrepareError, Prover};
use tacit_credit::passport::standing::Contract;
use tacit_credit::passport::wire::bill;

use super::dice::Dice;
use super::pay::{Deliver, DeliverError, on_its_way};
use super::send::{Order, Send, SendError};
use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::mint::MintUrl;
use crate::passport::bills::{AHEAD, Asked, Link, Stream, stays};
use crate::passport::kept::Kept;
use crate::passport::recovery::{holder, seal};
use crate::state::Delivery;
use crate::transport::{Answer, PayeeUrl, PayeeUrlError, Reading, Refusal, Request, read};

/// Why a contract was not taken on, or a bill not paid. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// There is no passport of this operator for bills to count in.
    #[error("this wallet has no passport with {desk}")]
    NoPassport {
        /// The operator's desk.
        desk: MintUrl,
    },
    /// It is taken on.
    #[error("this contract is taken on already")]
    Twice,
    /// It is not taken on.
    #[error("this contract is not taken on")]
    NotTaken,
    /// The passport counts it until its biller ends it.
    #[error("the passport counts this contract until its biller ends it")]
    Counted,
    /// The mint could not be reached, or answered something else.
    #[error("the mint did not answer")]
    NoAnswer,
    /// The operator of the passport does not know the contract: it is another's, or has been closed for long.
    #[error("the operator of this passport does not know the contract: {refusal}")]
    Unknown {
        /// What it says.
        refusal: Refusal,
    },
    /// The unit is none this wallet knows.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// Nothing is to be paid for this month.
    #[error("no bill of {month} is to be paid")]
    NothingDue {
        /// Which month.
        month: Epoch,
    },
    /// More than any wallet counts.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// It is another bill than was agreed to.
    #[error("the bill is now for {amount}")]
    Changed {
        /// What it is for.
        amount: Amount,
    },
    /// A receipt of this month cannot be had yet.
    #[error("a bill of {month} counts if it is paid from {from} on")]
    TooEarly {
        /// Which month.
        month: Epoch,
        /// In which month it can be paid.
        from: Epoch,
    },
    /// The address to pay at is none.
    #[error(transparent)]
    Url(#[from] PayeeUrlError),
    /// The receipt could not be asked for.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// There is no token.
    #[error(transparent)]
    Send(#[from] SendError),
    /// There is a token, and it is not known to have arrived.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}

type Result<T> = std::result::Result<T, BillError>;

/// Takes a contract on: from now on its bills count.
#[derive(Debug)]
pub struct TakeOn {
    desk: MintUrl,
    link: Link,
    phase: Taking,
}

#[derive(Debug)]
enum Taking {
    Begin,
    Asked,
    Persisting,
}

impl TakeOn {
    /// Into the passport of this desk.
    pub const fn new(desk: MintUrl, link: Link) -> Self {
        Self { desk, link, phase: Taking::Begin }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Yield<Result<Contract>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Result<Yield<Result<Contract>>> {
        let (kept, _) = passport(wallet, &self.desk)?;
        let Link { mint, contract } = self.link.clone();
        let path = self.link.path().unwrap_or_default();
        match self.phase {
            Taking::Begin if kept.stream(contract).is_some() => Err(BillError::Twice),
            Taking::Begin => {
                self.phase = Taking::Asked;
                // At the passport's own desk: a contract of another operator could not be paid with a receipt.
                let place = crate::passport::bills::place(&path, contract);
                Ok(Yield::Send(Request::get(&kept.mint, place)))
            }
            Taking::Asked => {
                let told = contract_of(answer)?;
                let (biller, description) = (told.biller, told.description);
                let unit = Unit::new(&told.unit)?;
                let receipts = std::collections::BTreeMap::new();
                let stream = Stream { contract, path, mint, unit, biller, description, receipts };
                let mut next = kept.next();
                next.streams.push(stream);
                self.phase = Taking::Persisting;
                Ok(Yield::Persist(keep(&self.desk, next)))
            }
            Taking::Persisting => Ok(Yield::Done(Ok(contract))),
        }
    }
}

/// Forgets a contract that no slot of the passport holds: its bills do not count any more.
///
/// # Errors
/// [`BillError::NoPassport`], [`BillError::NotTaken`], [`BillError::Counted`].
pub fn give_up(state: &crate::state::State, desk: &MintUrl, contract: Contract) -> Result<Batch> {
    let none = || BillError::NoPassport { desk: desk.clone() };
    let kept = state.passports.get(desk).ok_or_else(none)?;
    kept.stream(contract).ok_or(BillError::NotTaken)?;
    let held = kept.held.as_ref().map(Passport::standing);
    if held.is_some_and(|standing| standing.contracts.contains(&Some(contract))) {
        return Err(BillError::Counted);
    }
    let mut next = kept.next();
    next.streams.retain(|stream| stream.contract != contract);
    Ok(keep(desk, next))
}

/// A bill that the person agreed to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The operator's desk: into whose passport it counts.
    pub desk: MintUrl,
    /// Of which contract, which was taken on.
    pub contract: Contract,
    /// Due in which month.
    pub month: Epoch,
    /// How much, in minor units.
    pub amount: u64,
    /// With whose e-cash: the mint that the contract is of, by the address under which the wallet deals with it.
    pub mint: MintUrl,
}

/// Pays a bill, with a receipt as long as the month is not closed.
#[derive(Debug)]
pub struct PayBill {
    bill: Agreed,
    dice: Dice,
    phase: Paying,
}

#[derive(Debug)]
enum Paying {
    Begin,
    Asked,
    Sending(Box<Send>),
    Delivering(Deliver),
}

impl PayBill {
    /// `random`: 32 bytes that nothing else is made of.
    pub const fn new(bill: Agreed, random: Secret<[u8; 32]>) -> Self {
        Self { bill, dice: Dice::new(random), phase: Paying::Begin }
    }

    /// Moves on; see [`crate::operation`]. The receipt is kept with the contract.
    pub fn step(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Yield<Result<()>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Result<Yield<Result<()>>> {
        match &mut self.phase {
            Paying::Begin => {
                let (kept, _) = passport(wallet, &self.bill.desk)?;
                let stream = kept.stream(self.bill.contract).ok_or(BillError::NotTaken)?;
                if let Some(token) = on_its_way(wallet.state, &self.delivery(kept, stream)?) {
                    // It was paid before; whether the mint has it is not known.
                    self.phase = Paying::Delivering(Deliver::new(token));
                    return self.advance(wallet, None);
                }
                self.phase = Paying::Asked;
                Ok(Yield::Send(Request::get(&kept.mint, stream.place())))
            }
            Paying::Asked => {
                let order = self.order(wallet, contract_of(answer)?)?;
                self.phase = Paying::Sending(Box::new(Send::new(order)));
                self.advance(wallet, None)
            }
            Paying::Sending(send) => match send.step(wallet, answer) {
                Yield::Persist(batch) => Ok(Yield::Persist(batch)),
                Yield::Send(request) => Ok(Yield::Send(request)),
                Yield::Done(sent) => {
                    self.phase = Paying::Delivering(Deliver::new(sent?.id));
                    self.advance(wallet, None)
                }
            },
            Paying::Delivering(deliver) => {
                Ok(deliver.step(wallet, answer).map(|it| it.map_err(Into::into)))
            }
        }
    }

    fn delivery(&self, kept: &Kept, stream: &Stream) -> Result<Delivery> {
        let url = format!("{}{}/{}/pay", kept.mint, stream.place(), self.bill.month);
        let url = PayeeUrl::try_from(url)?;
        Ok(Delivery { id: None, url, is_done: false, receipt: None })
    }

    /// What pays the bill, if it is still the one that was agreed to.
    fn order(&mut self, wallet: Wallet<'_>, told: bill::Contract) -> Result<Order> {
        let Agreed { desk, contract, month, amount, mint } = self.bill.clone();
        let (kept, held) = passport(wallet, &desk)?;
        let stream = kept.stream(contract).ok_or(BillError::NotTaken)?;
        let found = told.months.into_iter().find(|told| told.month == month);
        let subject = found.as_ref().map(|told| told.subject);
        let bill = found.and_then(|told| told.bill).filter(|bill| bill.state == "open");
        let (subject, bill) = subject.zip(bill).ok_or(BillError::NothingDue { month })?;
        let due = Amount::new(bill.amount, stream.unit)?;
        if bill.amount != amount {
            return Err(BillError::Changed { amount: due });
        }
        let mut delivery = self.delivery(kept, stream)?;
        if held.standing().epoch <= month {
            delivery.receipt = Some(Box::new(self.ask(wallet, kept, held, subject)?));
        }
        let named = [stream.biller.as_deref(), stream.description.as_deref()];
        let named: Vec<&str> = named.into_iter().flatten().collect();
        Ok(Order {
            mint,
            amount: due,
            is_fee_added: true,
            memo: Some(format!("{} ({month})", named.join(": "))),
            lock: None,
            delivery: Some(delivery),
        })
    }

    /// A receipt as it is asked for: under the keys that the passport will be under in that month.
    fn ask(
        &mut self,
        wallet: Wallet<'_>,
        kept: &Kept,
        held: &Passport,
        subject: [u8; 32],
    ) -> Result<Asked> {
        let Agreed { desk, contract, month, .. } = self.bill.clone();
        let now = held.standing().epoch;
        if AHEAD < month.since(now) {
            let from = Epoch::new(month.number() - AHEAD).unwrap_or(now);
            return Err(BillError::TooEarly { month, from });
        }
        let next = now.next().unwrap_or(now);
        let keys = match month == now || stays(wallet.state, &desk, kept, held, next) {
            true => kept.keys_of(held.keys()),
            false => kept.newest(),
        };
        let keys = keys.ok_or(PrepareError::Keys)?;
        let holder = holder(wallet.seed);
        let prover = Prover { holder: &holder, shown: &keys, received: &keys };
        let pending = prover.receipt(month, subject, Some(contract), &self.dice.draw())?;
        let sealed = seal(wallet.seed, &pending, self.dice.nonce());
        Ok(Asked { desk, contract, month, pending, sealed })
    }
}

fn passport<'a>(wallet: Wallet<'a>, desk: &MintUrl) -> Result<(&'a Kept, &'a Passport)> {
    let kept = wallet.state.passports.get(desk);
    let found = kept.and_then(|kept| Some((kept, kept.held.as_ref()?)));
    found.ok_or_else(|| BillError::NoPassport { desk: desk.clone() })
}

fn contract_of(answer: Option<Answer>) -> Result<bill::Contract> {
    match read(answer) {
        Reading::Taken(told) => Ok(told),
        Reading::Refused(refusal) => Err(BillError::Unknown { refusal }),
        Reading::Unclear => Err(BillError::NoAnswer),
    }
}

fn keep(desk: &MintUrl, kept: Kept) -> Batch {
    Batch { changes: vec![Change::SetPassport { desk: desk.clone(), kept: Box::new(kept) }] }
}
