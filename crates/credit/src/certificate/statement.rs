//! What a certificate says.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::time::{Day, Timestamp};

use crate::passport::message::Terms;
use crate::scorecard::signed::CardId;

/// The type of certificates (`vct`). A name and no address: whoever meets it has nobody to ask.
pub const TYPE: &str = "urn:tacit:certificate:1";
/// How many certificates are made of one proof, each for a key of its own: always as many.
pub const BATCH: usize = 4;
/// Days from the one a certificate is made on to the one it ends before.
pub const LIFETIME_DAYS: u64 = 3;

/// A claim that its holder can leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// By which scorecard: its id in hexadecimal.
    Scorecard,
    /// The score is at least this.
    Threshold,
    /// The passport is at least so many months old.
    TenureMonths,
    /// Neither an instalment nor a bill is overdue.
    NothingOverdue,
}

impl Claim {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Scorecard, Self::Threshold, Self::TenureMonths, Self::NothingOverdue];

    /// As it is called in a certificate and in a query.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scorecard => "scorecard",
            Self::Threshold => "threshold",
            Self::TenureMonths => "tenure_months",
            Self::NothingOverdue => "nothing_overdue",
        }
    }

    /// The claim of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|claim| claim.name() == name)
    }
}

/// What the desk found proven. That no instalment is overdue always is; bills are, where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Statement {
    /// By which scorecard.
    pub card: CardId,
    /// The score is at least this.
    pub threshold: u16,
    /// The passport is at least so many months old.
    pub tenure: u16,
    /// No bill is open from months before, either.
    pub nothing_overdue: bool,
}

impl Statement {
    /// What a proof with these terms shows; nothing if they are not a certificate's.
    pub fn of(terms: &Terms) -> Option<Self> {
        let Terms::Certify { card, threshold, tenure, strict, .. } = *terms else { return None };
        Some(Self { card, threshold, tenure, nothing_overdue: strict })
    }

    /// A claim's value; none for what was not proven.
    pub fn value(&self, claim: Claim) -> Option<Value> {
        match claim {
            Claim::Scorecard => Some(json!(self.card.to_string())),
            Claim::Threshold => Some(json!(self.threshold)),
            Claim::TenureMonths => Some(json!(self.tenure)),
            Claim::NothingOverdue => self.nothing_overdue.then_some(json!(true)),
        }
    }
}

/// What a holder showed of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// By which scorecard.
    pub card: Option<CardId>,
    /// The score is at least this.
    pub threshold: Option<u16>,
    /// The passport is at least so many months old.
    pub tenure: Option<u16>,
    /// Neither an instalment nor a bill is overdue.
    pub nothing_overdue: bool,
}

impl Shown {
    /// Takes a claim in; `false` if its value is none of that claim.
    pub(super) fn set(&mut self, claim: Claim, value: &Value) -> bool {
        let number = || value.as_u64().and_then(|number| u16::try_from(number).ok());
        match claim {
            Claim::Scorecard => {
                let id = value.as_str().and_then(|text| hex::decode(text).ok());
                self.card = id.map(CardId::from_bytes);
                self.card.is_some()
            }
            Claim::Threshold => {
                self.threshold = number();
                self.threshold.is_some()
            }
            Claim::TenureMonths => {
                self.tenure = number();
                self.tenure.is_some()
            }
            Claim::NothingOverdue => {
                self.nothing_overdue = *value == json!(true);
                self.nothing_overdue
            }
        }
    }
}

/// When a certificate was made and when it ends: whole days, so that all of a day look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The beginning of the day it was made on.
    pub since: Timestamp,
    /// From when on it is worth nothing.
    pub until: Timestamp,
}

impl Validity {
    /// That of certificates of a day.
    pub const fn of(day: Day) -> Self {
        let until = Day::from_number(day.number() + LIFETIME_DAYS);
        Self { since: day.start(), until: until.start() }
    }
}
