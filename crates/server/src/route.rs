//! Who answers which path.
//!
//! [`site`] tells the three origins apart. On the mint's there are: the mints, one under each unit's path, open to pages of
//! any origin and free of cookies; the operator's (`/health`, `/ready`, `/metrics`); and, in demo mode, the levers under
//! `/demo`. On the desk's there are the pages of [`desk`], on the wallet's the files of [`wallet`] or a page that there is none.

mod certificate;
mod check;
mod contract;
mod demo;
mod desk;
mod info;
mod keys;
mod melt;
mod mint;
mod openapi;
mod operate;
mod page;
mod passport;
mod pay;
pub(crate) mod site;
mod socket;
mod swap;
mod wallet;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use hyper_util::service::TowerToHyperService;
use tacit_core::unit::Unit;
use tacit_ecash::code::Code;
use tacit_service::quote::{Method as PaymentMethod, QuoteId, UnknownMethod};

use self::site::Sites;
use crate::answer::BodyWait;
use crate::config::{Range, UnitConfig};
use crate::error::{ApiError, Refused};
use crate::metric::Counter;
use crate::origin::Site;
use crate::random;
use crate::state::{Shared, UnitMint};

/// How long a browser may remember that it may call the mint, in seconds.
const PREFLIGHT_SECONDS: &str = "86400";

/// All that a server answers.
pub(crate) fn sites(shared: &Arc<Shared>) -> Sites {
    let close = |router: Router<Arc<Shared>>| {
        let router = router.fallback(no_such_path).method_not_allowed_fallback(no_such_method);
        TowerToHyperService::new(router.with_state(Arc::clone(shared)))
    };
    let page = |root| close(Router::new().route("/", root).route("/style.css", get(page::style)));
    if let Some(release) = &shared.wallet {
        shared.metrics.set_release(release.digest());
    }
    let listeners = &shared.config.serving.listeners;
    let is_apart = listeners.has(Site::Operator);
    Sites {
        mint: close(mints(shared, !is_apart)),
        desk: match &shared.desk {
            Some(handle) => TowerToHyperService::new(desk::router(shared, handle)),
            None => close(Router::new()),
        },
        wallet: match &shared.wallet {
            Some(release) => TowerToHyperService::new(wallet::router(shared, release)),
            None => page(get(page::wallet)),
        },
        operator: close(operator(true)),
        origins: shared.origins.clone(),
        apart: listeners.known().map(|(site, _)| site).collect(),
        shared: Arc::clone(shared),
    }
}

/// What an operator's machines ask for.
fn operator(with_metrics: bool) -> Router<Arc<Shared>> {
    let router =
        Router::new().route("/health", get(operate::health)).route("/ready", get(operate::ready));
    if with_metrics { router.route("/metrics", get(operate::metrics)) } else { router }
}

/// The paths of the mint's origin.
fn mints(shared: &Arc<Shared>, with_metrics: bool) -> Router<Arc<Shared>> {
    let mut router = operator(with_metrics)
        .route("/", get(page::mint))
        .route("/style.css", get(page::style))
        .route("/.well-known/jwt-vc-issuer", get(certificate::metadata))
        .route("/openapi.json", get(openapi::document(&shared.config)));
    if shared.demo.is_some() {
        router = router
            .route("/demo/clock", post(demo::clock))
            .route("/demo/invoice", post(demo::invoice))
            .route("/demo/rotate", post(demo::rotate));
    }
    let of_terms = |terms: &UnitConfig| UnitMint {
        shared: Arc::clone(shared),
        terms: Arc::new(terms.clone()),
    };
    let units: Vec<UnitMint> = shared.config.units.iter().map(of_terms).collect();
    let passport = passport::router()
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(shared), for_any_origin));
    router = router.nest("/v1/passport", passport);
    router = router.route("/v1/ws", sockets(shared, &units));
    for unit in units {
        router = router.nest(&format!("/{}", unit.terms.path), mint(unit));
    }
    router
}

