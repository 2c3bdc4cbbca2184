//! The rules of accounts: who may move what, once.

use tacit_core::amount::Amount;
use tacit_core::unit::Unit;

use super::{Decision, up_to_hour};
use crate::account::{AccountId, Direction, Holder, HolderState, Level, Limits, Usage};
use crate::ledger::{Account, Transfer, TransferId, TransferKind};
use crate::melt::{MeltError, PreparedMelt};
use crate::order::{Order, OrderState};
use crate::posting::{self, Assignee, EntryId, FactId, PostError, Posted, Posting, Source};
use crate::quote::{MeltQuote, MeltQuoteState, MintQuote, MintQuoteState, QuoteId};

/// One side of a posting that is an account of somebody's.
#[derive(Clone, Copy)]
pub(super) struct Side {
    pub(super) holder: AccountId,
    pub(super) unit: Unit,
}

impl Side {
    fn account(self) -> Account {
        Account::Holder(self.unit, self.holder)
    }
}

impl Decision {
    pub(super) fn open_holder(&mut self, holder: &Holder) -> bool {
        let is_new = !self.facts.holders.contains_key(&holder.id);
        if is_new {
            self.put_holder(holder.clone());
        }
        is_new
    }

    pub(super) fn set_level(&mut self, id: AccountId, level: Level) -> bool {
        let Some(holder) = self.facts.holders.get(&id) else { return false };
        let changes = holder.level != level && holder.state != HolderState::Closed;
        if changes {
            self.put_holder(Holder { level, ..holder.clone() });
        }
        changes
    }

    pub(super) fn set_holder_state(
        &mut self,
        id: AccountId,
        state: HolderState,
        units: &[Unit],
    ) -> bool {
        let Some(holder) = self.facts.holders.get(&id) else { return false };
        let is_empty = units.iter().all(|unit| {
            let purse = self.facts.purses.get(&(id, *unit)).copied().unwrap_or_default();
            purse.balance.credits == purse.balance.debits
        });
        let may = holder.state != HolderState::Closed && (state != HolderState::Closed || is_empty);
        let changes = may && holder.state != state;
        if changes {
            self.put_holder(Holder { state, ..holder.clone() });
        }
        changes
    }

    /// Freezes every account that is open, until somebody has looked at it, and cancels every order that is.
    pub(super) fn put_accounts_aside(&mut self) {
        let open = |holder: &&Holder| holder.state == HolderState::Open;
        let holders: Vec<Holder> = self.facts.holders.values().filter(open).cloned().collect();
        for holder in holders {
            self.put_holder(Holder { state: HolderState::Frozen, ..holder });
        }
        let open = |order: &&Order| order.state == OrderState::Open;
        let orders: Vec<Order> = self.facts.orders.values().filter(open).cloned().collect();
        for order in orders {
            self.cancel_order(order.id);
        }
        self.withdraw_bills();
    }

    pub(super) fn post_for_holders(&mut self, posting: &Posting) -> Result<Posted, PostError> {
        match posting {
            Posting::Arrived { entry, unit, amount } => {
                self.book(*entry, *amount, Account::Settlement(*unit), Account::Suspense(*unit))
            }
            Posting::Departed { entry, unit, amount } => {
                self.book(*entry, *amount, Account::Suspense(*unit), Account::Settlement(*unit))
            }
            Posting::Assign { entry, unit, to } => self.assign(*entry, *unit, *to),
            Posting::Reverse { entry, unit, holder } => self.reverse(*entry, *unit, *holder),
            Posting::Approve { holder, quote, unit } => {
                self.approve(Side { holder: *holder, unit: *unit }, *quote)
            }
            Posting::Hold { hold, holder, unit, amount, fee, limits } => {
                let side = Side { holder: *holder, unit: *unit };
                self.hold_for(side, *hold, *amount, *fee, *limits)
            }
            Posting::Release { hold, holder, unit } => {
                self.release(Side { holder: *holder, unit: *unit }, *hold)
            }
            Posting::HandOver { hold, from, to, unit } => {
                let [from, to] = [*from, *to].map(|holder| Side { holder, unit: *unit });
                self.hand_over(from, to, *hold)
            }
            Posting::Move { fact, from, to, unit, amount, fee, limits } => {
                let [from, to] = [*from, *to].map(|holder| Side { holder, unit: *unit });
                self.move_between(*fact, (from, to), (*amount, *fee), *limits)
            }
            Posting::Charge { fact, holder, unit, amount } => {
                self.charge(Side { holder: *holder, unit: *unit }, *fact, *amount)
            }
        }
    }

