//! The rules of orders: paid once, refunded at most as much.

use super::Decision;
use super::account::Side;
use crate::account::HolderState;
use crate::ledger::{Account, Transfer, TransferKind, attribute};
use crate::order::{
    self, FetchError, Order, OrderId, OrderState, OutboxEvent, PayError, PreparedFetch,
    PreparedPayment, RefundError, RefundTo, refunded,
};
use crate::posting::{FactId, Posted};
use crate::quote::Output;
use crate::vault::SignedOutput;

impl Decision {
    pub(super) fn open_order(&mut self, order: &Order) -> bool {
        let is_new = !self.facts.orders.contains_key(&order.id) && order.amount > 0;
        if is_new {
            self.put_order(order.clone());
        }
        is_new
    }

    pub(super) fn cancel_order(&mut self, id: OrderId) -> bool {
        let Some(order) = self.facts.orders.get(&id) else { return false };
        let may = order.state == OrderState::Open;
        if may {
            self.put_order(Order { state: OrderState::Cancelled, ..order.clone() });
        }
        may
    }

    pub(super) fn pay_order(&mut self, payment: &PreparedPayment) -> Result<Posted, PayError> {
        let order = self.facts.orders.get(&payment.order()).ok_or(PayError::UnknownOrder)?.clone();
        // The order does not say with what it was paid: that proofs are spent is all that is known of a repetition, and
        // all that its answer tells.
        let all_spent = payment.inputs().iter().all(|input| self.facts.spent.contains(&input.y));
        if order.state == OrderState::Paid {
            return if all_spent { Ok(Posted::Before) } else { Err(PayError::AlreadyPaid) };
        }
        self.inputs_are_unspent(payment.inputs())?;
        if order.state == OrderState::Cancelled {
            return Err(PayError::Cancelled);
        }
        if order.expiry <= self.now {
            return Err(PayError::Expired);
        }
        let state = self.facts.holders.get(&order.holder).map(|holder| holder.state);
        if state != Some(HolderState::Open) {
            return Err(PayError::MerchantClosed);
        }
        for input in payment.inputs() {
            self.facts.spent.insert(input.y);
            self.effects.spend.push(*input);
        }
        self.post_sale(&order, payment);
        self.effects.outbox.push(OutboxEvent::of(
            order::sold(order.id),
            order::EventKind::OrderPaid,
            order.id,
            order.amount,
        ));
        let blanks = payment.blanks().to_vec();
        self.put_order(Order { state: OrderState::Paid, blanks, ..order });
        Ok(Posted::Now)
    }

    /// Posts what was paid, one transfer for each keyset it came from: the amount to the merchant, what is beside it as a fee.
    fn post_sale(&mut self, order: &Order, payment: &PreparedPayment) {
        let unit = order.unit;
        let of = |(keyset, value): (_, &u64)| (Account::Ecash(unit, keyset), *value);
        let sources: Vec<(Account, u64)> =
            payment.by_keyset().iter().map(|(keyset, value)| of((*keyset, value))).collect();
        let sinks = [
            (Account::Holder(unit, order.holder), order.amount),
            (Account::Fees(unit), payment.total() - order.amount),
        ];
        for (debit, credit, part) in attribute(&sources, &sinks) {
            let is_fee = credit == Account::Fees(unit);
            let kind = if is_fee { TransferKind::Fee } else { TransferKind::Sold };
            self.post(kind, debit, credit, part, order.id.as_bytes());
        }
        // Of a sale, never more than the sale: so it leaves the account no lower than it was.
        let amount = payment.fee().min(order.amount);
        if amount > 0 {
            self.put_beside_credit(Transfer {
                id: order::sale_fee(order.id),
                kind: TransferKind::Charged,
                debit: Account::Holder(unit, order.holder),
                credit: Account::Fees(unit),
                amount,
                day: self.facts.open_day,
            });
        }
    }

