//! The vault's rules: what becomes of each change of a batch, given what is known, and what to write down.
//!
//! Pure and deterministic. Changes are decided in order, each against all that was decided before it, so that
//! two copies of a request in one batch see each other as if a commit lay between them.

mod account;
mod bill;
mod order;

use tacit_core::time::{Day, Timestamp};
use tacit_credit::passport::epoch::Epoch;
use tacit_ecash::keyset::{KeysetId, KeysetSpec};

use crate::bill::oldest_month;
use crate::issue::{MintError, PreparedMint};
use crate::keyset::{KeysetNumber, KeysetRecord, KeysetState, SealedTotals};
use crate::ledger::{Account, Transfer, TransferKind, attribute, post_day};
use crate::melt::{MeltEnd, MeltError, PreparedMelt, settle};
use crate::mint::{InputError, OutputError};
use crate::passport::{AnswerError, Name, PreparedAnswer, key_epoch};
use crate::quote::{
    MeltQuote, MeltQuoteState, MintQuote, MintQuoteState, Output, PendingMelt, QuoteId,
};
use crate::swap::{PreparedSwap, SwapError};
use crate::vault::{Change, Effects, Facts, Outcome, SignedOutput, SpentProof, keyset_of};

/// How long a quote that is done, or was never paid, is kept after its expiry.
pub const QUOTE_RETENTION_DAYS: u64 = 30;

/// How long an order that was paid can be refunded after its expiry. Others are kept as long as quotes are.
pub const PAID_ORDER_RETENTION_DAYS: u64 = 400;

/// Decides a batch. Returns one outcome a change, in order, and what makes them true once it is durable.
///
/// `now` counts for expiries only; swaps are counted on the open day, which never moves back.
pub fn decide(batch: &[Change], facts: Facts, now: Timestamp) -> (Vec<Outcome>, Effects) {
    let mut decision = Decision { facts, effects: Effects::default(), now };
    decision.let_time_pass();
    let outcomes = batch.iter().map(|change| decision.apply(change)).collect();
    (outcomes, decision.effects)
}

struct Decision {
    facts: Facts,
    effects: Effects,
    now: Timestamp,
}

impl Decision {
    fn apply(&mut self, change: &Change) -> Outcome {
        match change {
            Change::Swap(swap) => Outcome::Swap(self.swap(swap)),
            Change::OpenMintQuote(quote) => Outcome::Applied(self.open_mint_quote(quote)),
            Change::Receive { quote, amount } => Outcome::Applied(self.receive(*quote, *amount)),
            Change::Mint(mint) => Outcome::Mint(self.mint(mint)),
            Change::OpenMeltQuote(quote) => Outcome::Applied(self.open_melt_quote(quote)),
            Change::StartMelt(melt) => Outcome::Melt(self.start_melt(melt).map(Box::new)),
            Change::FinishMelt { quote, attempt, end } => {
                Outcome::Finished(self.finish_melt(*quote, *attempt, end).map(Box::new))
            }
            Change::AddKeyset { id, spec } => Outcome::Applied(self.add_keyset(*id, *spec)),
            Change::Seal(totals) => Outcome::Applied(self.seal(totals)),
            Change::AcceptLoss => Outcome::Applied(self.accept_loss()),
            Change::OpenHolder(holder) => Outcome::Applied(self.open_holder(holder)),
            Change::SetLevel { holder, level } => Outcome::Applied(self.set_level(*holder, *level)),
            Change::SetHolderState { holder, state, units } => {
                Outcome::Applied(self.set_holder_state(*holder, *state, units))
            }
            Change::OpenOrder(order) => Outcome::Applied(self.open_order(order)),
            Change::CancelOrder(order) => Outcome::Applied(self.cancel_order(*order)),
            Change::PayOrder(payment) => Outcome::Paid(self.pay_order(payment)),
            Change::Refund { order, refund, amount, to } => {
                Outcome::Refunded(self.refund(order, *refund, *amount, *to))
            }
            Change::FetchRefund(fetch) => Outcome::Fetched(self.fetch_refund(fetch)),
            Change::Release(proofs) => {
                self.effects.release.extend(proofs);
                Outcome::Applied(!proofs.is_empty())
            }
            Change::Forget(events) => {
                self.effects.forget.extend(events);
                Outcome::Applied(!events.is_empty())
            }
            Change::Answer(answer) => Outcome::Answered(self.answer(answer)),
            Change::OpenContract(contract) => Outcome::Applied(self.open_contract(contract)),
            Change::EndContract { contract, holder } => {
                Outcome::Applied(self.end_contract(*contract, *holder))
            }
            Change::OpenBills { holder, floor, bills } => {
                Outcome::Billed(self.open_bills(*holder, *floor, bills))
            }
            Change::WithdrawBill { contract, holder, month } => {
                Outcome::Applied(self.withdraw_bill(*contract, *holder, *month))
            }
            Change::PayBill(payment) => Outcome::BillPaid(self.pay_bill(payment)),
            Change::CloseMonth(month) => Outcome::MonthClosed(self.close_month(month)),
            Change::Post(posting) => Outcome::Posted(self.post_for_holders(posting)),
            Change::Tick => Outcome::Applied(self.drop_quotes()),
        }
    }

