//! How owners, accounts, days and moments stand in the desk's tables.

use tacit_core::time::{Day, Timestamp};
use tacit_service::account::AccountId;
use tacit_service::desk::{Owner, OwnerKind};

use super::engine::{Fault, Row, Value};

/// Kind and identifier, in that order.
pub(super) fn owner(owner: Owner) -> [Value; 2] {
    [Value::from(owner.kind().name()), Value::from(&owner.id())]
}

/// The owner whose kind stands in this column and whose identifier in the next.
pub(super) fn read_owner(row: &Row, column: usize) -> Result<Owner, Fault> {
    let kind = OwnerKind::of_name(row.text(column)?);
    let kind = kind.ok_or(Fault::Malformed("nobody of that kind is known"))?;
    Ok(Owner::new(kind, row.bytes(column + 1)?))
}

pub(super) fn day(day: Day) -> Value {
    Value::from(day.number())
}

pub(super) fn read_day(row: &Row, column: usize) -> Result<Day, Fault> {
    row.count(column).map(Day::from_number)
}

pub(super) fn moment(moment: Timestamp) -> Value {
    Value::from(moment.seconds())
}

pub(super) fn read_moment(row: &Row, column: usize) -> Result<Timestamp, Fault> {
    row.count(column).map(Timestamp::from_seconds)
}

/// An account's number, as it is written.
pub(super) fn account(account: AccountId) -> Value {
    Value::Text(account.to_string())
}

pub(super) fn read_account(row: &Row, column: usize) -> Result<AccountId, Fault> {
    row.text(column)?.parse().map_err(|_| Fault::Malformed("that is no account's number"))
}
