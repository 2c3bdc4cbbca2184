//! A vault in memory: the reference the stores are held against, and what tests run on. Nothing is durable.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_ecash::point::{PointBytes, Y};

use crate::account::{AccountId, Holder, HolderState, Usage};
use crate::audit::{Books, KeysetBooks};
use crate::bill::{Bill, BillContract, Stream};
use crate::decide::decide;
use crate::keyset::{KeysetNumber, KeysetRecord, KeysetState, SealedTotals};
use crate::ledger::{Account, DayFlows, Transfer, TransferId};
use crate::order::{EventId, Order, OrderId, OrderState, OutboxEvent};
use crate::passport::{Bucket, DROPPED_AT_ONCE, Kept, Name, PreparedAnswer, RequestDigest};
use crate::quote::{MeltQuote, MeltQuoteState, MintQuote, MintQuoteState, QuoteId};
use crate::reconcile::Sums;
use crate::vault::wanted::Wanted;
use crate::vault::{
    Balance, Change, Effects, Facts, Outcome, ProofState, Purse, SignedOutput, SpentProof,
    StoreError, VaultReader, VaultStore, keysets_held,
};

#[derive(Default)]
struct Rows {
    spent: BTreeMap<Y, SpentProof>,
    signed: BTreeMap<PointBytes, SignedOutput>,
    held: BTreeMap<Y, (QuoteId, SpentProof)>,
    promised: BTreeMap<PointBytes, QuoteId>,
    mint_quotes: BTreeMap<QuoteId, MintQuote>,
    melt_quotes: BTreeMap<QuoteId, MeltQuote>,
    keysets: BTreeMap<KeysetNumber, KeysetRecord>,
    sealed: BTreeMap<KeysetNumber, SealedTotals>,
    transfers: BTreeMap<TransferId, Transfer>,
    balances: BTreeMap<Account, Balance>,
    holders: BTreeMap<AccountId, Holder>,
    usage: BTreeMap<(AccountId, Unit), Usage>,
    orders: BTreeMap<OrderId, Order>,
    outbox: BTreeMap<EventId, OutboxEvent>,
    released: BTreeSet<Y>,
    shown: BTreeMap<Name, RequestDigest>,
    answers: BTreeMap<RequestDigest, PreparedAnswer>,
    contracts: BTreeMap<Contract, BillContract>,
    bills: BTreeMap<(Contract, Epoch), Bill>,
    open_day: Day,
    day_flows: DayFlows,
}

/// A vault in memory. Its clones are handles of the same one, so that it can be written and read at once, and
/// outlives a pretended restart.
#[derive(Clone, Default)]
pub struct MemoryVault {
    rows: Arc<Mutex<Rows>>,
}

impl MemoryVault {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        // A test that panicked between two statements is reported by itself.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VaultStore for MemoryVault {
    fn commit(&mut self, batch: &[Change], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        let mut rows = self.rows();
        let (outcomes, effects) = decide(batch, rows.facts(&Wanted::by(batch)), now);
        rows.apply(effects)?;
        Ok(outcomes)
    }
}