    pub(super) fn refund(
        &mut self,
        asked: &Order,
        refund: FactId,
        amount: u64,
        to: RefundTo,
    ) -> Result<Posted, RefundError> {
        let order = self.facts.orders.get(&asked.id).ok_or(RefundError::UnknownOrder)?.clone();
        if (order.holder, order.unit) != (asked.holder, asked.unit) {
            return Err(RefundError::UnknownOrder);
        }
        let merchant = Account::Holder(order.unit, order.holder);
        let transfer = refunded(refund);
        if let Some(known) = self.facts.transfers.get(&transfer) {
            let is_same = known.debit == merchant && known.amount == amount;
            return if is_same { Ok(Posted::Before) } else { Err(RefundError::Conflict) };
        }
        if order.state != OrderState::Paid {
            return Err(RefundError::NotPaid);
        }
        let sum = order.refunded.checked_add(amount).filter(|sum| *sum <= order.amount);
        let sum = sum.filter(|_| amount > 0).ok_or(RefundError::TooMuch)?;
        self.is_open(order.holder)?;
        self.holds(Side { holder: order.holder, unit: order.unit }, amount)?;
        let (credit, blanks) = match to {
            RefundTo::Code => (Account::Refunds(order.unit), order.blanks.clone()),
            // Of other outputs than those that were looked up, it is not known whether they are signed.
            RefundTo::Blanks if order.blanks != asked.blanks => return Err(RefundError::NoBlanks),
            RefundTo::Blanks => {
                let (signed, left) = self.divide(&order.blanks, amount)?;
                let keyset = signed[0].keyset;
                self.sign(&signed);
                (Account::Ecash(order.unit, keyset), left)
            }
        };
        let day = self.facts.open_day;
        let new = Transfer {
            id: transfer,
            kind: TransferKind::Refunded,
            debit: merchant,
            credit,
            amount,
            day,
        };
        self.put(new);
        let kind = order::EventKind::OrderRefunded;
        self.effects.outbox.push(OutboxEvent::of(transfer, kind, order.id, amount));
        self.put_order(Order { refunded: sum, blanks, ..order });
        Ok(Posted::Now)
    }

    /// Divides an amount into powers of two on the first of the blank outputs, all of one keyset that still signs, none
    /// of them signed by now; returns those to be signed and those left.
    fn divide(
        &self,
        blanks: &[Output],
        amount: u64,
    ) -> Result<(Vec<Output>, Vec<Output>), RefundError> {
        let parts: Vec<u64> =
            (0..u64::BITS).map(|bit| 1 << bit).filter(|part| amount & part != 0).collect();
        let (used, left) = blanks.split_at_checked(parts.len()).ok_or(RefundError::NoBlanks)?;
        let signed: Vec<Output> =
            used.iter().zip(parts).map(|(blank, amount)| Output { amount, ..*blank }).collect();
        let is_one_keyset = signed.windows(2).all(|pair| pair[0].keyset == pair[1].keyset);
        let fits = signed.iter().all(|output| {
            let keyset = self.facts.keysets.iter().find(|known| known.number == output.keyset);
            keyset
                .is_some_and(|known| output.amount.trailing_zeros() < u32::from(known.spec.orders))
        });
        let may =
            self.outputs_are_new(&signed).is_ok() && self.outputs_may_be_signed(&signed).is_ok();
        if is_one_keyset && fits && may {
            Ok((signed, left.to_vec()))
        } else {
            Err(RefundError::NoBlanks)
        }
    }

    pub(super) fn fetch_refund(&mut self, fetch: &PreparedFetch) -> Result<Posted, FetchError> {
        let granted = self.facts.transfers.get(&refunded(fetch.refund()));
        let granted = granted.filter(|transfer| transfer.credit == Account::Refunds(fetch.unit()));
        let amount = granted.ok_or(FetchError::Unknown)?.amount;
        let transfer = order::fetched(fetch.refund());
        if self.facts.transfers.contains_key(&transfer) {
            let all_signed = fetch.outputs().iter().all(|output| {
                let signed = SignedOutput { keyset: output.keyset, amount: output.amount };
                self.facts.signed.get(&output.blinded) == Some(&signed)
            });
            return if all_signed { Ok(Posted::Before) } else { Err(FetchError::Fetched) };
        }
        let outputs = fetch.outputs();
        let sum = outputs.iter().try_fold(0_u64, |sum, output| sum.checked_add(output.amount));
        let is_one_keyset = outputs.windows(2).all(|pair| pair[0].keyset == pair[1].keyset);
        if sum != Some(amount) || !is_one_keyset {
            return Err(FetchError::WrongAmount);
        }
        self.outputs_are_new(outputs)?;
        self.outputs_may_be_signed(outputs)?;
        self.sign(outputs);
        self.put(Transfer {
            id: transfer,
            kind: TransferKind::Fetched,
            debit: Account::Refunds(fetch.unit()),
            credit: Account::Ecash(fetch.unit(), outputs[0].keyset),
            amount,
            day: self.facts.open_day,
        });
        Ok(Posted::Now)
    }

    fn put_order(&mut self, order: Order) {
        self.facts.orders.insert(order.id, order.clone());
        self.effects.orders.insert(order.id, order);
    }
}
