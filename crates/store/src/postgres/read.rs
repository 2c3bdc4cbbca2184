//! Looking things up: the readers' side, and what a writer asks with the same statements.

use std::collections::{HashMap, HashSet};

use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_credit::passport::standing::Contract;
use tacit_ecash::condition::Preimage;
use tacit_ecash::point::{PointBytes, Y};
use tacit_service::account::{AccountId, Holder, Usage};
use tacit_service::audit::Books;
use tacit_service::bill::Stream;
use tacit_service::keyset::{KeysetRecord, KeysetState};
use tacit_service::ledger::{Account, DayFlow, DayFlows, Transfer, TransferId};
use tacit_service::order::{Order, OrderId, OutboxEvent};
use tacit_service::passport::{Bucket, Kept, Name, RequestDigest};
use tacit_service::quote::{MeltQuote, MintQuote, QuoteId};
use tacit_service::reconcile::Sums;
use tacit_service::vault::{
    Balance, ProofState, Purse, SignedOutput, StoreError, VaultReader, keysets_held,
};
use tokio_postgres::Row;

use super::fault::{Fault, Remedy};
use super::link::{Link, Param, Question};
use super::row::{self, at, bytes, natural_at};
use super::{PostgresReader, bill, books};
use crate::spelling::{integer, number};

/// Mint quotes where something is so, in the order [`row::mint_quote`] reads them.
macro_rules! mint_quotes {
    ($condition:literal) => {
        concat!(
            "SELECT id, unit, method, request, amount, pubkey, expiry, state, outputs_digest
             FROM mint_quote WHERE ",
            $condition
        )
    };
}

/// The same for melt quotes.
macro_rules! melt_quotes {
    ($condition:literal) => {
        concat!(
            "SELECT id, unit, method, request, amount, fee_reserve, expiry, attempt, state, inputs,
             input_fee, outputs, fee_paid, evidence FROM melt_quote WHERE ",
            $condition
        )
    };
}

pub(super) const MINT_QUOTES: &str = mint_quotes!("id = ANY($1)");
pub(super) const MELT_QUOTES: &str = melt_quotes!("id = ANY($1)");
pub(super) const MINT_QUOTES_OPEN: &str = mint_quotes!("state <> 2");
pub(super) const MELT_QUOTES_UNPAID: &str = melt_quotes!("state = 0");
pub(super) const MINT_QUOTES_PAID: &str = mint_quotes!("state = 1");
pub(super) const MELT_QUOTES_PENDING: &str = melt_quotes!("state = 1");
pub(super) const PROOFS: &str = "SELECT y, quote IS NULL FROM proof WHERE y = ANY($1)";
pub(super) const OUTPUTS: &str = "SELECT b_, keyset, exponent FROM output WHERE b_ = ANY($1)";
pub(super) const SHOWN: &str = "SELECT name, request FROM shown WHERE name = ANY($1)";
pub(super) const REPLIES: &str = "SELECT request, reply FROM answer WHERE request = ANY($1)";
pub(super) const FLOWS: &str = "SELECT keyset_from, keyset_to, value, fee FROM day_flow";
pub(super) const BALANCES: &str = "SELECT account, debits, credits FROM balance";
const SUMS: &str = "SELECT account, debits, credits FROM balance
     WHERE account NOT LIKE 'holder/%' AND (account LIKE '%/' || $1 OR account LIKE '%/' || $1 || '/%')";
const SUMS_OF_HOLDERS: &str =
    "SELECT CAST(coalesce(sum(debits), 0) AS bigint), CAST(coalesce(sum(credits), 0) AS bigint)
     FROM balance WHERE account LIKE 'holder/' || $1 || '/%'";
pub(super) const HOLDERS_OPEN: &str =
    "SELECT id, kind, level, state, key FROM holder WHERE state = 0";
pub(super) const ORDERS_OPEN: &str =
    "SELECT id, holder, unit, amount, expiry, state, refunded, blanks
     FROM sale WHERE state = 0";
pub(super) const HOLDERS: &str =
    "SELECT id, kind, level, state, key FROM holder WHERE id = ANY($1)";
pub(super) const USAGE: &str =
    "SELECT holder, unit, day, in_day, out_day, in_month, out_month, version
     FROM edge_usage WHERE holder = ANY($1)";
pub(super) const BALANCES_OF: &str =
    "SELECT account, debits, credits FROM balance WHERE account = ANY($1)";
pub(super) const ORDERS: &str = "SELECT id, holder, unit, amount, expiry, state, refunded, blanks
     FROM sale WHERE id = ANY($1)";
pub(super) const TRANSFERS: &str =
    "SELECT id, kind, debit, credit, amount, day FROM transfer WHERE id = ANY($1)";

