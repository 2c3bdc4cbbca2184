//! Writes an order to the bank with everything that is awkward in it: `cargo run -p tacit-bank --example payout`.
//!
//! `./tacit test --only bank` checks it against the schema of pain.001.001.09.
#![allow(clippy::unwrap_used, reason = "all that is parsed stands here")]

use tacit_bank::payout::{self, Payout, PayoutFile};
use tacit_core::amount::Amount;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;

fn main() {
    let euros = |cents| Amount::new(cents, Unit::new("eur").unwrap()).unwrap();
    let payout = |number: usize, name: &str, iban: &str, amount, text: &str| Payout {
        end_to_end_id: format!("TACIT-PO-{number:026}"),
        creditor_name: name.to_owned(),
        creditor: iban.parse().unwrap(),
        amount,
        remittance: text.to_owned(),
    };
    let long = "Ünally ".repeat(30);
    let file = PayoutFile {
        message_id: format!("TACIT-20261123-{:020}", 1),
        created: Timestamp::from_seconds(1_795_392_000),
        execution: Timestamp::from_seconds(1_795_478_400).day(),
        debtor_name: "Tacit <E-Geld> & Söhne".to_owned(),
        debtor: "DE89370400440532013000".parse().unwrap(),
        debtor_bank: None,
        payouts: vec![
            payout(1, "Zoë O'Neil & Co", "IE29AIBK93115212345678", euros(1), "1 cent"),
            payout(2, &long, "FR1420041010050500013M02606", euros(99_999_999_999), "the most"),
            payout(3, "Ирина Щукина", "BG80BNBG96611020345678", euros(123_456), &"ж".repeat(70)),
            payout(
                4,
                "Γιώργος Παπαδόπουλος",
                "GR1601101250000000012300695",
                euros(100),
                "]]> \"quoted\" 50%",
            ),
        ],
    };
    print!("{}", payout::write(&file).unwrap());
}
