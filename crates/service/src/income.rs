//! Income: what came from others to a person's account in a month, less what left it for the outside.
//!
//! Money that goes in a circle earns nothing: what leaves by bank or at an agent counts against what came, and whoever sends
//! money to their own account from another of theirs has not earned it. What is spent as e-cash stays income.
//!
//! Source: DESIGN.md section 7.

use tacit_core::time::Day;

use crate::ledger::{Account, Transfer, TransferKind};

/// What was earned in a calendar month (UTC), in minor units, of the transfers of an account: others are passed over.
pub fn of_month(account: Account, month: u64, transfers: &[Transfer]) -> u64 {
    let within = transfers.iter().filter(|transfer| transfer.day.month() == month);
    let (mut came, mut left) = (0_u64, 0_u64);
    for transfer in within {
        let (amount, is_credit) = (transfer.amount, transfer.credit == account);
        if !is_credit && transfer.debit != account {
            continue;
        }
        let sum = match (transfer.kind, is_credit) {
            (TransferKind::Earned, true) => &mut came,
            // What was set apart for a payout or a cash code and comes back has not left.
            (TransferKind::Held | TransferKind::Moved | TransferKind::Reversed, false) => &mut left,
            (TransferKind::Released, true) => {
                left = left.saturating_sub(amount);
                continue;
            }
            _ => continue,
        };
        *sum = sum.saturating_add(amount);
    }
    came.saturating_sub(left)
}

/// Whether no transfer of a page, the latest day first, and so none after it, is of a month or later.
pub fn is_before(month: u64, page: &[Transfer]) -> bool {
    page.last().is_none_or(|last| last.day.month() < month)
}

/// So much money in a passport's units; `size`: minor units that make one, of the operator's setting.
pub fn units(amount: u64, size: u64, most: u16) -> u16 {
    u16::try_from(amount / size.max(1)).unwrap_or(u16::MAX).min(most)
}

/// The first day of the calendar month before the one a day is in; the same month in the first of all.
pub fn month_before(day: Day) -> u64 {
    day.month().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use tacit_core::unit::Unit;

    use super::*;
    use crate::account::AccountId;
    use crate::ledger::TransferId;

    fn own() -> Account {
        Account::Holder(Unit::new("usd").unwrap(), AccountId::from_random([7; 8]))
    }

    fn transfer(kind: TransferKind, is_credit: bool, amount: u64, day: u64) -> Transfer {
        let other = Account::Suspense(own().unit());
        let (debit, credit) = if is_credit { (other, own()) } else { (own(), other) };
        let id = TransferId::of(kind, debit, credit, &day.to_be_bytes());
        Transfer { id, kind, debit, credit, amount, day: Day::from_number(day) }
    }

    #[test]
    fn others_money_counts_less_what_left() {
        use TransferKind::{Approved, Assigned, Earned, Held, Moved, Released, Sold};
        let month = Day::from_number(20_758).month(); // November 2026.
        let all = [
            transfer(Earned, true, 200_000, 20_760),
            transfer(Earned, true, 9_000, 20_757), // The last day of October.
            transfer(Assigned, true, 50_000, 20_761), // Their own money.
            transfer(Moved, true, 30_000, 20_762), // Cash that they paid in.
            transfer(Approved, false, 40_000, 20_763), // E-cash, to be spent.
            transfer(Held, false, 70_000, 20_764),
            transfer(Released, true, 20_000, 20_765),
            transfer(Moved, false, 5_000, 20_766),
            transfer(Sold, true, 1_000, 20_767),
        ];
        assert_eq!(of_month(own(), month, &all), 200_000 - 50_000 - 5_000);
        let elsewhere = Account::Holder(own().unit(), AccountId::from_random([8; 8]));
        assert_eq!(of_month(elsewhere, month, &all), 0);
        assert_eq!(of_month(own(), month - 1, &all), 9_000);
    }

    #[test]
    fn money_in_a_circle_is_no_income() {
        let month = Day::from_number(20_758).month();
        let round = |day| {
            [
                transfer(TransferKind::Earned, true, 100_000, day),
                transfer(TransferKind::Held, false, 100_000, day),
            ]
        };
        let all: Vec<_> = (20_760..20_770).flat_map(round).collect();
        assert_eq!(of_month(own(), month, &all), 0);
        assert_eq!(of_month(own(), month, &[transfer(TransferKind::Held, false, 5, 20_760)]), 0);
    }

    #[test]
    fn pages_end_where_the_month_before_begins_and_units_are_whole() {
        let page = [transfer(TransferKind::Earned, true, 1, 20_757)];
        let month = Day::from_number(20_758).month();
        assert!(is_before(month, &page) && !is_before(month - 1, &page) && is_before(month, &[]));
        assert_eq!(
            (units(1_999, 1_000, 510), units(u64::MAX, 1, 510), units(5, 0, 510)),
            (1, 510, 5)
        );
        assert_eq!(month_before(Day::from_number(20_758)), month - 1);
    }
}
