//! The edge of the town: two accounts, the bank that pays into and out of them, and orders that e-cash pays.
//!
//! Every change is sent twice, in one batch or with a crash in between, and must happen once.

use std::collections::BTreeMap;
use std::time::Duration;

use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::order::{Order, OrderId, OrderState, RefundTo};
use tacit_service::posting::{Assignee, EntryId, FactId, Posted, Posting, Source};
use tacit_service::vault::{Change, Outcome};

use crate::town::{Town, asked};
use crate::wallet::{Wallet, coin};

/// What the accounts are known to hold, whoever asks the vault.
#[derive(Default)]
pub(crate) struct Edge {
    /// Minor units owed to each account: the auditor compares.
    pub(crate) owed: BTreeMap<AccountId, u64>,
    /// What is set apart: for whom, how much, and the fee beside it.
    held: Vec<(FactId, AccountId, u64, u64)>,
    paid: Vec<OrderId>,
}

impl Town {
    pub(crate) fn open_accounts(&mut self) {
        for kind in [HolderKind::Customer, HolderKind::Merchant] {
            let id = AccountId::from_random(self.dice.bytes());
            let holder =
                Holder { id, kind, level: Level::default(), state: HolderState::Open, key: None };
            let opened = self.commit(vec![Change::OpenHolder(holder)]);
            assert_eq!(opened, [Outcome::Applied(true)]);
            self.edge.owed.insert(id, 0);
        }
    }

    pub(crate) fn live_at_the_edge(&mut self) {
        match self.dice.below(7) {
            0 => self.pay_in(),
            1 => self.approve_a_quote(),
            2 => self.set_apart(),
            3 => self.end_what_is_held(),
            4 => self.sell(),
            5 => self.take_cash(),
            _ => self.refund(),
        }
    }

    fn somebody(&mut self) -> (AccountId, u64) {
        let at = self.dice.below(self.edge.owed.len());
        let (id, owed) = self.edge.owed.iter().nth(at).expect("below the number of accounts");
        (*id, *owed)
    }

    /// Posts twice: in one batch, or with a crash in between.
    fn post(&mut self, posting: &Posting) {
        let change = || Change::Post(posting.clone());
        let outcomes = if self.dice.once_in(3) {
            let mut outcomes = self.commit(vec![change()]);
            self.site.reopen();
            outcomes.extend(self.commit(vec![change()]));
            outcomes
        } else {
            self.commit(vec![change(), change()])
        };
        let both = [Posted::Now, Posted::Before].map(|posted| Outcome::Posted(Ok(posted)));
        assert_eq!(outcomes, both, "{posting:?}");
    }

    fn pay_in(&mut self) {
        let (holder, _) = self.somebody();
        let (entry, unit) = (EntryId::from_bytes(self.dice.bytes()), self.unit);
        let amount = 1 + self.dice.next() % 3000;
        self.post(&Posting::Arrived { entry, unit, amount });
        self.outside.received += amount;
        self.audit();
        let to = Assignee::Holder { holder, limits: None, source: Source::Own };
        self.post(&Posting::Assign { entry, unit, to });
        *self.edge.owed.get_mut(&holder).expect("of the town") += amount;
        self.tally.count("paid in");
    }

    fn approve_a_quote(&mut self) {
        let waiting = self.site.reader().unpaid_mint_quotes(self.now).expect("the store works");
        let (holder, owed) = self.somebody();
        let Some(quote) = waiting.into_iter().find(|quote| quote.amount <= owed) else { return };
        self.post(&Posting::Approve { holder, quote: quote.id, unit: self.unit });
        *self.edge.owed.get_mut(&holder).expect("of the town") -= quote.amount;
        self.tally.count("approved");
    }

    fn set_apart(&mut self) {
        let (holder, owed) = self.somebody();
        if owed < 2 {
            return;
        }
        let hold = FactId::from_bytes(self.dice.bytes());
        let (amount, fee) = (1 + self.dice.next() % (owed - 1), 1);
        let unit = self.unit;
        self.post(&Posting::Hold { hold, holder, unit, amount, fee, limits: None });
        *self.edge.owed.get_mut(&holder).expect("of the town") -= amount + fee;
        self.edge.held.push((hold, holder, amount, fee));
        self.tally.count("held");
    }

    fn end_what_is_held(&mut self) {
        if self.edge.held.is_empty() {
            return;
        }
        let at = self.dice.below(self.edge.held.len());
        let (hold, holder, amount, fee) = self.edge.held.swap_remove(at);
        let unit = self.unit;
        if self.dice.once_in(3) {
            self.post(&Posting::Release { hold, holder, unit });
            *self.edge.owed.get_mut(&holder).expect("of the town") += amount + fee;
            self.tally.count("given back");
            return;
        }
        if self.dice.once_in(2) {
            let (to, _) = self.somebody();
            self.post(&Posting::HandOver { hold, from: holder, to, unit });
            *self.edge.owed.get_mut(&to).expect("of the town") += amount;
            self.tally.count("handed over");
            return;
        }
        let entry = EntryId::from_bytes(self.dice.bytes());
        self.post(&Posting::Departed { entry, unit, amount });
        self.outside.paid_out += amount;
        self.audit();
        self.post(&Posting::Assign { entry, unit, to: Assignee::Hold { hold, holder } });
        self.tally.count("paid out");
    }

