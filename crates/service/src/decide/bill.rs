//! The rules of bills: in time for the payer, one a contract and month, paid once, with one receipt.

use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;

use super::Decision;
use crate::account::{AccountId, HolderState};
use crate::bill::{
    Bill, BillContract, BillError, BillState, MonthError, PayBillError, PreparedBillPayment,
    PreparedMonth, Stream, WrongBill,
};
use crate::ledger::{Account, Transfer, TransferKind, attribute};
use crate::passport::desk::{month_subject, receipt_name};
use crate::posting::Posted;

impl Decision {
    pub(super) fn open_contract(&mut self, contract: &BillContract) -> bool {
        let is_new = !self.facts.streams.contains_key(&contract.id)
            && self.facts.holders.contains_key(&contract.holder);
        if is_new {
            let begun = Epoch::of(self.now);
            self.put_contract(BillContract { begun, ended: None, ..contract.clone() });
        }
        is_new
    }

    pub(super) fn end_contract(&mut self, id: Contract, holder: AccountId) -> bool {
        let month = Epoch::of(self.now);
        let Some(stream) = self.stream_of(id, holder) else { return false };
        let contract = &stream.contract;
        if contract.ended.is_some_and(|ended| ended <= month) {
            return false;
        }
        let ended = Some(month.max(contract.begun));
        self.put_contract(BillContract { ended, ..contract.clone() });
        true
    }