    fn book(
        &mut self,
        entry: EntryId,
        amount: u64,
        debit: Account,
        credit: Account,
    ) -> Result<Posted, PostError> {
        let transfer = self.transfer(posting::booked(entry), TransferKind::Booked, debit, credit);
        self.put_once(Transfer { amount, ..transfer })
    }

    /// Says what a booking was for. Its amount is that of the booking.
    fn assign(&mut self, entry: EntryId, unit: Unit, to: Assignee) -> Result<Posted, PostError> {
        let booked = self.posted(posting::booked(entry)).ok_or(PostError::Missing)?.clone();
        let (amount, came) = (booked.amount, matches!(booked.credit, Account::Suspense(_)));
        if booked.credit.unit() != unit {
            return Err(PostError::Missing);
        }
        let suspense = Account::Suspense(unit);
        let (debit, credit) = match to {
            Assignee::Holder { holder, .. } => (suspense, Account::Holder(unit, holder)),
            Assignee::Quote(_) => (suspense, Account::Unissued(unit)),
            Assignee::Returned { .. } => (suspense, Account::Clearing(unit)),
            Assignee::OwnMoney => (suspense, Account::Own(unit)),
            Assignee::SendBack => (suspense, Account::Held(unit)),
            Assignee::Hold { .. } | Assignee::SentBack(_) => (Account::Clearing(unit), suspense),
            Assignee::BankCost => (Account::RailLoss(unit), suspense),
        };
        let is_income = matches!(to, Assignee::Holder { source: Source::Others, .. });
        let kind = if is_income { TransferKind::Earned } else { TransferKind::Assigned };
        let new =
            Transfer { amount, ..self.transfer(posting::assigned(entry), kind, debit, credit) };
        if let Some(known) = self.posted(new.id) {
            let is_same = (known.debit, known.credit) == (debit, credit);
            return if is_same { Ok(Posted::Before) } else { Err(PostError::Done) };
        }
        if came != (debit == suspense) {
            return Err(PostError::WrongWay);
        }
        // Each of these leaves nothing behind when it is refused: what cannot fail comes last.
        match to {
            Assignee::Holder { holder, limits, .. } => {
                self.is_open(holder)?;
                self.use_limit(Side { holder, unit }, Direction::In, amount, limits)?;
            }
            Assignee::Quote(quote) => self.pay_quote(quote, unit, Some(amount))?,
            Assignee::Hold { hold, holder } => {
                self.held_for(hold, Side { holder, unit }, Some(amount))?;
                self.leave(posting::ended(hold), unit, amount)?;
            }
            Assignee::SentBack(came) => {
                let set_apart = self.posted(posting::assigned(came)).ok_or(PostError::Missing)?;
                if set_apart.credit != Account::Held(unit) {
                    return Err(PostError::Missing);
                }
                if set_apart.amount != amount {
                    return Err(PostError::WrongAmount);
                }
                self.leave(posting::sent_back(came), unit, amount)?;
            }
            Assignee::Returned { hold, holder } => {
                self.is_open(holder)?;
                self.come_back(hold, Side { holder, unit }, amount)?;
            }
            Assignee::SendBack | Assignee::OwnMoney | Assignee::BankCost => {}
        }
        self.put(new);
        Ok(Posted::Now)
    }

    /// Credits what had left for an account to it again, once, and never more than had left.
    fn come_back(&mut self, hold: FactId, side: Side, amount: u64) -> Result<(), PostError> {
        let held = self.held_for(hold, side, None)?;
        let ended = self.posted(posting::ended(hold)).ok_or(PostError::Missing)?;
        if ended.credit != Account::Clearing(side.unit) {
            return Err(PostError::Missing);
        }
        if held < amount {
            return Err(PostError::WrongAmount);
        }
        let id = posting::returned(hold);
        if self.posted(id).is_some() {
            return Err(PostError::Done);
        }
        let debit = Account::Clearing(side.unit);
        let new = self.transfer(id, TransferKind::Assigned, debit, side.account());
        self.put(Transfer { amount, ..new });
        Ok(())
    }

