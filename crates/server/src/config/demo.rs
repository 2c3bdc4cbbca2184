//! What a demonstration serves without a file.

use tacit_core::unit::Unit;

use super::UnitConfig;
use super::bank::DEMO_LIMITS;
use super::table::UnitTable;

/// The units of a demo. Currencies carry no input fee: e-money is redeemed at par. The `sat` of test suites
/// carries the 100 thousandths that peers' suites expect.
pub(super) fn units() -> Vec<UnitConfig> {
    [("usd", 0), ("eur", 0), ("kes", 0), ("inr", 0), ("sat", 100)]
        .into_iter()
        .map(|(code, input_fee_ppk)| {
            let unit = Unit::new(code).expect("three lower-case letters");
            let table = UnitTable {
                unit,
                path: None,
                bolt11: None,
                input_fee_ppk,
                denominations: None,
                mint_min: None,
                mint_max: None,
                melt_min: None,
                melt_max: None,
                bank_account: None,
                bank_entry_reference: false,
                limits_in: DEMO_LIMITS.to_vec(),
                limits_out: DEMO_LIMITS.to_vec(),
                payout_alone_max: 0,
                fee_payout: 0,
                fee_cash_out: [0; 2],
                fee_cash_in: [0; 2],
                fee_sale: [0; 2],
                passport_unit: None,
            };
            UnitConfig::of(table, true).expect("no fees")
        })
        .collect()
}
