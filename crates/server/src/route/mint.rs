//! Mint quotes and minting (NUT-04, NUT-20, NUT-23).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use tacit_ecash::message::{self, MintQuoteResponse, SignaturesResponse};
use tacit_ecash::request::{MintQuoteRequest, MintRequest};
use tacit_service::issue::MintError;
use tacit_service::quote::{Method, MintQuote, MintQuoteState};
use tacit_service::vault::{Change, Outcome};

use super::{check_amount, check_unit, new_quote_id, payment_method, quote_id};
use crate::answer::{self, Json};
use crate::error::ApiError;
use crate::rail::reference;
use crate::state::{Step, UnitMint};

/// `POST /v1/mint/quote/{method}`.
pub(super) async fn open(
    State(unit): State<UnitMint>,
    Path(method): Path<String>,
    Json(body): Json<message::MintQuoteRequest>,
) -> Result<Response, ApiError> {
    let method = payment_method(&unit, &method)?;
    let request = MintQuoteRequest::try_from(body)?;
    check_unit(&unit, request.unit)?;
    check_amount(request.amount, unit.terms.mint)?;
    let (of, amount, id) = (request.unit, request.amount, new_quote_id()?);
    let text = match &unit.shared.rail {
        Some(rail) => {
            let rail = Arc::clone(rail);
            unit.shared.ask_rail(move || rail.request(id, method, of, amount)).await?
        }
        None => reference(id),
    };
    let quote = MintQuote {
        id,
        unit: of,
        method,
        request: text,
        amount,
        pubkey: request.pubkey,
        expiry: unit.shared.now().after(unit.shared.config.bounds.mint_quote_life),
        state: MintQuoteState::Unpaid,
    };
    let quote = unit
        .shared
        .transact(
            move |_, _| Ok(Step::Commit(Change::OpenMintQuote(quote))),
            |change, outcome| match (change, outcome) {
                (Change::OpenMintQuote(quote), Outcome::Applied(true)) => Ok(quote),
                // The same 122 random bits were drawn before: the machine's randomness is broken.
                _ => Err(ApiError::internal(&MintError::UnknownQuote)),
            },
        )
        .await?;
    Ok(answer::json(&respond(&quote)))
}

/// `GET /v1/mint/quote/{method}/{quote_id}`.
pub(super) async fn look_up(
    State(unit): State<UnitMint>,
    Path((method, quote)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (method, id) = (payment_method(&unit, &method)?, quote_id(&quote)?);
    let quote = unit.shared.ask(move |reader| Ok(reader.mint_quote(id)?)).await?;
    let quote = quote.filter(|quote| is_of(quote, &unit, method));
    Ok(answer::json(&respond(&quote.ok_or_else(ApiError::unknown_quote)?)))
}

/// `POST /v1/mint/{method}`.
pub(super) async fn issue(
    State(unit): State<UnitMint>,
    Path(method): Path<String>,
    Json(body): Json<message::MintRequest>,
) -> Result<Response, ApiError> {
    let method = payment_method(&unit, &method)?;
    let request = MintRequest::try_from(body)?;
    let id = quote_id(&request.quote)?;
    let of = unit.terms.unit;
    let signatures = unit
        .shared
        .transact(
            move |reader, shared| {
                let quote = reader.mint_quote(id)?.ok_or(MintError::UnknownQuote)?;
                let (outputs, signature) = (request.outputs.as_slice(), request.signature.as_ref());
                let prepared =
                    shared.mint().prepare_mint((of, method), &quote, outputs, signature)?;
                Ok(Step::Commit(Change::Mint(prepared)))
            },
            |change, outcome| {
                let Change::Mint(prepared) = change else { unreachable!("it was a mint") };
                Ok(prepared.answer(outcome)?)
            },
        )
        .await?;
    Ok(answer::json(&SignaturesResponse::from(signatures)))
}

/// Whether a quote is of this path: the id of another method or unit is not known here.
pub(super) fn is_of(quote: &MintQuote, unit: &UnitMint, method: Method) -> bool {
    quote.unit == unit.terms.unit && quote.method == method
}

/// What a wallet is told of a quote.
pub(super) fn respond(quote: &MintQuote) -> MintQuoteResponse {
    let (state, paid, issued) = match quote.state {
        MintQuoteState::Unpaid => (message::MintQuoteState::Unpaid, 0, 0),
        MintQuoteState::Paid => (message::MintQuoteState::Paid, quote.amount, 0),
        MintQuoteState::Issued { .. } => {
            (message::MintQuoteState::Issued, quote.amount, quote.amount)
        }
    };
    let is_custom = match quote.method {
        Method::Bank => true,
        Method::Bolt11 => false,
    };
    MintQuoteResponse {
        quote: quote.id.to_string(),
        request: quote.request.clone(),
        amount: quote.amount,
        unit: quote.unit.to_string(),
        method: quote.method.name().to_owned(),
        state,
        expiry: Some(quote.expiry),
        pubkey: quote.pubkey,
        amount_paid: is_custom.then_some(paid),
        amount_issued: is_custom.then_some(issued),
    }
}