impl Rows {
    fn facts(&self, wanted: &Wanted) -> Facts {
        let proofs: HashSet<Y> = wanted.proofs.union(&wanted.proofs_to_hold).copied().collect();
        let outputs = wanted.outputs.union(&wanted.outputs_to_promise);
        let (mut signed, mut promised) = (Vec::new(), HashSet::new());
        for output in outputs {
            signed.extend(self.signed.get(output).map(|found| (*output, *found)));
            promised.extend(self.promised.get_key_value(output).map(|(output, _)| *output));
        }
        Facts {
            spent: proofs.iter().filter(|y| self.spent.contains_key(y)).copied().collect(),
            held: proofs.iter().filter(|y| self.held.contains_key(y)).copied().collect(),
            signed: signed.into_iter().collect(),
            promised,
            mint_quotes: pick(&self.mint_quotes, |quote| {
                wanted.mint_quotes.contains(&quote.id) || wanted.open_quotes && quote.is_open()
            }),
            melt_quotes: pick(&self.melt_quotes, |quote| {
                wanted.melt_quotes.contains(&quote.id) || wanted.open_quotes && quote.is_open()
            }),
            holders: self
                .holders
                .iter()
                .filter(|(id, _)| wanted.holders.contains(id) || wanted.open_quotes)
                .map(|(id, holder)| (*id, holder.clone()))
                .collect(),
            purses: wanted.purses.iter().map(|of| (*of, self.purse(of.0, of.1))).collect(),
            orders: self
                .orders
                .iter()
                .filter(|(id, _)| wanted.orders.contains(id) || wanted.open_quotes)
                .map(|(id, order)| (*id, order.clone()))
                .collect(),
            transfers: wanted
                .transfers
                .iter()
                .filter_map(|id| Some((*id, self.transfers.get(id)?.clone())))
                .collect(),
            shown: wanted
                .shown
                .iter()
                .filter_map(|name| Some((*name, *self.shown.get(name)?)))
                .collect(),
            replies: wanted
                .requests
                .iter()
                .filter_map(|digest| Some((*digest, self.answers.get(digest)?.reply.clone())))
                .collect(),
            streams: self
                .contracts
                .keys()
                .filter(|id| wanted.streams.contains(id) || wanted.open_quotes)
                .filter_map(|id| Some((*id, self.stream(*id)?)))
                .collect(),
            keysets: self.keysets.values().cloned().collect(),
            open_day: self.open_day,
            day_flows: self.day_flows.clone(),
            balances: self.balances.clone().into_iter().collect(),
            keysets_held: keysets_held(self.melt_quotes.values()),
        }
    }

    /// Fails only where `decide` was wrong; what is left then is of no use.
    fn apply(&mut self, effects: Effects) -> Result<(), StoreError> {
        self.keysets.extend(effects.keysets);
        self.holders.extend(effects.holders);
        self.orders.extend(effects.orders);
        for event in effects.outbox {
            insert(&mut self.outbox, event.id, event)?;
        }
        self.outbox.retain(|id, _| !effects.forget.contains(id));
        self.released.extend(effects.release);
        self.answer(effects.answers, effects.drop_keys_before)?;
        self.contracts.extend(effects.contracts);
        self.bills.extend(effects.bills);
        for (of, usage) in effects.usage {
            let before = self.usage.insert(of, usage).unwrap_or_default();
            if usage.version != before.version + 1 {
                return Err(StoreError::Corrupt("an account's usage was written out of turn"));
            }
        }
        self.mint_quotes.extend(effects.mint_quotes);
        self.melt_quotes.extend(effects.melt_quotes);
        for quote in &effects.spend_held {
            let spent: Vec<SpentProof> = self.of_quote(*quote).collect();
            self.spend(spent)?;
        }
        let freed = [effects.spend_held, effects.release_held].concat();
        self.held.retain(|_, (quote, _)| !freed.contains(quote));
        self.promised.retain(|_, quote| !effects.release_promised.contains(quote));
        for (quote, proof) in effects.hold {
            insert(&mut self.held, proof.y, (quote, proof))?;
        }
        for (quote, output) in effects.promise {
            insert(&mut self.promised, output, quote)?;
        }
        self.spend(effects.spend)?;
        for (output, signed) in effects.sign {
            insert(&mut self.signed, output, signed)?;
        }
        for transfer in effects.transfers {
            self.post(transfer)?;
        }
        if let Some(day) = effects.close_day {
            self.day_flows.clear();
            self.open_day = day;
        }
        for (pair, flow) in effects.flows {
            let sum = self.day_flows.entry(pair).or_default();
            sum.value += flow.value;
            sum.fee += flow.fee;
        }
        for (number, totals) in effects.sealed {
            insert(&mut self.sealed, number, totals)?;
            for proof in self.spent.values_mut().filter(|proof| proof.keyset == number) {
                proof.preimage = None;
            }
        }
        self.mint_quotes.retain(|id, _| !effects.withdraw.contains(id));
        self.melt_quotes.retain(|id, _| !effects.withdraw.contains(id));
        self.drop_old(
            effects.drop_orders_before,
            effects.drop_bills_before,
            effects.drop_quotes_before,
        );
        Ok(())
    }