/// The paths of one unit's mint.
fn mint<S>(unit: UnitMint) -> Router<S> {
    Router::new()
        .route("/v1/info", get(info::info))
        .route("/v1/keys", get(keys::signing))
        .route("/v1/keys/{keyset}", get(keys::of_keyset))
        .route("/v1/keysets", get(keys::keysets))
        .route("/v1/swap", post(swap::swap))
        .route("/v1/mint/quote/{method}", post(mint::open))
        .route("/v1/mint/quote/{method}/{quote}", get(mint::look_up))
        .route("/v1/mint/{method}", post(mint::issue))
        .route("/v1/melt/quote/{method}", post(melt::open))
        .route("/v1/melt/quote/{method}/{quote}", get(melt::look_up))
        .route("/v1/melt/{method}", post(melt::pay))
        .route("/v1/checkstate", post(check::states))
        .route("/v1/restore", post(check::restore))
        .route("/pay/{payment}", post(pay::post))
        .route("/v1/contracts/{contract}", get(contract::look_up))
        .route("/v1/contracts/{contract}/{month}/pay", post(contract::pay))
        .route("/v1/contracts/{contract}/{month}/receipt", post(contract::close))
        .route("/v1/ws", sockets(&unit.shared, std::slice::from_ref(&unit)))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(&unit.shared), for_any_origin))
        .with_state(unit)
}

/// WebSockets about the quotes of these units.
fn sockets<S>(shared: &Arc<Shared>, units: &[UnitMint]) -> MethodRouter<S> {
    get(socket::open).with_state(socket::Scope { shared: Arc::clone(shared), units: units.into() })
}

/// Lets wallets in browsers call a mint from any page, without credentials; counts.
async fn for_any_origin(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let metrics = &shared.metrics;
    metrics.add(Counter::Requests, 1);
    let mut response = if request.method() == Method::OPTIONS {
        preflight()
    } else {
        request.extensions_mut().insert(BodyWait(shared.config.bounds.body_wait));
        next.run(request).await
    };
    let is_said = response.extensions().get::<Refused>().is_some();
    if response.status() == StatusCode::BAD_REQUEST && !is_said {
        // The framework's own, in plain text: a path that is no UTF-8.
        response = ApiError::refused(Code::Refused, "the request cannot be read").into_response();
    }
    if let Some(Refused(code)) = response.extensions().get() {
        metrics.refuse(*code);
    }
    let any = HeaderValue::from_static("*");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

async fn no_such_path() -> ApiError {
    ApiError::of_status(StatusCode::NOT_FOUND, "there is nothing under this path")
}

async fn no_such_method() -> ApiError {
    let detail = "this path does not know the request's method";
    ApiError::of_status(StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// The payment method of a path, if this unit has it.
fn payment_method(unit: &UnitMint, name: &str) -> Result<PaymentMethod, ApiError> {
    let method: PaymentMethod = name.parse()?;
    match method {
        PaymentMethod::Bank => Ok(method),
        PaymentMethod::Bolt11 if unit.terms.bolt11 => Ok(method),
        PaymentMethod::Bolt11 => Err(UnknownMethod.into()),
    }
}

/// A quote id in a path or body: what is none was never given out.
fn quote_id(text: &str) -> Result<QuoteId, ApiError> {
    text.parse().map_err(|_| ApiError::unknown_quote())
}

/// A quote id nobody can guess.
fn new_quote_id() -> Result<QuoteId, ApiError> {
    let random = random::bytes().map_err(|error| ApiError::internal(&error))?;
    Ok(QuoteId::from_random(random))
}

/// Refuses a unit that is not the path's: each has a URL of its own.
fn check_unit(unit: &UnitMint, of: Unit) -> Result<(), ApiError> {
    if of == unit.terms.unit {
        return Ok(());
    }
    let detail = format!("this URL serves {} only", unit.terms.unit);
    Err(ApiError::refused(Code::UnknownUnit, detail))
}

/// Refuses an amount outside of a range.
fn check_amount(amount: u64, range: Range) -> Result<(), ApiError> {
    if range.contains(amount) {
        return Ok(());
    }
    let detail = format!("the amount must be from {} to {}", range.min, range.max);
    Err(ApiError::refused(Code::AmountOutOfRange, detail))
}
