//! Sales by day, as a picture that needs no script.

use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::desk::paper::DaySales;

use crate::shop::money;
use crate::text::{ENGLISH, fill};

const HEIGHT: u64 = 120;
const STEP: u64 = 20;

/// A bar for each of `days` days from `from` on. What each says stands in its title.
pub(super) fn svg(sales: &[DaySales], from: Day, days: u64, unit: Unit) -> String {
    let text = &ENGLISH.merchant;
    let most = sales.iter().map(|sales| sales.paid).max().unwrap_or(0).max(1);
    let width = days * STEP;
    let mut bars = String::new();
    for place in 0..days {
        let day = Day::from_number(from.number() + place);
        let of_day = sales.iter().find(|sales| sales.day == day);
        let (paid, orders) = of_day.map_or((0, 0), |sales| (sales.paid, sales.orders));
        // At least two, so that a small day can be seen; the product fits, for amounts are far below 2^64 / 120 here.
        let tall = if paid == 0 {
            2
        } else {
            let tall = u128::from(paid) * u128::from(HEIGHT) / u128::from(most);
            u64::try_from(tall).unwrap_or(HEIGHT).clamp(3, HEIGHT)
        };
        let class = if paid == 0 { " class=\"none\"" } else { "" };
        let said = fill(text.chart_day, "day", day);
        let said = fill(&fill(&said, "amount", money(paid, unit)), "count", orders);
        let (x, y) = (place * STEP + 3, HEIGHT - tall);
        bars.push_str(&format!(
            "<rect{class} x=\"{x}\" y=\"{y}\" width=\"14\" height=\"{tall}\" rx=\"2\"><title>{said}</title></rect>"
        ));
    }
    let last = Day::from_number(from.number() + days - 1);
    let foot = HEIGHT + 14;
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {box_height}\" role=\"img\" aria-label=\"{label}\">{bars}\
         <text x=\"3\" y=\"{foot}\">{from}</text><text x=\"{end}\" y=\"{foot}\" text-anchor=\"end\">{last}</text></svg>",
        box_height = HEIGHT + 20,
        end = width - 3,
        label = text.chart_label,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_a_bar_and_the_best_is_the_tallest() {
        let day =
            |number, paid| DaySales { day: Day::from_number(number), orders: 1, paid, refunded: 0 };
        let sales = [day(10, 1 << 52), day(12, 1)];
        let picture = svg(&sales, Day::from_number(10), 5, Unit::new("usd").unwrap());
        assert_eq!(picture.matches("<rect").count(), 5);
        assert_eq!(picture.matches("class=\"none\"").count(), 3);
        assert_eq!(picture.matches("height=\"120\"").count(), 1);
        assert!(picture.contains("0.01 USD, 1 orders"), "{picture}");
    }
}