    /// What the passing of time changes, before anything else of the batch: latched in the same commit, so
    /// that nothing decided after it can be undone by a clock that goes back.
    fn let_time_pass(&mut self) {
        let today = self.now.day();
        if self.facts.open_day < today {
            let unit_of = |number| keyset_of(&self.facts.keysets, number).spec.unit;
            let posted = post_day(self.facts.open_day, unit_of, &self.facts.day_flows);
            self.effects.transfers.extend(posted);
            self.effects.close_day = Some(today);
            self.facts.day_flows.clear();
            self.facts.open_day = today;
        }
        for keyset in &mut self.facts.keysets {
            if keyset.state < KeysetState::Closed && !keyset.redeems(self.now) {
                keyset.state = KeysetState::Closed;
                self.effects.keysets.insert(keyset.number, keyset.clone());
            }
        }
    }

    fn drop_quotes(&mut self) -> bool {
        let kept = QUOTE_RETENTION_DAYS * Day::SECONDS;
        let limit = Timestamp::from_seconds(self.now.seconds().saturating_sub(kept));
        self.effects.drop_quotes_before = Some(limit);
        let kept = PAID_ORDER_RETENTION_DAYS * Day::SECONDS;
        let of_paid = Timestamp::from_seconds(self.now.seconds().saturating_sub(kept));
        self.effects.drop_orders_before = Some((limit, of_paid));
        let newest = key_epoch(Epoch::of(self.now));
        self.effects.drop_keys_before = Some(newest.saturating_sub(1));
        self.effects.drop_bills_before = Some(oldest_month(self.now));
        true
    }

    fn swap(&mut self, swap: &PreparedSwap) -> Result<(), SwapError> {
        // The replay check stands first: after a rotation, too, a wallet gets the answer it missed.
        let all_spent = swap.inputs().iter().all(|input| self.facts.spent.contains(&input.y));
        let all_signed = swap.outputs().iter().all(|output| {
            let signed = SignedOutput { keyset: output.keyset, amount: output.amount };
            self.facts.signed.get(&output.blinded) == Some(&signed)
        });
        if all_spent && all_signed {
            return Ok(());
        }
        self.outputs_are_new(swap.outputs())?;
        self.inputs_are_unspent(swap.inputs())?;
        self.outputs_may_be_signed(swap.outputs())?;
        for input in swap.inputs() {
            self.facts.spent.insert(input.y);
            self.effects.spend.push(*input);
        }
        self.sign(swap.outputs());
        for (pair, flow) in swap.flows() {
            let sum = self.effects.flows.entry(*pair).or_default();
            sum.value += flow.value;
            sum.fee += flow.fee;
        }
        Ok(())
    }

