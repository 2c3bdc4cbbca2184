//! `deliver`: payments that are not known to have arrived, once more.

use clap::Args;
use serde_json::{Value, json};
use tacit_wallet::operation::pay::Deliver as DeliverIt;
use tacit_wallet::operation::reclaim::{Reclaim, Reclaimed};
use tacit_wallet::state::OperationId;

use crate::wallet::error::WalletError;
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Send payments again that are not known to have arrived
///
/// A payment request may say where to pay. If nobody answered there, or this program was stopped, the payment waits, and
/// `tacit wallet pending` shows it. The same is sent again, so that whoever has it already has nothing twice; what was received
/// meanwhile is not sent. To give up: `tacit wallet reclaim`.
#[derive(Args)]
pub(crate) struct Deliver {
    /// Numbers of the payments, as `tacit wallet pending` shows them [default: all]
    numbers: Vec<u64>,
}

pub(crate) fn run(arguments: &Deliver, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    session.settle_open()?;
    let all = undelivered(&session);
    let wanted: Vec<OperationId> = match arguments.numbers.as_slice() {
        [] => all,
        numbers => {
            let find = |number: &u64| {
                let id = all.iter().find(|id| id.number() == *number).copied();
                id.ok_or(WalletError::NoSuch { what: "payment to deliver", number: *number })
            };
            numbers.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    if wanted.is_empty() {
        session.terminal.say("nothing is to be delivered");
    }
    let (mut list, mut failed) = (Vec::new(), None);
    for id in wanted {
        let number = id.number();
        let delivered = deliver(&mut session, id);
        let is_delivered = delivered.is_ok();
        match delivered {
            Ok(how) => session.terminal.say(&format!("payment {number}: {how}")),
            Err(error @ WalletError::File(_)) => return Err(error),
            Err(error) => {
                session.terminal.say(&format!("payment {number}: {error}"));
                failed = Some(error);
            }
        }
        list.push(json!({"operation": number, "delivered": is_delivered}));
    }
    session.terminal.result("", &Value::Array(list))?;
    failed.map_or(Ok(()), Err)
}

/// Sends one again, unless its mint says that it was received.
fn deliver(session: &mut Session, id: OperationId) -> Result<&'static str, WalletError> {
    // The payment of a bill gets the same receipt again; looked at first, it would be forgotten if it was taken.
    let token = session.state().tokens().get(&id);
    let has_receipt =
        token.and_then(|token| token.delivery.as_ref()).is_some_and(|to| to.receipt.is_some());
    if !has_receipt {
        let mut look = Reclaim::look(id);
        let looked =
            session.run("asking what was received", |wallet, answer| look.step(wallet, answer));
        match looked {
            Ok(Reclaimed::Unspent { amount: 0 }) => return Ok("it was received before"),
            Err(error @ WalletError::File(_)) => return Err(error),
            Ok(_) | Err(_) => {} // The same may be sent twice.
        }
    }
    let mut deliver = DeliverIt::new(id);
    session.run("sending the payment", |wallet, answer| deliver.step(wallet, answer))?;
    Ok("the receiver has it")
}

/// Payments that are not known to have arrived.
pub(super) fn undelivered(session: &Session) -> Vec<OperationId> {
    let tokens = session.state().tokens().iter();
    let waits = tokens.filter(|(_, token)| token.delivery.as_ref().is_some_and(|to| !to.is_done));
    waits.map(|(id, _)| *id).collect()
}
