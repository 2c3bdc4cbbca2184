//! Looking things up: the readers' side, and what the writer asks with the same statements.

use std::collections::HashSet;

use rusqlite::{Connection, Params, Row, params};
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_credit::passport::standing::Contract;
use tacit_ecash::condition::Preimage;
use tacit_ecash::point::{PointBytes, Y};
use tacit_service::account::{AccountId, Holder, Usage};
use tacit_service::audit::Books;
use tacit_service::bill::Stream;
use tacit_service::keyset::KeysetRecord;
use tacit_service::ledger::{Account, DayFlow, DayFlows, Transfer, TransferId};
use tacit_service::order::{Order, OrderId, OutboxEvent};
use tacit_service::passport::{Bucket, Kept, Name, RequestDigest};
use tacit_service::quote::{MeltQuote, MintQuote, QuoteId};
use tacit_service::reconcile::Sums;
use tacit_service::vault::{
    Balance, ProofState, Purse, SignedOutput, StoreError, VaultReader, keysets_held,
};

use super::era::{At, Era, Table, open_era};
use super::fault::Fault;
use super::{SqliteReader, bill, books, row};

impl VaultReader for SqliteReader {
    fn keysets(&mut self) -> Result<Vec<KeysetRecord>, StoreError> {
        self.read(keysets)
    }

    fn mint_quote(&mut self, id: QuoteId) -> Result<Option<MintQuote>, StoreError> {
        self.read(|connection| mint_quote(connection, id))
    }

    fn melt_quote(&mut self, id: QuoteId) -> Result<Option<MeltQuote>, StoreError> {
        self.read(|connection| melt_quote(connection, id))
    }

    fn proof_states(&mut self, proofs: &[Y]) -> Result<Vec<ProofState>, StoreError> {
        let eras = self.eras.clone();
        self.read(|connection| {
            let at = At { eras: &eras, open: open_era(connection)? };
            proofs.iter().map(|y| proof_state(connection, at, y)).collect()
        })
    }

    fn signed(&mut self, outputs: &[PointBytes]) -> Result<Vec<Option<SignedOutput>>, StoreError> {
        let eras = self.eras.clone();
        self.read(|connection| {
            let at = At { eras: &eras, open: open_era(connection)? };
            outputs.iter().map(|output| signed(connection, at, output)).collect()
        })
    }

    fn unpaid_mint_quotes(&mut self, now: Timestamp) -> Result<Vec<MintQuote>, StoreError> {
        let sql = format!(
            "SELECT {} FROM mint_quote WHERE state = 0 AND expiry > ?1 ORDER BY expiry",
            row::MINT_QUOTE
        );
        let now = row::integer(now.seconds());
        self.read(|connection| all(connection, &sql, [now], row::mint_quote))
    }

    fn mint_quotes_of(&mut self, request: &str) -> Result<Vec<MintQuote>, StoreError> {
        let sql =
            format!("SELECT {} FROM mint_quote WHERE request = ?1 ORDER BY id", row::MINT_QUOTE);
        self.read(|connection| all(connection, &sql, [request], row::mint_quote))
    }

    fn pending_melt_quotes(&mut self) -> Result<Vec<MeltQuote>, StoreError> {
        self.read(pending_melt_quotes)
    }

    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, StoreError> {
        self.read(|connection| holder(connection, id))
    }