/// A list of names as a parameter.
pub(super) fn names(names: impl IntoIterator<Item = String>) -> Param {
    Box::new(names.into_iter().collect::<Vec<_>>())
}

/// A list of keys as a parameter.
pub(super) fn keys<'a>(keys: impl IntoIterator<Item = &'a [u8]>) -> Param {
    Box::new(keys.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>())
}

impl VaultReader for PostgresReader {
    fn keysets(&mut self) -> Result<Vec<KeysetRecord>, StoreError> {
        self.read(|link| each(&link.ask((row::KEYSETS, vec![]))?, row::keyset))
    }

    fn mint_quote(&mut self, id: QuoteId) -> Result<Option<MintQuote>, StoreError> {
        self.read(|link| {
            let rows = link.ask((MINT_QUOTES, vec![keys([&id.as_bytes()[..]])]))?;
            rows.first().map(row::mint_quote).transpose()
        })
    }

    fn melt_quote(&mut self, id: QuoteId) -> Result<Option<MeltQuote>, StoreError> {
        self.read(|link| {
            let rows = link.ask((MELT_QUOTES, vec![keys([&id.as_bytes()[..]])]))?;
            rows.first().map(row::melt_quote).transpose()
        })
    }

    fn proof_states(&mut self, proofs: &[Y]) -> Result<Vec<ProofState>, StoreError> {
        let sql = "SELECT proof.y, quote IS NULL, preimage FROM proof LEFT JOIN preimage ON preimage.y = proof.y
                   WHERE proof.y = ANY($1)";
        self.read(|link| {
            let rows = link.ask((sql, vec![keys(proofs.iter().map(|y| &y.x()[..]))]))?;
            let found: HashMap<Y, ProofState> = each(&rows, proof_state)?.into_iter().collect();
            let state = |y| found.get(y).copied().unwrap_or(ProofState::Unspent);
            Ok(proofs.iter().map(state).collect())
        })
    }

    fn signed(&mut self, outputs: &[PointBytes]) -> Result<Vec<Option<SignedOutput>>, StoreError> {
        self.read(|link| {
            let asked = keys(outputs.iter().map(|output| &output.as_bytes()[..]));
            let found = each(&link.ask((OUTPUTS, vec![asked]))?, output)?;
            let found: HashMap<PointBytes, Option<SignedOutput>> = found.into_iter().collect();
            Ok(outputs.iter().map(|output| found.get(output).copied().flatten()).collect())
        })
    }

    fn unpaid_mint_quotes(&mut self, now: Timestamp) -> Result<Vec<MintQuote>, StoreError> {
        let sql = mint_quotes!("state = 0 AND expiry > $1 ORDER BY expiry");
        let now = integer(now.seconds());
        self.read(|link| each(&link.ask((sql, vec![Box::new(now)]))?, row::mint_quote))
    }

    fn mint_quotes_of(&mut self, request: &str) -> Result<Vec<MintQuote>, StoreError> {
        let sql = mint_quotes!("request = $1 ORDER BY id");
        let request = || Box::new(request.to_owned());
        self.read(|link| each(&link.ask((sql, vec![request()]))?, row::mint_quote))
    }

    fn pending_melt_quotes(&mut self) -> Result<Vec<MeltQuote>, StoreError> {
        self.read(|link| each(&link.ask(question(MELT_QUOTES_PENDING))?, row::melt_quote))
    }

    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, StoreError> {
        self.read(|link| {
            let rows = link.ask((HOLDERS, vec![names([id.to_string()])]))?;
            rows.first().map(row::holder).transpose()
        })
    }

