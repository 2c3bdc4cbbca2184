//! Contracts and bills at the console, for shops with a licence. Files of bills: [`super::bill_upload`].

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_service::account::AccountId;
use tacit_service::bill::{Bill, BillState, NOTICE_DAYS, Stream};
use tacit_service::desk::biller::{Biller, ContractPaper, ContractState};
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::paper::Line;

use super::sales::nonce;
use super::{Shop, own, page};
use crate::cash::fees;
use crate::desk::Desk;
use crate::desk::money::ask;
use crate::desk::page::{Page, show, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, PersonLogin, SignedForm};
use crate::route::desk::see;
use crate::shop::bill::{self, NewBill, NewContract};
use crate::shop::bill_file::Wrong;
use crate::shop::{amount_of, money, request};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/merchant/contracts";

/// Contracts on a page.
const PAGE: u64 = 50;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list).post(add))
        .route("/merchant/contracts/{contract}", get(one))
        .route("/merchant/contracts/{contract}/bill", post(send))
        .route("/merchant/contracts/{contract}/withdraw", post(withdraw))
        .route("/merchant/contracts/{contract}/end", post(end))
}

/// A contract in a table.
struct Row {
    path: String,
    number: u64,
    description: String,
    reference: String,
    state: &'static str,
    bill: String,
}

/// What was typed, to be typed no second time, and what is wrong with it.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) contract: Option<(NewForm, String)>,
    pub(super) file: Vec<Wrong>,
}

#[derive(Template)]
#[template(path = "merchant/contracts.html")]
struct ContractsPage {
    page: Page,
    licence: Option<String>,
    has_fees: bool,
    month: String,
    rows: Vec<Row>,
    older: Option<String>,
    nonce: String,
    said: NewForm,
    wrong: Option<String>,
    wrong_lines: Vec<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Place {
    before: Option<u64>,
    done: Option<String>,
    count: Option<u64>,
}

/// `GET /merchant/contracts`.
async fn list(
    State(desk): State<Desk>,
    shop: Shop,
    Query(place): Query<Place>,
) -> Result<Response, Refusal> {
    show_list(&desk, &shop.login, &shop.merchant, place, Typed::default()).await
}

pub(super) async fn show_list(
    desk: &Desk,
    login: &PersonLogin,
    merchant: &Merchant,
    place: Place,
    typed: Typed,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.biller;
    let account = merchant.account;
    let (biller, mut papers) = desk
        .run(move |store| {
            Ok((store.biller(account)?, store.contracts(account, place.before, PAGE + 1)?))
        })
        .await?;
    let is_more = PAGE < papers.len() as u64;
    papers.truncate(usize::try_from(PAGE).expect("few"));
    let ids: Vec<Contract> = papers.iter().map(|paper| paper.id).collect();
    let streams = ask(&desk.shared, move |reader| {
        ids.into_iter().map(|id| reader.stream(id)).collect::<Result<Vec<_>, _>>()
    });
    let (streams, today) = (streams.await?, desk.now().day());
    let month = Epoch::of(desk.now());
    let row = |(paper, stream): (&ContractPaper, &Option<Stream>)| Row {
        path: path(paper.id),
        number: paper.number,
        description: paper.description.as_str().to_owned(),
        reference: paper.reference.as_ref().map_or("", Line::as_str).to_owned(),
        state: if is_over(paper, stream.as_ref()) { text.state_ended } else { text.state_open },
        bill: stream.as_ref().and_then(|stream| stream.bills.get(&month)).map_or_else(
            || text.no_bill.to_owned(),
            |bill| format!("{}, {}", money(bill.amount, merchant.unit), state(bill, today)),
        ),
    };
    let older = papers.last().filter(|_| is_more);
    let is_wrong = typed.contract.is_some() || !typed.file.is_empty();
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let notice = (place.done.as_deref() == Some("billed"))
        .then(|| fill(text.uploaded, "count", place.count.unwrap_or_default()));
    let (said, wrong) =
        typed.contract.map_or((NewForm::default(), None), |(form, why)| (form, Some(why)));
    let nonce = if said.nonce.is_empty() { nonce()? } else { said.nonce.clone() };
    Ok(show_with(
        status,
        &ContractsPage {
            page: page(desk, login, PATH, text.title, true).with_notice(notice.as_deref()),
            licence: licence(biller.as_ref(), merchant.unit),
            has_fees: !fees(&desk.shared, merchant.unit).are_none(),
            month: fill(text.bill_of, "month", month),
            rows: papers.iter().zip(&streams).map(row).collect(),
            older: older.map(|paper| format!("{PATH}?before={}", paper.number)),
            nonce,
            said,
            wrong,
            wrong_lines: typed.file.iter().map(line).collect(),
        },
    ))
}

/// What a licence allows, in a sentence; `None` without one.
fn licence(biller: Option<&Biller>, unit: Unit) -> Option<String> {
    let biller = biller?;
    let licence = biller.licence.filter(|licence| licence.ended.is_none())?;
    let text = fill(ENGLISH.biller.licensed, "floor", money(licence.terms.floor, unit));
    Some(fill(&fill(&text, "max", licence.terms.contracts_max), "count", biller.contracts))
}

fn line(wrong: &Wrong) -> String {
    match wrong.line {
        0 => wrong.why.clone(),
        line => fill(&fill(ENGLISH.biller.upload_line, "line", line), "why", &wrong.why),
    }
}

/// Whether no more bills can come, now or after the month.
fn is_over(paper: &ContractPaper, stream: Option<&Stream>) -> bool {
    let has_ended = matches!(paper.state, ContractState::Ending | ContractState::Ended);
    has_ended || stream.is_some_and(|stream| stream.contract.ended.is_some())
}

fn path(id: Contract) -> String {
    format!("{PATH}/{}", String::from(id))
}

/// How far a bill is, in a word.
fn state(bill: &Bill, today: Day) -> &'static str {
    let text = &ENGLISH.biller;
    match bill.state {
        BillState::Open if bill.due < today => text.bill_overdue,
        BillState::Open => text.bill_open,
        BillState::InTime => text.bill_in_time,
        BillState::Late => text.bill_late,
        BillState::Withdrawn => text.bill_withdrawn,
    }
}