    /// Takes back into suspense what a booking was assigned to by mistake, also from a frozen account: whoever is frozen
    /// for it must not keep it.
    fn reverse(
        &mut self,
        entry: EntryId,
        unit: Unit,
        holder: Option<AccountId>,
    ) -> Result<Posted, PostError> {
        let assigned = self.posted(posting::assigned(entry)).ok_or(PostError::Missing)?.clone();
        let suspense = Account::Suspense(unit);
        let from = match (assigned.debit, assigned.credit) {
            (debit, Account::Holder(of, id)) if debit == suspense && Some(id) == holder => {
                Some(Side { holder: id, unit: of })
            }
            (debit, Account::Own(_)) if debit == suspense && holder.is_none() => None,
            (Account::RailLoss(_), credit) if credit == suspense && holder.is_none() => None,
            _ => return Err(PostError::Missing),
        };
        let (debit, credit) = (assigned.credit, assigned.debit);
        let id = posting::booked(entry.reversed());
        let new = self.transfer(id, TransferKind::Reversed, debit, credit);
        let new = Transfer { amount: assigned.amount, ..new };
        if let Some(posted) = self.before(&new)? {
            return Ok(posted);
        }
        if let Some(side) = from {
            self.holds(side, new.amount)?;
        }
        self.put(new);
        Ok(Posted::Now)
    }

    /// Takes what was set apart to where a booking meets it. Both have a name of their own, so neither happens twice.
    fn leave(&mut self, id: TransferId, unit: Unit, amount: u64) -> Result<(), PostError> {
        if self.posted(id).is_some() {
            return Err(PostError::Done);
        }
        let (debit, credit) = (Account::Held(unit), Account::Clearing(unit));
        let new = self.transfer(id, TransferKind::Assigned, debit, credit);
        self.put(Transfer { amount, ..new });
        Ok(())
    }

    fn approve(&mut self, side: Side, quote: QuoteId) -> Result<Posted, PostError> {
        let id = posting::approved(quote);
        let (debit, credit) = (side.account(), Account::Unissued(side.unit));
        if let Some(known) = self.posted(id) {
            let is_same = known.debit == debit;
            return if is_same { Ok(Posted::Before) } else { Err(PostError::Done) };
        }
        self.is_open(side.holder)?;
        let found = self.facts.mint_quotes.get(&quote).filter(|quote| quote.unit == side.unit);
        let amount = found.ok_or(PostError::UnknownQuote)?.amount;
        self.holds(side, amount)?;
        self.pay_quote(quote, side.unit, None)?;
        let new = self.transfer(id, TransferKind::Approved, debit, credit);
        self.put(Transfer { amount, ..new });
        Ok(Posted::Now)
    }

    fn hold_for(
        &mut self,
        side: Side,
        hold: FactId,
        amount: u64,
        fee: u64,
        limits: Option<Limits>,
    ) -> Result<Posted, PostError> {
        let (debit, credit) = (side.account(), Account::Held(side.unit));
        let new = self.transfer(posting::held(hold), TransferKind::Held, debit, credit);
        let new = Transfer { amount, ..new };
        if let Some(posted) = self.before(&new)? {
            // Of what was given back or paid nothing is held any more, whoever asks again.
            let has_ended = self.posted(posting::ended(hold)).is_some();
            return if has_ended { Err(PostError::Done) } else { Ok(posted) };
        }
        let all = amount.checked_add(fee).filter(|all| *all <= Amount::MAX_VALUE);
        let all = all.ok_or(PostError::BadAmount)?;
        self.is_open(side.holder)?;
        self.holds(side, all)?;
        self.use_limit(side, Direction::Out, amount, limits)?;
        self.put(new);
        self.put_fee(posting::held_fee(hold), side, fee);
        Ok(Posted::Now)
    }

    /// Posts a fee beside what it is for, if there is one.
    fn put_fee(&mut self, id: TransferId, of: Side, fee: u64) {
        if fee > 0 {
            let fees = Account::Fees(of.unit);
            let new = self.transfer(id, TransferKind::Charged, of.account(), fees);
            self.put(Transfer { amount: fee, ..new });
        }
    }