    fn holders(&mut self, after: Option<AccountId>, limit: u64) -> Result<Vec<Holder>, StoreError> {
        let sql =
            "SELECT id, kind, level, state, key FROM holder WHERE id > $1 ORDER BY id LIMIT $2";
        // Nothing stands before an empty text.
        let after = after.map_or_else(String::new, |id| id.to_string());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|link| {
            let (after, limit): (Param, Param) = (Box::new(after.clone()), Box::new(limit));
            each(&link.ask((sql, vec![after, limit]))?, row::holder)
        })
    }

    fn purse(&mut self, id: AccountId, unit: Unit) -> Result<Purse, StoreError> {
        let account = Account::Holder(unit, id);
        self.read(|link| {
            let usage = usage(&link.ask((USAGE, vec![names([id.to_string()])]))?)?;
            let sums = balances(&link.ask((BALANCES_OF, vec![names([account.to_string()])]))?)?;
            Ok(Purse {
                balance: sums.get(&account).copied().unwrap_or_default(),
                usage: usage.get(&(id, unit)).copied().unwrap_or_default(),
            })
        })
    }

    fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.read(|link| {
            let rows = link.ask((ORDERS, vec![keys([&id.as_bytes()[..]])]))?;
            rows.first().map(row::order).transpose()
        })
    }

    fn merchant_keys(&mut self) -> Result<Vec<PointBytes>, StoreError> {
        let sql = "SELECT key FROM holder WHERE key IS NOT NULL AND state <> 2";
        let key = |row: &Row| Ok(PointBytes::from_bytes(bytes(row, 0)?));
        self.read(|link| each(&link.ask(question(sql))?, key))
    }

    fn released(&mut self, proofs: &[Y]) -> Result<HashSet<Y>, StoreError> {
        let sql = "SELECT y FROM released WHERE y = ANY($1)";
        self.read(|link| {
            let rows = link.ask((sql, vec![keys(proofs.iter().map(|y| &y.x()[..]))]))?;
            Ok(each(&rows, |row| Ok(Y::from_x(bytes(row, 0)?)))?.into_iter().collect())
        })
    }

    fn outbox(&mut self, limit: u64) -> Result<Vec<OutboxEvent>, StoreError> {
        let sql = "SELECT id, kind, sale, amount FROM outbox LIMIT $1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|link| each(&link.ask((sql, vec![Box::new(limit)]))?, row::event))
    }

    fn answers(
        &mut self,
        bucket: Bucket,
        after: Option<RequestDigest>,
        limit: u64,
    ) -> Result<Vec<Kept>, StoreError> {
        let sql = "SELECT request, reply, sealed FROM answer
                   WHERE bucket = $1 AND request > $2 ORDER BY request LIMIT $3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let kept = |row: &Row| {
            let request = RequestDigest::from_bytes(bytes(row, 0)?);
            Ok(Kept { request, reply: at(row, 1)?, sealed: at(row, 2)? })
        };
        let after = after.map_or_else(Vec::new, |after| after.as_bytes().to_vec());
        self.read(|link| {
            let bucket = i64::from(bucket.number());
            let params: Vec<Param> =
                vec![Box::new(bucket), Box::new(after.clone()), Box::new(limit)];
            each(&link.ask((sql, params))?, kept)
        })
    }

    fn shown(&mut self, names: &[Name]) -> Result<Vec<Option<RequestDigest>>, StoreError> {
        self.read(|link| {
            let asked = names.iter().map(|name| &name.as_bytes()[..]);
            let rows = link.ask((SHOWN, vec![keys(asked)]))?;
            let known: HashMap<_, _> = each(&rows, shown)?.into_iter().collect();
            Ok(names.iter().map(|name| known.get(name).copied()).collect())
        })
    }

    fn stream(&mut self, contract: Contract) -> Result<Option<Stream>, StoreError> {
        self.read(|link| {
            let id = || vec![keys([&contract.0[..]])];
            let mut streams = HashMap::new();
            bill::contracts(&mut streams, &link.ask((bill::CONTRACTS, id()))?)?;
            bill::bills(&mut streams, &link.ask((bill::BILLS, id()))?)?;
            Ok(streams.remove(&contract))
        })
    }

    fn reply(&mut self, request: RequestDigest) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|link| {
            let rows = link.ask((REPLIES, vec![keys([&request.as_bytes()[..]])]))?;
            Ok(rows.first().map(reply).transpose()?.map(|(_, reply)| reply))
        })
    }

    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        self.read(|link| {
            let rows = link.ask((TRANSFERS, vec![keys([&id.as_bytes()[..]])]))?;
            rows.first().map(row::transfer).transpose()
        })
    }

    fn statement(
        &mut self,
        account: Account,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Transfer>, StoreError> {
        self.read(|link| each(&link.ask(statement(account, skip, limit))?, row::transfer))
    }

    fn statements(
        &mut self,
        accounts: &[Account],
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Vec<Transfer>>, StoreError> {
        self.read(|link| {
            let questions: Vec<_> =
                accounts.iter().map(|account| statement(*account, skip, limit)).collect();
            let pages = link.ask_all(&questions)?;
            pages.iter().map(|page| each(page, row::transfer)).collect()
        })
    }

    fn sealable_keysets(&mut self) -> Result<Vec<(KeysetRecord, Balance)>, StoreError> {
        self.read(|link| {
            let answers = link.ask_all(&[
                question(row::KEYSETS),
                question(MELT_QUOTES_PENDING),
                question(BALANCES),
            ])?;
            let [keysets, held, sums] = three(answers)?;
            let held = keysets_held(&each(&held, row::melt_quote)?);
            let sums = balances(&sums)?;
            let mut found = Vec::new();
            for keyset in each(&keysets, row::keyset)? {
                if keyset.state == KeysetState::Closed && !held.contains(&keyset.number) {
                    let account = Account::Ecash(keyset.spec.unit, keyset.number);
                    found.push((keyset, sums.get(&account).copied().unwrap_or_default()));
                }
            }
            Ok(found)
        })
    }

    fn sums(&mut self, unit: Unit) -> Result<Sums, StoreError> {
        self.read(|link| {
            let code = || vec![Box::new(unit.code().to_owned()) as Param];
            let accounts = balances(&link.ask((SUMS, code()))?)?.into_iter().collect();
            let rows = link.ask((SUMS_OF_HOLDERS, code()))?;
            let row = rows.first().ok_or(Fault::Malformed("a sum has no row"))?;
            let holders = Balance { debits: natural_at(row, 0)?, credits: natural_at(row, 1)? };
            Ok(Sums { accounts, holders })
        })
    }

    fn books(&mut self) -> Result<Books, StoreError> {
        self.read(books::books)
    }
}

impl PostgresReader {
    /// Answers a question; once more on a new connection if the old one turned out to be lost.
    fn read<T>(
        &mut self,
        mut question: impl FnMut(&mut Link) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let was_up = self.link.is_up();
        let answer = match question(&mut self.link) {
            Err(fault) if was_up && fault.remedy() == Remedy::Reconnect => question(&mut self.link),
            answer => answer,
        };
        answer.map_err(Fault::before_commit)
    }
}

pub(super) const fn question(sql: &'static str) -> Question {
    (sql, Vec::new())
}

/// For a page of an account's statement.
fn statement(account: Account, skip: u64, limit: u64) -> Question {
    let sql =
        "SELECT id, kind, debit, credit, amount, day FROM transfer WHERE debit = $1 OR credit = $1
               ORDER BY day DESC, id LIMIT $2 OFFSET $3";
    let up_to = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    (sql, vec![Box::new(account.to_string()), Box::new(up_to(limit)), Box::new(up_to(skip))])
}

/// Every row, read.
pub(super) fn each<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    rows.iter().map(read).collect()
}

