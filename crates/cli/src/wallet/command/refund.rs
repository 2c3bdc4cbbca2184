//! `refunds`: what shops gave back by themselves.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value, json};
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::refund::{Refund, due};
use tacit_wallet::state::OperationId;

use crate::wallet::clock;
use crate::wallet::error::WalletError;
use crate::wallet::money::shown;
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Ask what shops gave back of your payments, and take it
///
/// Of payments to shops of their mint, the last 90 days. No other command asks: whoever asks tells the mint, without a name, that the
/// payer of these orders asks now, and several in one go can be guessed to be one person's. To ask of one alone, say its number. A
/// refund that a shop made in another way waits behind the link on its receipt page.
#[derive(Args)]
pub(crate) struct Refunds {
    /// Numbers of the payments, as `tacit wallet history` shows them; up to a year old [default: all of 90 days]
    numbers: Vec<u64>,
}

pub(crate) fn run(arguments: &Refunds, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    session.settle_open()?;
    let wanted: Vec<OperationId> = match arguments.numbers.as_slice() {
        [] => due(session.state(), clock::now()),
        numbers => {
            let known = session.state().refunds();
            let find = |number: &u64| {
                let id = OperationId::from_number(*number);
                let what = "payment that could be refunded by itself";
                known
                    .contains_key(&id)
                    .then_some(id)
                    .ok_or(WalletError::NoSuch { what, number: *number })
            };
            numbers.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let (mut list, mut lines, mut failed) = (Vec::new(), Vec::new(), None);
    let mut silent: BTreeSet<MintUrl> = BTreeSet::new();
    for id in wanted {
        let number = id.number();
        let Some(entry) = session.state().history().get(&id).cloned() else { continue };
        if silent.contains(&entry.mint) {
            continue;
        }
        let mut refund = Refund::new(id);
        let asked =
            session.run("asking what was refunded", |wallet, answer| refund.step(wallet, answer));
        match asked {
            Ok(refunded) if refunded.amount == 0 => {}
            Ok(refunded) => {
                let amount = refunded.amount;
                let what = entry.memo.as_deref().map(|memo| format!(" for {memo:?}"));
                let sum = shown(amount, entry.unit);
                lines
                    .push(format!("payment {number}{}: {sum} came back", what.unwrap_or_default()));
                list.push(json!({"operation": number, "mint": entry.mint, "unit": entry.unit, "amount": amount}));
            }
            Err(error @ WalletError::File(_)) => return Err(error),
            Err(error) => {
                session.terminal.say(&format!("payment {number}: {error}"));
                if matches!(error, WalletError::NoAnswer { .. }) {
                    silent.insert(entry.mint);
                }
                failed = Some(error);
            }
        }
    }
    if lines.is_empty() && failed.is_none() {
        session.terminal.say("nothing has come back");
    }
    session.terminal.result(&lines.join("\n"), &Value::Array(list))?;
    failed.map_or(Ok(()), Err)
}
