//! What a person tries in a demonstration: the street of the operator's server, and months that pass at once.

use std::time::Duration;

use serde::Deserialize;
use tacit_core::time::Day;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::wire::bill;

use super::credit;
use crate::clock;
use crate::net;
use crate::session::Session;
use crate::trouble::Trouble;

/// Whom the street lets a wallet meet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meeting {
    /// A desk that opens an account and gives a passport.
    Passport,
    /// A biller with a contract.
    Contract,
    /// A lender with a question.
    Question,
}

/// What somebody on the street shows.
#[derive(Debug, Deserialize)]
pub(crate) struct Met {
    /// As if it had been scanned.
    pub(crate) link: String,
    /// Where they see what became of it.
    pub(crate) page: Option<String>,
}

/// Meets somebody on the street.
pub(crate) async fn meet(whom: Meeting) -> Result<Met, Trouble> {
    let lever = match whom {
        Meeting::Passport => "./demo/passport",
        Meeting::Contract => "./demo/contract",
        Meeting::Question => "./demo/question",
    };
    let told = net::ask(lever, "").await.ok_or(Trouble::NoAnswer)?;
    serde_json::from_slice(&told).map_err(|_| Trouble::NoAnswer)
}

/// A month of somebody who pays in time: the next bill of each contract is paid, the month passes, and is closed. Gives the score, if
/// there is one.
pub(crate) async fn live_month(session: &Session) -> Result<Option<u16>, Trouble> {
    let has_passport = credit::passport(session, |_, _| ()).is_ok();
    if has_passport {
        pay_next(session).await?;
    }
    pass_month(session).await?;
    if !has_passport {
        return Ok(None);
    }
    credit::update(session, true).await?;
    let Some(reading) = credit::read(session).await? else { return Ok(None) };
    credit::remember(session, &reading).await?;
    Ok(reading.score())
}

/// Pays what is due by the end of the next month.
async fn pay_next(session: &Session) -> Result<(), Trouble> {
    let until = Epoch::of(clock::now()).next();
    for billed in credit::bills(session).await? {
        let is_due = |month: &&bill::Month| {
            let is_open = month.bill.as_ref().is_some_and(|bill| bill.state == "open");
            is_open && until.is_some_and(|until| month.month <= until)
        };
        for month in billed.told.months.iter().filter(is_due) {
            let Some(bill) = &month.bill else { continue };
            credit::pay_bill(session, &billed.stream, month.month, bill.amount).await?;
        }
    }
    Ok(())
}

/// Sends the clock ahead to the first day of the next month.
async fn pass_month(session: &Session) -> Result<(), Trouble> {
    let (now, month) = (clock::now(), Epoch::of(clock::now()));
    let later = |days: &u64| Epoch::of(now.after(Duration::from_secs(days * Day::SECONDS)));
    let days = (1..=31).find(|days| later(days) != month).unwrap_or(31);
    let lever = format!("{{\"advance_days\": {days}}}");
    net::ask("./demo/clock", &lever).await.ok_or(Trouble::NoAnswer)?;
    super::refresh(session).await
}