    fn release(&mut self, side: Side, hold: FactId) -> Result<Posted, PostError> {
        let (debit, credit) = (Account::Held(side.unit), side.account());
        let amount = self.held_for(hold, side, None)?;
        let new = self.transfer(posting::ended(hold), TransferKind::Released, debit, credit);
        let posted = self.put_end(Transfer { amount, ..new })?;
        let fee = self.posted(posting::held_fee(hold)).map(|fee| fee.amount);
        if let (Posted::Now, Some(amount)) = (posted, fee) {
            let (id, fees) = (posting::held_fee_back(hold), Account::Fees(side.unit));
            let back = self.transfer(id, TransferKind::Released, fees, credit);
            self.put(Transfer { amount, ..back });
        }
        Ok(posted)
    }

    fn hand_over(&mut self, from: Side, to: Side, hold: FactId) -> Result<Posted, PostError> {
        let amount = self.held_for(hold, from, None)?;
        let debit = Account::Held(from.unit);
        let new = self.transfer(posting::ended(hold), TransferKind::Moved, debit, to.account());
        if self.posted(new.id).is_none() {
            self.is_open(from.holder)?;
            self.is_open(to.holder)?;
        }
        self.put_end(Transfer { amount, ..new })
    }

    fn move_between(
        &mut self,
        fact: FactId,
        (from, to): (Side, Side),
        (amount, fee): (u64, u64),
        limits: Option<Limits>,
    ) -> Result<Posted, PostError> {
        let (debit, credit) = (from.account(), to.account());
        let new = self.transfer(posting::moved(fact), TransferKind::Moved, debit, credit);
        let new = Transfer { amount, ..new };
        if let Some(posted) = self.before(&new)? {
            return Ok(posted);
        }
        if amount < fee {
            return Err(PostError::BadAmount);
        }
        if from.holder == to.holder {
            return Err(PostError::WrongWay);
        }
        self.is_open(from.holder)?;
        self.is_open(to.holder)?;
        self.holds(from, amount)?;
        self.use_limit(to, Direction::In, amount, limits)?;
        self.put(new);
        self.put_fee(posting::moved_fee(fact), to, fee);
        Ok(Posted::Now)
    }

    fn charge(&mut self, side: Side, fact: FactId, amount: u64) -> Result<Posted, PostError> {
        let (debit, credit) = (side.account(), Account::Fees(side.unit));
        let new = self.transfer(posting::charged(fact), TransferKind::Charged, debit, credit);
        let new = Transfer { amount, ..new };
        if let Some(posted) = self.before(&new)? {
            return Ok(posted);
        }
        self.is_open(side.holder)?;
        self.holds(side, amount)?;
        self.put(new);
        Ok(Posted::Now)
    }

    /// Pays an account here with e-cash: at once and for good, for nothing outside is waited for.
    pub(super) fn pay_holder(
        &mut self,
        payee: AccountId,
        melt: &PreparedMelt,
        started: MeltQuote,
    ) -> Result<MeltQuote, MeltError> {
        self.is_open(payee).map_err(|_| MeltError::PayeeClosed)?;
        for input in melt.inputs() {
            self.facts.spent.insert(input.y);
            self.effects.spend.push(*input);
        }
        let account = Account::Holder(started.unit, payee);
        let change = self.settle_melt(&started, &melt.pending(), 0, account);
        let state = MeltQuoteState::Paid { fee_paid: 0, evidence: None, change };
        let paid = MeltQuote { state, expiry: up_to_hour(started.expiry), ..started };
        self.put_melt_quote(paid.clone());
        Ok(paid)
    }

    /// Marks a quote as paid. `amount`: what came for it, if that is not the quote's own.
    fn pay_quote(&mut self, id: QuoteId, unit: Unit, amount: Option<u64>) -> Result<(), PostError> {
        let found = self.facts.mint_quotes.get(&id).filter(|quote| quote.unit == unit);
        let quote = found.ok_or(PostError::UnknownQuote)?;
        if amount.is_some_and(|amount| amount != quote.amount) {
            return Err(PostError::WrongAmount);
        }
        // Money that came by the bank is there, however late; an account is only debited for what can still be had.
        let is_late = amount.is_none() && quote.expiry <= self.now;
        if quote.state != MintQuoteState::Unpaid || is_late {
            return Err(PostError::QuoteNotOpen);
        }
        self.put_mint_quote(MintQuote { state: MintQuoteState::Paid, ..quote.clone() });
        Ok(())
    }

