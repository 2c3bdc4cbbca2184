//! Melt quotes and melting (NUT-05, NUT-08, NUT-23).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use tacit_core::unit::Unit;
use tacit_ecash::code::Code;
use tacit_ecash::message::{self, BlindSignature, MeltQuoteResponse};
use tacit_ecash::request::{MeltQuoteRequest, MeltRequest};
use tacit_service::account::HolderState;
use tacit_service::melt::MeltError;
use tacit_service::mint::Mint;
use tacit_service::payto::{OWN, Payto};
use tacit_service::quote::{MeltQuote, MeltQuoteState, Method, QuoteId};
use tacit_service::rail::{Offer, RailError};
use tacit_service::vault::{Change, Outcome, VaultReader};

use super::{check_amount, check_unit, new_quote_id, payment_method, quote_id};
use crate::answer::{self, Json};
use crate::error::ApiError;
use crate::hub::{Event, Listener, Topic};
use crate::state::{Shared, Step, UnitMint, stopped};

/// `POST /v1/melt/quote/{method}`.
pub(super) async fn open(
    State(unit): State<UnitMint>,
    Path(method): Path<String>,
    Json(body): Json<message::MeltQuoteRequest>,
) -> Result<Response, ApiError> {
    let method = payment_method(&unit, &method)?;
    let request = MeltQuoteRequest::try_from(body)?;
    check_unit(&unit, request.unit)?;
    if request.is_partial || request.amountless_msat.is_some() {
        let detail = "requests without an amount, and parts of them, cannot be paid";
        return Err(ApiError::refused(Code::AmountlessUnsupported, detail));
    }
    let of = request.unit;
    let offer = offer(&unit, method, of, &request.request).await?;
    if request.amount.is_some_and(|amount| amount != offer.amount) {
        let detail = "the amount asked for is not the payment request's";
        return Err(ApiError::refused(Code::AmountMismatch, detail));
    }
    check_amount(offer.amount, unit.terms.melt)?;
    let quote = MeltQuote {
        id: new_quote_id()?,
        unit: of,
        method,
        request: request.request,
        amount: offer.amount,
        fee_reserve: offer.fee_reserve,
        expiry: unit.shared.now().after(unit.shared.config.bounds.melt_quote_life),
        attempt: 0,
        state: MeltQuoteState::Unpaid,
    };
    let quote = unit
        .shared
        .transact(
            move |_, _| Ok(Step::Commit(Change::OpenMeltQuote(quote))),
            |change, outcome| match (change, outcome) {
                (Change::OpenMeltQuote(quote), Outcome::Applied(true)) => Ok(quote),
                // The same 122 random bits were drawn before: the machine's randomness is broken.
                _ => Err(ApiError::internal(&MeltError::UnknownQuote)),
            },
        )
        .await?;
    Ok(answer::json(&respond(&quote, None)))
}

/// What paying a request would take: accounts here are paid by the vault itself, all else by the rail.
async fn offer(
    unit: &UnitMint,
    method: Method,
    of: Unit,
    request: &str,
) -> Result<Offer, ApiError> {
    if method == Method::Bank
        && let Ok(target) = Payto::parse(request)
        && target.kind == OWN
    {
        return offer_to_account(unit, of, &target).await;
    }
    let Some(rail) = &unit.shared.rail else {
        let detail = "nothing can be paid out: no rail is attached to this mint";
        return Err(ApiError::refused(Code::Refused, detail));
    };
    let (rail, text) = (Arc::clone(rail), request.to_owned());
    unit.shared.ask_rail(move || rail.offer(method, of, &text)).await
}

/// Paying an account here costs nothing, and waits for nobody. The vault looks again when it is paid.
async fn offer_to_account(unit: &UnitMint, of: Unit, target: &Payto) -> Result<Offer, ApiError> {
    let closed = || ApiError::from(MeltError::PayeeClosed);
    if target.amount.unit() != of {
        return Err(RailError::WrongUnit.into());
    }
    let account = target.account().ok_or_else(closed)?;
    let holder = unit.shared.ask(move |reader| Ok(reader.holder(account)?)).await?;
    let is_open = holder.is_some_and(|holder| holder.state == HolderState::Open);
    if !is_open {
        return Err(closed());
    }
    Ok(Offer { amount: target.amount.value(), fee_reserve: 0 })
}