    fn holders(&mut self, after: Option<AccountId>, limit: u64) -> Result<Vec<Holder>, StoreError> {
        let sql =
            "SELECT id, kind, level, state, key FROM holder WHERE id > ?1 ORDER BY id LIMIT ?2";
        // Nothing stands before an empty text.
        let after = after.map_or_else(String::new, |id| id.to_string());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| all(connection, sql, (&after, limit), row::holder))
    }

    fn purse(&mut self, id: AccountId, unit: Unit) -> Result<Purse, StoreError> {
        self.read(|connection| purse(connection, id, unit))
    }

    fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.read(|connection| order(connection, id))
    }

    fn merchant_keys(&mut self) -> Result<Vec<PointBytes>, StoreError> {
        let sql = "SELECT key FROM holder WHERE key IS NOT NULL AND state <> 2";
        let key = |row: &Row<'_>| Ok(PointBytes::from_bytes(row.get(0)?));
        self.read(|connection| all(connection, sql, [], key))
    }

    fn released(&mut self, proofs: &[Y]) -> Result<HashSet<Y>, StoreError> {
        self.read(|connection| {
            let is_released =
                |y: &Y| any(connection, "SELECT 1 FROM released WHERE y = ?1", [y.x()]);
            let mut found = HashSet::new();
            for y in proofs {
                if is_released(y)? {
                    found.insert(*y);
                }
            }
            Ok(found)
        })
    }

    fn outbox(&mut self, limit: u64) -> Result<Vec<OutboxEvent>, StoreError> {
        let sql = "SELECT id, kind, sale, amount FROM outbox LIMIT ?1";
        self.read(|connection| all(connection, sql, [row::up_to(limit)], row::event))
    }

    fn answers(
        &mut self,
        bucket: Bucket,
        after: Option<RequestDigest>,
        limit: u64,
    ) -> Result<Vec<Kept>, StoreError> {
        let sql = "SELECT request, reply, sealed FROM answer
                   WHERE bucket = ?1 AND request > ?2 ORDER BY request LIMIT ?3";
        let kept = |row: &Row<'_>| {
            let request = RequestDigest::from_bytes(row.get(0)?);
            Ok(Kept { request, reply: row.get(1)?, sealed: row.get(2)? })
        };
        let after = after.map_or_else(Vec::new, |after| after.as_bytes().to_vec());
        self.read(|connection| {
            all(connection, sql, params![bucket.number(), after, row::up_to(limit)], kept)
        })
    }

    fn shown(&mut self, names: &[Name]) -> Result<Vec<Option<RequestDigest>>, StoreError> {
        self.read(|connection| names.iter().map(|name| shown(connection, *name)).collect())
    }

    fn stream(&mut self, contract: Contract) -> Result<Option<Stream>, StoreError> {
        self.read(|connection| bill::stream(connection, contract))
    }

    fn reply(&mut self, request: RequestDigest) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| reply(connection, request))
    }

    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        self.read(|connection| transfer(connection, id))
    }

    fn statement(
        &mut self,
        account: Account,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Transfer>, StoreError> {
        self.read(|connection| statement(connection, account, skip, limit))
    }

    fn statements(
        &mut self,
        accounts: &[Account],
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Vec<Transfer>>, StoreError> {
        self.read(|connection| {
            accounts.iter().map(|account| statement(connection, *account, skip, limit)).collect()
        })
    }

    fn sealable_keysets(&mut self) -> Result<Vec<(KeysetRecord, Balance)>, StoreError> {
        let sql = format!("SELECT {} FROM keyset WHERE state = 2 ORDER BY number", row::KEYSET);
        self.read(|connection| {
            let mut closed = all(connection, &sql, [], row::keyset)?;
            if !closed.is_empty() {
                let held = keysets_held(&pending_melt_quotes(connection)?);
                closed.retain(|keyset| !held.contains(&keyset.number));
            }
            let with_balance = |keyset: KeysetRecord| {
                let account = Account::Ecash(keyset.spec.unit, keyset.number);
                Ok((keyset, balance(connection, account)?))
            };
            closed.into_iter().map(with_balance).collect()
        })
    }

    fn sums(&mut self, unit: Unit) -> Result<Sums, StoreError> {
        self.read(|connection| sums(connection, unit))
    }

    fn books(&mut self) -> Result<Books, StoreError> {
        self.read(books::books)
    }
}

impl SqliteReader {
    /// Answers one question from one moment of the vault.
    fn read<T>(
        &mut self,
        question: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let moment = self.connection.transaction().map_err(Fault::from);
        // The transaction is dropped: a reader has nothing to commit.
        moment.and_then(|moment| question(&moment)).map_err(Fault::before_commit)
    }
}

/// Every row of a query.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The one row of a query by key, if it is there.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Whether a query has a row.
pub(super) fn any(connection: &Connection, sql: &str, params: impl Params) -> Result<bool, Fault> {
    Ok(connection.prepare_cached(sql)?.exists(params)?)
}

pub(super) fn keysets(connection: &Connection) -> Result<Vec<KeysetRecord>, Fault> {
    let sql = format!("SELECT {} FROM keyset ORDER BY number", row::KEYSET);
    all(connection, &sql, [], row::keyset)
}

pub(super) fn mint_quote(connection: &Connection, id: QuoteId) -> Result<Option<MintQuote>, Fault> {
    let sql = by_id(row::MINT_QUOTE, "mint_quote");
    one(connection, &sql, [id.as_bytes()], row::mint_quote)
}

pub(super) fn melt_quote(connection: &Connection, id: QuoteId) -> Result<Option<MeltQuote>, Fault> {
    let sql = by_id(row::MELT_QUOTE, "melt_quote");
    one(connection, &sql, [id.as_bytes()], row::melt_quote)
}

pub(super) fn pending_melt_quotes(connection: &Connection) -> Result<Vec<MeltQuote>, Fault> {
    let sql = format!("SELECT {} FROM melt_quote WHERE state = 1", row::MELT_QUOTE);
    all(connection, &sql, [], row::melt_quote)
}

/// Mint quotes that are not issued, whatever their expiry.
pub(super) fn open_mint_quotes(connection: &Connection) -> Result<Vec<MintQuote>, Fault> {
    let sql = format!("SELECT {} FROM mint_quote WHERE state <> 2", row::MINT_QUOTE);
    all(connection, &sql, [], row::mint_quote)
}

pub(super) fn unpaid_melt_quotes(connection: &Connection) -> Result<Vec<MeltQuote>, Fault> {
    let sql = format!("SELECT {} FROM melt_quote WHERE state = 0", row::MELT_QUOTE);
    all(connection, &sql, [], row::melt_quote)
}

fn by_id(columns: &str, table: &str) -> String {
    format!("SELECT {columns} FROM {table} WHERE id = ?1")
}

/// Whether a proof is spent, in a keyset that is sealed or not.
pub(super) fn is_spent(connection: &Connection, at: At<'_>, y: &Y) -> Result<bool, Fault> {
    for era in at.with(Table::Spent, y.x()) {
        if is_spent_in(connection, era, y)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a proof was spent in this era.
pub(super) fn is_spent_in(connection: &Connection, era: Era, y: &Y) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM spent WHERE era = ?1 AND y = ?2";
    Ok(any(connection, sql, params![era, y.x()])? || is_archived_in(connection, era, y)?)
}

/// Whether a proof was spent in this era, in a keyset that is sealed.
pub(super) fn is_archived_in(connection: &Connection, era: Era, y: &Y) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM spent_archive WHERE era = ?1 AND y = ?2";
    any(connection, sql, params![era, y.x()])
}

pub(super) fn is_held(connection: &Connection, y: &Y) -> Result<bool, Fault> {
    any(connection, "SELECT 1 FROM held WHERE y = ?1", [y.x()])
}

pub(super) fn is_promised(connection: &Connection, output: &PointBytes) -> Result<bool, Fault> {
    any(connection, "SELECT 1 FROM promised WHERE b_ = ?1", [output.as_bytes()])
}

pub(super) fn signed(
    connection: &Connection,
    at: At<'_>,
    output: &PointBytes,
) -> Result<Option<SignedOutput>, Fault> {
    for era in at.with(Table::Signed, x_of(output)) {
        if let Some(signed) = signed_in(connection, era, output)? {
            return Ok(Some(signed));
        }
    }
    Ok(None)
}

/// How an output was signed in this era, if it was.
pub(super) fn signed_in(
    connection: &Connection,
    era: Era,
    output: &PointBytes,
) -> Result<Option<SignedOutput>, Fault> {
    let sql = "SELECT keyset, exponent FROM signed WHERE era = ?1 AND b_ = ?2";
    let read = |row: &Row<'_>| row::signed_output(row.get(0)?, row.get(1)?);
    one(connection, sql, params![era, output.as_bytes()], read)
}

/// The x coordinate of an output.
pub(super) fn x_of(output: &PointBytes) -> &[u8; 32] {
    output.as_bytes().last_chunk().expect("33 bytes")
}

fn proof_state(connection: &Connection, at: At<'_>, y: &Y) -> Result<ProofState, Fault> {
    if is_spent(connection, at, y)? {
        let sql = "SELECT preimage FROM preimage WHERE y = ?1";
        let preimage = one(connection, sql, [y.x()], |row| Ok(Preimage::from_bytes(row.get(0)?)))?;
        return Ok(ProofState::Spent(preimage));
    }
    Ok(if is_held(connection, y)? { ProofState::Pending } else { ProofState::Unspent })
}

/// The sums that are kept with an account.
pub(super) fn balance(connection: &Connection, account: Account) -> Result<Balance, Fault> {
    let sql = "SELECT debits, credits FROM account WHERE name = ?1";
    let read = |row: &Row<'_>| {
        Ok(Balance { debits: row::natural(row.get(0)?), credits: row::natural(row.get(1)?) })
    };
    Ok(one(connection, sql, [account.to_string()], read)?.unwrap_or_default())
}

