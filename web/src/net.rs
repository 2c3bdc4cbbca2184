//! The wire: one request and what came back. Nothing goes with it that tells this wallet from another: no cookie, no referrer.

use js_sys::Array;
use tacit_core::secret::Secret;
use tacit_credit::certificate::request::Address;
use tacit_wallet::transport::{Answer, Recipient, Request};
use wasm_bindgen::{JsCast as _, JsValue};

use crate::glue;

/// How long one request may take, in milliseconds.
const PATIENCE: u32 = 60_000;
/// Pauses before a request is sent again, in milliseconds.
const PAUSES: [u32; 2] = [300, 1500];

/// Sends a request, again if nothing came back: what a mint has done it does not do twice.
pub(crate) async fn send(request: &Request) -> Answer {
    let (url, body) = (request.url(), request.body.as_ref().map(|body| body.expose()));
    let bearer = match &request.to {
        Recipient::Desk(account) => Some(account.bearer.expose()),
        Recipient::Mint(_) | Recipient::Payee(_) => None,
    };
    let mut pauses = PAUSES.into_iter();
    loop {
        let kind = body.map(|_| "application/json");
        let method = if body.is_some() { "POST" } else { "GET" };
        let told = glue::net_send(&url, method, body, kind, bearer, PATIENCE).await;
        let is_timeout = told.as_string().as_deref() == Some("timeout");
        let answer = read(&told);
        let is_passing = match &answer {
            Answer::Received { status, .. } => matches!(status, 429 | 502..=504),
            Answer::Lost => !is_timeout,
        };
        match pauses.next().filter(|_| is_passing) {
            Some(pause) => glue::pause(pause).await,
            None => return answer,
        }
    }
}

/// Fetches what an address has, or sends it a form, once.
pub(crate) async fn reach(to: &Address, form: Option<&str>) -> Answer {
    let kind = form.map(|_| "application/x-www-form-urlencoded");
    let method = if form.is_some() { "POST" } else { "GET" };
    read(&glue::net_send(to.url(), method, form, kind, None, PATIENCE).await)
}

/// A file of this wallet's own origin.
pub(crate) async fn own(path: &str) -> Option<Vec<u8>> {
    taken(&glue::net_send(path, "GET", None, None, None, PATIENCE).await)
}

/// The body of an answer that says that all is well.
fn taken(told: &JsValue) -> Option<Vec<u8>> {
    match read(told) {
        Answer::Received { status: 200, body } => Some(body.expose().clone()),
        Answer::Received { .. } | Answer::Lost => None,
    }
}

/// Sends JSON to a lever of a demonstration; gives what it says.
pub(crate) async fn ask(url: &str, body: &str) -> Option<Vec<u8>> {
    let kind = Some("application/json");
    taken(&glue::net_send(url, "POST", Some(body), kind, None, PATIENCE).await)
}

fn read(told: &JsValue) -> Answer {
    let parts = told.dyn_ref::<Array>().and_then(|pair| {
        let status = pair.get(0).as_f64()?;
        Some((status, glue::vec(&pair.get(1))?))
    });
    match parts {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a status has three digits"
        )]
        Some((status, body)) => Answer::Received { status: status as u16, body: Secret::new(body) },
        None => Answer::Lost,
    }
}
