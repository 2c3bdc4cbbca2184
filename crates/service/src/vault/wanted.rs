//! What a batch asks the vault about before it is decided.

use std::collections::BTreeSet;

use tacit_core::unit::Unit;
use tacit_credit::passport::standing::Contract;
use tacit_ecash::point::{PointBytes, Y};

use crate::account::AccountId;
use crate::bill::{Bill, PreparedBillPayment};
use crate::ledger::TransferId;
use crate::order::{Order, OrderId, fetched, refunded};
use crate::passport::desk::{month_subject, receipt_name};
use crate::passport::{Name, PreparedAnswer, RequestDigest};
use crate::posting::FactId;
use crate::quote::QuoteId;
use crate::vault::Change;

/// What a batch asks about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Proofs a swap would spend. A store may take them for unspent unasked, because inserting them tells.
    pub proofs: BTreeSet<Y>,
    /// Outputs a swap or a mint would sign. As with [`Self::proofs`], inserting them tells.
    pub outputs: BTreeSet<PointBytes>,
    /// Proofs a melt would hold: whether they are spent must be looked up.
    pub proofs_to_hold: BTreeSet<Y>,
    /// Outputs a melt would promise, or a refund would be signed on: whether they are signed must be looked up.
    pub outputs_to_promise: BTreeSet<PointBytes>,
    /// Mint quotes.
    pub mint_quotes: BTreeSet<QuoteId>,
    /// Melt quotes.
    pub melt_quotes: BTreeSet<QuoteId>,
    /// Accounts of people and firms.
    pub holders: BTreeSet<AccountId>,
    /// What they hold and have used of their limits, by currency.
    pub purses: BTreeSet<(AccountId, Unit)>,
    /// Transfers that may have been posted.
    pub transfers: BTreeSet<TransferId>,
    /// Orders of merchants.
    pub orders: BTreeSet<OrderId>,
    /// What a request to the passport desk shows or uses up.
    pub shown: BTreeSet<Name>,
    /// Requests to the passport desk.
    pub requests: BTreeSet<RequestDigest>,
    /// Contracts, with their bills.
    pub streams: BTreeSet<Contract>,
    /// Whether the balances of e-cash accounts are needed, to seal a keyset.
    pub balances: bool,
    /// Whether all that is open is needed, to withdraw it: mint quotes that are not issued, melt quotes unpaid, accounts
    /// and orders that are open.
    pub open_quotes: bool,
}

impl Wanted {
    /// All that a batch asks about.
    pub fn by(batch: &[Change]) -> Self {
        let mut wanted = Self::default();
        for change in batch {
            match change {
                Change::Swap(swap) => {
                    wanted.proofs.extend(swap.inputs().iter().map(|input| input.y));
                    wanted.outputs.extend(swap.outputs().iter().map(|output| output.blinded));
                }
                Change::OpenMintQuote(quote) => _ = wanted.mint_quotes.insert(quote.id),
                Change::Receive { quote, .. } => _ = wanted.mint_quotes.insert(*quote),
                Change::Mint(mint) => {
                    wanted.mint_quotes.insert(mint.quote());
                    wanted.outputs.extend(mint.outputs().iter().map(|output| output.blinded));
                }
                Change::OpenMeltQuote(quote) => _ = wanted.melt_quotes.insert(quote.id),
                Change::StartMelt(melt) => {
                    wanted.melt_quotes.insert(melt.quote());
                    wanted.proofs_to_hold.extend(melt.inputs().iter().map(|input| input.y));
                    wanted
                        .outputs_to_promise
                        .extend(melt.outputs().iter().map(|output| output.blinded));
                    wanted.holders.extend(melt.payee());
                }
                Change::FinishMelt { quote, .. } => _ = wanted.melt_quotes.insert(*quote),
                Change::Seal(_) => wanted.balances = true,
                Change::AcceptLoss => wanted.open_quotes = true,
                Change::OpenHolder(holder) => _ = wanted.holders.insert(holder.id),
                Change::SetLevel { holder, .. } => _ = wanted.holders.insert(*holder),
                Change::SetHolderState { holder, units, .. } => {
                    wanted.holders.insert(*holder);
                    wanted.purses.extend(units.iter().map(|unit| (*holder, *unit)));
                }
                Change::Post(posting) => {
                    let holders = posting.holders();
                    wanted.purses.extend(holders.iter().map(|holder| (*holder, posting.unit())));
                    wanted.holders.extend(holders);
                    wanted.mint_quotes.extend(posting.quote());
                    wanted.transfers.extend(posting.transfers());
                }
                Change::OpenOrder(order) => _ = wanted.orders.insert(order.id),
                Change::CancelOrder(order) => _ = wanted.orders.insert(*order),
                Change::PayOrder(payment) => {
                    wanted.proofs.extend(payment.inputs().iter().map(|input| input.y));
                    wanted.orders.insert(payment.order());
                    wanted.holders.insert(payment.holder());
                }
                Change::Refund { order, refund, .. } => wanted.refund(order, *refund),
                Change::FetchRefund(fetch) => {
                    wanted.outputs.extend(fetch.outputs().iter().map(|output| output.blinded));
                    wanted.transfers.extend([refunded(fetch.refund()), fetched(fetch.refund())]);
                }
                Change::Answer(answer) => wanted.answer(answer),
                Change::OpenContract(contract) => wanted.contract(contract.id, contract.holder),
                Change::EndContract { contract, .. } | Change::WithdrawBill { contract, .. } => {
                    _ = wanted.streams.insert(*contract);
                }
                Change::OpenBills { bills, .. } => wanted.bills(bills),
                Change::PayBill(payment) => wanted.bill_payment(payment),
                Change::CloseMonth(month) => {
                    wanted.contract(month.contract, month.holder);
                    wanted.answer(&month.receipt.answer);
                }
                Change::AddKeyset { .. }
                | Change::Forget(_)
                | Change::Release(_)
                | Change::Tick => {}
            }
        }
        wanted
    }

    fn refund(&mut self, order: &Order, refund: FactId) {
        self.orders.insert(order.id);
        self.holders.insert(order.holder);
        self.purses.insert((order.holder, order.unit));
        self.outputs_to_promise.extend(order.blanks.iter().map(|output| output.blinded));
        self.transfers.insert(refunded(refund));
    }

    fn contract(&mut self, contract: Contract, holder: AccountId) {
        self.streams.insert(contract);
        self.holders.insert(holder);
    }

    fn bills(&mut self, bills: &[Bill]) {
        for bill in bills {
            self.streams.insert(bill.contract);
            self.shown.insert(receipt_name(&month_subject(bill.contract, bill.month())));
        }
    }

    fn bill_payment(&mut self, payment: &PreparedBillPayment) {
        self.proofs.extend(payment.inputs().iter().map(|input| input.y));
        self.contract(payment.bill().contract, payment.holder());
        if let Some(receipt) = payment.receipt() {
            self.answer(&receipt.answer);
        }
    }

    fn answer(&mut self, answer: &PreparedAnswer) {
        self.shown.extend(&answer.names);
        self.requests.insert(answer.digest);
    }
}
