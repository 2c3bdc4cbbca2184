//! Licences to bill at the console: proposed by one, granted by another, ended by whoever may judge merchants.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::unit::Unit;
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::biller::{Biller, Granted, LicenceProposal, LicenceTerms};
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::staff::{Permission, Staff, StaffId};
use tacit_service::desk::trail::{Action, Deed, Reason};

use super::page;
use super::paging::{Asked, Paging, cut, skipped};
use crate::desk::Desk;
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::route::desk::see;
use crate::shop::{amount_of, money};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/billers";

/// Billers on one page.
const ROWS: u32 = 50;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list))
        .route("/operator/billers/propose", post(propose))
        .route("/operator/billers/decide", post(decide))
        .route("/operator/billers/end", post(end))
}

/// A biller in the table.
struct Row {
    account: String,
    name: String,
    terms: String,
    contracts: u64,
    /// Whether there is a licence to be ended.
    is_licensed: bool,
    proposal: Option<ProposalRow>,
}

/// What waits for a second person.
struct ProposalRow {
    said: String,
    floor: u64,
    max: u64,
    is_own: bool,
}

#[derive(Template)]
#[template(path = "operator/billers.html")]
struct BillersPage {
    page: Page,
    rows: Vec<Row>,
    paging: Option<Paging>,
    may_judge: bool,
    may_grant: bool,
    wrong: Option<String>,
    said: Proposed,
}

/// `GET /operator/billers`.
async fn list(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.biller;
    let notice = match asked.done.as_deref() {
        Some("proposed") => Some(text.staff_done_proposed),
        Some("granted") => Some(text.staff_done_granted),
        Some("declined") => Some(text.staff_done_declined),
        Some("ended") => Some(text.staff_done_ended),
        Some("changed") => Some(text.staff_changed),
        _ => None,
    };
    show_list(&desk, &login, asked.page, notice, None, Proposed::default()).await
}

async fn show_list(
    desk: &Desk,
    login: &StaffLogin,
    page_number: u32,
    notice: Option<&'static str>,
    wrong: Option<String>,
    said: Proposed,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeMerchants)?;
    let skip = skipped(page_number, ROWS);
    let found = desk.run(move |store| Ok((store.billers(skip, ROWS + 1)?, store.all_staff()?)));
    let (mut billers, staff) = found.await?;
    let paging = cut(&mut billers, PATH, page_number, ROWS);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let role = login.staff.role;
    Ok(show_with(
        status,
        &BillersPage {
            page: page(desk, login, PATH, ENGLISH.biller.staff_menu).with_notice(notice),
            rows: billers.iter().map(|biller| row(biller, &staff, login.staff.id)).collect(),
            paging,
            may_judge: role.may(Permission::JudgeMerchants),
            may_grant: role.may(Permission::GrantLicences),
            wrong,
            said,
        },
    ))
}

fn row(biller: &Biller, staff: &[Staff], own: StaffId) -> Row {
    let text = &ENGLISH.biller;
    let said = |template, terms: LicenceTerms| {
        let text = fill(template, "floor", money(terms.floor, biller.unit));
        fill(&text, "max", terms.contracts_max)
    };
    let licence = biller.licence.filter(|licence| licence.ended.is_none());
    let ended = biller.licence.and_then(|licence| licence.ended);
    let proposal = biller.proposal.map(|proposal| {
        let by = staff.iter().find(|one| one.id == proposal.by).map(|one| one.name.as_str());
        let text = fill(&said(text.staff_proposed, proposal.terms), "day", proposal.day);
        ProposalRow {
            said: fill(&text, "by", by.unwrap_or_default()),
            floor: proposal.terms.floor,
            max: proposal.terms.contracts_max,
            is_own: proposal.by == own,
        }
    });
    Row {
        account: biller.merchant.to_string(),
        name: biller.name.as_str().to_owned(),
        terms: match (licence, ended) {
            (Some(it), _) => fill(&said(text.staff_is, it.terms), "day", it.granted),
            (None, Some(day)) => fill(text.staff_ended, "day", day),
            (None, None) => text.staff_has_none.to_owned(),
        },
        contracts: biller.contracts,
        is_licensed: licence.is_some(),
        proposal,
    }
}

/// The form of a proposal, as it was sent.
#[derive(Default, Deserialize)]
struct Proposed {
    account: String,
    floor: String,
    max: String,
    reason: String,
}

/// A deed about a shop, named by whose it is.
fn deed(desk: &Desk, login: &StaffLogin, action: Action, of: &Merchant, detail: String) -> Deed {
    let subject = Owner::Person(of.owner).to_string();
    Deed { moment: desk.now(), staff: Some(login.staff.id), action, subject, detail }
}

