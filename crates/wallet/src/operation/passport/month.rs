//! Closes a month: a receipt for each of the passport's slots, and the tick.
//!
//! A receipt is kept since its bill was paid; or nothing was due, and the mint gives one now; or it was given before and lost, and lies
//! where only this wallet finds it. Where there is none, a blank is shown, and the month is late.

use std::collections::VecDeque;

use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Event, Passport, Prover, Receipt};
use tacit_credit::passport::message::Mark;
use tacit_credit::passport::pending::{Pending, Received, ReplyError};
use tacit_credit::passport::standing::{Contract, STREAMS};
use tacit_credit::passport::wire::{self, bill};

use super::{Affairs, PassportError, Phase, Result, Want, kept, taken};
use crate::operation::{Wallet, Yield};
use crate::passport::bills::place;
use crate::passport::kept::{Errand, Kept};
use crate::passport::recovery::{self, holder, seal};
use crate::transport::{Answer, Reading, Request, read};

/// What was asked for on the way to a receipt.
#[derive(Debug)]
pub(super) enum Step {
    /// A blank.
    Blank(Pending),
    /// What the mint says of a contract.
    Contract {
        contract: Contract,
        /// Under which unit.
        path: String,
        /// Where else it may be: the passport knows its number alone.
        others: VecDeque<String>,
    },
    /// A receipt of a month in which nothing was due.
    Quiet { contract: Contract, subject: [u8; 32], pending: Pending },
    /// Receipts that were given before.
    Bucket { contract: Contract, subject: [u8; 32], found: Vec<recovery::Kept> },
}

impl Affairs {
    /// Gathers what a tick takes, and makes the tick.
    pub(super) fn close_month(
        &mut self,
        wallet: Wallet<'_>,
        kept: &Kept,
        held: &Passport,
    ) -> Result<Want> {
        let contracts = held.standing().contracts;
        while let Some(slot) = contracts.get(self.receipts.len()) {
            let at_hand = match slot {
                Some(contract) => receipt_of(kept, held, *contract),
                None => first_receipt(kept, held, &self.receipts),
            };
            match (at_hand, slot) {
                (Some(receipt), _) => self.receipts.push(receipt.clone()),
                (None, Some(contract)) => return self.ask_contract(wallet, kept, *contract),
                (None, None) => return self.ask_blank(wallet, kept, held),
            }
        }
        let month = held.standing().epoch;
        let next = month.next().unwrap_or(month);
        let (shown, received) = self.keys(wallet, kept, held, next)?;
        let holder = holder(wallet.seed);
        let receipts = std::mem::take(&mut self.receipts);
        let receipts: [Receipt; STREAMS] = receipts.try_into().expect("as many as slots");
        let prover = Prover { holder: &holder, shown: &shown, received: &received };
        let event = Event::Tick { receipts: &receipts };
        let pending = prover.update(held, event, &self.dice.draw())?;
        Ok(self.send_later(wallet, kept, Errand::Tick, pending))
    }

