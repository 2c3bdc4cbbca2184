//! How contracts and bills are spelled in columns.

use tacit_core::time::Day;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_service::bill::{Bill, BillContract, BillState};

use super::{Malformed, account_id, integer, natural, unit};

/// A state as it is stored.
pub(crate) const fn bill_state(state: BillState) -> i64 {
    match state {
        BillState::Open => 0,
        BillState::InTime => 1,
        BillState::Late => 2,
        BillState::Withdrawn => 3,
    }
}

/// A month as it is stored.
pub(crate) fn month(month: Epoch) -> i64 {
    i64::from(month.number())
}

fn read_month(value: i64) -> Result<Epoch, Malformed> {
    let number = u16::try_from(value).ok();
    let month = number.and_then(|number| Epoch::new(number).ok());
    month.ok_or(Malformed("a month is none"))
}

/// A row of `contract`, column by column.
pub(crate) struct ContractColumns {
    pub(crate) id: [u8; 16],
    pub(crate) holder: String,
    pub(crate) unit: String,
    pub(crate) begun: i64,
    pub(crate) ended: Option<i64>,
}

impl ContractColumns {
    pub(crate) fn of(contract: &BillContract) -> Self {
        Self {
            id: contract.id.0,
            holder: contract.holder.to_string(),
            unit: contract.unit.code().to_owned(),
            begun: month(contract.begun),
            ended: contract.ended.map(month),
        }
    }

    pub(crate) fn read(&self) -> Result<BillContract, Malformed> {
        Ok(BillContract {
            id: Contract(self.id),
            holder: account_id(&self.holder)?,
            unit: unit(&self.unit)?,
            begun: read_month(self.begun)?,
            ended: self.ended.map(read_month).transpose()?,
        })
    }
}

/// A row of `bill`, column by column.
pub(crate) struct BillColumns {
    pub(crate) contract: [u8; 16],
    pub(crate) month: i64,
    pub(crate) amount: i64,
    pub(crate) due: i64,
    pub(crate) last: i64,
    pub(crate) state: i64,
}

impl BillColumns {
    pub(crate) fn of(bill: &Bill) -> Self {
        Self {
            contract: bill.contract.0,
            month: month(bill.month()),
            amount: integer(bill.amount),
            due: integer(bill.due.number()),
            last: i64::from(bill.is_last),
            state: bill_state(bill.state),
        }
    }

    pub(crate) fn read(&self) -> Result<Bill, Malformed> {
        let state = BillState::ALL.into_iter().find(|state| bill_state(*state) == self.state);
        let bill = Bill {
            contract: Contract(self.contract),
            amount: natural(self.amount),
            due: Day::from_number(natural(self.due)),
            is_last: self.last != 0,
            state: state.ok_or(Malformed("a bill's state is none"))?,
        };
        if month(bill.month()) == self.month {
            Ok(bill)
        } else {
            Err(Malformed("a bill is due in another month than its own"))
        }
    }
}
