//! A commit: facts looked up, decided, made durable, while other servers do the same.
//!
//! What keeps two of them from being right about one thing:
//! - **Keys.** A proof spent or held, an output signed or promised is one row under one key. Whoever inserts second waits
//!   for the first, finds the row, writes nothing of its batch and decides again.
//! - **Quotes** change only from the state and attempt they were decided upon.
//! - **The fence.** Keysets, the open day and the books' sums are taken for granted by every batch. Each writer has a row
//!   in `writer`, with the epoch it knows, and writes it first in each transaction. Whoever changes what all take for
//!   granted raises the epoch in all those rows first: so it waits for every commit under way, whoever comes after waits
//!   for it and then finds another epoch, and what it looks up in between stands still.
//!
//! **A connection lost at COMMIT** leaves open whether it was done. The writer's row counts its commits in the same
//! transaction. Asked about with an update, which waits for whatever may still be going on with that row and is itself
//! confirmed by the standbys, it tells.

use std::time::Duration;

use tacit_core::time::{Day, Timestamp};
use tacit_ecash::point::Y;
use tacit_service::account::AccountId;
use tacit_service::decide::decide;
use tacit_service::keyset::{KeysetNumber, KeysetState};
use tacit_service::ledger::Account;
use tacit_service::melt::MeltError;
use tacit_service::vault::wanted::Wanted;
use tacit_service::vault::{Change, Facts, Outcome, StoreError, VaultStore, keysets_held};
use tokio_postgres::Row;

use super::apply::{Was, concerns_all, is_nothing, steps};
use super::fault::{Fault, Remedy};
use super::link::{Link, Param, Question, Step, Wants};
use super::mark::Lost;
use super::read::{self, each, keys, names, question};
use super::row::{self, at, bytes};
use super::{Known, LOST, PostgresVault, TRIES, bill};
use crate::assumption::may_rest_on_assumption;
use crate::spelling::integer;

/// How long to wait before a step is taken again that another server disturbed.
const PAUSE: Duration = Duration::from_millis(5);

/// How often a lost connection is made anew within one call, to learn what became of a commit.
const ENQUIRIES: u32 = 3;

/// A commit of which it is unknown whether it was done.
pub(super) struct Doubt {
    /// What the batch asked about: to know it again.
    wanted: Wanted,
    outcomes: Vec<Outcome>,
    writer: [u8; 16],
    /// Commits of this writer without it.
    before: i64,
}

/// How much is looked up before a batch is decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LookUp {
    /// Quotes alone: proofs and outputs are taken to be new, because inserting them tells.
    Little,
    /// Everything.
    All,
}

/// How an attempt ended.
enum Ended {
    /// The batch is durable, or changed nothing.
    Done(Vec<Outcome>),
    /// Whether it was committed is unknown.
    InDoubt(Fault, Box<Doubt>),
}

impl VaultStore for PostgresVault {
    fn commit(&mut self, batch: &[Change], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        if self.is_corrupt {
            return Err(StoreError::Corrupt("found so before: nothing more is written"));
        }
        let wanted = Wanted::by(batch);
        let committed = match self.settle(&wanted, batch.len()) {
            Ok(Some(outcomes)) => Ok(outcomes),
            Ok(None) => self.commit_anew(batch, &wanted, now),
            Err(error) => Err(error),
        };
        let committed = committed.and_then(|outcomes| self.follow_mark(now).map(|()| outcomes));
        if let Err(error) = &committed {
            self.known = None;
            self.is_corrupt = matches!(error, StoreError::Corrupt(_));
            if matches!(error, StoreError::Corrupt(what) if *what == LOST) {
                self.note_loss();
            }
        }
        committed
    }
}

impl PostgresVault {
    /// Lets the mark follow. It also sees what other servers lost.
    fn follow_mark(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let Some(mark) = &mut self.mark else { return Ok(()) };
        mark.follow(&mut self.link, now).map_err(|Lost| StoreError::Corrupt(LOST))
    }

    /// Says in the mark what this database should have, so that nobody just starts again on it.
    fn note_loss(&mut self) {
        if let (Some(mark), Some(writer)) = (&mut self.mark, self.writer) {
            _ = mark.lose(writer, self.acknowledged); // Then it is as far as it was a second ago.
        }
    }