/// The sums of all accounts of a currency, those of holders together.
fn sums(connection: &Connection, unit: Unit) -> Result<Sums, Fault> {
    let sql = "SELECT name, debits, credits FROM account
               WHERE name NOT LIKE 'holder/%' AND (name LIKE '%/' || ?1 OR name LIKE '%/' || ?1 || '/%')";
    let read = |row: &Row<'_>| {
        let name: String = row.get(0)?;
        let account = name.parse().map_err(|_| Fault::Malformed("an account's name is none"))?;
        let debits = row::natural(row.get(1)?);
        Ok((account, Balance { debits, credits: row::natural(row.get(2)?) }))
    };
    let accounts = all(connection, sql, [unit.code()], read)?;
    let sql = "SELECT coalesce(sum(debits), 0), coalesce(sum(credits), 0) FROM account
               WHERE name LIKE 'holder/' || ?1 || '/%'";
    let read = |row: &Row<'_>| {
        Ok(Balance { debits: row::natural(row.get(0)?), credits: row::natural(row.get(1)?) })
    };
    let holders = one(connection, sql, [unit.code()], read)?.unwrap_or_default();
    Ok(Sums { accounts: accounts.into_iter().collect(), holders })
}

pub(super) fn holder(connection: &Connection, id: AccountId) -> Result<Option<Holder>, Fault> {
    let sql = "SELECT id, kind, level, state, key FROM holder WHERE id = ?1";
    one(connection, sql, [id.to_string()], row::holder)
}