    /// Drops what its time is over for.
    fn drop_old(
        &mut self,
        orders: Option<(Timestamp, Timestamp)>,
        bills: Option<Epoch>,
        quotes: Option<Timestamp>,
    ) {
        if let Some((limit, of_paid)) = orders {
            self.orders.retain(|_, order| {
                let is_paid = order.state == OrderState::Paid;
                order.expiry >= if is_paid { of_paid } else { limit }
            });
        }
        if let Some(limit) = bills {
            self.bills.retain(|(_, month), _| limit <= *month);
            let kept = &self.bills;
            self.contracts.retain(|id, contract| {
                let has_bills = kept.keys().any(|(of, _)| of == id);
                has_bills || contract.ended.is_none_or(|ended| limit <= ended)
            });
        }
        if let Some(limit) = quotes {
            self.mint_quotes
                .retain(|_, quote| quote.expiry >= limit || quote.state == MintQuoteState::Paid);
            self.melt_quotes.retain(|_, quote| {
                quote.expiry >= limit || matches!(quote.state, MeltQuoteState::Pending(_))
            });
        }
    }

    fn answer(
        &mut self,
        answers: Vec<PreparedAnswer>,
        drop_before: Option<u32>,
    ) -> Result<(), StoreError> {
        for answer in answers {
            for name in &answer.names {
                insert(&mut self.shown, *name, answer.digest)?;
            }
            insert(&mut self.answers, answer.digest, answer)?;
        }
        let is_old = |answer: &PreparedAnswer| drop_before.is_some_and(|keys| answer.keys < keys);
        let dropped = self.answers.extract_if(.., |_, answer| is_old(answer));
        for (digest, _) in dropped.take(DROPPED_AT_ONCE as usize) {
            self.shown.retain(|_, request| *request != digest);
        }
        Ok(())
    }

    fn stream(&self, id: Contract) -> Option<Stream> {
        let bills = self.bills.iter().filter(|((of, _), _)| *of == id);
        let bills = bills.map(|((_, month), bill)| (*month, *bill)).collect();
        Some(Stream { contract: self.contracts.get(&id)?.clone(), bills })
    }

    fn purse(&self, id: AccountId, unit: Unit) -> Purse {
        let balance = self.balances.get(&Account::Holder(unit, id)).copied().unwrap_or_default();
        Purse { balance, usage: self.usage.get(&(id, unit)).copied().unwrap_or_default() }
    }

    fn of_quote(&self, wanted: QuoteId) -> impl Iterator<Item = SpentProof> {
        self.held.values().filter(move |(quote, _)| *quote == wanted).map(|(_, proof)| *proof)
    }

    fn spend(&mut self, proofs: Vec<SpentProof>) -> Result<(), StoreError> {
        proofs.into_iter().try_for_each(|proof| insert(&mut self.spent, proof.y, proof))
    }

    fn post(&mut self, transfer: Transfer) -> Result<(), StoreError> {
        self.balances.entry(transfer.debit).or_default().debits += transfer.amount;
        self.balances.entry(transfer.credit).or_default().credits += transfer.amount;
        insert(&mut self.transfers, transfer.id, transfer)
    }

    fn keyset_books(&self, record: &KeysetRecord) -> KeysetBooks {
        let number = record.number;
        let signed = || self.signed.values().filter(|signed| signed.keyset == number);
        let spent = || self.spent.values().filter(|proof| proof.keyset == number);
        let held = self.held.values().filter(|(_, proof)| proof.keyset == number);
        KeysetBooks {
            record: record.clone(),
            signed: signed().map(|signed| signed.amount).sum(),
            signed_rows: count(signed().count()),
            spent: spent().map(|proof| proof.amount).sum(),
            spent_rows: count(spent().count()),
            held: held.map(|(_, proof)| proof.amount).sum(),
        }
    }

    fn pending(&self) -> impl Iterator<Item = &MeltQuote> {
        self.melt_quotes.values().filter(|quote| matches!(quote.state, MeltQuoteState::Pending(_)))
    }

    fn orphans(&self) -> Vec<(&'static str, u64)> {
        let pending: HashSet<QuoteId> = self.pending().map(|quote| quote.id).collect();
        let holding: HashSet<QuoteId> = self.held.values().map(|(quote, _)| *quote).collect();
        let both = self.held.keys().filter(|y| self.spent.contains_key(y)).count();
        let loose = self.promised.values().filter(|quote| !pending.contains(quote)).count();
        let twice = self.promised.keys().filter(|output| self.signed.contains_key(output)).count();
        vec![
            ("proof both held and spent", count(both)),
            ("output both promised and signed", count(twice)),
            ("held proof without a pending quote", count(holding.difference(&pending).count())),
            ("pending quote that holds nothing", count(pending.difference(&holding).count())),
            ("promised output without a pending quote", count(loose)),
        ]
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).expect("a count of rows in memory")
}