    fn commit_anew(
        &mut self,
        batch: &[Change],
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut look_up = LookUp::Little;
        let mut reconnected = false;
        for _ in 0..TRIES {
            match self.attempt(batch, wanted, now, look_up) {
                Ok(Some(Ended::Done(outcomes))) => return Ok(outcomes),
                Ok(Some(Ended::InDoubt(fault, doubt))) => {
                    self.doubt = Some(*doubt);
                    return match self.settle(wanted, batch.len()) {
                        Ok(Some(outcomes)) => Ok(outcomes),
                        Ok(None) => Err(StoreError::Busy), // It was not done: the next call does it.
                        Err(StoreError::InDoubt(_)) => Err(StoreError::InDoubt(fault.cause())),
                        Err(error) => Err(error),
                    };
                }
                // What was decided rests on what was not looked up.
                Ok(None) => look_up = LookUp::All,
                Err(fault) => match fault.remedy() {
                    Remedy::LookUp => look_up = LookUp::All,
                    Remedy::Reload => self.known = None,
                    Remedy::Again => std::thread::sleep(PAUSE),
                    Remedy::Reconnect if !reconnected => {
                        reconnected = true;
                        self.known = None;
                    }
                    Remedy::Reconnect | Remedy::Tell => return Err(fault.before_commit()),
                },
            }
        }
        Err(StoreError::Busy)
    }

    /// Decides a batch and commits it; `None` if the decision rests on what was not looked up.
    fn attempt(
        &mut self,
        batch: &[Change],
        wanted: &Wanted,
        now: Timestamp,
        look_up: LookUp,
    ) -> Result<Option<Ended>, Fault> {
        let (writer, known) = self.known_for(batch)?;
        let at = At { writer, known: &known, now };
        let written = if at.stands_alone(batch) {
            self.known = None; // Read anew, whatever comes of it.
            Some(write_alone(&mut self.link, batch, wanted, at)?)
        } else {
            write_beside_others(&mut self.link, batch, wanted, at, look_up)?
        };
        let outcomes = match written {
            None => return Ok(None),
            Some(Written::Nothing(outcomes)) => return Ok(Some(Ended::Done(outcomes))),
            Some(Written::Open(outcomes)) => outcomes,
        };
        match self.link.commit() {
            Ok(()) => {
                self.acknowledged = known.commits + 1;
                if let Some(known) = &mut self.known {
                    known.commits += 1;
                }
                Ok(Some(Ended::Done(outcomes)))
            }
            Err(fault) if fault.is_rolled_back() => Err(fault),
            Err(fault) => {
                let (wanted, before) = (wanted.clone(), known.commits);
                let doubt = Doubt { wanted, outcomes, writer, before };
                Ok(Some(Ended::InDoubt(fault, Box::new(doubt))))
            }
        }
    }

    /// What is known, with every keyset that a batch names.
    fn known_for(&mut self, batch: &[Change]) -> Result<([u8; 16], Known), Fault> {
        let has_all = |known: &Known| {
            keysets_of(batch).all(|number| known.keysets.iter().any(|it| it.number == number))
        };
        let mut known = self.known()?;
        if !has_all(&known) {
            self.known = None; // Another server added one since.
            known = self.known()?;
        }
        match self.writer {
            Some(writer) if has_all(&known) => Ok((writer, known)),
            Some(_) | None => Err(Fault::Malformed("a proof's keyset is not there")),
        }
    }

    /// Learns what became of a commit that was in doubt: its outcomes, if it was done and is of this batch.
    fn settle(
        &mut self,
        wanted: &Wanted,
        changes: usize,
    ) -> Result<Option<Vec<Outcome>>, StoreError> {
        let Some(doubt) = &self.doubt else { return Ok(None) };
        let mut found = enquire(&mut self.link, doubt.writer);
        for _ in 1..ENQUIRIES {
            if found.is_ok() {
                break;
            }
            std::thread::sleep(PAUSE);
            found = enquire(&mut self.link, doubt.writer);
        }
        let commits = match found {
            Ok(commits) => commits,
            Err(fault) if fault.remedy() == Remedy::Tell => return Err(fault.before_commit()),
            Err(fault) => return Err(StoreError::InDoubt(fault.cause())),
        };
        let doubt = self.doubt.take().expect("looked at above");
        self.known = None;
        if commits == Some(doubt.before) {
            return Ok(None);
        }
        if commits != Some(doubt.before + 1) {
            return Err(StoreError::Corrupt(LOST));
        }
        self.acknowledged = doubt.before + 1;
        let is_this = doubt.wanted == *wanted && doubt.outcomes.len() == changes;
        Ok(is_this.then_some(doubt.outcomes))
    }
}

