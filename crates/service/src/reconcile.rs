//! Daily reconciliation: whether the bank holds what the books say, and whether that covers what is owed.
//!
//! Pure. The books count money from the moment a file is imported, the bank from the day it booked it; so the books' balance
//! of a day is what they have now, less what the bank booked after that day.

use std::collections::BTreeMap;

use tacit_core::time::Day;
use tacit_core::unit::Unit;

use crate::desk::staff::StaffId;
use crate::ledger::Account;
use crate::vault::Balance;

/// Sums of all transfers of a currency, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// By account, but for those of holders.
    pub accounts: BTreeMap<Account, Balance>,
    /// Of all holders together.
    pub holders: Balance,
}

/// What is owed and what covers it at one moment, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// What rails hold for us: the bank's account as the books have it.
    pub settlement: i64,
    /// E-cash outstanding, what expired with its keyset included.
    pub ecash: i64,
    /// What people and firms have in their accounts.
    pub accounts: i64,
    /// Received for e-cash that is not issued yet, what was set aside after a loss included.
    pub unissued: i64,
    /// Set apart for payouts and cash codes.
    pub held: i64,
    /// Refunds that wait to be fetched.
    pub refunds: i64,
    /// What nobody has been found for: below zero if more went than came.
    pub suspense: i64,
}

/// What the bank says of one account and period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementBalance {
    /// The operator's account at the bank.
    pub account: String,
    /// The day it closes.
    pub day: Day,
    /// What the bank calls the statement.
    pub statement: String,
    /// Currency.
    pub unit: Unit,
    /// At the beginning, in minor units; below zero if overdrawn.
    pub opening: Option<i64>,
    /// At the end.
    pub closing: i64,
    /// Whether its bookings lead from the one to the other; `None` if it cannot be said.
    pub adds_up: Option<bool>,
    /// Whether another file says other balances under the same name: the later one stands here, and neither counts.
    pub is_contradicted: bool,
}

/// What the bank booked on one day, in minor units: what came less what went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DaySum {
    /// In the books.
    pub posted: i64,
    /// Not in the books, since the file does not say enough.
    pub unclear: i64,
}

/// All that days are reconciled from.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What the books have of the bank's account now.
    pub settlement: i64,
    /// All that is unclear, of whatever day.
    pub unclear: i64,
    /// By day the bank booked it.
    pub booked: BTreeMap<Day, DaySum>,
    /// What the bank says.
    pub balances: Vec<StatementBalance>,
    /// By day, what was owed at its end.
    pub positions: BTreeMap<Day, Position>,
    /// What people said of differences, the earliest day first, each day's in order.
    pub explanations: Vec<Explanation>,
}

/// What somebody said of a difference. It explains nothing until somebody else has approved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Currency.
    pub unit: Unit,
    /// Of which day.
    pub day: Day,
    /// Which of the day's, from 1.
    pub number: u64,
    /// The difference as it was then; `None` if the statements contradicted each other.
    pub difference: Option<i64>,
    /// In their words.
    pub note: String,
    /// Who.
    pub staff: StaffId,
    /// On which day.
    pub noted: Day,
    /// Who found it right, if somebody did.
    pub approval: Option<Approval>,
}

/// Somebody found what somebody else said to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub staff: StaffId,
    /// On which day.
    pub day: Day,
}

/// A day, reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub day: Day,
    /// The bank's balance at its end, in minor units, if the statements agree on one.
    pub closing: Option<i64>,
    /// That of the books.
    pub settlement: i64,
    /// What the bank booked until then and the books do not have yet.
    pub unclear: i64,
    /// What the bank has beyond both.
    pub difference: Option<i64>,
    /// What the books' balance had beyond what was owed, as it stood at the end of the day.
    pub cover: Option<i64>,
    /// What follows.
    pub verdict: Verdict,
    /// What two people said of just this. Of money that is missing it stands beside the verdict and changes nothing of it.
    pub explanation: Option<Explanation>,
}

/// What a day comes to. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More was owed than there was.
    Short,
    /// The bank has less than the books say.
    Missing,
    /// Two people have explained just this, and no money is missing.
    Explained,
    /// The bank's statements of the day contradict each other or themselves.
    Contradicts,
    /// The bank has more than the books say.
    Differs,
    /// It all agrees.
    Agrees,
}

