//! The desk's pages: front door, portal, the consoles of merchants and of the operator, checkout; and the merchants' API.
//!
//! Every route passes [`guard`] first, so that no handler can forget where a request came from; every refusal leaves by
//! [`present`], as a page or as problem details. What wallets ask from another origin stands apart, in [`abroad`].

mod abroad;
mod agent;
mod api;
mod approve;
mod cash;
mod cash_out;
mod checkout;
mod complaints;
mod fees;
mod front;
mod identify;
mod invitation;
mod merchant;
mod money;
pub(super) mod my_passport;
mod operator;
mod passkeys;
mod passport;
mod payout;
mod portal;
mod staff;
pub(super) mod street;
mod verifier;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tacit_service::desk::OwnerKind;
use tacit_service::desk::login::SessionKey;

use self::abroad::is_open;
use super::page::style;
use crate::desk::refusal::Refusal;
use crate::desk::session::{check_sender, cookie, home_page, sign_in_page};
use crate::desk::{Desk, DeskHandle, page};
use crate::state::Shared;
use crate::text::ENGLISH;

/// All that the desk answers.
pub(super) fn router(shared: &Arc<Shared>, handle: &Arc<DeskHandle>) -> Router {
    let desk = Desk { shared: Arc::clone(shared), handle: Arc::clone(handle) };
    // The street is there in a demonstration alone.
    let street = if shared.demo.is_some() { street::router() } else { Router::new() };
    Router::new()
        .route("/", get(front::door))
        .route("/problems", get(front::problems))
        .route("/fees", get(fees::show_fees))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .route("/passkey.js", get(script))
        .route("/invitation", get(invitation::show))
        .route("/invitation/begin", post(invitation::begin))
        .route("/invitation/finish", post(invitation::finish))
        .merge(api::router())
        .merge(checkout::router())
        .merge(merchant::router())
        .merge(portal::router())
        .merge(money::router())
        .merge(approve::router())
        .merge(cash::router())
        .merge(cash_out::router())
        .merge(payout::router())
        .merge(identify::router())
        .merge(my_passport::router())
        .merge(complaints::router())
        .merge(agent::router())
        .merge(operator::router())
        .merge(staff::router())
        .merge(verifier::router())
        .merge(street)
        .route_layer(from_fn_with_state(desk.clone(), guard))
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::Method)
        .layer(from_fn_with_state(desk.clone(), present))
        .with_state(desk.clone())
        .merge(passport::router(&desk))
        .merge(verifier::for_wallets(&desk))
}

/// Turns away what other sites have a browser send.
async fn guard(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    if is_api(&request) {
        // Whoever calls the API shows a key with each request; a cookie must not count there.
        request.headers_mut().remove(header::COOKIE);
        return next.run(request).await;
    }
    if is_for_payers(&request) {
        // A login must not ride along with a payment.
        request.headers_mut().remove(header::COOKIE);
    }
    if let Err(forged) = check_sender(request.method(), request.headers(), &desk.handle.origin) {
        return forged.into_response();
    }
    next.run(request).await
}

/// Gives every refusal the form that whoever asked can read: a page, or problem details.
async fn present(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let is_api = is_api(&request) || is_open(request.uri().path());
    let is_script =
        request.headers().get(header::CONTENT_TYPE).is_some_and(|of| of == "application/json");
    let is_read = request.method().is_safe();
    let answer = next.run(request).await;
    let refusal = match answer.extensions().get::<Refusal>() {
        Some(refusal) => refusal.clone(),
        // Refusals of the framework's own: a query that cannot be read.
        None if answer.status().is_client_error() && !is_said(&answer) => Refusal::Bad,
        None => return answer,
    };
    if let Refusal::Expired(kind) = &refusal
        && is_read
        && !is_api
    {
        return see(sign_in_page(*kind));
    }
    if is_api || is_script { refusal.problem(&ENGLISH) } else { page::refusal(&desk, &refusal) }
}

/// Whether it is for programs, who have keys and no cookies.
fn is_api(request: &Request) -> bool {
    request.uri().path().starts_with("/api/")
}

/// Whether it is for payers, who are nobody here.
fn is_for_payers(request: &Request) -> bool {
    let path = request.uri().path();
    path.starts_with("/checkout/") || path.starts_with("/refund/") || path.starts_with(street::PATH)
}

/// Whether an answer says itself what is wrong: as JSON of its own, or as a page of the desk, which alone has the policy.
fn is_said(answer: &Response) -> bool {
    let headers = answer.headers();
    let is_json = |of: &HeaderValue| of == "application/problem+json" || of == "application/json";
    headers.get(header::CONTENT_TYPE).is_some_and(is_json)
        || headers.contains_key(header::CONTENT_SECURITY_POLICY)
}

/// A refusal of what never came to the desk's handlers.
pub(super) fn refused(shared: &Arc<Shared>, refusal: &Refusal, path: &str) -> Option<Response> {
    let handle = shared.desk.as_ref()?;
    if is_open(path) {
        let mut response = refusal.problem(&ENGLISH);
        abroad::open(&mut response);
        return Some(response);
    }
    Some(page::refusal(&Desk { shared: Arc::clone(shared), handle: Arc::clone(handle) }, refusal))
}

/// `GET /icon.svg`.
async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("../page/icon.svg")).into_response()
}

/// `GET /passkey.js`.
async fn script() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (headers, include_str!("../page/passkey.js")).into_response()
}

/// On to another page, after something was done.
fn see(path: &str) -> Response {
    let to = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// Logs in: the cookie, and where the script goes on.
fn enter(desk: &Desk, kind: OwnerKind, key: &SessionKey) -> Response {
    let cookie = cookie(kind, key, &desk.handle.origin);
    ([(header::SET_COOKIE, cookie)], axum::Json(json!({ "next": home_page(kind) }))).into_response()
}

/// Logs out: no cookie, nothing left in the browser.
fn leave(kind: OwnerKind, desk: &Desk) -> Response {
    let mut response = see("/");
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, crate::desk::session::no_cookie(kind, &desk.handle.origin));
    let clear = HeaderName::from_static("clear-site-data");
    headers.insert(clear, HeaderValue::from_static("\"cache\""));
    response
}

/// A key for a new session.
fn new_session_key() -> Result<SessionKey, Refusal> {
    let bytes = crate::random::bytes().map_err(|error| Refusal::internal(&error))?;
    Ok(SessionKey::from_random(bytes))
}

/// An identifier nobody else has.
fn new_id() -> Result<[u8; 16], Refusal> {
    crate::random::bytes().map_err(|error| Refusal::internal(&error))
}