/// The count of a writer's commits, once nothing is under way with its row any more and all that it counts is as durable
/// as a commit is.
fn enquire(link: &mut Link, writer: [u8; 16]) -> Result<Option<i64>, Fault> {
    let id = || -> Vec<Param> { vec![Box::new(writer.to_vec())] };
    let touch = "UPDATE writer SET commits = commits WHERE id = $1";
    let count = "SELECT commits FROM writer WHERE id = $1";
    let answers = link.begin(&[Step::new(touch, Wants::Any, id())], &[(count, id())])?;
    link.commit()?;
    answers.first().and_then(|rows| rows.first()).map(|row| at(row, 0)).transpose()
}

/// Who commits, when, and what it takes for granted.
#[derive(Clone, Copy)]
struct At<'a> {
    writer: [u8; 16],
    known: &'a Known,
    now: Timestamp,
}

/// A batch decided and written.
enum Written {
    /// There was nothing to write, and no transaction is open.
    Nothing(Vec<Outcome>),
    /// Its transaction is open.
    Open(Vec<Outcome>),
}

impl At<'_> {
    /// Whether a batch may change what every writer takes for granted, so that no other commit may lie beside it.
    fn stands_alone(&self, batch: &[Change]) -> bool {
        let adds = |change: &Change| {
            matches!(change, Change::AddKeyset { .. } | Change::Seal(_) | Change::AcceptLoss)
        };
        self.known.open_day < self.now.day()
            || batch.iter().any(adds)
            || self
                .known
                .keysets
                .iter()
                .any(|keyset| keyset.state < KeysetState::Closed && !keyset.redeems(self.now))
    }

    /// Counts the commit in this writer's row, which holds off whoever raises the epoch until it is done.
    fn pass_fence(&self) -> Step {
        let sql = "UPDATE writer SET commits = commits + 1, day = $4 WHERE id = $1 AND epoch = $2 AND commits = $3";
        let Known { epoch, commits, open_day, .. } = self.known;
        let day = Box::new(integer(open_day.number()));
        let params: Vec<Param> =
            vec![Box::new(self.writer.to_vec()), Box::new(*epoch), Box::new(*commits), day];
        Step::new(sql, Wants::Fence, params)
    }

    /// The same for whoever has raised the epoch itself.
    fn count_commit(&self) -> Step {
        let sql = "UPDATE writer SET commits = commits + 1 WHERE id = $1 AND commits = $2";
        let params: Vec<Param> = vec![Box::new(self.writer.to_vec()), Box::new(self.known.commits)];
        Step::new(sql, Wants::Fence, params)
    }
}

/// Writes a batch whose rows may meet those of others, and which takes keysets and open day for granted.
fn write_beside_others(
    link: &mut Link,
    batch: &[Change],
    wanted: &Wanted,
    at: At<'_>,
    look_up: LookUp,
) -> Result<Option<Written>, Fault> {
    let questions = questions(wanted, look_up);
    let answers = if questions.is_empty() { Vec::new() } else { link.ask_all(&questions)? };
    let mut facts = facts_of(&questions, &answers)?;
    (facts.keysets, facts.open_day) = (at.known.keysets.clone(), at.known.open_day);
    let was = Was::of(&facts);
    let (outcomes, effects) = decide(batch, facts, at.now);
    if look_up == LookUp::Little && outcomes.iter().any(may_rest) {
        return Ok(None);
    }
    if is_nothing(&effects) {
        return Ok(Some(Written::Nothing(outcomes)));
    }
    if concerns_all(&effects) {
        return Err(Fault::Malformed("a batch beside others changed what all take for granted"));
    }
    let mut all = vec![at.pass_fence()];
    all.extend(steps(&effects, &was, at.writer)?);
    link.begin(&all, &[])?;
    Ok(Some(Written::Open(outcomes)))
}