impl Verdict {
    /// Whether a person has to look at it. Missing money is looked at for as long as it is missing, whatever is said of it.
    pub const fn is_exception(self) -> bool {
        match self {
            Self::Short | Self::Missing | Self::Contradicts | Self::Differs => true,
            Self::Explained | Self::Agrees => false,
        }
    }

    /// In a word, as programs read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Missing => "missing",
            Self::Explained => "explained",
            Self::Contradicts => "contradicts",
            Self::Differs => "differs",
            Self::Agrees => "agrees",
        }
    }
}

impl Row {
    /// Whether somebody has to say why.
    pub const fn is_unexplained(&self) -> bool {
        self.verdict.is_exception() && self.explanation.is_none()
    }
}

impl Position {
    /// What sums of a currency come to.
    pub fn of(sums: &Sums) -> Self {
        let mut position = Self { accounts: owed(sums.holders), ..Self::default() };
        for (account, balance) in &sums.accounts {
            let owed = owed(*balance);
            match account {
                Account::Settlement(_) => position.settlement -= owed,
                Account::Ecash(..) | Account::Expired(_) => position.ecash += owed,
                Account::Unissued(_) | Account::SetAside(_) => position.unissued += owed,
                Account::Holder(..) => position.accounts += owed,
                Account::Held(_) => position.held += owed,
                Account::Refunds(_) => position.refunds += owed,
                Account::Suspense(_) => position.suspense += owed,
                // Ours: what is left over. Clearing is empty between commits.
                Account::Fees(_)
                | Account::RailLoss(_)
                | Account::Own(_)
                | Account::Clearing(_) => {}
            }
        }
        position
    }

    /// All that is owed.
    pub const fn owed(&self) -> i64 {
        // What went for nothing known is a claim that may come to nothing: it covers no debt.
        let suspense = if self.suspense > 0 { self.suspense } else { 0 };
        self.ecash + self.accounts + self.unissued + self.held + self.refunds + suspense
    }

    /// What there is beyond what is owed: fees that were taken, less what rails cost, less what went for nothing known.
    pub const fn cover(&self) -> i64 {
        self.settlement - self.owed()
    }
}

fn owed(balance: Balance) -> i64 {
    let signed = |sum: u64| i64::try_from(sum).unwrap_or(i64::MAX);
    signed(balance.credits).saturating_sub(signed(balance.debits))
}

/// Days reconciled, the latest first: those of which the bank has said a balance, or a person something.
pub fn rows(facts: &Facts) -> Vec<Row> {
    let mut days: Vec<Day> = facts.balances.iter().map(|balance| balance.day).collect();
    days.sort_unstable();
    days.dedup();
    days.into_iter().rev().map(|day| row(facts, day)).collect()
}

fn row(facts: &Facts, day: Day) -> Row {
    let later = facts.booked.range(Day::from_number(day.number() + 1)..);
    let (posted, unclear) = later.fold((0_i64, 0_i64), |(posted, unclear), (_, sum)| {
        (posted + sum.posted, unclear + sum.unclear)
    });
    let (settlement, unclear) = (facts.settlement - posted, facts.unclear - unclear);
    let of_day: Vec<&StatementBalance> =
        facts.balances.iter().filter(|balance| balance.day == day).collect();
    let closing = closing(&of_day);
    let difference = closing.map(|closing| closing - settlement - unclear);
    let cover = facts.positions.get(&day).map(Position::cover);
    let explanation = explanation(&facts.explanations, day, difference).cloned();
    let verdict = if cover.is_some_and(|cover| cover < 0) {
        Verdict::Short
    } else if difference.is_some_and(|difference| difference < 0) {
        Verdict::Missing
    } else if difference == Some(0) {
        Verdict::Agrees
    } else if explanation.is_some() {
        Verdict::Explained
    } else if difference.is_none() {
        Verdict::Contradicts
    } else {
        Verdict::Differs
    };
    Row { day, closing, settlement, unclear, difference, cover, verdict, explanation }
}