pub(super) fn open_holders(connection: &Connection) -> Result<Vec<Holder>, Fault> {
    let sql = "SELECT id, kind, level, state, key FROM holder WHERE state = 0";
    all(connection, sql, [], row::holder)
}

pub(super) fn open_orders(connection: &Connection) -> Result<Vec<Order>, Fault> {
    let sql = "SELECT id, holder, unit, amount, expiry, state, refunded, blanks FROM sale WHERE state = 0";
    all(connection, sql, [], row::order)
}

pub(super) fn purse(connection: &Connection, id: AccountId, unit: Unit) -> Result<Purse, Fault> {
    let sql = "SELECT day, in_day, out_day, in_month, out_month, version FROM edge_usage
               WHERE holder = ?1 AND unit = ?2";
    let usage: Option<Usage> = one(connection, sql, [&id.to_string(), unit.code()], row::usage)?;
    let balance = balance(connection, Account::Holder(unit, id))?;
    Ok(Purse { balance, usage: usage.unwrap_or_default() })
}

pub(super) fn order(connection: &Connection, id: OrderId) -> Result<Option<Order>, Fault> {
    let sql =
        "SELECT id, holder, unit, amount, expiry, state, refunded, blanks FROM sale WHERE id = ?1";
    one(connection, sql, [id.as_bytes()], row::order)
}

/// The request that showed a name.
pub(super) fn shown(connection: &Connection, name: Name) -> Result<Option<RequestDigest>, Fault> {
    let sql = "SELECT request FROM shown WHERE name = ?1";
    let digest = |row: &Row<'_>| Ok(RequestDigest::from_bytes(row.get(0)?));
    one(connection, sql, [name.as_bytes()], digest)
}

/// What a request was answered with.
pub(super) fn reply(
    connection: &Connection,
    request: RequestDigest,
) -> Result<Option<Vec<u8>>, Fault> {
    let sql = "SELECT reply FROM answer WHERE request = ?1";
    one(connection, sql, [request.as_bytes()], |row| Ok(row.get(0)?))
}

/// A page of an account's statement: nothing of an account that has none.
fn statement(
    connection: &Connection,
    account: Account,
    skip: u64,
    limit: u64,
) -> Result<Vec<Transfer>, Fault> {
    let named = "SELECT number FROM account WHERE name = ?1";
    let number = one(connection, named, [account.to_string()], |row| Ok(row.get(0)?))?;
    let Some(number): Option<i64> = number else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {} WHERE transfer.debit = ?1 OR transfer.credit = ?1
         ORDER BY transfer.day DESC, transfer.id LIMIT ?2 OFFSET ?3",
        row::TRANSFER
    );
    let (limit, skip) = (row::up_to(limit), row::up_to(skip));
    all(connection, &sql, [number, limit, skip], row::transfer)
}

pub(super) fn transfer(connection: &Connection, id: TransferId) -> Result<Option<Transfer>, Fault> {
    let sql = format!("SELECT {} WHERE transfer.id = ?1", row::TRANSFER);
    one(connection, &sql, [id.as_bytes()], row::transfer)
}

pub(super) fn day_flows(connection: &Connection) -> Result<DayFlows, Fault> {
    let sql = "SELECT keyset_from, keyset_to, value, fee FROM day_flow";
    let read = |row: &Row<'_>| {
        let pair = (row::number(row.get(0)?)?, row::number(row.get(1)?)?);
        let flow = DayFlow { value: row::natural(row.get(2)?), fee: row::natural(row.get(3)?) };
        Ok((pair, flow))
    };
    Ok(all(connection, sql, [], read)?.into_iter().collect())
}

pub(super) fn commits(connection: &Connection) -> Result<u64, Fault> {
    one(connection, "SELECT commits FROM vault", [], |row| Ok(row.get(0)?))?
        .ok_or(Fault::Malformed("the vault's own row is missing"))
}

pub(super) fn open_day(connection: &Connection) -> Result<Day, Fault> {
    let number = one(connection, "SELECT open_day FROM vault", [], |row| Ok(row.get(0)?))?;
    let number: i64 = number.ok_or(Fault::Malformed("the vault has no open day"))?;
    Ok(Day::from_number(row::natural(number)))
}