    /// A request that was answered gets the same reply: a second one would be a second passport. A request that shows one thing
    /// twice (a receipt for both slots) is refused.
    fn answer(&mut self, answer: &PreparedAnswer) -> Result<Vec<u8>, AnswerError> {
        if answer.names.is_empty() {
            return Ok(answer.reply.clone());
        }
        if let Some(reply) = self.answered(answer) {
            return Ok(reply);
        }
        // The same bytes for something else, such as two accounts' enrolment: there is one answer to a request.
        if self.facts.replies.contains_key(&answer.digest) {
            return Err(AnswerError::Shown { index: 0 });
        }
        let known = |name: &Name| self.facts.shown.get(name);
        for (index, name) in answer.names.iter().enumerate() {
            if known(name).is_some() || answer.names[..index].contains(name) {
                return Err(AnswerError::Shown { index });
            }
        }
        self.facts.shown.extend(answer.names.iter().map(|name| (*name, answer.digest)));
        self.facts.replies.insert(answer.digest, answer.reply.clone());
        self.effects.answers.push(answer.clone());
        Ok(answer.reply.clone())
    }

    /// What was answered to the same request before.
    fn answered(&self, answer: &PreparedAnswer) -> Option<Vec<u8>> {
        let is_known = |name: &Name| self.facts.shown.get(name) == Some(&answer.digest);
        let all = !answer.names.is_empty() && answer.names.iter().all(is_known);
        self.facts.replies.get(&answer.digest).filter(|_| all).cloned()
    }

    fn open_mint_quote(&mut self, quote: &MintQuote) -> bool {
        let new = !self.facts.mint_quotes.contains_key(&quote.id);
        if new {
            self.put_mint_quote(quote.clone());
        }
        new
    }

    fn receive(&mut self, id: QuoteId, amount: u64) -> bool {
        let Some(quote) = self.facts.mint_quotes.get(&id) else { return false };
        if quote.state != MintQuoteState::Unpaid || quote.amount != amount {
            return false;
        }
        let (debit, credit) = (Account::Settlement(quote.unit), Account::Unissued(quote.unit));
        let quote = MintQuote { state: MintQuoteState::Paid, ..quote.clone() };
        self.post(TransferKind::Received, debit, credit, amount, id.as_bytes());
        self.put_mint_quote(quote);
        true
    }

    fn mint(&mut self, mint: &PreparedMint) -> Result<(), MintError> {
        let quote = self.facts.mint_quotes.get(&mint.quote()).ok_or(MintError::UnknownQuote)?;
        match quote.state {
            MintQuoteState::Issued { outputs } if outputs == mint.digest() => return Ok(()),
            MintQuoteState::Issued { .. } => return Err(MintError::AlreadyIssued),
            MintQuoteState::Unpaid => return Err(MintError::NotPaid),
            MintQuoteState::Paid => {}
        }
        let unit = quote.unit;
        let issued = MintQuote {
            state: MintQuoteState::Issued { outputs: mint.digest() },
            expiry: up_to_hour(quote.expiry),
            ..quote.clone()
        };
        self.outputs_are_new(mint.outputs())?;
        self.outputs_may_be_signed(mint.outputs())?;
        self.sign(mint.outputs());
        for output in mint.outputs() {
            let credit = Account::Ecash(unit, output.keyset);
            self.post_sum(
                TransferKind::Issued,
                Account::Unissued(unit),
                credit,
                output.amount,
                mint.quote(),
            );
        }
        self.put_mint_quote(issued);
        Ok(())
    }

    fn open_melt_quote(&mut self, quote: &MeltQuote) -> bool {
        let new = !self.facts.melt_quotes.contains_key(&quote.id);
        if new {
            self.put_melt_quote(quote.clone());
        }
        new
    }

    fn start_melt(&mut self, melt: &PreparedMelt) -> Result<MeltQuote, MeltError> {
        let quote = self.facts.melt_quotes.get(&melt.quote()).ok_or(MeltError::UnknownQuote)?;
        match &quote.state {
            MeltQuoteState::Paid { .. } => return Ok(quote.clone()),
            MeltQuoteState::Pending(_) => return Err(MeltError::Pending),
            MeltQuoteState::Unpaid if quote.expiry <= self.now => return Err(MeltError::Expired),
            MeltQuoteState::Unpaid => {}
        }
        let state = MeltQuoteState::Pending(melt.pending());
        let started = MeltQuote { attempt: quote.attempt + 1, state, ..quote.clone() };
        self.outputs_are_new(melt.outputs())?;
        self.inputs_are_unspent(melt.inputs())?;
        self.outputs_may_be_signed(melt.outputs())?;
        if let Some(payee) = melt.payee() {
            return self.pay_holder(payee, melt, started);
        }
        for input in melt.inputs() {
            self.facts.held.insert(input.y);
            self.effects.hold.push((melt.quote(), *input));
        }
        for output in melt.outputs() {
            self.facts.promised.insert(output.blinded);
            self.effects.promise.push((melt.quote(), output.blinded));
        }
        self.put_melt_quote(started.clone());
        Ok(started)
    }

