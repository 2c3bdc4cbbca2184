//! `request`: asks somebody for money, as a text or a code that their wallet reads (NUT-18, NUT-26).

use clap::Args;
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::unit::Unit;
use tacit_ecash::payment_request::PaymentRequest;
use tacit_wallet::mint::MintUrl;

use crate::wallet::clock;
use crate::wallet::error::WalletError;
use crate::wallet::money::{MoneyError, Typed, read_unit, shown};
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Ask somebody for money
///
/// Prints a payment request, which their wallet reads. What they then send you is a token: `tacit wallet receive -`.
#[derive(Args)]
pub(crate) struct Request {
    /// How much, as in 10.50
    amount: String,
    /// Of what, as in usd; not needed where there is one unit only
    #[arg(value_parser = read_unit)]
    unit: Option<Unit>,
    /// E-cash of which mint [default: of every mint you deal with in that unit]
    #[arg(long, value_name = "URL")]
    mint: Option<MintUrl>,
    /// What it is for, to be read by the payer
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Show it as a QR code, too
    #[arg(long)]
    qr: bool,
}

/// Show what you asked for, and what of it was paid
#[derive(Args)]
pub(crate) struct Requests {
    /// Withdraw this one: what pays it is then a token like any other
    #[arg(long, value_name = "ID")]
    withdraw: Option<String>,
}

pub(crate) fn run(arguments: &Request, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    let typed = Typed::read(&arguments.amount, arguments.unit)?;
    let accounts = session.candidates(arguments.mint.as_ref(), typed.unit)?;
    let unit = accounts.first().ok_or(WalletError::NoMint { unit: typed.unit })?.unit;
    let amount = typed.amount(unit)?;
    let mut id = [0; 8];
    getrandom::fill(&mut id)?;
    let request = PaymentRequest {
        id: Some(hex::encode(&id)),
        amount: Some(amount.value()),
        unit: Some(unit.to_string()),
        is_single_use: Some(true),
        mints: accounts.iter().map(|account| account.mint.to_string()).collect(),
        is_any_mint_taken: None,
        methods: Vec::new(),
        description: arguments.description.clone(),
        transports: Vec::new(),
        lock: None,
    };
    session.persist(|state| state.ask(&request, clock::now()))?;
    let text = request.to_creq_a().map_err(|error| WalletError::Ask(error.into()))?;
    let result = json!({"id": request.id, "unit": unit, "amount": amount.value(), "request": text});
    session.terminal.result(&text, &result)?;
    if arguments.qr {
        // Upper case makes a smaller code (NUT-26).
        let code = request.to_creq_b().map_err(|error| WalletError::Ask(error.into()))?;
        session.terminal.show_code(&code.to_ascii_uppercase());
    }
    session
        .terminal
        .say(&format!("asks for {amount}; receive what comes with `tacit wallet receive -`"));
    Ok(())
}

pub(crate) fn list(arguments: &Requests, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    if let Some(id) = &arguments.withdraw {
        session.persist(|state| {
            state.withdraw(id).ok_or_else(|| WalletError::NoRequest { id: id.clone() })
        })?;
        session.terminal.say(&format!("withdrawn: {id}"));
        return session.terminal.result("", &json!({"id": id}));
    }
    let state = session.state();
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    let mut requests: Vec<_> = state.requests().iter().collect();
    requests.sort_by_key(|(_, own)| own.made);
    for (id, own) in requests {
        let request: PaymentRequest = own.text.parse()?;
        let unit = request.unit.as_deref().map(read_unit).transpose().map_err(MoneyError::from)?;
        let is_paid = !state.is_payable(own);
        let asked = match (request.amount, unit) {
            (Some(amount), Some(unit)) => shown(amount, unit),
            _ => "any amount".to_owned(),
        };
        let told = if is_paid { "paid" } else { "waits" };
        let what = request.description.as_deref().map(|text| format!("  {text:?}"));
        lines.push(format!("{id}  {asked:>14}  {told}{}", what.unwrap_or_default()));
        let payments: Vec<u64> = own.payments.iter().map(|id| id.number()).collect();
        list.push(json!({"id": id, "unit": unit, "amount": request.amount, "paid": is_paid,
            "operations": payments, "description": request.description, "request": own.text}));
    }
    if list.is_empty() {
        session.terminal.say("you asked for nothing");
    }
    session.terminal.result(&lines.join("\n"), &Value::Array(list))
}
