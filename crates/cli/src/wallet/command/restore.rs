//! `restore`: finds money again from the words.

use clap::Args;
use serde_json::{Value, json};
use tacit_core::unit::Unit;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::restore::{Pace, Restore as RestoreIt};

use crate::wallet::error::WalletError;
use crate::wallet::money::{read_unit, shown};
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Find money again from the words, at the mints where it was
///
/// The words do not say which mints those were: name each with --mint. It may be repeated and does no harm.
#[derive(Args)]
pub(crate) struct Restore {
    /// Where to look [default: every mint of `tacit wallet mints`]
    #[arg(long, value_name = "URL")]
    mint: Vec<MintUrl>,
    /// Only this unit
    #[arg(long, value_parser = read_unit)]
    unit: Option<Unit>,
}

pub(crate) fn run(arguments: &Restore, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    for mint in &arguments.mint {
        session.adopt(mint)?;
    }
    session.settle_open()?;
    let mut accounts = session.accounts();
    accounts.retain(|account| {
        (arguments.mint.is_empty() || arguments.mint.contains(&account.mint))
            && arguments.unit.is_none_or(|unit| account.unit == unit)
    });
    if accounts.is_empty() {
        return Err(WalletError::NoMint { unit: arguments.unit });
    }
    let mut list = Vec::new();
    for account in accounts {
        let (mint, unit) = (account.mint, account.unit);
        if arguments.mint.is_empty() {
            session.learn(&mint)?;
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let mut restore = RestoreIt::new(mint.clone(), unit, Pace::default(), random);
        let what = format!("looking for {unit} at {mint}");
        let found = session.run(&what, |wallet, answer| restore.step(wallet, answer))?;
        let balance = session.state().balance(&mint, unit);
        let (amount, have) = (shown(found.amount, unit), shown(balance, unit));
        session.terminal.say(&format!("{mint}: found {amount}, you have {have} there"));
        list.push(json!({"mint": mint, "unit": unit, "found": found.amount, "amount": balance}));
    }
    session.terminal.result("", &Value::Array(list))
}