    fn finish_melt(&mut self, id: QuoteId, attempt: u32, end: &MeltEnd) -> Option<MeltQuote> {
        let quote = self.facts.melt_quotes.get(&id).filter(|quote| quote.attempt == attempt)?;
        let MeltQuoteState::Pending(pending) = &quote.state else { return None };
        let (quote, pending) = (quote.clone(), pending.clone());
        let finished = match end {
            MeltEnd::Failed => {
                self.end_hold(id, false);
                MeltQuote { state: MeltQuoteState::Unpaid, ..quote }
            }
            MeltEnd::Paid { fee, evidence } => {
                self.end_hold(id, true);
                let payee = Account::Settlement(quote.unit);
                let change = self.settle_melt(&quote, &pending, *fee, payee);
                let state =
                    MeltQuoteState::Paid { fee_paid: *fee, evidence: evidence.clone(), change };
                MeltQuote { state, expiry: up_to_hour(quote.expiry), ..quote }
            }
        };
        self.put_melt_quote(finished.clone());
        Some(finished)
    }

    /// Spends what a payment holds, or frees it, and forgets the outputs promised to it.
    ///
    /// What this batch itself was to hold is no row yet: it is taken back here, and not by the store. All that
    /// a quote holds comes from one start, so it is either all in rows or all in this batch.
    fn end_hold(&mut self, id: QuoteId, is_spent: bool) {
        self.effects.promise.retain(|(quote, _)| *quote != id);
        self.effects.release_promised.push(id);
        let held_here: Vec<(QuoteId, SpentProof)> =
            self.effects.hold.extract_if(.., |(quote, _)| *quote == id).collect();
        if held_here.is_empty() {
            let ended = if is_spent {
                &mut self.effects.spend_held
            } else {
                &mut self.effects.release_held
            };
            ended.push(id);
        }
        for (_, proof) in held_here {
            self.facts.held.remove(&proof.y);
            if is_spent {
                self.facts.spent.insert(proof.y);
                self.effects.spend.push(proof);
            }
        }
    }

    /// Signs the change of what was held and posts both. A keyset that was rotated meanwhile still signs:
    /// the change was promised while it was active.
    fn settle_melt(
        &mut self,
        quote: &MeltQuote,
        pending: &PendingMelt,
        rail_fee: u64,
        payee: Account,
    ) -> Vec<Output> {
        let settled = settle(quote, pending, rail_fee);
        let unit = quote.unit;
        let sources: Vec<(Account, u64)> = pending
            .inputs
            .iter()
            .map(|(keyset, value)| (Account::Ecash(unit, *keyset), *value))
            .collect();
        let sinks: Vec<(Account, u64)> =
            [(payee, settled.paid_out - settled.loss), (Account::Fees(unit), settled.fees)]
                .into_iter()
                .chain(
                    settled
                        .change
                        .iter()
                        .map(|output| (Account::Ecash(unit, output.keyset), output.amount)),
                )
                .collect();
        for (debit, credit, part) in attribute(&sources, &sinks) {
            let kind = match credit {
                Account::Fees(_) => TransferKind::Fee,
                Account::Ecash(..) => TransferKind::Swapped,
                Account::Settlement(_)
                | Account::Unissued(_)
                | Account::Expired(_)
                | Account::RailLoss(_)
                | Account::SetAside(_)
                | Account::Holder(..)
                | Account::Suspense(_)
                | Account::Held(_)
                | Account::Clearing(_)
                | Account::Refunds(_)
                | Account::Own(_) => TransferKind::Melted,
            };
            if debit != credit {
                self.post_sum(kind, debit, credit, part, quote.id);
            }
        }
        let (loss, settlement) = (Account::RailLoss(unit), Account::Settlement(unit));
        self.post_sum(TransferKind::Melted, loss, settlement, settled.loss, quote.id);
        self.sign(&settled.change);
        settled.change
    }