fn three(answers: Vec<Vec<Row>>) -> Result<[Vec<Row>; 3], Fault> {
    answers.try_into().map_err(|_| Fault::Malformed("three questions have three answers"))
}

fn proof_state(row: &Row) -> Result<(Y, ProofState), Fault> {
    let preimage: Option<&[u8]> = at(row, 2)?;
    let preimage = preimage.map(<[u8; 32]>::try_from).transpose();
    let preimage = preimage.map_err(|_| Fault::Malformed("a preimage has another length"))?;
    let state = if at(row, 1)? {
        ProofState::Spent(preimage.map(Preimage::from_bytes))
    } else {
        ProofState::Pending
    };
    Ok((Y::from_x(bytes(row, 0)?), state))
}

/// An output with how it was signed; `None` if it is only promised.
pub(super) fn output(row: &Row) -> Result<(PointBytes, Option<SignedOutput>), Fault> {
    let keyset: Option<i64> = at(row, 1)?;
    let signed = keyset.map(|_| row::signed_output(row, 1)).transpose()?;
    Ok((PointBytes::from_bytes(bytes(row, 0)?), signed))
}

/// The sums of all writers, by account.
pub(super) fn balances(rows: &[Row]) -> Result<HashMap<Account, Balance>, Fault> {
    let mut sums: HashMap<Account, Balance> = HashMap::new();
    for row in rows {
        let sum = sums.entry(row::account(row, 0)?).or_default();
        sum.debits = add(sum.debits, natural_at(row, 1)?)?;
        sum.credits = add(sum.credits, natural_at(row, 2)?)?;
    }
    Ok(sums)
}

/// The request that showed a name.
pub(super) fn shown(row: &Row) -> Result<(Name, RequestDigest), Fault> {
    Ok((Name::from_bytes(bytes(row, 0)?), RequestDigest::from_bytes(bytes(row, 1)?)))
}

/// What a request was answered with.
pub(super) fn reply(row: &Row) -> Result<(RequestDigest, Vec<u8>), Fault> {
    Ok((RequestDigest::from_bytes(bytes(row, 0)?), at(row, 1)?))
}

/// What has passed the edge, by account and currency.
pub(super) fn usage(rows: &[Row]) -> Result<HashMap<(AccountId, Unit), Usage>, Fault> {
    Ok(each(rows, row::usage)?.into_iter().collect())
}

/// The open day's counters, all writers together.
pub(super) fn day_flows(rows: &[Row]) -> Result<DayFlows, Fault> {
    let mut flows = DayFlows::new();
    for row in rows {
        let pair = (number(at(row, 0)?)?, number(at(row, 1)?)?);
        let flow: &mut DayFlow = flows.entry(pair).or_default();
        flow.value = add(flow.value, natural_at(row, 2)?)?;
        flow.fee = add(flow.fee, natural_at(row, 3)?)?;
    }
    Ok(flows)
}

pub(super) fn add(left: u64, right: u64) -> Result<u64, Fault> {
    left.checked_add(right).ok_or(Fault::Malformed("a sum is beyond all amounts"))
}