/// The form of a new contract, as it was sent.
#[derive(Default, Deserialize)]
pub(super) struct NewForm {
    description: String,
    reference: String,
    nonce: String,
}

/// `POST /merchant/contracts`: sent twice, it makes one.
async fn add(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, NewForm>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    let merchant = own(&desk, &login).await?;
    let key: [u8; 16] = hex::decode(&form.nonce).map_err(|_| Refusal::Bad)?;
    let key = format!("console:{}", hex::encode(&key));
    match read(&form) {
        Ok(asked) => {
            let paper = bill::open(&desk, &merchant, &key, asked).await?;
            Ok(see(&format!("{}?done=added", path(paper.id))))
        }
        Err(why) => {
            let typed = Typed { contract: Some((form, why)), ..Typed::default() };
            show_list(&desk, &login, &merchant, Place::default(), typed).await
        }
    }
}

fn read(form: &NewForm) -> Result<NewContract, String> {
    let text = &ENGLISH.merchant_refusal;
    let description = Line::new(&form.description);
    let description = description.map_err(|why| fill(text.description, "why", why))?;
    let reference = match form.reference.trim() {
        "" => None,
        given => Some(Line::new(given).map_err(|why| fill(text.reference, "why", why))?),
    };
    Ok(NewContract { description, reference })
}

/// A contract of this biller's.
pub(super) async fn find(
    desk: &Desk,
    merchant: AccountId,
    id: String,
) -> Result<ContractPaper, Refusal> {
    let id = Contract::try_from(id).map_err(|_| Refusal::NotFound)?;
    let paper = desk.run(move |store| Ok(store.contract(id)?)).await?;
    paper.filter(|paper| paper.merchant == merchant).ok_or(Refusal::NotFound)
}

/// A bill in a table.
struct BillRow {
    month: String,
    due: String,
    amount: String,
    state: &'static str,
    is_last: bool,
    may_withdraw: bool,
    withdraw_label: String,
}

#[derive(Template)]
#[template(path = "merchant/contract.html")]
struct ContractPage {
    page: Page,
    path: String,
    description: String,
    reference: Option<String>,
    state: &'static str,
    created: String,
    code: String,
    qr: Option<String>,
    bills: Vec<BillRow>,
    is_open: bool,
    due_hint: String,
    amount_label: String,
    said: BillForm,
    wrong: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
}