    fn add_keyset(&mut self, id: KeysetId, spec: KeysetSpec) -> bool {
        if self.facts.keysets.iter().any(|keyset| keyset.id == id) {
            return false;
        }
        for keyset in &mut self.facts.keysets {
            if keyset.spec.unit == spec.unit && keyset.state == KeysetState::Active {
                keyset.state = KeysetState::Inactive;
                self.effects.keysets.insert(keyset.number, keyset.clone());
            }
        }
        let last = self.facts.keysets.iter().map(|keyset| keyset.number.get()).max().unwrap_or(0);
        let number = KeysetNumber::new(last + 1);
        let record = KeysetRecord { number, id, spec, state: KeysetState::Active };
        self.effects.keysets.insert(number, record.clone());
        self.facts.keysets.push(record);
        true
    }

    /// Seals a keyset if the signed totals are those of the books, nothing of it is held by a payment, and no
    /// swap of the open day awaits posting.
    fn seal(&mut self, totals: &SealedTotals) -> bool {
        let Some(at) = self.facts.keysets.iter().position(|keyset| keyset.id == totals.keyset)
        else {
            return false;
        };
        let keyset = &self.facts.keysets[at];
        let (number, unit) = (keyset.number, keyset.spec.unit);
        let balance =
            self.facts.balances.get(&Account::Ecash(unit, number)).copied().unwrap_or_default();
        let counted = (balance.credits, balance.debits) == (totals.issued, totals.redeemed)
            && balance.credits.checked_sub(balance.debits) == Some(totals.outstanding);
        let unposted =
            self.facts.day_flows.keys().any(|(from, to)| *from == number || *to == number);
        let posted_here = !self.effects.transfers.is_empty();
        let held = self.facts.keysets_held.contains(&number);
        if keyset.state != KeysetState::Closed || !counted || unposted || posted_here || held {
            return false;
        }
        self.facts.keysets[at].state = KeysetState::Sealed;
        self.effects.keysets.insert(number, self.facts.keysets[at].clone());
        let (debit, credit) = (Account::Ecash(unit, number), Account::Expired(unit));
        self.post(
            TransferKind::Expired,
            debit,
            credit,
            totals.outstanding,
            totals.keyset.as_bytes(),
        );
        self.effects.sealed.push((number, totals.clone()));
        true
    }

    /// Closes every keyset, withdraws every open quote and order, and freezes every account: what was paid, spent and
    /// held since is not known. The pending payments stay: the rail knows how they end.
    fn accept_loss(&mut self) -> bool {
        for keyset in &mut self.facts.keysets {
            if keyset.state < KeysetState::Closed {
                keyset.state = KeysetState::Closed;
                self.effects.keysets.insert(keyset.number, keyset.clone());
            }
        }
        let mints: Vec<(QuoteId, MintQuote)> =
            self.facts.mint_quotes.extract_if(|_, quote| quote.is_open()).collect();
        for (_, quote) in mints {
            if quote.state == MintQuoteState::Paid {
                let (debit, credit) =
                    (Account::Unissued(quote.unit), Account::SetAside(quote.unit));
                let fact = quote.id.as_bytes();
                self.post(TransferKind::SetAside, debit, credit, quote.amount, fact);
            }
            self.effects.mint_quotes.remove(&quote.id);
            self.effects.withdraw.insert(quote.id);
        }
        let melts: Vec<(QuoteId, MeltQuote)> =
            self.facts.melt_quotes.extract_if(|_, quote| quote.is_open()).collect();
        for (id, _) in melts {
            self.effects.melt_quotes.remove(&id);
            self.effects.withdraw.insert(id);
        }
        self.put_accounts_aside();
        true
    }

    fn outputs_are_new(&self, outputs: &[Output]) -> Result<(), OutputError> {
        if let Some(index) =
            outputs.iter().position(|output| self.facts.signed.contains_key(&output.blinded))
        {
            return Err(OutputError::AlreadySigned { index });
        }
        match outputs.iter().position(|output| self.facts.promised.contains(&output.blinded)) {
            Some(index) => Err(OutputError::Promised { index }),
            None => Ok(()),
        }
    }

