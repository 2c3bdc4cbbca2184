//! What the operator asks for its services, for everybody to read: made of the configuration.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tacit_core::unit::Unit;
use tacit_service::fee::Fee;

use crate::config::UnitConfig;
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::shop::money;
use crate::text::{ENGLISH, fill};

#[derive(Template)]
#[template(path = "fees.html")]
struct FeesPage {
    page: Page,
    tables: Vec<Table>,
}

/// The fees of a currency.
struct Table {
    caption: String,
    rows: [(&'static str, String); 4],
}

/// `GET /fees`.
pub(super) async fn show_fees(State(desk): State<Desk>) -> Response {
    let asked = desk.shared.config.units.iter().filter(|terms| !terms.fees.are_none());
    let page = Page::new(&desk, "/fees", ENGLISH.fees.title);
    show(&FeesPage { page, tables: asked.map(table).collect() })
}

fn table(terms: &UnitConfig) -> Table {
    let (text, unit, fees) = (&ENGLISH.fees, terms.unit, terms.fees);
    let payout = if fees.payout == 0 { text.free.to_owned() } else { money(fees.payout, unit) };
    Table {
        caption: fill(text.caption, "unit", unit.code().to_uppercase()),
        rows: [
            (text.payout, payout),
            (text.cash_out, written(fees.cash_out, unit)),
            (text.cash_in, written(fees.cash_in, unit)),
            (text.sale, written(fees.sale, unit)),
        ],
    }
}

fn written(fee: Fee, unit: Unit) -> String {
    let text = &ENGLISH.fees;
    let share = percent(fee.basis_points());
    match (fee.fixed(), fee.basis_points()) {
        (0, 0) => text.free.to_owned(),
        (fixed, 0) => money(fixed, unit),
        (0, _) => fill(text.share, "percent", share),
        (fixed, _) => fill(&fill(text.both, "fixed", money(fixed, unit)), "percent", share),
    }
}

/// Hundredths of a percent as a decimal number, without zeros behind it.
fn percent(basis_points: u64) -> String {
    let (whole, part) = (basis_points / 100, basis_points % 100);
    let text = format!("{whole}.{part:02}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_written_in_all_its_parts() {
        let usd = Unit::new("usd").unwrap();
        let fee = |fixed, basis_points| written(Fee::new(fixed, basis_points).unwrap(), usd);
        assert_eq!(fee(0, 0), "nothing");
        assert_eq!(fee(30, 0), "0.30 USD");
        assert_eq!(fee(0, 150), "1.5 %");
        assert_eq!(fee(30, 5), "0.30 USD and 0.05 %");
        assert_eq!((percent(100), percent(10_000)), ("1".to_owned(), "100".to_owned()));
    }
}
