//! A commit: facts read, decided, made durable, in one transaction of SQLite.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tacit_core::time::Timestamp;
use tacit_ecash::point::{PointBytes, Y};
use tacit_service::decide::decide;
use tacit_service::ledger::Account;
use tacit_service::vault::wanted::Wanted;
use tacit_service::vault::{
    Balance, Change, Effects, Facts, Outcome, SignedOutput, StoreError, VaultStore, keysets_held,
};

use super::era::{At, Era, Table, open_era};
use super::fault::Fault;
use super::{Known, SqliteVault, apply, archive, bill, era, read};
use crate::assumption::may_rest_on_assumption;

impl VaultStore for SqliteVault {
    fn commit(&mut self, batch: &[Change], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        if self.is_corrupt {
            return Err(StoreError::Corrupt("found so before: nothing more is written"));
        }
        let committed = self.try_commit(batch, now);
        if let Err(error) = &committed {
            self.known = None; // Which rows are there is unknown: read again before the next commit.
            self.is_corrupt = matches!(error, StoreError::Corrupt(_));
            return committed;
        }
        if let Some(known) = &self.known {
            // Behind a failed mark nothing is lost: it refuses older copies, it does not guard this one.
            _ = self.mark.follow(known.commits, now);
        }
        if has_tick(batch) {
            self.truncate_log();
        } else {
            self.checkpointer.after_commit(&self.connection);
        }
        committed
    }
}

/// What is looked up before a batch is decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LookUp {
    /// Not whether swap inputs are spent and outputs signed: taken to be new, because inserting them tells.
    Little,
    /// Everything.
    All,
}

/// Eras whose filters a tick keeps: some megabytes each.
const ERAS_A_TICK: usize = 1;

/// A batch decided and written, not yet committed.
struct Written<'a> {
    change: Transaction<'a>,
    outcomes: Vec<Outcome>,
    effects: Effects,
    /// The era that is open afterwards.
    open: Era,
}

impl SqliteVault {
    fn try_commit(&mut self, batch: &[Change], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        let known = match self.known.take() {
            Some(known) => known,
            None => known_of(&self.connection).map_err(Fault::before_commit)?,
        };
        let era = known.era;
        let wanted = Wanted::by(batch);
        let all = || self.write(batch, &known, &wanted, now, LookUp::All);
        let written = match self.write(batch, &known, &wanted, now, LookUp::Little) {
            Ok(Some(written)) => Ok(written),
            Ok(None) => all().map(|written| written.expect("nothing is assumed any more")),
            Err(fault) if fault.is_key_taken() => {
                all().map(|written| written.expect("nothing is assumed any more"))
            }
            Err(fault) => Err(fault),
        };
        let Written { change, outcomes, effects, open } = written.map_err(Fault::before_commit)?;
        let (mut archive_from, mut kept) = (self.archive_from, 0);
        if has_tick(batch) {
            archive_from = archive::advance(&change, &known.keysets, archive_from)
                .map_err(Fault::before_commit)?;
            kept = self.filters.keep(&change, ERAS_A_TICK).map_err(Fault::before_commit)?;
        }
        if !effects.sealed.is_empty() {
            archive_from = Some(archive::START);
        }
        change.commit().map_err(|error| Fault::from(error).at_commit())?;
        self.archive_from = archive_from;
        self.filters.kept(kept);
        self.known = Some(known.after(effects, open));
        if open != era || has_tick(batch) {
            // Without a thread to make them in, closed eras are looked into: slower, and right.
            _ = self.filters.start(open);
        }
        Ok(outcomes)
    }