fn pick<T: Clone>(
    rows: &BTreeMap<QuoteId, T>,
    is_wanted: impl Fn(&T) -> bool,
) -> std::collections::HashMap<QuoteId, T> {
    let wanted = rows.iter().filter(|(_, quote)| is_wanted(quote));
    wanted.map(|(id, quote)| (*id, quote.clone())).collect()
}

fn insert<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, value: V) -> Result<(), StoreError> {
    match rows.insert(key, value) {
        None => Ok(()),
        Some(_) => Err(StoreError::Corrupt("a new row was there already")),
    }
}

impl VaultReader for MemoryVault {
    fn keysets(&mut self) -> Result<Vec<KeysetRecord>, StoreError> {
        Ok(self.rows().keysets.values().cloned().collect())
    }

    fn mint_quote(&mut self, id: QuoteId) -> Result<Option<MintQuote>, StoreError> {
        Ok(self.rows().mint_quotes.get(&id).cloned())
    }

    fn melt_quote(&mut self, id: QuoteId) -> Result<Option<MeltQuote>, StoreError> {
        Ok(self.rows().melt_quotes.get(&id).cloned())
    }

    fn proof_states(&mut self, proofs: &[Y]) -> Result<Vec<ProofState>, StoreError> {
        let rows = self.rows();
        let state = |y| match (rows.spent.get(y), rows.held.get(y)) {
            (Some(proof), _) => ProofState::Spent(proof.preimage),
            (None, Some(_)) => ProofState::Pending,
            (None, None) => ProofState::Unspent,
        };
        Ok(proofs.iter().map(state).collect())
    }

    fn signed(&mut self, outputs: &[PointBytes]) -> Result<Vec<Option<SignedOutput>>, StoreError> {
        let rows = self.rows();
        Ok(outputs.iter().map(|output| rows.signed.get(output).copied()).collect())
    }

    fn unpaid_mint_quotes(&mut self, now: Timestamp) -> Result<Vec<MintQuote>, StoreError> {
        let rows = self.rows();
        let waits =
            |quote: &&MintQuote| quote.state == MintQuoteState::Unpaid && now < quote.expiry;
        Ok(rows.mint_quotes.values().filter(waits).cloned().collect())
    }

    fn mint_quotes_of(&mut self, request: &str) -> Result<Vec<MintQuote>, StoreError> {
        let is_of = |quote: &&MintQuote| quote.request == request;
        Ok(self.rows().mint_quotes.values().filter(is_of).cloned().collect())
    }

    fn pending_melt_quotes(&mut self) -> Result<Vec<MeltQuote>, StoreError> {
        Ok(self.rows().pending().cloned().collect())
    }

    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, StoreError> {
        Ok(self.rows().holders.get(&id).cloned())
    }

    fn purse(&mut self, id: AccountId, unit: Unit) -> Result<Purse, StoreError> {
        Ok(self.rows().purse(id, unit))
    }

    fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.rows().orders.get(&id).cloned())
    }

    fn holders(&mut self, after: Option<AccountId>, limit: u64) -> Result<Vec<Holder>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows = self.rows();
        let mut found: Vec<Holder> = rows.holders.values().cloned().collect();
        found.retain(|holder| after < Some(holder.id));
        found.sort_by_key(|holder| holder.id);
        found.truncate(limit);
        Ok(found)
    }

    fn merchant_keys(&mut self) -> Result<Vec<PointBytes>, StoreError> {
        let rows = self.rows();
        let open = rows.holders.values().filter(|holder| holder.state != HolderState::Closed);
        Ok(open.filter_map(|holder| holder.key).collect())
    }

    fn released(&mut self, proofs: &[Y]) -> Result<HashSet<Y>, StoreError> {
        let rows = self.rows();
        Ok(proofs.iter().filter(|y| rows.released.contains(y)).copied().collect())
    }

    fn outbox(&mut self, limit: u64) -> Result<Vec<OutboxEvent>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.rows().outbox.values().take(limit).copied().collect())
    }

    fn answers(
        &mut self,
        bucket: Bucket,
        after: Option<RequestDigest>,
        limit: u64,
    ) -> Result<Vec<Kept>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows = self.rows();
        let is_in = |answer: &&PreparedAnswer| {
            answer.bucket == bucket && after.is_none_or(|after| after < answer.digest)
        };
        let found = rows.answers.values().filter(is_in).take(limit);
        let kept = |PreparedAnswer { digest, reply, sealed, .. }: &PreparedAnswer| Kept {
            request: *digest,
            reply: reply.clone(),
            sealed: sealed.clone(),
        };
        Ok(found.map(kept).collect())
    }

    fn shown(&mut self, names: &[Name]) -> Result<Vec<Option<RequestDigest>>, StoreError> {
        let rows = self.rows();
        Ok(names.iter().map(|name| rows.shown.get(name).copied()).collect())
    }

    fn stream(&mut self, contract: Contract) -> Result<Option<Stream>, StoreError> {
        Ok(self.rows().stream(contract))
    }

    fn reply(&mut self, request: RequestDigest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows().answers.get(&request).map(|answer| answer.reply.clone()))
    }

    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        Ok(self.rows().transfers.get(&id).cloned())
    }

    fn statement(
        &mut self,
        account: Account,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Transfer>, StoreError> {
        let rows = self.rows();
        let concerns =
            |transfer: &&Transfer| account == transfer.debit || account == transfer.credit;
        let mut found: Vec<Transfer> = rows.transfers.values().filter(concerns).cloned().collect();
        found.sort_by_key(|transfer| (Reverse(transfer.day), transfer.id));
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(found.into_iter().skip(size(skip)).take(size(limit)).collect())
    }

    fn statements(
        &mut self,
        accounts: &[Account],
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Vec<Transfer>>, StoreError> {
        accounts.iter().map(|account| self.statement(*account, skip, limit)).collect()
    }

    fn sealable_keysets(&mut self) -> Result<Vec<(KeysetRecord, Balance)>, StoreError> {
        let rows = self.rows();
        let held = keysets_held(rows.melt_quotes.values());
        let closed = rows
            .keysets
            .values()
            .filter(|keyset| keyset.state == KeysetState::Closed && !held.contains(&keyset.number));
        let with_balance = |keyset: &KeysetRecord| {
            let account = Account::Ecash(keyset.spec.unit, keyset.number);
            (keyset.clone(), rows.balances.get(&account).copied().unwrap_or_default())
        };
        Ok(closed.map(with_balance).collect())
    }

    fn sums(&mut self, unit: Unit) -> Result<Sums, StoreError> {
        let mut sums = Sums::default();
        for (account, balance) in self.rows().balances.iter().filter(|(of, _)| of.unit() == unit) {
            if matches!(account, Account::Holder(..)) {
                sums.holders.debits += balance.debits;
                sums.holders.credits += balance.credits;
            } else {
                sums.accounts.insert(*account, *balance);
            }
        }
        Ok(sums)
    }

    fn books(&mut self) -> Result<Books, StoreError> {
        let rows = self.rows();
        let mut books = Books {
            keysets: rows.keysets.values().map(|record| rows.keyset_books(record)).collect(),
            balances: rows.balances.clone(),
            open_day: rows.open_day,
            day_flows: rows.day_flows.clone(),
            sealed: rows.sealed.values().cloned().collect(),
            orphans: rows.orphans(),
            ..Books::default()
        };
        for transfer in rows.transfers.values() {
            books.transfers.entry(transfer.debit).or_default().debits += transfer.amount;
            books.transfers.entry(transfer.credit).or_default().credits += transfer.amount;
        }
        for quote in rows.mint_quotes.values().filter(|quote| quote.state == MintQuoteState::Paid) {
            *books.paid_quotes.entry(quote.unit).or_default() += quote.amount;
        }
        for quote in rows.pending() {
            let MeltQuoteState::Pending(pending) = &quote.state else { continue };
            for (keyset, value) in &pending.inputs {
                *books.pending_inputs.entry(*keyset).or_default() += value;
            }
        }
        Ok(books)
    }
}
