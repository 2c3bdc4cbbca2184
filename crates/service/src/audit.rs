//! Whether it all adds up: sums taken from independent rows, held against each other.

use std::collections::BTreeMap;

use secp256k1::PublicKey;
use tacit_core::time::Day;
use tacit_core::unit::Unit;

use crate::identity::sealed_by;
use crate::keyset::{KeysetNumber, KeysetRecord, KeysetState, SealedTotals};
use crate::ledger::{Account, DayFlows};
use crate::vault::Balance;

/// Sums of one keyset's rows, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysetBooks {
    /// Its row.
    pub record: KeysetRecord,
    /// Value of all outputs signed.
    pub signed: u64,
    /// Count of them.
    pub signed_rows: u64,
    /// Value of all proofs spent, those of the archive included.
    pub spent: u64,
    /// Count of them.
    pub spent_rows: u64,
    /// Value of proofs held by pending melts.
    pub held: u64,
}

/// All sums that must agree, each taken from its own rows, of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// By keyset, in order of its number.
    pub keysets: Vec<KeysetBooks>,
    /// Sums of transfers by account, recomputed from the transfers.
    pub transfers: BTreeMap<Account, Balance>,
    /// The balances that were kept with each posting.
    pub balances: BTreeMap<Account, Balance>,
    /// The day swaps are counted on.
    pub open_day: Day,
    /// Its counters.
    pub day_flows: DayFlows,
    /// Value of mint quotes paid and not issued, by unit.
    pub paid_quotes: BTreeMap<Unit, u64>,
    /// Value of the proofs that pending melt quotes say they hold, by keyset.
    pub pending_inputs: BTreeMap<KeysetNumber, u64>,
    /// Totals of sealed keysets.
    pub sealed: Vec<SealedTotals>,
    /// Rows that refer to what is not there, by what they are; each must be 0.
    pub orphans: Vec<(&'static str, u64)>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What must hold.
    pub claim: String,
    /// What was found, in numbers.
    pub found: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Check {
    fn equal(claim: String, left: i128, right: i128) -> Self {
        let found =
            if left == right { format!("{left}") } else { format!("{left} against {right}") };
        Self { claim, found, holds: left == right }
    }
}

/// Checks the books. `mint`: the identity key that seals keysets.
///
/// Every check is made even when one fails, so that a report shows all that is wrong.
pub fn check(books: &Books, mint: &PublicKey) -> Vec<Check> {
    let mut checks = Vec::new();
    for keyset in &books.keysets {
        checks.extend(check_keyset(books, keyset, mint));
    }
    checks.extend(check_accounts(books));
    checks.extend(check_quotes(books));
    for (what, count) in &books.orphans {
        checks.push(Check::equal(format!("no {what}"), i128::from(*count), 0));
    }
    checks
}

fn net(books: &Books, account: Account) -> i128 {
    let balance = books.transfers.get(&account).copied().unwrap_or_default();
    i128::from(balance.credits) - i128::from(balance.debits)
}

fn check_keyset(books: &Books, keyset: &KeysetBooks, mint: &PublicKey) -> Vec<Check> {
    let (number, unit) = (keyset.record.number, keyset.record.spec.unit);
    let name = format!("keyset {number} ({unit})");
    let outstanding = i128::from(keyset.signed) - i128::from(keyset.spent);
    let mut liability = net(books, Account::Ecash(unit, number));
    for ((from, to), flow) in &books.day_flows {
        if *from == number {
            liability -= i128::from(flow.value) + i128::from(flow.fee);
        }
        if *to == number {
            liability += i128::from(flow.value);
        }
    }
    let mut checks = Vec::new();
    if keyset.record.state == KeysetState::Sealed {
        let sealed = books.sealed.iter().find(|totals| totals.keyset == keyset.record.id);
        let left = sealed.map_or(-1, |totals| i128::from(totals.outstanding));
        checks.push(Check::equal(
            format!("{name}: sealed outstanding = signed - spent"),
            left,
            outstanding,
        ));
        checks.push(Check::equal(format!("{name}: sealed, so its account is empty"), liability, 0));
        let holds = sealed.is_some_and(|totals| sealed_by(mint, totals));
        let found = if holds { "valid" } else { "missing or not the mint's" }.to_owned();
        checks.push(Check {
            claim: format!("{name}: totals bear the mint's signature"),
            found,
            holds,
        });
    } else {
        let claim = format!("{name}: signed - spent = liability with the open day");
        checks.push(Check::equal(claim, outstanding, liability));
        let covered = outstanding >= i128::from(keyset.held);
        let found = format!("{} of {outstanding}", keyset.held);
        checks.push(Check {
            claim: format!("{name}: held proofs are outstanding"),
            found,
            holds: covered,
        });
    }
    checks
}

fn check_accounts(books: &Books) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut by_unit: BTreeMap<Unit, (i128, i128)> = BTreeMap::new();
    for (account, balance) in &books.transfers {
        let sums = by_unit.entry(account.unit()).or_default();
        sums.0 += i128::from(balance.debits);
        sums.1 += i128::from(balance.credits);
    }
    for (unit, (debits, credits)) in by_unit {
        checks.push(Check::equal(format!("{unit}: debits = credits"), debits, credits));
    }
    for (account, balance) in &books.transfers {
        if let Account::Clearing(unit) = account {
            let (debits, credits) = (balance.debits.into(), balance.credits.into());
            checks.push(Check::equal(format!("{unit}: clearing is empty"), debits, credits));
        }
    }
    let is_owed = |account: &Account| {
        matches!(account, Account::Holder(..) | Account::Held(_) | Account::Refunds(_))
    };
    let owed = || books.transfers.iter().filter(|(account, _)| is_owed(account));
    let overdrawn = owed().filter(|(_, balance)| balance.credits < balance.debits).count();
    checks.push(Check {
        claim: "no account of a holder, no hold and no refund is overdrawn".to_owned(),
        found: format!("{overdrawn} of {}", owed().count()),
        holds: overdrawn == 0,
    });
    let holds = books.transfers == books.balances;
    let found = format!("{} accounts", books.transfers.len());
    checks.push(Check { claim: "kept balances = sums of transfers".to_owned(), found, holds });
    checks
}

fn check_quotes(books: &Books) -> Vec<Check> {
    let mut checks = Vec::new();
    let units: std::collections::BTreeSet<Unit> = books
        .transfers
        .keys()
        .map(|account| account.unit())
        .chain(books.paid_quotes.keys().copied())
        .collect();
    for unit in units {
        let paid = books.paid_quotes.get(&unit).copied().unwrap_or_default();
        let unissued = net(books, Account::Unissued(unit));
        checks.push(Check::equal(
            format!("{unit}: paid quotes = unissued account"),
            paid.into(),
            unissued,
        ));
        let sealed = books.keysets.iter().filter(|keyset| keyset.record.spec.unit == unit);
        let outstanding: i128 = sealed
            .filter_map(|keyset| {
                books.sealed.iter().find(|totals| totals.keyset == keyset.record.id)
            })
            .map(|totals| i128::from(totals.outstanding))
            .sum();
        let expired = net(books, Account::Expired(unit));
        checks.push(Check::equal(
            format!("{unit}: sealed outstanding = expired account"),
            outstanding,
            expired,
        ));
    }
    for keyset in &books.keysets {
        let number = keyset.record.number;
        let pending = books.pending_inputs.get(&number).copied().unwrap_or_default();
        let claim = format!("keyset {number}: held proofs = inputs of pending melts");
        checks.push(Check::equal(claim, keyset.held.into(), pending.into()));
    }
    checks
}