/// `GET /v1/melt/quote/{method}/{quote_id}`. Reads, and does nothing else: whatever finishes a melt is the executor's.
pub(super) async fn look_up(
    State(unit): State<UnitMint>,
    Path((method, quote)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (method, id) = (payment_method(&unit, &method)?, quote_id(&quote)?);
    let of = unit.clone();
    let response = unit
        .shared
        .ask(move |reader| {
            let quote = reader.melt_quote(id)?.filter(|quote| is_of(quote, &of, method));
            tell(&quote.ok_or_else(ApiError::unknown_quote)?, &of.shared.mint())
        })
        .await?;
    Ok(answer::json(&response))
}

/// `POST /v1/melt/{method}`. Waits for the payment, up to a bound, unless the wallet asks not to.
pub(super) async fn pay(
    State(unit): State<UnitMint>,
    Path(method): Path<String>,
    Json(body): Json<message::MeltRequest>,
) -> Result<Response, ApiError> {
    let method = payment_method(&unit, &method)?;
    let request = MeltRequest::try_from(body)?;
    let id = quote_id(&request.quote)?;
    if unit.shared.payouts.under_way() >= unit.shared.config.bounds.payouts {
        return Err(ApiError::busy("too many payments are under way", 5));
    }
    // Before the payment starts, so that its end cannot be missed.
    let mut listener = unit.shared.hub.listen();
    if !request.prefer_async {
        _ = listener.add(&[Topic::MeltQuote(id)]); // Unheard, it is answered as pending.
    }
    let prefer_async = request.prefer_async;
    let of = (unit.clone(), method);
    let quote = unit
        .shared
        .transact(
            move |reader, shared| start(&request, id, &of, reader, shared),
            |_, outcome| match outcome {
                Outcome::Melt(started) => Ok(*started?),
                Outcome::Swap(_)
                | Outcome::Mint(_)
                | Outcome::Finished(_)
                | Outcome::Posted(_)
                | Outcome::Paid(_)
                | Outcome::Refunded(_)
                | Outcome::Fetched(_)
                | Outcome::Answered(_)
                | Outcome::Billed(_)
                | Outcome::BillPaid(_)
                | Outcome::MonthClosed(_)
                | Outcome::Applied(_) => unreachable!("a melt has a melt's outcome"),
            },
        )
        .await?;
    let quote = match quote.state {
        MeltQuoteState::Pending(_) if !prefer_async => ended(&mut listener, quote, &unit).await,
        MeltQuoteState::Pending(_) | MeltQuoteState::Unpaid | MeltQuoteState::Paid { .. } => quote,
    };
    if quote.state == MeltQuoteState::Unpaid {
        return Err(ApiError::refused(Code::PaymentFailed, "the payment failed"));
    }
    let shared = Arc::clone(&unit.shared);
    let response = unit.shared.ask(move |_| tell(&quote, &shared.mint())).await?;
    Ok(answer::json(&response))
}

fn start(
    request: &MeltRequest,
    id: QuoteId,
    (unit, method): &(UnitMint, Method),
    reader: &mut dyn VaultReader,
    shared: &Shared,
) -> Result<Step<MeltQuote>, ApiError> {
    let quote = reader.melt_quote(id)?.ok_or(MeltError::UnknownQuote)?;
    let is_ours = is_of(&quote, unit, *method);
    // A repeated request is known by its quote alone, and its proofs need not be checked again.
    match quote.state {
        MeltQuoteState::Paid { .. } if is_ours => return Ok(Step::Done(quote)),
        MeltQuoteState::Pending(_) if is_ours => return Err(MeltError::Pending.into()),
        MeltQuoteState::Paid { .. } | MeltQuoteState::Pending(_) | MeltQuoteState::Unpaid => {}
    }
    let (inputs, outputs) = (request.inputs.as_slice(), request.outputs.as_slice());
    let of = (unit.terms.unit, *method);
    let prepared = shared.mint().prepare_melt(of, &quote, inputs, outputs, shared.now())?;
    Ok(Step::Commit(Change::StartMelt(prepared)))
}

/// The quote once its payment has ended, or as it was if that takes too long.
async fn ended(listener: &mut Listener, started: MeltQuote, unit: &UnitMint) -> MeltQuote {
    let end = async {
        while let Some(event) = listener.next().await {
            if let Event::MeltQuote(quote) = event
                && !matches!(quote.state, MeltQuoteState::Pending(_))
                // What was seen of it before this payment began says nothing of its end.
                && started.attempt <= quote.attempt
            {
                return Some(quote);
            }
        }
        None
    };
    let mut stopping = unit.shared.stopping.clone();
    tokio::select! {
        end = tokio::time::timeout(unit.shared.config.bounds.melt_wait, end) => match end {
            Ok(Some(quote)) => MeltQuote::clone(&quote),
            Ok(None) | Err(_) => started,
        },
        () = stopped(&mut stopping) => started,
    }
}

/// Whether a quote is of this path: the id of another method or unit is not known here.
pub(super) fn is_of(quote: &MeltQuote, unit: &UnitMint, method: Method) -> bool {
    quote.unit == unit.terms.unit && quote.method == method
}

/// What a wallet is told of a quote, its change signed anew. Computes: for the pool.
pub(super) fn tell(quote: &MeltQuote, mint: &Mint) -> Result<MeltQuoteResponse, ApiError> {
    let change = match &quote.state {
        MeltQuoteState::Paid { change, .. } if !change.is_empty() => {
            let signed: Result<Vec<_>, _> =
                change.iter().map(|output| mint.sign_again(output)).collect();
            Some(signed.map_err(|error| ApiError::internal(&error))?)
        }
        MeltQuoteState::Paid { .. } | MeltQuoteState::Pending(_) | MeltQuoteState::Unpaid => None,
    };
    let change = change.map(|signed| signed.into_iter().map(BlindSignature::from).collect());
    Ok(respond(quote, change))
}

fn respond(quote: &MeltQuote, change: Option<Vec<BlindSignature>>) -> MeltQuoteResponse {
    let (state, evidence) = match &quote.state {
        MeltQuoteState::Unpaid => (message::MeltQuoteState::Unpaid, None),
        MeltQuoteState::Pending(_) => (message::MeltQuoteState::Pending, None),
        MeltQuoteState::Paid { evidence, .. } => (message::MeltQuoteState::Paid, evidence.clone()),
    };
    MeltQuoteResponse {
        quote: quote.id.to_string(),
        request: quote.request.clone(),
        amount: quote.amount,
        unit: quote.unit.to_string(),
        method: quote.method.name().to_owned(),
        fee_reserve: quote.fee_reserve,
        state,
        expiry: quote.expiry,
        payment_preimage: evidence,
        change,
    }
}