/// What two people said of just this difference on that day, or, as long as it stays the same, on an earlier one.
fn explanation(all: &[Explanation], day: Day, difference: Option<i64>) -> Option<&Explanation> {
    let approved = || all.iter().rev().filter(|explanation| explanation.approval.is_some());
    let is_this = |explanation: &&Explanation| explanation.difference == difference;
    let of_day = approved().find(|one| one.day == day && is_this(one));
    // Neither a contradiction nor a debt that is not covered is the same as that of another day.
    let goes_on = difference.is_some_and(|difference| difference != 0);
    let earlier = || approved().find(|one| one.day <= day).filter(is_this);
    of_day.or_else(|| if goes_on { earlier() } else { None })
}

/// The last day before this one of which nothing has to be said; what made this day differ was booked, or told, after it.
pub fn settled_before(rows: &[Row], day: Day) -> Option<Day> {
    let settled = rows.iter().filter(|row| row.day < day && !row.is_unexplained());
    settled.map(|row| row.day).max()
}

/// The balance at the end of a day, of all its statements: the one that no other begins with. `None` if they do not say one.
fn closing(of_day: &[&StatementBalance]) -> Option<i64> {
    if of_day.iter().any(|balance| balance.adds_up == Some(false) || balance.is_contradicted) {
        return None;
    }
    let follows = |end: &StatementBalance| {
        of_day
            .iter()
            .any(|other| other.opening == Some(end.closing) && other.statement != end.statement)
    };
    let mut ends: Vec<i64> =
        of_day.iter().filter(|end| !follows(end)).map(|end| end.closing).collect();
    ends.sort_unstable();
    ends.dedup();
    match ends.as_slice() {
        [end] => Some(*end),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Unit {
        Unit::new("eur").unwrap()
    }

    fn day(number: u64) -> Day {
        Day::from_number(number)
    }

    fn said(of: u64, opening: i64, closing: i64) -> StatementBalance {
        StatementBalance {
            account: "DE89370400440532013000".to_owned(),
            day: day(of),
            statement: format!("{of}/{opening}"),
            unit: eur(),
            opening: Some(opening),
            closing,
            adds_up: Some(true),
            is_contradicted: false,
        }
    }

    fn proposed(of: u64, difference: Option<i64>) -> Explanation {
        Explanation {
            unit: eur(),
            day: day(of),
            number: 1,
            difference,
            note: "Our own money".to_owned(),
            staff: StaffId::from_bytes([1; 16]),
            noted: day(of),
            approval: None,
        }
    }

    fn explained(of: u64, difference: Option<i64>) -> Explanation {
        let approval = Approval { staff: StaffId::from_bytes([2; 16]), day: day(of) };
        Explanation { approval: Some(approval), ..proposed(of, difference) }
    }

    fn verdicts(facts: &Facts) -> Vec<(u64, Option<i64>, Verdict)> {
        rows(facts).into_iter().map(|row| (row.day.number(), row.difference, row.verdict)).collect()
    }

    #[test]
    fn what_the_bank_booked_later_does_not_count_for_a_day() {
        let sum = |posted, unclear| DaySum { posted, unclear };
        let facts = Facts {
            settlement: 600,
            unclear: 40,
            booked: [(day(2), sum(100, 0)), (day(3), sum(500, 40))].into(),
            balances: vec![said(1, 0, 0), said(2, 0, 100), said(3, 100, 640)],
            ..Facts::default()
        };
        let agrees = |of| (of, Some(0), Verdict::Agrees);
        assert_eq!(verdicts(&facts), [agrees(3), agrees(2), agrees(1)]);
        let last = &rows(&facts)[0];
        assert_eq!((last.settlement, last.unclear, last.closing), (600, 40, Some(640)));
    }

    #[test]
    fn a_difference_stays_an_exception_until_somebody_explains_just_that() {
        let mut facts = Facts {
            settlement: 100,
            balances: vec![said(1, 0, 1100), said(2, 1100, 1100), said(3, 1100, 1101)],
            ..Facts::default()
        };
        let all = |verdict| {
            [(3, Some(1001), verdict), (2, Some(1000), verdict), (1, Some(1000), verdict)]
        };
        assert_eq!(verdicts(&facts), all(Verdict::Differs));
        assert_eq!(settled_before(&rows(&facts), day(3)), None);
        facts.explanations = vec![proposed(1, Some(1000))];
        assert_eq!(verdicts(&facts), all(Verdict::Differs), "nobody else has found it right");
        facts.explanations = vec![explained(1, Some(1000))];
        assert_eq!(settled_before(&rows(&facts), day(3)), Some(day(2)));
        let (exception, known) = (Verdict::Differs, Verdict::Explained);
        assert_eq!(
            verdicts(&facts),
            [(3, Some(1001), exception), (2, Some(1000), known), (1, Some(1000), known)]
        );
        facts.explanations.push(explained(3, Some(1)));
        assert_eq!(verdicts(&facts)[0].2, exception, "another difference");
        facts.explanations.push(explained(3, Some(1001)));
        assert_eq!(verdicts(&facts)[0].2, known);
    }

    #[test]
    fn statements_of_one_day_follow_each_other_or_say_nothing() {
        let of = |balances: Vec<StatementBalance>| {
            verdicts(&Facts { settlement: 300, balances, ..Facts::default() })[0]
        };
        let agrees = (1, Some(0), Verdict::Agrees);
        assert_eq!(of(vec![said(1, 200, 300), said(1, 0, 200)]), agrees);
        assert_eq!(
            of(vec![said(1, 0, 300), said(1, 300, 300)]),
            agrees,
            "nothing happened after it"
        );
        let contradicts = (1, None, Verdict::Contradicts);
        assert_eq!(of(vec![said(1, 0, 300), said(1, 50, 301)]), contradicts);
        let cut = StatementBalance { adds_up: Some(false), ..said(1, 0, 300) };
        assert_eq!(of(vec![cut]), contradicts, "its bookings do not add up");
        let two = StatementBalance { is_contradicted: true, ..said(1, 0, 300) };
        assert_eq!(of(vec![two]), contradicts, "another file says otherwise of it");
        let bare = StatementBalance { opening: None, adds_up: None, ..said(1, 0, 300) };
        assert_eq!(of(vec![bare]), agrees);
    }

    #[test]
    fn what_is_owed_must_be_covered_and_a_claim_covers_nothing() {
        let balance = |credits, debits| Balance { credits, debits };
        let accounts = [
            (Account::Settlement(eur()), balance(100, 1100)),
            (Account::Ecash(eur(), crate::keyset::KeysetNumber::new(1)), balance(400, 100)),
            (Account::Suspense(eur()), balance(0, 50)),
            (Account::Fees(eur()), balance(20, 0)),
            (Account::RailLoss(eur()), balance(0, 5)),
        ];
        let sums = Sums { accounts: accounts.into(), holders: balance(735, 0) };
        let position = Position::of(&sums);
        assert_eq!((position.settlement, position.ecash, position.accounts), (1000, 300, 735));
        assert_eq!((position.owed(), position.cover()), (1035, -35));
        let facts = Facts {
            settlement: 1000,
            balances: vec![said(1, 0, 1000)],
            positions: [(day(1), position)].into(),
            ..Facts::default()
        };
        assert_eq!(verdicts(&facts), [(1, Some(0), Verdict::Short)]);
        let explanations = vec![explained(1, Some(0))];
        let facts = Facts { explanations, ..facts };
        assert_eq!(verdicts(&facts)[0].2, Verdict::Short, "whatever is said of it");
        assert!(!rows(&facts)[0].is_unexplained());
    }

    #[test]
    fn missing_money_is_missing_whoever_explains_it() {
        let mut facts = Facts {
            settlement: 1000,
            balances: vec![said(1, 0, 900), said(2, 900, 900), said(3, 900, 1000)],
            ..Facts::default()
        };
        let missing = |of| (of, Some(-100), Verdict::Missing);
        let all = [(3, Some(0), Verdict::Agrees), missing(2), missing(1)];
        assert_eq!(verdicts(&facts), all);
        facts.explanations = vec![explained(1, Some(-100))];
        assert_eq!(verdicts(&facts), all, "whatever is said of it");
        let beside: Vec<bool> = rows(&facts).iter().map(|row| row.explanation.is_some()).collect();
        assert_eq!(beside, [false, true, true], "beside it, for as long as it is the same");
        // Nor does an explained contradiction hide that more was owed than there was.
        let short = Position { settlement: 1, accounts: 2, ..Position::default() };
        let contradicted = StatementBalance { is_contradicted: true, ..said(4, 0, 0) };
        let facts = Facts {
            balances: vec![contradicted],
            positions: [(day(4), short)].into(),
            explanations: vec![explained(4, None)],
            ..Facts::default()
        };
        assert_eq!(verdicts(&facts), [(4, None, Verdict::Short)]);
    }
}
