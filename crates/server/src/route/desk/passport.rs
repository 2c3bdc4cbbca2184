//! What an account's wallet asks the desk for: its passport, with a code of the portal, and a month's income, with a key of
//! its own. For programs: no cookie counts here, and pages of any origin may ask.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tacit_core::time::Timestamp;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::message::{Request as Asking, Terms};
use tacit_credit::passport::tag::Tag;
use tacit_credit::passport::wire;
use tacit_ecash::code::Code;
use tacit_service::account::AccountId;
use tacit_service::desk::enrolment::{
    AccessKey, CodeHash, EnrolError, Enrolment, EnrolmentCode, HolderPoint,
};
use tacit_service::desk::person::{Person, PersonState};
use tacit_service::passport::Name;
use tacit_service::passport::desk::Claim;
use tacit_service::vault::{Change, StoreError};

use super::abroad::for_any_origin;
use crate::answer::{self, Json};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::error::ApiError;
use crate::passport::{Asked, Checked, answered, check, income};
use crate::route::no_such_method;

/// The paths, under `/api/v1/passport`.
pub(super) fn router(desk: &Desk) -> Router {
    let router = Router::new()
        .route("/api/v1/passport", get(place))
        .route("/api/v1/passport/enrolment", get(terms).post(enrol))
        .route("/api/v1/passport/income", get(look).post(count))
        .method_not_allowed_fallback(no_such_method);
    for_any_origin(router, desk).with_state(desk.clone())
}

/// What a request shows.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = shown.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(shown.trim())
}

fn unknown_code() -> ApiError {
    ApiError::refused(Code::PassportCode, EnrolError::Unknown)
}

/// Of a wallet that shows a code.
struct Coded(CodeHash);

impl FromRequestParts<Desk> for Coded {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Desk) -> Result<Self, ApiError> {
        let code = bearer(&parts.headers).and_then(|shown| shown.parse::<EnrolmentCode>().ok());
        code.map(|code| Self(code.hash())).ok_or_else(unknown_code)
    }
}

/// Of a wallet that shows its access key.
struct Known(Person);

impl FromRequestParts<Desk> for Known {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let unknown = || ApiError::refused(Code::PassportCode, "no passport has this key");
        let key = bearer(&parts.headers).and_then(|shown| shown.parse::<AccessKey>().ok());
        let hash = key.ok_or_else(unknown)?.hash();
        let found = desk.run(move |store| Ok(store.enrolment_of_access(hash)?)).await?;
        let (_, person) = found.ok_or_else(unknown)?;
        if person.state != PersonState::Open {
            return Err(ApiError::refused(Code::PassportRefused, "the account is not open"));
        }
        Ok(Self(person))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        if refusal == Refusal::Busy {
            return Self::busy("the desk is busy", 2);
        }
        // What went wrong was logged when it became a refusal.
        Self::internal(&StoreError::Corrupt("the desk did not answer a wallet"))
    }
}

/// `GET /api/v1/passport`: where the passport desk is, for a wallet that knows this one.
async fn place(State(desk): State<Desk>) -> Result<Response, ApiError> {
    let mint = desk.shared.origins.mint.as_ref().map(ToString::to_string);
    let mint = mint.or_else(|| desk.shared.told_url()).ok_or_else(|| {
        ApiError::of_status(StatusCode::NOT_FOUND, "no address of the mint is configured")
    })?;
    Ok(answer::json(&wire::Place { mint }))
}

/// What the name of an account's passport of this number is, in the vault.
pub(super) fn passport_name(account: AccountId, number: u32) -> Name {
    let account = account.to_string();
    Name::of("enrol", &[account.as_bytes(), &number.to_be_bytes()].concat())
}

/// The month from which the age of an account's passport of this number counts.
fn since(desk: &Desk, number: u32, now: Timestamp) -> Epoch {
    let month = Epoch::of(now);
    if number <= 1 {
        return month;
    }
    let later = month.number().saturating_add(desk.shared.config.passport.again_months);
    Epoch::new(later).unwrap_or(month)
}

async fn of_code(desk: &Desk, code: CodeHash) -> Result<(Enrolment, Person), ApiError> {
    let now = desk.now();
    let found = desk.run(move |store| Ok(store.enrolment_of_code(code, now)?)).await?;
    found.ok_or_else(unknown_code)
}

/// `GET /api/v1/passport/enrolment`: what the passport would be that a code is for.
async fn terms(State(desk): State<Desk>, Coded(code): Coded) -> Result<Response, ApiError> {
    let (enrolment, _) = of_code(&desk, code).await?;
    let now = desk.now();
    let since = since(&desk, enrolment.number, now);
    Ok(answer::json(&wire::Enrolment { month: Epoch::of(now), since }))
}