/// `GET /merchant/contracts/{contract}`.
async fn one(
    State(desk): State<Desk>,
    shop: Shop,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.biller;
    let paper = find(&desk, shop.merchant.account, id).await?;
    let notice = match asked.done.as_deref() {
        Some("added") => Some(text.added),
        Some("billed") => Some(text.billed),
        Some("withdrawn") => Some(text.withdrawn),
        Some("ended") => Some(text.ended),
        _ => None,
    };
    let shown = show_one(&desk, &shop.login, &shop.merchant, paper, BillForm::default(), None);
    let shown = shown.await?;
    Ok(show(&ContractPage { page: shown.page.with_notice(notice), ..shown }))
}

async fn show_one(
    desk: &Desk,
    login: &PersonLogin,
    merchant: &Merchant,
    paper: ContractPaper,
    said: BillForm,
    wrong: Option<String>,
) -> Result<ContractPage, Refusal> {
    let text = &ENGLISH.biller;
    let (stream, today) = (bill::stream(desk, paper.id).await?, desk.now().day());
    let is_over = is_over(&paper, stream.as_ref());
    let code = bill::code(desk, merchant.unit, paper.id)?;
    let row = |bill: &Bill| BillRow {
        month: bill.month().to_string(),
        due: bill.due.to_string(),
        amount: money(bill.amount, merchant.unit),
        state: state(bill, today),
        is_last: bill.is_last,
        may_withdraw: bill.state == BillState::Open,
        withdraw_label: fill(text.withdraw_of, "month", bill.month()),
    };
    let soon = Day::from_number(today.number() + NOTICE_DAYS + 1);
    Ok(ContractPage {
        page: page(desk, login, PATH, &fill(text.contract_title, "number", paper.number), true),
        path: path(paper.id),
        description: paper.description.as_str().to_owned(),
        reference: paper.reference.as_ref().map(|line| line.as_str().to_owned()),
        state: if is_over { text.state_ended } else { text.state_open },
        created: paper.created.to_string(),
        qr: request::qr_svg(&code, text.code_label),
        code,
        bills: stream.iter().flat_map(|stream| stream.bills.values().rev().map(row)).collect(),
        is_open: !is_over,
        due_hint: fill(text.bill_due_hint, "day", soon),
        amount_label: fill(text.bill_amount_field, "unit", merchant.unit.code().to_uppercase()),
        said,
        wrong,
    })
}

/// The form of a new bill, as it was sent.
#[derive(Default, Deserialize)]
struct BillForm {
    due: String,
    amount: String,
    #[serde(default)]
    last: Option<String>,
}

/// `POST /merchant/contracts/{contract}/bill`: sent twice, it is one bill.
async fn send(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<PersonLogin, BillForm>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    let merchant = own(&desk, &login).await?;
    let paper = find(&desk, merchant.account, id).await?;
    let text = &ENGLISH.biller;
    let due = form.due.trim().parse::<Day>().map_err(|_| text.line_due.to_owned());
    let amount = amount_of(&form.amount, merchant.unit).ok_or_else(|| text.line_amount.to_owned());
    let asked = due.and_then(|due| {
        let is_last = form.last.is_some();
        Ok(NewBill { contract: paper.id, amount: amount?, due, is_last })
    });
    let wrong = match asked {
        Err(wrong) => wrong,
        Ok(asked) => match bill::bill(&desk, &merchant, &[asked]).await? {
            Ok(()) => return Ok(see(&format!("{}?done=billed", path(paper.id)))),
            Err(wrong) => {
                let why = wrong.first().map(|wrong| bill::why(wrong.why, merchant.unit));
                why.unwrap_or_default()
            }
        },
    };
    let page = show_one(&desk, &login, &merchant, paper, form, Some(wrong)).await?;
    Ok(show_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

#[derive(Deserialize)]
struct Month {
    month: String,
}

/// `POST /merchant/contracts/{contract}/withdraw`: a second click finds it done.
async fn withdraw(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<PersonLogin, Month>,
) -> Result<Response, Refusal> {
    let merchant = own(&desk, &signed.login).await?;
    let paper = find(&desk, merchant.account, id).await?;
    let month: Epoch = signed.form.month.parse().map_err(|_| Refusal::Bad)?;
    bill::withdraw(&desk, &merchant, paper.id, month).await?;
    Ok(see(&format!("{}?done=withdrawn", path(paper.id))))
}

/// `POST /merchant/contracts/{contract}/end`: a second click finds it done.
async fn end(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    let merchant = own(&desk, &signed.login).await?;
    let paper = find(&desk, merchant.account, id).await?;
    let paper = bill::end(&desk, &merchant, paper).await?;
    Ok(see(&format!("{}?done=ended", path(paper.id))))
}
