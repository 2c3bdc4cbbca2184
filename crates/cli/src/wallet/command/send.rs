//! `send`: money out, as a token.

use clap::Args;
use serde_json::json;
use tacit_core::unit::Unit;
use tacit_ecash::token::Token;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::send::{Order, Send as SendIt};
use tacit_wallet::state::OperationId;
use tacit_wallet::token::SealedToken;

use crate::wallet::error::WalletError;
use crate::wallet::money::{Typed, read_unit, shown};
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Make a token to give away
///
/// The token is printed to stdout, alone: whoever has that text has the money. Until it is received,
/// `tacit wallet pending` shows it again and `tacit wallet reclaim` takes it back.
#[derive(Args)]
pub(crate) struct Send {
    /// How much the receiver gets, as in 2.50
    amount: String,
    /// Of what, as in usd; not needed where there is one unit only
    #[arg(value_parser = read_unit)]
    unit: Option<Unit>,
    /// From which mint [default: the first that has enough]
    #[arg(long, value_name = "URL")]
    mint: Option<MintUrl>,
    /// A few words for the receiver, inside the token
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
    /// A few words for yourself, in the history
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Let the receiver pay the mint's fee for receiving, out of the amount
    #[arg(long)]
    receiver_pays: bool,
    /// Show the token as a QR code, too: a moving one if it is long
    #[arg(long)]
    qr: bool,
    /// With the mint's proofs (NUT-12), for a receiver who is offline or whose wallet insists: whoever sees them can have the mint say when
    /// this money was signed
    #[arg(long)]
    dleq: bool,
}

pub(crate) fn run(arguments: &Send, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    let typed = Typed::read(&arguments.amount, arguments.unit)?;
    session.settle_open()?;
    let candidates = session.candidates(arguments.mint.as_ref(), typed.unit)?;
    let first = candidates.first().ok_or(WalletError::NoMint { unit: typed.unit })?;
    let amount = typed.amount(first.unit)?;
    let has_enough = |mint: &MintUrl| amount.value() <= session.state().balance(mint, first.unit);
    let chosen = candidates.iter().find(|account| has_enough(&account.mint)).unwrap_or(first);
    let (mint, unit) = (chosen.mint.clone(), chosen.unit);
    session.check(&mint)?;
    session.learn_again(&mint)?;
    let order = Order {
        mint: mint.clone(),
        amount,
        is_fee_added: !arguments.receiver_pays,
        memo: arguments.memo.clone(),
        lock: None,
        delivery: None,
    };
    let mut trial = SendIt::new(order.clone());
    let foreseen = session.foresee(|wallet, answer| trial.step(wallet, answer));
    let fee = foreseen.map_err(|error| error.in_unit(unit))?.map_or(0, |entry| entry.fee);
    let terminal = session.terminal;
    if fee != 0 {
        terminal
            .confirm(&format!("Send {amount} from {mint}, for a fee of {}?", shown(fee, unit)))?;
    }
    let mut send = SendIt::new(order);
    let sealed = session.run("making the token", |wallet, answer| send.step(wallet, answer));
    let sealed = sealed.map_err(|error| error.in_unit(unit))?;
    if let Some(note) = &arguments.note {
        session.persist(|state| state.note(sealed.id, note))?;
    }
    let number = sealed.id.number();
    let token = if arguments.dleq { proven(&session, sealed.id)? } else { sealed.token };
    let text = token.to_text();
    let result = json!({"operation": number, "mint": mint, "unit": unit, "amount": amount.value(),
        "fee": fee, "token": text.expose()});
    terminal.result(text.expose(), &result)?;
    if arguments.qr {
        terminal.show_code(text.expose());
    }
    terminal.say(&format!(
        "sent {amount} as token {number}; until it is received: tacit wallet pending"
    ));
    Ok(())
}

/// A token with the mint's proofs.
fn proven(session: &Session, id: OperationId) -> Result<Token, WalletError> {
    let opened: Result<Option<SealedToken>, _> =
        session.look(|wallet| SealedToken::open_proven(wallet, id));
    let sealed = opened.map_err(|error| WalletError::Prepare(error.into()))?;
    let missing = WalletError::NoSuch { what: "token", number: id.number() };
    Ok(sealed.ok_or(missing)?.token)
}