    pub(super) fn take_step(
        &mut self,
        wallet: Wallet<'_>,
        step: Step,
        answer: Option<Answer>,
    ) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        let held = kept.held.as_ref().ok_or(PassportError::NoAnswer)?;
        match step {
            Step::Blank(pending) => {
                let reply: wire::Answer = taken(answer)?;
                self.add(kept, &pending, &reply.reply)?;
                self.go_on(wallet)
            }
            Step::Contract { contract, path, others } => match read::<bill::Contract>(answer) {
                Reading::Taken(told) => self.weigh(wallet, kept, held, &told, &path),
                Reading::Unclear => Err(PassportError::NoAnswer),
                Reading::Refused(_) => self.ask_contract_at(wallet, contract, others),
            },
            Step::Quiet { contract, subject, pending } => match read::<wire::Answer>(answer) {
                Reading::Taken(reply) => {
                    self.add(kept, &pending, &reply.reply)?;
                    self.go_on(wallet)
                }
                Reading::Unclear => Err(PassportError::NoAnswer),
                // Perhaps it was given before, and the answer was lost.
                Reading::Refused(_) => Ok(self.ask_receipts(contract, subject, Vec::new(), None)),
            },
            Step::Bucket { contract, subject, mut found } => {
                let page: wire::Bucket = taken(answer)?;
                let answers = page.answers.into_iter();
                found.extend(
                    answers.map(|it| recovery::Kept { reply: it.reply, sealed: it.sealed }),
                );
                if let Some(after) = page.next {
                    return Ok(self.ask_receipts(contract, subject, found, Some(&after)));
                }
                let receipt = recovery::receipt(wallet.seed, &kept.all_keys(), subject, &found)?;
                match receipt.filter(|receipt| fits(receipt, held)) {
                    Some(receipt) => {
                        self.receipts.push(receipt);
                        self.go_on(wallet)
                    }
                    None => self.miss(wallet, contract),
                }
            }
        }
    }

    /// Opens a reply, and takes the receipt for the next slot.
    fn add(&mut self, kept: &Kept, pending: &Pending, reply: &[u8]) -> Result<()> {
        let keys = kept.keys_of(pending.received()).ok_or(PassportError::Expired)?;
        match pending.finish(reply, &keys)? {
            Received::Receipt(receipt) => self.receipts.push(receipt),
            Received::Passport(_) => return Err(ReplyError::Malformed.into()),
        }
        Ok(())
    }

    /// There is no receipt: a blank, and the month is late.
    fn miss(&mut self, wallet: Wallet<'_>, contract: Contract) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        let held = kept.held.as_ref().ok_or(PassportError::NoAnswer)?;
        self.done.missed.push((contract, held.standing().epoch));
        self.ask_blank(wallet, kept, held)
    }

    fn ask_blank(&mut self, wallet: Wallet<'_>, kept: &Kept, held: &Passport) -> Result<Want> {
        let subject = *self.dice.draw().expose();
        let pending = self.receipt(wallet, kept, held, subject, None)?;
        let ask = wire::Ask { request: pending.request().to_vec(), sealed: Vec::new() };
        self.phase = Phase::Closing(Box::new(Step::Blank(pending)));
        Ok(Yield::Send(Request::post(self.mint(), "/v1/passport/blank", &ask)))
    }

    /// A receipt as it is asked for, for the month the passport stands in.
    fn receipt(
        &mut self,
        wallet: Wallet<'_>,
        kept: &Kept,
        held: &Passport,
        subject: [u8; 32],
        contract: Option<Contract>,
    ) -> Result<Pending> {
        let keys = kept.keys_of(held.keys()).ok_or(PassportError::Expired)?;
        let holder = holder(wallet.seed);
        let prover = Prover { holder: &holder, shown: &keys, received: &keys };
        Ok(prover.receipt(held.standing().epoch, subject, contract, &self.dice.draw())?)
    }

    fn ask_contract(
        &mut self,
        wallet: Wallet<'_>,
        kept: &Kept,
        contract: Contract,
    ) -> Result<Want> {
        let info = self.info.as_ref().expect("it was taken");
        let paths = match kept.stream(contract) {
            Some(stream) => VecDeque::from([stream.path.clone()]),
            None => info.paths.values().map(|path| format!("/{path}")).collect(),
        };
        self.ask_contract_at(wallet, contract, paths)
    }

    fn ask_contract_at(
        &mut self,
        wallet: Wallet<'_>,
        contract: Contract,
        mut others: VecDeque<String>,
    ) -> Result<Want> {
        let Some(path) = others.pop_front() else { return self.miss(wallet, contract) };
        let request = Request::get(self.mint(), place(&path, contract));
        self.phase = Phase::Closing(Box::new(Step::Contract { contract, path, others }));
        Ok(Yield::Send(request))
    }

    /// What is to be done about a month of which no receipt is at hand.
    fn weigh(
        &mut self,
        wallet: Wallet<'_>,
        kept: &Kept,
        held: &Passport,
        told: &bill::Contract,
        path: &str,
    ) -> Result<Want> {
        let (contract, month) = (told.contract, held.standing().epoch);
        let Some(told) = told.months.iter().find(|told| told.month == month) else {
            return self.miss(wallet, contract);
        };
        let subject = told.subject;
        if told.quiet.is_some() {
            let pending = self.receipt(wallet, kept, held, subject, Some(contract))?;
            let nonce = self.dice.nonce();
            let sealed = seal(wallet.seed, &pending, nonce);
            let ask = wire::Ask { request: pending.request().to_vec(), sealed };
            let path = format!("{}/{month}/receipt", place(path, contract));
            let request = Request::post(self.mint(), &path, &ask);
            self.phase = Phase::Closing(Box::new(Step::Quiet { contract, subject, pending }));
            return Ok(Yield::Send(request));
        }
        match &told.bill {
            Some(bill) if bill.state.starts_with("paid") => {
                Ok(self.ask_receipts(contract, subject, Vec::new(), None))
            }
            Some(_) | None => self.miss(wallet, contract),
        }
    }

    /// Looks where receipts for this lie.
    fn ask_receipts(
        &mut self,
        contract: Contract,
        subject: [u8; 32],
        found: Vec<recovery::Kept>,
        after: Option<&str>,
    ) -> Want {
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let path = format!("/v1/passport/answers/{}{after}", Mark(subject).bucket());
        self.phase = Phase::Closing(Box::new(Step::Bucket { contract, subject, found }));
        Yield::Send(Request::get(self.mint(), path))
    }
}

/// Whether a passport takes a receipt now.
fn fits(receipt: &Receipt, held: &Passport) -> bool {
    receipt.epoch() == held.standing().epoch && receipt.keys() == held.keys()
}

/// The receipt of a contract for the month the passport stands in.
fn receipt_of<'a>(kept: &'a Kept, held: &Passport, contract: Contract) -> Option<&'a Receipt> {
    let month: Epoch = held.standing().epoch;
    kept.stream(contract)?.receipts.get(&month).filter(|receipt| fits(receipt, held))
}

/// The receipt that a free slot begins with: of a contract that has none, whose bill was paid in time.
fn first_receipt<'a>(kept: &'a Kept, held: &Passport, used: &[Receipt]) -> Option<&'a Receipt> {
    let is_new = |contract: Contract| {
        !held.standing().contracts.contains(&Some(contract))
            && !used.iter().any(|receipt| receipt.facts().contract == Some(contract))
    };
    let new = kept.streams.iter().filter(|stream| is_new(stream.contract));
    let mut receipts = new.filter_map(|stream| receipt_of(kept, held, stream.contract));
    receipts.find(|receipt| receipt.facts().met && !receipt.facts().last)
}