    fn inputs_are_unspent(&self, inputs: &[SpentProof]) -> Result<(), InputError> {
        for (index, input) in inputs.iter().enumerate() {
            if self.facts.spent.contains(&input.y) {
                return Err(InputError::AlreadySpent { index });
            }
            if self.facts.held.contains(&input.y) {
                return Err(InputError::Pending { index });
            }
            if !keyset_of(&self.facts.keysets, input.keyset).redeems(self.now) {
                return Err(InputError::KeysetExpired { index });
            }
        }
        Ok(())
    }

    fn outputs_may_be_signed(&self, outputs: &[Output]) -> Result<(), OutputError> {
        for (index, output) in outputs.iter().enumerate() {
            let keyset = keyset_of(&self.facts.keysets, output.keyset);
            if !keyset.redeems(self.now) {
                return Err(OutputError::KeysetExpired { index });
            }
            if keyset.state != KeysetState::Active {
                return Err(OutputError::KeysetInactive { index });
            }
        }
        Ok(())
    }

    fn sign(&mut self, outputs: &[Output]) {
        for output in outputs {
            let signed = SignedOutput { keyset: output.keyset, amount: output.amount };
            self.facts.signed.insert(output.blinded, signed);
            self.facts.promised.remove(&output.blinded);
            self.effects.sign.push((output.blinded, signed));
        }
    }

    fn put_mint_quote(&mut self, quote: MintQuote) {
        self.facts.mint_quotes.insert(quote.id, quote.clone());
        self.effects.mint_quotes.insert(quote.id, quote);
    }

    fn put_melt_quote(&mut self, quote: MeltQuote) {
        self.facts.melt_quotes.insert(quote.id, quote.clone());
        self.effects.melt_quotes.insert(quote.id, quote);
    }

    fn post(
        &mut self,
        kind: TransferKind,
        debit: Account,
        credit: Account,
        amount: u64,
        fact: &[u8],
    ) {
        let new = Transfer::of(kind, debit, credit, amount, fact, self.facts.open_day);
        if let Some(new) = new {
            self.put_transfer(new);
        }
    }

    fn put_transfer(&mut self, new: Transfer) {
        self.note(&new);
        self.effects.transfers.push(new);
    }

    /// Posts a debit of an account that is credited as much in the same commit. No other server need know of it, for the
    /// balance that it read is only too low: without this, the account of a busy merchant would be a hot row.
    fn put_beside_credit(&mut self, new: Transfer) {
        if let Account::Holder(unit, holder) = new.debit {
            self.facts.purses.entry((holder, unit)).or_default().balance.debits += new.amount;
        }
        self.effects.transfers.push(new);
    }

    /// Remembers for the rest of the batch what a transfer leaves on the accounts of holders.
    fn note(&mut self, new: &Transfer) {
        if let Account::Holder(unit, holder) = new.debit {
            self.facts.purses.entry((holder, unit)).or_default().balance.debits += new.amount;
            self.write_usage(holder, unit);
        }
        if let Account::Holder(unit, holder) = new.credit {
            self.facts.purses.entry((holder, unit)).or_default().balance.credits += new.amount;
        }
    }

    /// Posts for a quote, added to a transfer of the same kind between the same accounts for it.
    fn post_sum(
        &mut self,
        kind: TransferKind,
        debit: Account,
        credit: Account,
        amount: u64,
        quote: QuoteId,
    ) {
        let new = Transfer::of(kind, debit, credit, amount, quote.as_bytes(), self.facts.open_day);
        let Some(new) = new else { return };
        match self.effects.transfers.iter().position(|posted| posted.id == new.id) {
            Some(at) => {
                self.note(&new);
                self.effects.transfers[at].amount += new.amount;
            }
            None => self.put_transfer(new),
        }
    }
}

/// The end of the hour a moment falls in: no finer time is kept of a quote that is done.
fn up_to_hour(moment: Timestamp) -> Timestamp {
    Timestamp::from_seconds(moment.seconds().div_ceil(3600).saturating_mul(3600))
}