    /// All of them, or none. A bill that is there already is taken again.
    pub(super) fn open_bills(
        &mut self,
        holder: AccountId,
        floor: u64,
        bills: &[Bill],
    ) -> Result<Posted, Vec<WrongBill>> {
        let mut taken: Vec<Bill> = Vec::new();
        let mut wrong = Vec::new();
        for (index, bill) in bills.iter().enumerate() {
            match self.takes_bill(holder, floor, bill, &taken) {
                Ok(Posted::Now) => taken.push(Bill { state: BillState::Open, ..*bill }),
                Ok(Posted::Before) => {}
                Err(why) => wrong.push(WrongBill { index, why }),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        for bill in &taken {
            self.put_bill(*bill);
            if bill.is_last {
                let contract = &self.facts.streams[&bill.contract].contract;
                self.put_contract(BillContract { ended: Some(bill.month()), ..contract.clone() });
            }
        }
        Ok(if taken.is_empty() { Posted::Before } else { Posted::Now })
    }

    /// Whether a bill may be taken, beside those that came with it.
    fn takes_bill(
        &self,
        holder: AccountId,
        floor: u64,
        bill: &Bill,
        beside: &[Bill],
    ) -> Result<Posted, BillError> {
        let known = self.stream_of(bill.contract, holder).ok_or(BillError::UnknownContract)?;
        let mut stream = known.clone();
        for other in beside.iter().filter(|other| other.contract == bill.contract) {
            stream.bills.insert(other.month(), *other);
            if other.is_last {
                stream.contract.ended = Some(other.month());
            }
        }
        if stream.has(bill) {
            return Ok(Posted::Before);
        }
        stream.takes(bill, floor, self.now)?;
        let name = receipt_name(&month_subject(bill.contract, bill.month()));
        if self.facts.shown.contains_key(&name) {
            return Err(BillError::Closed);
        }
        Ok(Posted::Now)
    }

    pub(super) fn withdraw_bill(&mut self, id: Contract, holder: AccountId, month: Epoch) -> bool {
        let bill = self.stream_of(id, holder).and_then(|stream| stream.bills.get(&month));
        let Some(bill) = bill.filter(|bill| bill.state == BillState::Open).copied() else {
            return false;
        };
        self.put_bill(Bill { state: BillState::Withdrawn, ..bill });
        true
    }

    /// All that are open: in an older copy of a vault nobody knows which were paid since.
    pub(super) fn withdraw_bills(&mut self) {
        let bills = self.facts.streams.values().flat_map(|stream| stream.bills.values());
        let open: Vec<Bill> = bills.filter(|bill| bill.state == BillState::Open).copied().collect();
        for bill in open {
            self.put_bill(Bill { state: BillState::Withdrawn, ..bill });
        }
    }

    /// Whoever sends the same again is answered alike, whatever day it is by then.
    pub(super) fn pay_bill(
        &mut self,
        payment: &PreparedBillPayment,
    ) -> Result<Option<Vec<u8>>, PayBillError> {
        let asked = payment.bill();
        let stream = self.facts.streams.get(&asked.contract).ok_or(PayBillError::Unknown)?;
        let bill = *stream.bills.get(&asked.month()).ok_or(PayBillError::Unknown)?;
        if bill.state.is_paid() {
            // The bill does not say with what it was paid: that proofs are spent is all that is known of a repetition.
            let all_spent =
                payment.inputs().iter().all(|input| self.facts.spent.contains(&input.y));
            return match payment.receipt() {
                Some(receipt) => {
                    self.answered(&receipt.answer).map(Some).ok_or(PayBillError::AlreadyPaid)
                }
                None if all_spent => Ok(None),
                None => Err(PayBillError::AlreadyPaid),
            };
        }
        self.inputs_are_unspent(payment.inputs())?;
        if bill.state == BillState::Withdrawn {
            return Err(PayBillError::Withdrawn);
        }
        if !self.is_biller_open(payment.holder()) {
            return Err(PayBillError::BillerClosed);
        }
        let state = bill.paid(self.now);
        let is_met = state == BillState::InTime;
        let is_other = payment.receipt().is_some_and(|receipt| receipt.facts.met != is_met);
        if bill != *asked || is_other {
            return Err(PayBillError::Changed);
        }
        let receipt = payment.receipt().map(|receipt| self.answer(&receipt.answer)).transpose();
        let reply = receipt.map_err(PayBillError::Receipt)?;
        for input in payment.inputs() {
            self.facts.spent.insert(input.y);
            self.effects.spend.push(*input);
        }
        self.post_bill(&bill, payment);
        self.put_bill(Bill { state, ..bill });
        Ok(reply)
    }

    /// Posts what was paid, one transfer for each keyset it came from, as that of an order.
    fn post_bill(&mut self, bill: &Bill, payment: &PreparedBillPayment) {
        let unit = payment.unit();
        let of = |(keyset, value): (_, &u64)| (Account::Ecash(unit, keyset), *value);
        let sources: Vec<(Account, u64)> =
            payment.by_keyset().iter().map(|(keyset, value)| of((*keyset, value))).collect();
        let biller = Account::Holder(unit, payment.holder());
        let sinks = [(biller, bill.amount), (Account::Fees(unit), payment.total() - bill.amount)];
        for (debit, credit, part) in attribute(&sources, &sinks) {
            let is_fee = credit == Account::Fees(unit);
            let kind = if is_fee { TransferKind::Fee } else { TransferKind::Sold };
            self.post(kind, debit, credit, part, &bill.fact());
        }
        // Of a bill, never more than the bill: so it leaves the account no lower than it was.
        let amount = payment.fee().min(bill.amount);
        if amount > 0 {
            self.put_beside_credit(Transfer {
                id: bill.fee_transfer(),
                kind: TransferKind::Charged,
                debit: biller,
                credit: Account::Fees(unit),
                amount,
                day: self.facts.open_day,
            });
        }
    }

    pub(super) fn close_month(&mut self, month: &PreparedMonth) -> Result<Vec<u8>, MonthError> {
        let receipt = &month.receipt;
        if let Some(reply) = self.answered(&receipt.answer) {
            return Ok(reply);
        }
        let stream = self.facts.streams.get(&month.contract).ok_or(MonthError::Unknown)?;
        let is_open = self.is_biller_open(stream.contract.holder);
        let facts = stream.quiet_month(month.month, is_open, self.now)?;
        if facts != receipt.facts || stream.contract.holder != month.holder {
            return Err(MonthError::Changed);
        }
        self.answer(&receipt.answer).map_err(MonthError::Receipt)
    }

    fn is_biller_open(&self, holder: AccountId) -> bool {
        let state = self.facts.holders.get(&holder).map(|holder| holder.state);
        state == Some(HolderState::Open)
    }

    fn stream_of(&self, id: Contract, holder: AccountId) -> Option<&Stream> {
        self.facts.streams.get(&id).filter(|stream| stream.contract.holder == holder)
    }

    fn put_contract(&mut self, contract: BillContract) {
        let stream = self.facts.streams.entry(contract.id);
        let known = stream.or_insert_with(|| Stream {
            contract: contract.clone(),
            bills: std::collections::BTreeMap::new(),
        });
        known.contract = contract.clone();
        self.effects.contracts.insert(contract.id, contract);
    }

    fn put_bill(&mut self, bill: Bill) {
        if let Some(stream) = self.facts.streams.get_mut(&bill.contract) {
            stream.bills.insert(bill.month(), bill);
        }
        self.effects.bills.insert((bill.contract, bill.month()), bill);
    }
}