/// `POST /api/v1/passport/enrolment`: the passport. The desk learns whose it is once, here; nothing it is shown later says so.
async fn enrol(
    State(desk): State<Desk>,
    Coded(code): Coded,
    Json(body): Json<wire::Enrol>,
) -> Result<Response, ApiError> {
    let refused =
        |error: &dyn std::error::Error| ApiError::refused(Code::PassportRefused, error.to_string());
    let access: AccessKey = body.access.parse().map_err(|error| refused(&error))?;
    let (enrolment, person) = of_code(&desk, code).await?;
    let request = Asking::read(&body.request).map_err(|error| refused(&error))?;
    let Terms::Enrol { holder, .. } = request.terms else {
        return Err(ApiError::refused(Code::PassportRefused, "another kind of request"));
    };
    let known = enrolment.holder.map(|point| Tag::new(*point.as_bytes())).transpose();
    let known = known.map_err(|_| StoreError::Corrupt("a holder's point is no point"))?;
    if known.is_some_and(|known| known != holder) {
        return Err(ApiError::refused(Code::PassportOtherWallet, EnrolError::OtherWallet));
    }
    let now = desk.now();
    let claim = Claim::Enrol {
        once: passport_name(person.account, enrolment.number),
        holder: known,
        since: since(&desk, enrolment.number, now),
    };
    let ask = wire::Ask { request: body.request, sealed: body.sealed };
    let lane = desk.shared.passports.lane().await?;
    let shared = Arc::clone(&desk.shared);
    let checked = desk.shared.ask(move |reader| {
        let checked = check(reader, &shared, &ask, &Asked::Claim(claim));
        drop(lane);
        checked
    });
    let reply = match checked.await? {
        Checked::Before(reply) => reply,
        Checked::Now(prepared) => {
            // First the desk: should the vault not hear of it, the same wallet asks again, and no other can.
            let point = HolderPoint::from_bytes(*holder.as_bytes());
            let hash = access.hash();
            let begun = desk.run(move |store| Ok(store.begin_enrolment(code, point, hash, now)?));
            begun.await?.map_err(|error| match error {
                EnrolError::Unknown => unknown_code(),
                EnrolError::OtherWallet => ApiError::refused(Code::PassportOtherWallet, error),
            })?;
            answered(desk.shared.writer.commit(Change::Answer(*prepared)).await?.outcome)?
        }
    };
    Ok(answer::json(&wire::Answer { reply }))
}

#[derive(Deserialize)]
struct Standing {
    /// The month the passport stands in, counted from January 2020.
    month: Option<u16>,
}

impl Standing {
    /// The month of income that a passport takes on now, if it stands in one that may be used.
    fn of(&self, now: Timestamp) -> Result<(Epoch, Epoch), ApiError> {
        let refused = |detail: &str| ApiError::refused(Code::PassportMonth, detail);
        let month = self.month.map_or(Ok(Epoch::of(now)), Epoch::new);
        let month = month.map_err(|error| refused(&error.to_string()))?;
        if !month.is_usable(now) {
            return Err(refused("the passport has to be brought to the present month first"));
        }
        let before = month.number().checked_sub(1).and_then(|number| Epoch::new(number).ok());
        Ok((before.ok_or_else(|| refused("there was no month before"))?, month))
    }
}

/// `GET /api/v1/passport/income`: what an account's passport may count.
async fn look(
    State(desk): State<Desk>,
    Known(person): Known,
    query: Result<Query<Standing>, QueryRejection>,
) -> Result<Response, ApiError> {
    let wrong = |_| ApiError::refused(Code::PassportMonth, "month is a number, said once");
    let Query(standing) = query.map_err(wrong)?;
    let (of, month) = standing.of(desk.now())?;
    let shared = Arc::clone(&desk.shared);
    let found = desk.shared.ask(move |reader| {
        let is_counted = reader.shown(&[income::name(person.account, of)])?[0].is_some();
        let units = income::units(reader, &shared.config, person.account, of)?;
        Ok(wire::Income { of, month, units, is_counted })
    });
    Ok(answer::json(&found.await?))
}

/// `POST /api/v1/passport/income`: the month before counts, once.
async fn count(
    State(desk): State<Desk>,
    Known(person): Known,
    Json(ask): Json<wire::Ask>,
) -> Result<Response, ApiError> {
    let request = Asking::read(&ask.request)
        .map_err(|error| ApiError::refused(Code::PassportRefused, error))?;
    let standing = Standing { month: Some(request.epoch.number()) };
    let (of, _) = standing.of(desk.now())?;
    let asked = Asked::Income { account: person.account, of };
    Ok(answer::json(&desk.shared.ask_passport_desk(ask, asked).await?))
}
