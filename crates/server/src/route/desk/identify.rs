//! Being identified: what is needed, asking for it, and how far it is.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tacit_service::desk::identification::{CaseId, CaseState, Place};
use tacit_service::desk::person::KycLevel;

use super::{new_id, portal, see};
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, PersonLogin, SignedForm};
use crate::desk::{Desk, identification};
use crate::text::ENGLISH;

/// Where this page is.
pub(super) const PATH: &str = "/portal/identify";

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(look).post(ask))
}

#[derive(Template)]
#[template(path = "portal/identify.html")]
struct IdentifyPage {
    page: Page,
    level: &'static str,
    /// How far a request is.
    state: Option<&'static str>,
    /// Where to go on, if that is not the desk.
    site: Option<String>,
    may_ask: bool,
}

/// What was just done.
#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
}

/// `GET /portal/identify`.
async fn look(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let (text, id) = (&ENGLISH.identify, login.person.id);
    let case = desk.run(move |store| Ok(store.case(id)?)).await?;
    let place = match &case {
        Some(case) if case.state == CaseState::Asked => {
            Some(identification::place(&desk, case.id).await?)
        }
        _ => None,
    };
    let state = case.as_ref().map(|case| match case.state {
        CaseState::Asked if matches!(place, Some(Place::Site(_))) => text.asked_site,
        CaseState::Asked => text.asked,
        CaseState::Seen(_) => text.seen,
        CaseState::Refused => text.refused,
    });
    let notice = (asked.done.as_deref() == Some("asked")).then_some(text.done);
    Ok(show(&IdentifyPage {
        page: portal::page(&desk, &login, PATH, text.title).with_notice(notice),
        level: match login.person.kyc {
            KycLevel::Unknown => ENGLISH.portal.level_0,
            KycLevel::Identified => ENGLISH.portal.level_1,
            KycLevel::Verified => ENGLISH.portal.level_2,
        },
        may_ask: login.person.kyc != KycLevel::Verified
            && case.is_none_or(|case| case.state == CaseState::Refused),
        state,
        site: place.and_then(|place| match place {
            Place::Site(site) => Some(site),
            Place::Desk => None,
        }),
    }))
}

/// `POST /portal/identify`. Asked twice, it is asked once.
async fn ask(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    let (id, today) = (signed.login.person.id, desk.now().day());
    let case = CaseId::from_bytes(new_id()?);
    desk.run(move |store| Ok(store.ask_identification(id, case, today)?)).await?;
    Ok(see("/portal/identify?done=asked"))
}
