//! `receive`: a token becomes one's own money.

use clap::Args;
use serde_json::json;
use tacit_core::unit::Unit;
use tacit_ecash::limit;
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::token::Token;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::receive::Receive as ReceiveIt;

use crate::wallet::error::WalletError;
use crate::wallet::money::shown;
use crate::wallet::place::Options;
use crate::wallet::session::Session;
use crate::wallet::terminal;

/// Receive a token
///
/// The mint swaps it for e-cash that only this wallet can spend. Give `-` and the token on stdin: arguments can be read
/// by everybody on the machine.
#[derive(Args)]
pub(crate) struct Receive {
    /// The token, starting with cashuB or cashuA, or `-` to read it from stdin
    token: String,
    /// Deal with the token's mint even if you have not before
    #[arg(long)]
    trust: bool,
    /// The payment request of yours that it pays, by its id, if several ask for the same; refused if it does not
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// A few words for yourself, in the history
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(crate) fn run(arguments: &Receive, options: &Options) -> Result<(), WalletError> {
    let text = terminal::read_argument(&arguments.token, limit::TOKEN)?;
    let token = read_token(text.expose())?;
    let mut session = Session::open(options)?;
    session.settle_open()?;
    take(&mut session, &token, arguments)
}

/// Reads a token, with or without `cashu:` or `cashu://` before it.
pub(super) fn read_token(text: &str) -> Result<Token, WalletError> {
    let text = text.strip_prefix("cashu://").unwrap_or(text);
    // A letter or a chat breaks long lines.
    let whole: String = text.split_whitespace().collect();
    Ok(whole.parse()?)
}

/// Receives a token, of a mint that may be new.
fn take(session: &mut Session, token: &Token, arguments: &Receive) -> Result<(), WalletError> {
    let terminal = session.terminal;
    let mint: MintUrl = token.mint.parse()?;
    session.check(&mint)?;
    let is_known = session.book().mints.contains(&mint);
    if !is_known && !arguments.trust {
        let unknown = WalletError::UnknownMint { mint: mint.clone() };
        if !terminal.is_attended() || terminal.is_yes {
            return Err(unknown); // "Yes" to a fee is no trust in a mint.
        }
        let claim = claim(token);
        terminal.confirm(&format!("The token, of {claim}, is of a mint you have not dealt with: {mint}\nDeal with it? Your money is then with that mint."))?;
    }
    session.adopt(&mint)?;
    let mut trial = machine(token, arguments);
    let foreseen = session.foresee(|wallet, answer| trial.step(wallet, answer))?;
    if let Some(entry) = foreseen.filter(|entry| entry.fee != 0) {
        let (amount, fee) = (shown(entry.amount, entry.unit), shown(entry.fee, entry.unit));
        terminal.say(&format!("of {amount} the mint takes a fee of {fee}"));
    }
    let next = session.state().history().last_key_value().map(|(id, _)| *id);
    let mut receive = machine(token, arguments);
    let amount = session.run("receiving", |wallet, answer| receive.step(wallet, answer))?;
    let entries = session.state().history();
    let entry = entries.iter().rev().find(|(id, _)| next.is_none_or(|before| before < **id));
    let (id, unit) = match entry {
        Some((id, entry)) => (*id, entry.unit),
        None => return Ok(()), // Every operation has its entry.
    };
    if let Some(note) = &arguments.note {
        session.persist(|state| state.note(id, note))?;
    }
    terminal.say(&format!("received {} at {mint}", shown(amount, unit)));
    if let Some(memo) = &token.memo {
        terminal.say(&format!("with the words {memo:?}"));
    }
    let requests = session.state().requests();
    let request = requests.iter().find(|(_, request)| request.payments.contains(&id));
    let request = request.map(|(id, _)| id);
    if let Some(request) = request {
        terminal.say(&format!("it pays your request {request}"));
    }
    let result = json!({"operation": id.number(), "mint": mint, "unit": unit, "amount": amount, "memo": token.memo,
        "request": request});
    terminal.result("", &result)
}

fn machine(token: &Token, arguments: &Receive) -> ReceiveIt {
    let token = token.clone();
    match arguments.request.clone() {
        Some(id) => ReceiveIt::payment(Payload { id: Some(id), token }),
        None => ReceiveIt::new(token),
    }
}

/// What a token says it holds: nobody has checked it.
fn claim(token: &Token) -> String {
    let sum = token.proofs.iter().fold(0_u64, |sum, proof| sum.saturating_add(proof.amount));
    match token.unit.as_ref().map(|unit| unit.parse::<Unit>()) {
        Some(Ok(unit)) => shown(sum, unit),
        Some(Err(_)) | None => format!("{sum} of a unit not known here"),
    }
}
