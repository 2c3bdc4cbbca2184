//! What a person decides about the wallet, and what the wallet remembers for them, beside money and passport.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_wallet::mint::MintUrl;

/// Kept sealed, as everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Book {
    /// The operator, as it was when the wallet was made.
    pub operator: Operator,
    /// When the person had shown that they have the words; none before.
    pub words_checked: Option<Timestamp>,
    /// Quotes that are paid and wait, with the moment from which their e-cash is fetched.
    pub delayed: BTreeMap<u64, Timestamp>,
    /// Whether e-cash is fetched as soon as it is paid for.
    pub is_hasty: bool,
    /// The score of each month in which it was looked at, as year and month: what changed is told from it.
    pub scores: BTreeMap<String, u16>,
    /// Whether the tour was seen.
    pub tour_done: bool,
    /// Steps of the tour that were begun, by their place.
    pub toured: BTreeSet<u8>,
    /// Where the lender of the tour sees what it was shown.
    pub tour_lender: Option<String>,
}

/// Whose wallet this is: what `operator.json` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operator {
    /// As it calls itself.
    pub name: String,
    /// Its mints, one for each unit.
    pub mint: Vec<MintUrl>,
    /// Origin of its desk.
    pub desk: Option<MintUrl>,
    /// Whether the money is play money.
    pub demo: bool,
    /// Days by which the clock of a demonstration runs ahead.
    pub days_ahead: u64,
}

impl Operator {
    /// Whether an address is one of this operator's.
    pub fn knows(&self, mint: &MintUrl) -> bool {
        self.mint.contains(mint)
    }

    /// What of another answer is taken: the same operator may add units, and its clock runs. Another one's addresses are refused.
    ///
    /// `None` if it is another operator, or has moved.
    pub fn updated(&self, told: &Self) -> Option<Self> {
        let is_same =
            self.desk == told.desk && self.mint.iter().all(|mint| told.mint.contains(mint));
        is_same.then(|| told.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(mints: &[&str]) -> Operator {
        let mint = mints.iter().map(|mint| mint.parse().unwrap()).collect();
        Operator {
            mint,
            desk: Some("http://desk.localhost".parse().unwrap()),
            ..Operator::default()
        }
    }

    #[test]
    fn an_operator_may_add_units_and_nothing_else() {
        let pinned = operator(&["http://mint.localhost/usd"]);
        let more = operator(&["http://mint.localhost/usd", "http://mint.localhost/eur"]);
        assert_eq!(pinned.updated(&more), Some(more.clone()));
        assert_eq!(more.updated(&pinned), None, "a unit is gone");
        let moved =
            Operator { desk: Some("http://desk.example".parse().unwrap()), ..pinned.clone() };
        assert_eq!(pinned.updated(&moved), None);
    }

    #[test]
    fn a_book_of_before_is_read() {
        assert_eq!(serde_json::from_str::<Book>("{}").unwrap(), Book::default());
    }
}
