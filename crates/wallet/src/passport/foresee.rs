//! What a passport would say after a bill: the months are closed on paper, by the very rules by which they will be closed.

use tacit_core::time::Day;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::{Contract, ReceiptFacts, STREAMS, Standing};
use tacit_credit::passport::wire::bill;

use super::bills::Stream;

/// Bills are written a few months ahead at most.
const MONTHS_MAX: u16 = 12;

/// A contract that was taken on, and what its biller says of it.
#[derive(Clone, Copy, Debug)]
pub struct Owed<'a> {
    /// As the wallet has it.
    pub stream: &'a Stream,
    /// As the desk tells it.
    pub told: &'a bill::Contract,
}

/// The standing once `month` is closed, if every bill until then is paid today at the latest, but for that of `unpaid` in `month`. Income is
/// left out: nobody knows it before.
///
/// None if `month` is closed already or lies too far ahead, or if a contract that counts is not among `owed`.
pub fn foresee(
    standing: &Standing,
    owed: &[Owed<'_>],
    month: Epoch,
    today: Day,
    unpaid: Option<Contract>,
) -> Option<Standing> {
    let far = standing.epoch.number().checked_add(MONTHS_MAX)?;
    if month < standing.epoch || far < month.number() {
        return None;
    }
    let mut next = standing.clone();
    while next.epoch <= month {
        let now = next.epoch;
        let left = unpaid.filter(|_| now == month);
        let of = |owed: &Owed<'_>| {
            let is_left = left == Some(owed.stream.contract());
            if is_left { ReceiptFacts::BLANK } else { owed.facts(now, today) }
        };
        next = next.ticked(&slots(&next, owed, of)?).ok()?;
    }
    Some(next)
}

/// A receipt for each slot: of the contract that has it, then of those that have none yet.
fn slots(
    standing: &Standing,
    owed: &[Owed<'_>],
    facts: impl Fn(&Owed<'_>) -> ReceiptFacts,
) -> Option<[ReceiptFacts; STREAMS]> {
    let is_counted = |owed: &&Owed<'_>| standing.contracts.contains(&Some(owed.stream.contract()));
    let mut others = owed.iter().filter(|owed| !is_counted(owed)).map(&facts);
    let mut receipts = [ReceiptFacts::BLANK; STREAMS];
    for (receipt, slot) in receipts.iter_mut().zip(standing.contracts) {
        *receipt = match slot {
            Some(contract) => facts(owed.iter().find(|owed| owed.stream.contract() == contract)?),
            None => others.find(|facts| facts.contract.is_some()).unwrap_or(ReceiptFacts::BLANK),
        };
    }
    Some(receipts)
}

impl Owed<'_> {
    /// What the receipt of a month says, or would say.
    fn facts(&self, month: Epoch, today: Day) -> ReceiptFacts {
        if let Some(receipt) = self.stream.receipts().get(&month) {
            return receipt.facts();
        }
        let told = self.told.months.iter().find(|told| told.month == month);
        let contract = Some(self.stream.contract());
        let nothing = ReceiptFacts { contract, met: true, amount: 0, last: false };
        let Some(told) = told else { return nothing };
        let Some(bill) = &told.bill else { return told.quiet.unwrap_or(nothing) };
        let met = match bill.state.as_str() {
            "open" => today.to_string() <= bill.due,
            "paid-late" => false,
            _ => true,
        };
        let amount = if bill.state == "withdrawn" { 0 } else { bill.units };
        ReceiptFacts { contract, met, amount, last: bill.last }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn month(number: u16) -> Epoch {
        Epoch::new(number).unwrap()
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn contract(of: u8) -> Contract {
        Contract::try_from(format!("{of:02x}").repeat(16)).unwrap()
    }

    fn stream(of: u8) -> Stream {
        Stream {
            contract: contract(of),
            path: "/usd".to_owned(),
            mint: "https://mint.example/usd".parse().unwrap(),
            unit: "usd".parse().unwrap(),
            biller: None,
            description: None,
            receipts: BTreeMap::new(),
        }
    }

    /// A contract with a bill of ten units in one month, due on the tenth of December 2026.
    fn told(of: u8, due: Epoch, state: &str) -> bill::Contract {
        let bill = bill::Bill {
            amount: 1000,
            due: "2026-12-10".to_owned(),
            last: false,
            state: state.to_owned(),
            units: 10,
            payment_request: None,
        };
        let month = bill::Month { month: due, subject: [0; 32], bill: Some(bill), quiet: None };
        bill::Contract {
            contract: contract(of),
            unit: "usd".to_owned(),
            biller: None,
            description: None,
            begun: due,
            ended: None,
            months: vec![month],
        }
    }

    #[test]
    fn a_bill_counts_as_the_month_that_is_closed_will_count_it() {
        let (this, stream) = (month(83), stream(1));
        let told = told(1, this, "open");
        let owed = [Owed { stream: &stream, told: &told }];
        let begun = Standing::new(this);
        let paid = foresee(&begun, &owed, this, day("2026-12-10"), None).unwrap();
        assert_eq!((paid.epoch, paid.paid, paid.paid_months, paid.late), (month(84), 10, 7, 0));
        assert_eq!(paid.contracts, [Some(contract(1)), None]);
        let late = foresee(&begun, &owed, this, day("2026-12-11"), None).unwrap();
        assert_eq!((late.paid, late.late, late.arrears), (10, 7, 1));
        // What nobody has taken on with a first payment counts neither way.
        let unpaid = foresee(&begun, &owed, this, day("2026-12-10"), Some(contract(1))).unwrap();
        assert_eq!((unpaid.paid, unpaid.late, unpaid.contracts), (0, 0, [None; STREAMS]));
        let counted = Standing { contracts: [Some(contract(1)), None], ..begun };
        let unpaid = foresee(&counted, &owed, this, day("2026-12-10"), Some(contract(1))).unwrap();
        assert_eq!((unpaid.paid, unpaid.late, unpaid.arrears), (0, 7, 1));
    }

    #[test]
    fn months_between_are_closed_with_what_is_known_of_them() {
        let (first, second) = (stream(1), stream(2));
        let (now, later) = (told(1, month(83), "withdrawn"), told(2, month(85), "open"));
        let owed = [Owed { stream: &first, told: &now }, Owed { stream: &second, told: &later }];
        let counted = [Some(contract(1)), None];
        let standing = Standing { contracts: counted, ..Standing::new(month(83)) };
        let then = foresee(&standing, &owed, month(85), day("2026-12-01"), None).unwrap();
        assert_eq!((then.epoch, then.paid, then.late), (month(86), 10, 0));
        assert_eq!(then.contracts, [Some(contract(1)), Some(contract(2))]);
    }

    #[test]
    fn nothing_is_said_of_what_cannot_be_known() {
        let (this, stream) = (month(83), stream(1));
        let told = told(1, this, "open");
        let owed = [Owed { stream: &stream, told: &told }];
        let standing = Standing::new(this);
        let today = day("2026-12-01");
        assert_eq!(foresee(&standing, &owed, month(82), today, None), None, "it is closed");
        assert_eq!(foresee(&standing, &owed, month(96), today, None), None, "too far ahead");
        let other = Standing { contracts: [Some(contract(9)), None], ..standing };
        assert_eq!(foresee(&other, &owed, this, today, None), None, "a contract is not told of");
    }
}