async fn shop(desk: &Desk, account: &str) -> Result<Option<Merchant>, Refusal> {
    let number: String = account.to_ascii_uppercase().split_whitespace().collect();
    let Ok(number) = number.parse::<AccountId>() else { return Ok(None) };
    desk.run(move |store| Ok(store.merchant(number)?)).await
}

/// What is proposed, with its reason; within, what is wrong with it.
fn read(form: &Proposed, unit: Unit) -> Result<(LicenceTerms, Reason), String> {
    let text = &ENGLISH.biller;
    let floor = amount_of(&form.floor, unit).ok_or_else(|| text.staff_bad_floor.to_owned())?;
    let max: Option<u64> = form.max.trim().parse().ok();
    let max = max.filter(|max| (1..=LicenceTerms::CONTRACTS_MAX).contains(max));
    let contracts_max = max.ok_or_else(|| text.staff_bad_max.to_owned())?;
    let reason = Reason::new(&form.reason);
    let reason = reason.map_err(|why| fill(text.staff_bad_reason, "why", why))?;
    Ok((LicenceTerms { floor, contracts_max }, reason))
}

/// `POST /operator/billers/propose`: sent twice, the later one stands.
async fn propose(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Proposed>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgeMerchants)?;
    let Some(merchant) = shop(&desk, &form.account).await? else {
        let wrong = Some(ENGLISH.biller.staff_bad_account.to_owned());
        return show_list(&desk, &login, 0, None, wrong, form).await;
    };
    let (terms, reason) = match read(&form, merchant.unit) {
        Ok(read) => read,
        Err(wrong) => return show_list(&desk, &login, 0, None, Some(wrong), form).await,
    };
    let LicenceTerms { floor, contracts_max } = terms;
    let floor = money(floor, merchant.unit);
    let detail = format!(
        "{}: from {floor}, {contracts_max} contracts: {}",
        merchant.account,
        reason.as_str()
    );
    let deed = deed(&desk, &login, Action::LicenceProposed, &merchant, detail);
    let (by, day) = (login.staff.id, desk.now().day());
    let proposal = LicenceProposal { merchant: merchant.account, terms, by, day };
    desk.run(move |store| Ok(store.propose_licence(&proposal, &deed)?)).await?;
    Ok(see("/operator/billers?done=proposed"))
}

/// Which of the buttons.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Grant,
    Decline,
}

#[derive(Deserialize)]
struct Decided {
    account: String,
    floor: u64,
    max: u64,
    what: What,
}

/// `POST /operator/billers/decide`: of what is proposed. Whoever proposed it may take it back and not grant it.
async fn decide(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Decided>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    if form.what == What::Grant || login.may(Permission::JudgeMerchants).is_err() {
        login.may(Permission::GrantLicences)?;
    }
    let merchant = shop(&desk, &form.account).await?.ok_or(Refusal::NotFound)?;
    let (id, by) = (merchant.account, login.staff.id);
    let terms = LicenceTerms { floor: form.floor, contracts_max: form.max };
    let detail = id.to_string();
    if form.what == What::Decline {
        let deed = deed(&desk, &login, Action::LicenceDeclined, &merchant, detail);
        let is_done = desk.run(move |store| Ok(store.decline_licence(id, &deed)?)).await?;
        let done = if is_done { "declined" } else { "changed" };
        return Ok(see(&format!("{PATH}?done={done}")));
    }
    let deed = deed(&desk, &login, Action::LicenceGranted, &merchant, detail);
    match desk.run(move |store| Ok(store.grant_licence(id, terms, by, &deed)?)).await? {
        Granted::Done => Ok(see("/operator/billers?done=granted")),
        Granted::Unknown => Ok(see("/operator/billers?done=changed")),
        Granted::Own => Err(Refusal::Field(ENGLISH.biller.staff_own.to_owned())),
    }
}

#[derive(Deserialize)]
struct Ended {
    account: String,
    reason: String,
}

/// `POST /operator/billers/end`: the licence, and its contracts; what is billed stays to be paid. Sent twice, it is ended once.
async fn end(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Ended>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgeMerchants)?;
    let merchant = shop(&desk, &form.account).await?.ok_or(Refusal::NotFound)?;
    let reason = match Reason::new(&form.reason) {
        Ok(reason) => reason,
        Err(why) => {
            let wrong = Some(fill(ENGLISH.biller.staff_bad_reason, "why", why));
            return show_list(&desk, &login, 0, None, wrong, Proposed::default()).await;
        }
    };
    let (id, today) = (merchant.account, desk.now().day());
    let detail = format!("{id}: {}", reason.as_str());
    let deed = deed(&desk, &login, Action::LicenceEnded, &merchant, detail);
    desk.run(move |store| Ok(store.end_licence(id, today, &deed)?)).await?;
    Ok(see("/operator/billers?done=ended"))
}