    /// Decides a batch and writes its effects; `None` if the decision rests on what was not looked up.
    fn write(
        &self,
        batch: &[Change],
        known: &Known,
        wanted: &Wanted,
        now: Timestamp,
        look_up: LookUp,
    ) -> Result<Option<Written<'_>>, Fault> {
        let change = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut open = known.era;
        // Before anything is looked up: what inserting tells, it tells of the era that rows go to.
        if known.open_day < now.day() && known.era_rows.0.max(known.era_rows.1) >= self.era_rows {
            open = era::close(&change, open)?;
        }
        let at = At { eras: &self.eras, open };
        let facts = facts(&change, known, at, wanted, now, look_up)?;
        let (outcomes, effects) = decide(batch, facts, now);
        if look_up == LookUp::Little && outcomes.iter().any(may_rest_on_assumption) {
            return Ok(None);
        }
        apply::apply(&change, &effects, open)?;
        change.prepare_cached("UPDATE vault SET commits = commits + 1")?.execute([])?;
        Ok(Some(Written { change, outcomes, effects, open }))
    }

    /// Empties the log file, so that it does not go on showing which rows were written together.
    fn truncate_log(&self) {
        // Refused while a reader looks at an older moment: the next one will do.
        _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

fn has_tick(batch: &[Change]) -> bool {
    batch.iter().any(|change| matches!(change, Change::Tick))
}

pub(super) fn known_of(connection: &Connection) -> Result<Known, Fault> {
    let era = open_era(connection)?;
    Ok(Known {
        keysets: read::keysets(connection)?,
        open_day: read::open_day(connection)?,
        commits: read::commits(connection)?,
        era,
        era_rows: era::rows(connection, era)?,
    })
}

impl Known {
    /// What is known once these effects are committed.
    fn after(mut self, effects: Effects, era: Era) -> Self {
        for (number, keyset) in effects.keysets {
            match self.keysets.iter_mut().find(|known| known.number == number) {
                Some(known) => *known = keyset,
                None => self.keysets.push(keyset), // Numbers only grow, so the order stands.
            }
        }
        self.open_day = effects.close_day.unwrap_or(self.open_day);
        self.commits += 1;
        let (spent, signed) = if self.era == era { self.era_rows } else { (0, 0) };
        let more = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
        // Proofs that a payment held are not counted when they are spent: they are few, and so is what they delay.
        self.era_rows = (
            spent.saturating_add(more(effects.spend.len())),
            signed.saturating_add(more(effects.sign.len())),
        );
        self.era = era;
        self
    }
}

fn facts(
    change: &Transaction<'_>,
    known: &Known,
    at: At<'_>,
    wanted: &Wanted,
    now: Timestamp,
    look_up: LookUp,
) -> Result<Facts, Fault> {
    let mut facts =
        Facts { keysets: known.keysets.clone(), open_day: known.open_day, ..Facts::default() };
    look_up_proofs(change, at, wanted, look_up, &mut facts)?;
    look_up_outputs(change, at, wanted, look_up, &mut facts)?;
    for id in &wanted.mint_quotes {
        facts.mint_quotes.extend(read::mint_quote(change, *id)?.map(|quote| (*id, quote)));
    }
    for id in &wanted.melt_quotes {
        facts.melt_quotes.extend(read::melt_quote(change, *id)?.map(|quote| (*id, quote)));
    }
    for id in &wanted.holders {
        facts.holders.extend(read::holder(change, *id)?.map(|holder| (*id, holder)));
    }
    for (id, unit) in &wanted.purses {
        facts.purses.insert((*id, *unit), read::purse(change, *id, *unit)?);
    }
    for id in &wanted.orders {
        facts.orders.extend(read::order(change, *id)?.map(|order| (*id, order)));
    }
    for id in &wanted.transfers {
        facts.transfers.extend(read::transfer(change, *id)?.map(|posted| (*id, posted)));
    }
    for name in &wanted.shown {
        facts.shown.extend(read::shown(change, *name)?.map(|request| (*name, request)));
    }
    for request in &wanted.requests {
        facts.replies.extend(read::reply(change, *request)?.map(|reply| (*request, reply)));
    }
    for id in &wanted.streams {
        facts.streams.extend(bill::stream(change, *id)?.map(|stream| (*id, stream)));
    }
    if wanted.open_quotes {
        facts.streams.extend(bill::open_streams(change)?);
        let mints = read::open_mint_quotes(change)?;
        facts.mint_quotes.extend(mints.into_iter().map(|quote| (quote.id, quote)));
        let holders = read::open_holders(change)?;
        facts.holders.extend(holders.into_iter().map(|holder| (holder.id, holder)));
        let orders = read::open_orders(change)?;
        facts.orders.extend(orders.into_iter().map(|order| (order.id, order)));
        let melts = read::unpaid_melt_quotes(change)?;
        facts.melt_quotes.extend(melts.into_iter().map(|quote| (quote.id, quote)));
    }
    if wanted.balances || known.open_day < now.day() {
        facts.day_flows = read::day_flows(change)?;
    }
    if wanted.balances {
        look_up_balances(change, &mut facts)?;
    }
    Ok(facts)
}

fn look_up_proofs(
    change: &Transaction<'_>,
    at: At<'_>,
    wanted: &Wanted,
    look_up: LookUp,
    facts: &mut Facts,
) -> Result<(), Fault> {
    if look_up == LookUp::All {
        facts.spent.extend(find(&wanted.proofs, |y| read::is_spent(change, at, y))?);
    } else {
        // Inserting tells only of what is in the same table and era.
        let is_archive_used = read::any(change, "SELECT 1 FROM spent_archive", [])?;
        let is_out_of_sight = |y: &Y| {
            for era in at.eras.closed_with(at.open, Table::Spent, y.x()) {
                if read::is_spent_in(change, era, y)? {
                    return Ok(true);
                }
            }
            Ok(is_archive_used && read::is_archived_in(change, at.open, y)?)
        };
        facts.spent.extend(find(&wanted.proofs, is_out_of_sight)?);
    }
    facts.spent.extend(find(&wanted.proofs_to_hold, |y| read::is_spent(change, at, y))?);
    if read::any(change, "SELECT 1 FROM held", [])? {
        facts.held.extend(find(&wanted.proofs, |y| read::is_held(change, y))?);
        facts.held.extend(find(&wanted.proofs_to_hold, |y| read::is_held(change, y))?);
    }
    Ok(())
}

/// The proofs of which something is so.
fn find(
    proofs: &BTreeSet<Y>,
    mut is: impl FnMut(&Y) -> Result<bool, Fault>,
) -> Result<HashSet<Y>, Fault> {
    let mut found = HashSet::new();
    for y in proofs {
        if is(y)? {
            found.insert(*y);
        }
    }
    Ok(found)
}

fn look_up_outputs(
    change: &Transaction<'_>,
    at: At<'_>,
    wanted: &Wanted,
    look_up: LookUp,
    facts: &mut Facts,
) -> Result<(), Fault> {
    for output in &wanted.outputs {
        let signed = match look_up {
            LookUp::All => read::signed(change, at, output)?,
            LookUp::Little => signed_in_closed(change, at, output)?,
        };
        facts.signed.extend(signed.map(|signed| (*output, signed)));
    }
    for output in &wanted.outputs_to_promise {
        let signed = read::signed(change, at, output)?;
        facts.signed.extend(signed.map(|signed| (*output, signed)));
    }
    if read::any(change, "SELECT 1 FROM promised", [])? {
        for output in wanted.outputs.union(&wanted.outputs_to_promise) {
            if read::is_promised(change, output)? {
                facts.promised.insert(*output);
            }
        }
    }
    Ok(())
}

/// How an output was signed in an era that is closed, of which inserting does not tell.
fn signed_in_closed(
    change: &Transaction<'_>,
    at: At<'_>,
    output: &PointBytes,
) -> Result<Option<SignedOutput>, Fault> {
    for era in at.eras.closed_with(at.open, Table::Signed, read::x_of(output)) {
        if let Some(signed) = read::signed_in(change, era, output)? {
            return Ok(Some(signed));
        }
    }
    Ok(None)
}

fn look_up_balances(change: &Transaction<'_>, facts: &mut Facts) -> Result<(), Fault> {
    for keyset in &facts.keysets {
        let account = Account::Ecash(keyset.spec.unit, keyset.number);
        let balance = read::balance(change, account)?;
        if balance != Balance::default() {
            facts.balances.insert(account, balance);
        }
    }
    facts.keysets_held = keysets_held(&read::pending_melt_quotes(change)?);
    Ok(())
}
