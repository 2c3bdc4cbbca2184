//! E-cash, paid into an account: a payment target that any wallet of this mint can pay.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use fast_qr::{ECL, QRBuilder};
use serde::Deserialize;
use tacit_core::unit::Unit;
use tacit_service::payto::{OWN, Payto};

use super::portal;
use crate::desk::Desk;
use crate::desk::money::written;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::PersonLogin;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/portal/cash-out";

/// Light modules around a code. Source: ISO/IEC 18004.
const MARGIN: usize = 4;

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(cash_out))
}

#[derive(Template)]
#[template(path = "portal/cash_out.html")]
struct CashOutPage {
    page: Page,
    units: Vec<String>,
    unit: String,
    amount: String,
    is_wrong: bool,
    code: Option<Code>,
}

/// A target as it is shown.
struct Code {
    target: String,
    amount: String,
    how: String,
    drawing: Drawing,
}

/// A QR code: how many modules wide it is, and the dark ones as the path of an SVG.
pub(super) struct Drawing {
    pub(super) width: usize,
    pub(super) path: String,
}

#[derive(Deserialize)]
struct Asked {
    unit: Option<String>,
    amount: Option<String>,
}

/// `GET /portal/cash-out`.
async fn cash_out(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.money;
    let units: Vec<Unit> = desk.shared.config.units.iter().map(|terms| terms.unit).collect();
    let unit = units.iter().find(|unit| asked.unit.as_deref() == Some(unit.code()));
    let unit = *unit.or(units.first()).ok_or(Refusal::NotFound)?;
    let page = portal::page(&desk, &login, PATH, text.cash_out_title);
    let amount = asked.amount.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let target = format!("payto://{OWN}/{}?amount={unit}:{amount}", login.person.account);
    let code = match Payto::parse(&target) {
        Ok(read) => Some(Code {
            amount: written(read.amount),
            how: fill(text.cash_out_how, "unit", unit),
            drawing: draw(&target)?,
            target,
        }),
        Err(_) => None,
    };
    Ok(show(&CashOutPage {
        page,
        units: units.iter().map(ToString::to_string).collect(),
        unit: unit.to_string(),
        is_wrong: asked.amount.is_some() && code.is_none(),
        amount,
        code,
    }))
}

pub(super) fn draw(text: &str) -> Result<Drawing, Refusal> {
    let code =
        QRBuilder::new(text).ecl(ECL::M).build().map_err(|error| Refusal::internal(&error))?;
    let mut path = String::new();
    for y in 0..code.size {
        for x in (0..code.size).filter(|x| code[y][*x].value()) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + MARGIN, y + MARGIN));
        }
    }
    Ok(Drawing { width: code.size + 2 * MARGIN, path })
}