/// Writes a batch that may change what others take for granted. Once every writer's row is its own, nothing it looks up
/// can change before it is committed.
fn write_alone(
    link: &mut Link,
    batch: &[Change],
    wanted: &Wanted,
    at: At<'_>,
) -> Result<Written, Fault> {
    let raise = "UPDATE vault SET epoch = epoch + 1 WHERE one = 1";
    let tell = "UPDATE writer SET epoch = (SELECT epoch FROM vault WHERE one = 1)";
    let fences = [
        Step::new(raise, Wants::Certainly(1), vec![]),
        Step::new(tell, Wants::Any, vec![]),
        at.count_commit(),
    ];
    let mut questions = questions(wanted, LookUp::All);
    questions.extend(
        [row::KEYSETS, OPEN_DAY, read::FLOWS, read::BALANCES, read::MELT_QUOTES_PENDING]
            .map(question),
    );
    let answers = link.begin(&fences, &questions)?;
    let written = facts_of(&questions, &answers).and_then(|facts| {
        let was = Was::of(&facts);
        let (outcomes, effects) = decide(batch, facts, at.now);
        Ok((outcomes, steps(&effects, &was, at.writer)?))
    });
    match written {
        Ok((outcomes, steps)) => {
            link.go_on(&steps)?;
            Ok(Written::Open(outcomes))
        }
        Err(fault) => {
            link.roll_back();
            Err(fault)
        }
    }
}

const OPEN_DAY: &str = "SELECT open_day FROM vault";

/// What to look up of what a batch asks about.
fn questions(wanted: &Wanted, look_up: LookUp) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    let mut ask = |sql, wanted: Vec<&[u8]>| {
        if !wanted.is_empty() {
            questions.push((sql, vec![keys(wanted)]));
        }
    };
    ask(read::MINT_QUOTES, wanted.mint_quotes.iter().map(|id| &id.as_bytes()[..]).collect());
    ask(read::MELT_QUOTES, wanted.melt_quotes.iter().map(|id| &id.as_bytes()[..]).collect());
    ask(read::ORDERS, wanted.orders.iter().map(|id| &id.as_bytes()[..]).collect());
    ask(bill::CONTRACTS, wanted.streams.iter().map(|id| &id.0[..]).collect());
    ask(bill::BILLS, wanted.streams.iter().map(|id| &id.0[..]).collect());
    ask(read::TRANSFERS, wanted.transfers.iter().map(|id| &id.as_bytes()[..]).collect());
    ask(read::SHOWN, wanted.shown.iter().map(|name| &name.as_bytes()[..]).collect());
    ask(read::REPLIES, wanted.requests.iter().map(|digest| &digest.as_bytes()[..]).collect());
    if look_up == LookUp::All {
        let proofs = wanted.proofs.union(&wanted.proofs_to_hold);
        ask(read::PROOFS, proofs.map(|y| &y.x()[..]).collect());
        let outputs = wanted.outputs.union(&wanted.outputs_to_promise);
        ask(read::OUTPUTS, outputs.map(|output| &output.as_bytes()[..]).collect());
    }
    if !wanted.holders.is_empty() {
        let ids = wanted.holders.iter().map(AccountId::to_string);
        questions.push((read::HOLDERS, vec![names(ids)]));
    }
    if !wanted.purses.is_empty() {
        // Usage first: who reads it of after another's commit then reads the balance of after it, too; who reads it of
        // before cannot write it.
        let ids = wanted.purses.iter().map(|(id, _)| id.to_string());
        questions.push((read::USAGE, vec![names(ids)]));
        let accounts = wanted.purses.iter().map(|(id, unit)| Account::Holder(*unit, *id));
        questions.push((read::BALANCES_OF, vec![names(accounts.map(|it| it.to_string()))]));
    }
    if wanted.open_quotes {
        questions.extend(
            [
                read::MINT_QUOTES_OPEN,
                read::MELT_QUOTES_UNPAID,
                read::HOLDERS_OPEN,
                read::ORDERS_OPEN,
                bill::CONTRACTS_OPEN,
                bill::BILLS_OPEN,
            ]
            .map(question),
        );
    }
    questions
}