    /// One account takes cash for another, which pays a fee out of what it gets.
    fn take_cash(&mut self) {
        let ((from, owed), (to, _)) = (self.somebody(), self.somebody());
        if owed == 0 || from == to {
            return;
        }
        let amount = 1 + self.dice.next() % owed;
        let fee = self.dice.next() % (amount + 1);
        let (fact, unit) = (FactId::from_bytes(self.dice.bytes()), self.unit);
        self.post(&Posting::Move { fact, from, to, unit, amount, fee, limits: None });
        *self.edge.owed.get_mut(&from).expect("of the town") -= amount;
        *self.edge.owed.get_mut(&to).expect("of the town") += amount - fee;
        self.tally.count("moved");
    }

    fn sell(&mut self) {
        let count = 1 + self.dice.below(3);
        let coins = self.take_coins(count);
        let value = Wallet::value(&coins);
        let amount = value.saturating_sub(self.dice.next() % (self.fee(&coins) + 1));
        if amount == 0 {
            return self.wallet.coins.extend(coins);
        }
        let (holder, _) = self.somebody();
        let order = Order {
            id: OrderId::from_bytes(self.dice.bytes()),
            holder,
            unit: self.unit,
            amount,
            expiry: self.now.after(Duration::from_secs(900)),
            state: OrderState::Open,
            refunded: 0,
            blanks: Vec::new(),
        };
        let opened = self.commit(vec![Change::OpenOrder(order.clone())]);
        assert_eq!(opened, [Outcome::Applied(true)]);
        let proofs: Vec<_> = coins.iter().map(|coin| coin.proof.clone()).collect();
        // Now and then more is asked for the sale than it brings.
        let fee = self.dice.next() % (amount + 2);
        let pay = |town: &Self| {
            let payment = town.mint.prepare_payment(&order, None, &proofs, &[]);
            Change::PayOrder(payment.expect("honest proofs").with_fee(fee))
        };
        let mut outcomes = vec![];
        if self.dice.once_in(2) {
            outcomes.extend(self.commit(vec![pay(self)]));
            self.site.reopen();
            outcomes.extend(self.commit(vec![pay(self)]));
        } else {
            outcomes.extend(self.commit(vec![pay(self), pay(self)]));
        }
        let both = [Posted::Now, Posted::Before].map(|posted| Outcome::Paid(Ok(posted)));
        assert_eq!(outcomes, both, "paid once");
        *self.edge.owed.get_mut(&holder).expect("of the town") += amount - fee.min(amount);
        self.wallet.spent.extend(coins);
        self.edge.paid.push(order.id);
        self.tally.count("sold");
    }

    /// Gives part of a payment back by a code, which is fetched twice with the same outputs.
    fn refund(&mut self) {
        if self.edge.paid.is_empty() {
            return;
        }
        let at = self.dice.below(self.edge.paid.len());
        let id = self.edge.paid[at];
        let order = self.site.reader().order(id).expect("the store works");
        let Some(order) = order else {
            self.edge.paid.swap_remove(at); // Past its retention.
            return;
        };
        let left = order.amount - order.refunded;
        let most = left.min(self.edge.owed[&order.holder]);
        if most == 0 {
            return;
        }
        let (amount, refund) = (1 + self.dice.next() % most, FactId::from_bytes(self.dice.bytes()));
        let ask = |amount| {
            let (order, to) = (order.clone(), RefundTo::Code);
            Change::Refund { order, refund, amount, to }
        };
        let outcomes = self.commit(vec![ask(amount), ask(amount)]);
        let both = [Posted::Now, Posted::Before].map(|posted| Outcome::Refunded(Ok(posted)));
        assert_eq!(outcomes, both, "refunded once");
        *self.edge.owed.get_mut(&order.holder).expect("of the town") -= amount;

        self.keep_house(); // What has expired signs no more, whatever the mint in memory believes.
        let amounts = self.active().split(amount);
        let blanks = self.blanks(&amounts);
        let fetch = |town: &Self| {
            town.mint.prepare_fetch(town.unit, refund, &asked(&blanks)).expect("good")
        };
        let (first, second, answered) = (fetch(self), fetch(self), fetch(self));
        let mut outcomes = self.commit(vec![Change::FetchRefund(first)]);
        self.site.reopen();
        outcomes.extend(self.commit(vec![Change::FetchRefund(second)]));
        let both = [Posted::Now, Posted::Before].map(|posted| Outcome::Fetched(Ok(posted)));
        assert_eq!(outcomes, both, "fetched once");
        let signatures = answered.answer(outcomes.remove(0)).expect("granted");
        for (blank, signature) in blanks.iter().zip(&signatures) {
            let keyset = self.mint.keyset(&signature.keyset).expect("ours").keys();
            self.wallet.coins.push(coin(blank, signature, keyset));
        }
        self.tally.count("refunded");
    }
}