    pub(super) fn is_open(&self, id: AccountId) -> Result<(), PostError> {
        match self.facts.holders.get(&id).map(|holder| holder.state) {
            None => Err(PostError::UnknownHolder),
            Some(HolderState::Frozen) => Err(PostError::Frozen),
            Some(HolderState::Closed) => Err(PostError::Closed),
            Some(HolderState::Open) => Ok(()),
        }
    }

    /// Whether an account holds so much.
    pub(super) fn holds(&self, side: Side, amount: u64) -> Result<(), PostError> {
        let purse = self.facts.purses.get(&(side.holder, side.unit)).copied().unwrap_or_default();
        let owed = purse.balance.credits.saturating_sub(purse.balance.debits);
        if owed < amount { Err(PostError::Insufficient) } else { Ok(()) }
    }

    /// Counts what passes the edge.
    fn use_limit(
        &mut self,
        side: Side,
        direction: Direction,
        amount: u64,
        limits: Option<Limits>,
    ) -> Result<(), PostError> {
        let Some(limits) = limits else { return Ok(()) };
        let purse = self.facts.purses.entry((side.holder, side.unit)).or_default();
        purse.usage = purse.usage.at(self.now).with(direction, amount, limits)?;
        self.write_usage(side.holder, side.unit);
        Ok(())
    }

    /// Writes an account's usage anew: also where it is the same, for whoever debits must be the only one at that moment.
    pub(super) fn write_usage(&mut self, holder: AccountId, unit: Unit) {
        let usage = self.facts.purses.entry((holder, unit)).or_default().usage.at(self.now);
        let next = Usage { version: usage.version + 1, ..usage };
        self.effects.usage.insert((holder, unit), next);
    }

    /// What is held under a name for an account, in minor units.
    fn held_for(&self, hold: FactId, side: Side, amount: Option<u64>) -> Result<u64, PostError> {
        let held = self.posted(posting::held(hold)).ok_or(PostError::Missing)?;
        if held.debit != side.account() {
            return Err(PostError::Missing);
        }
        match amount {
            Some(amount) if amount != held.amount => Err(PostError::WrongAmount),
            Some(_) | None => Ok(held.amount),
        }
    }

    /// What was posted before under a transfer's name: the same, or something else.
    fn before(&self, new: &Transfer) -> Result<Option<Posted>, PostError> {
        if !(1..=Amount::MAX_VALUE).contains(&new.amount) {
            return Err(PostError::BadAmount);
        }
        let Some(known) = self.posted(new.id) else { return Ok(None) };
        let of = |it: &Transfer| (it.debit, it.credit, it.amount);
        if of(known) == of(new) { Ok(Some(Posted::Before)) } else { Err(PostError::Conflict) }
    }

    /// Posts what needs no further check, unless it was posted before.
    fn put_once(&mut self, new: Transfer) -> Result<Posted, PostError> {
        if let Some(posted) = self.before(&new)? {
            return Ok(posted);
        }
        self.put(new);
        Ok(Posted::Now)
    }

    /// Ends what was held, unless it has ended: in the same way, or in another.
    fn put_end(&mut self, new: Transfer) -> Result<Posted, PostError> {
        if let Some(known) = self.posted(new.id) {
            let is_same = (known.debit, known.credit) == (new.debit, new.credit);
            return if is_same { Ok(Posted::Before) } else { Err(PostError::Done) };
        }
        self.put(new);
        Ok(Posted::Now)
    }

    pub(super) fn put(&mut self, new: Transfer) {
        self.facts.transfers.insert(new.id, new.clone());
        self.put_transfer(new);
    }

    fn put_holder(&mut self, holder: Holder) {
        self.facts.holders.insert(holder.id, holder.clone());
        self.effects.holders.insert(holder.id, holder);
    }

    fn posted(&self, id: TransferId) -> Option<&Transfer> {
        self.facts.transfers.get(&id)
    }

    fn transfer(
        &self,
        id: TransferId,
        kind: TransferKind,
        debit: Account,
        credit: Account,
    ) -> Transfer {
        Transfer { id, kind, debit, credit, amount: 0, day: self.facts.open_day }
    }
}