/// The facts that answers tell.
fn facts_of(questions: &[Question], answers: &[Vec<Row>]) -> Result<Facts, Fault> {
    let mut facts = Facts::default();
    for ((sql, _), rows) in questions.iter().zip(answers) {
        match *sql {
            read::MINT_QUOTES | read::MINT_QUOTES_OPEN => {
                let quotes = each(rows, row::mint_quote)?.into_iter();
                facts.mint_quotes.extend(quotes.map(|quote| (quote.id, quote)));
            }
            read::MELT_QUOTES | read::MELT_QUOTES_UNPAID => {
                let quotes = each(rows, row::melt_quote)?.into_iter();
                facts.melt_quotes.extend(quotes.map(|quote| (quote.id, quote)));
            }
            read::HOLDERS | read::HOLDERS_OPEN => {
                let holders = each(rows, row::holder)?.into_iter();
                facts.holders.extend(holders.map(|holder| (holder.id, holder)));
            }
            read::USAGE => {
                for (of, usage) in read::usage(rows)? {
                    facts.purses.entry(of).or_default().usage = usage;
                }
            }
            read::BALANCES_OF => {
                for (account, balance) in read::balances(rows)? {
                    if let Account::Holder(unit, id) = account {
                        facts.purses.entry((id, unit)).or_default().balance = balance;
                    }
                }
            }
            read::ORDERS | read::ORDERS_OPEN => {
                let orders = each(rows, row::order)?.into_iter();
                facts.orders.extend(orders.map(|order| (order.id, order)));
            }
            bill::CONTRACTS | bill::CONTRACTS_OPEN => bill::contracts(&mut facts.streams, rows)?,
            bill::BILLS | bill::BILLS_OPEN => bill::bills(&mut facts.streams, rows)?,
            read::TRANSFERS => {
                let posted = each(rows, row::transfer)?.into_iter();
                facts.transfers.extend(posted.map(|transfer| (transfer.id, transfer)));
            }
            read::SHOWN => facts.shown.extend(each(rows, read::shown)?),
            read::REPLIES => facts.replies.extend(each(rows, read::reply)?),
            read::PROOFS => {
                for row in rows {
                    let (y, is_spent) = (Y::from_x(bytes(row, 0)?), row::at(row, 1)?);
                    _ = if is_spent { facts.spent.insert(y) } else { facts.held.insert(y) };
                }
            }
            read::OUTPUTS => {
                for (output, signed) in each(rows, read::output)? {
                    match signed {
                        Some(signed) => _ = facts.signed.insert(output, signed),
                        None => _ = facts.promised.insert(output),
                    }
                }
            }
            row::KEYSETS => facts.keysets = each(rows, row::keyset)?,
            OPEN_DAY => {
                let row = rows.first().ok_or(Fault::Malformed("the vault's own row is missing"))?;
                facts.open_day = Day::from_number(row::natural_at(row, 0)?);
            }
            read::FLOWS => facts.day_flows = read::day_flows(rows)?,
            read::BALANCES => facts.balances = read::balances(rows)?,
            read::MELT_QUOTES_PENDING => {
                facts.keysets_held = keysets_held(&each(rows, row::melt_quote)?);
            }
            _ => return Err(Fault::Malformed("an answer to what was not asked")),
        }
    }
    Ok(facts)
}

/// Every keyset that a batch names by its number.
fn keysets_of(batch: &[Change]) -> impl Iterator<Item = KeysetNumber> {
    batch.iter().flat_map(|change| {
        let (inputs, outputs) = match change {
            Change::Swap(swap) => (swap.inputs(), swap.outputs()),
            Change::Mint(mint) => (&[][..], mint.outputs()),
            Change::StartMelt(melt) => (melt.inputs(), melt.outputs()),
            Change::OpenMintQuote(_)
            | Change::Receive { .. }
            | Change::OpenMeltQuote(_)
            | Change::FinishMelt { .. }
            | Change::AddKeyset { .. }
            | Change::Seal(_)
            | Change::AcceptLoss
            | Change::OpenHolder(_)
            | Change::SetLevel { .. }
            | Change::SetHolderState { .. }
            | Change::Post(_)
            | Change::OpenOrder(_)
            | Change::CancelOrder(_)
            | Change::Forget(_)
            | Change::Release(_)
            | Change::Answer(_)
            | Change::OpenContract(_)
            | Change::EndContract { .. }
            | Change::OpenBills { .. }
            | Change::WithdrawBill { .. }
            | Change::CloseMonth(_)
            | Change::Tick => (&[][..], &[][..]),
            Change::PayBill(payment) => (payment.inputs(), &[][..]),
            Change::PayOrder(payment) => (payment.inputs(), payment.blanks()),
            Change::Refund { order, .. } => (&[][..], &order.blanks[..]),
            Change::FetchRefund(fetch) => (&[][..], fetch.outputs()),
        };
        let inputs = inputs.iter().map(|input| input.keyset);
        inputs.chain(outputs.iter().map(|output| output.keyset))
    })
}

/// Here the proofs and outputs of a melt are taken for granted, too.
fn may_rest(outcome: &Outcome) -> bool {
    let is_melts =
        matches!(outcome, Outcome::Melt(Err(MeltError::Input(_) | MeltError::Output(_))));
    is_melts || may_rest_on_assumption(outcome)
}
