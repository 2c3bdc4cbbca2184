//! Contracts and their bills, as a payer's wallet reads them.

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, serde_as};

use super::super::epoch::Epoch;
use super::super::standing::{self, ReceiptFacts};
use super::{Answer, Bytes};

/// A contract: `GET /v1/contracts/{contract}` under the unit's path.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// Its number.
    pub contract: standing::Contract,
    /// Currency.
    pub unit: String,
    /// The biller's name, unless it cannot be said now.
    pub biller: Option<String>,
    /// What the contract is for.
    pub description: Option<String>,
    /// The first month a bill may be due in: `2026-11`, as all months here.
    #[serde_as(as = "DisplayFromStr")]
    pub begun: Epoch,
    /// The last one, once that is known.
    #[serde_as(as = "Option<DisplayFromStr>")]
    pub ended: Option<Epoch>,
    /// From the first month that is kept to this one, and to that of the latest bill.
    pub months: Vec<Month>,
}

/// A month of a contract.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    /// Which.
    #[serde_as(as = "DisplayFromStr")]
    pub month: Epoch,
    /// What a receipt of this month is asked for: one a contract and month.
    #[serde_as(as = "Bytes")]
    pub subject: [u8; 32],
    /// The bill that is due in it, if there is one.
    pub bill: Option<Bill>,
    /// What a receipt would say now that nothing is due in it, if there is one to be had.
    pub quiet: Option<ReceiptFacts>,
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Minor units.
    pub amount: u64,
    /// The last day on which it is paid in time, in UTC: `2026-11-30`.
    pub due: String,
    /// Whether the contract ends with it.
    pub last: bool,
    /// `open`, also after it was due; `paid`, in time; `paid-late`; `withdrawn`.
    pub state: String,
    /// For how many units of a passport it counts.
    pub units: u8,
    /// How any wallet pays it, without a receipt (NUT-18); while it is to be paid.
    pub payment_request: Option<String>,
}

/// What became of a payment: `POST /v1/contracts/{contract}/{month}/pay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// `paid`, in time, or `paid-late`.
    pub state: String,
    /// Currency.
    pub unit: String,
    /// The reply to the request for a receipt, if one came with the payment.
    pub receipt: Option<Answer>,
}
