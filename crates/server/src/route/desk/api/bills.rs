//! Contracts and bills in the merchants' API, for shops with a licence.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_service::bill::{AMOUNT_MAX, Bill, Stream};
use tacit_service::desk::biller::ContractPaper;
use tacit_service::desk::merchant::{Merchant, Scope};
use tacit_service::desk::paper::Line;

use super::{Asked, Program, RequestKey, cut_page, page_of, read_up_to};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::shop::bill::{self, BILLS_MAX, NewBill, NewContract};
use crate::text::{ENGLISH, fill};

/// Bytes of a body of as many bills as are taken at once.
const BODY_MAX: usize = 128 * 1024;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/api/v1/contracts", get(list).post(create))
        .route("/api/v1/contracts/{contract}", get(show))
        .route("/api/v1/contracts/{contract}/end", post(end))
        .route("/api/v1/contracts/{contract}/bills", get(bills))
        .route("/api/v1/contracts/{contract}/bills/{month}/withdraw", post(withdraw))
        .route("/api/v1/bills", post(send))
}

/// The biller's contract of this number.
async fn find(desk: &Desk, program: &Program, id: String) -> Result<ContractPaper, Refusal> {
    let id = Contract::try_from(id).map_err(|_| Refusal::NotFound)?;
    let paper = desk.run(move |store| Ok(store.contract(id)?)).await?;
    paper.filter(|paper| paper.merchant == program.merchant.account).ok_or(Refusal::NotFound)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContractAsked {
    description: String,
    #[serde(default)]
    reference: Option<String>,
}

impl ContractAsked {
    fn checked(&self) -> Result<NewContract, Refusal> {
        let text = &ENGLISH.merchant_refusal;
        let description = Line::new(&self.description);
        let description =
            description.map_err(|why| Refusal::Field(fill(text.description, "why", why)))?;
        let reference = self.reference.as_deref().map(Line::new).transpose();
        let reference =
            reference.map_err(|why| Refusal::Field(fill(text.reference, "why", why)))?;
        Ok(NewContract { description, reference })
    }
}

#[derive(Serialize)]
struct ContractTold {
    id: String,
    number: u64,
    /// What the customer's wallet takes the contract on with.
    code: String,
    description: String,
    reference: Option<String>,
    unit: Unit,
    state: &'static str,
    created: String,
}

impl ContractTold {
    fn of(desk: &Desk, merchant: &Merchant, paper: &ContractPaper) -> Result<Self, Refusal> {
        use tacit_service::desk::biller::ContractState::{Begun, Ended, Ending, Open};
        Ok(Self {
            id: String::from(paper.id),
            number: paper.number,
            code: bill::code(desk, merchant.unit, paper.id)?,
            description: paper.description.as_str().to_owned(),
            reference: paper.reference.as_ref().map(|line| line.as_str().to_owned()),
            unit: merchant.unit,
            state: match paper.state {
                Begun | Open => "open",
                Ending | Ended => "ended",
            },
            created: paper.created.to_string(),
        })
    }
}

#[derive(Serialize)]
struct Contracts {
    contracts: Vec<ContractTold>,
    /// What `before` is for the next page, if there is one.
    next: Option<u64>,
}

/// `GET /api/v1/contracts`: the latest first.
async fn list(
    State(desk): State<Desk>,
    program: Program,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Contracts>, Refusal> {
    program.may(Scope::ReadBills)?;
    let (limit, before) = page_of(asked)?;
    let account = program.merchant.account;
    let found = desk.run(move |store| Ok(store.contracts(account, before, limit + 1)?));
    let mut papers = found.await?;
    let next = cut_page(&mut papers, limit, |paper| paper.number);
    let contracts: Result<_, _> =
        papers.iter().map(|paper| ContractTold::of(&desk, &program.merchant, paper)).collect();
    Ok(Json(Contracts { contracts: contracts?, next }))
}

/// `POST /api/v1/contracts`.
async fn create(
    State(desk): State<Desk>,
    program: Program,
    RequestKey(key): RequestKey,
    request: Request,
) -> Result<Json<ContractTold>, Refusal> {
    program.may(Scope::WriteBills)?;
    let asked: ContractAsked = read_up_to(request.into_body(), super::BODY_MAX).await?;
    let paper = bill::open(&desk, &program.merchant, &key, asked.checked()?).await?;
    ContractTold::of(&desk, &program.merchant, &paper).map(Json)
}

/// `GET /api/v1/contracts/{contract}`.
async fn show(
    State(desk): State<Desk>,
    program: Program,
    Path(id): Path<String>,
) -> Result<Json<ContractTold>, Refusal> {
    program.may(Scope::ReadBills)?;
    let paper = find(&desk, &program, id).await?;
    ContractTold::of(&desk, &program.merchant, &paper).map(Json)
}

/// `POST /api/v1/contracts/{contract}/end`. Ended already, it is answered alike.
async fn end(
    State(desk): State<Desk>,
    program: Program,
    Path(id): Path<String>,
) -> Result<Json<ContractTold>, Refusal> {
    program.may(Scope::WriteBills)?;
    let paper = find(&desk, &program, id).await?;
    let paper = bill::end(&desk, &program.merchant, paper).await?;
    ContractTold::of(&desk, &program.merchant, &paper).map(Json)
}

#[derive(Serialize)]
struct BillTold {
    contract: String,
    month: String,
    amount: u64,
    unit: Unit,
    due: String,
    last: bool,
    state: &'static str,
}

impl BillTold {
    fn of(stream: &Stream, bill: &Bill) -> Self {
        Self {
            contract: String::from(bill.contract),
            month: bill.month().to_string(),
            amount: bill.amount,
            unit: stream.contract.unit,
            due: bill.due.to_string(),
            last: bill.is_last,
            state: bill.state.name(),
        }
    }
}

#[derive(Serialize)]
struct Bills {
    bills: Vec<BillTold>,
}

/// `GET /api/v1/contracts/{contract}/bills`: the latest month first, as the vault has them.
async fn bills(
    State(desk): State<Desk>,
    program: Program,
    Path(id): Path<String>,
) -> Result<Json<Bills>, Refusal> {
    program.may(Scope::ReadBills)?;
    let paper = find(&desk, &program, id).await?;
    let stream = bill::stream(&desk, paper.id).await?;
    let told = |stream: &Stream| {
        stream.bills.values().rev().map(|bill| BillTold::of(stream, bill)).collect()
    };
    Ok(Json(Bills { bills: stream.as_ref().map(told).unwrap_or_default() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BillsAsked {
    bills: Vec<BillAsked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BillAsked {
    contract: String,
    amount: u64,
    due: String,
    #[serde(default)]
    last: bool,
}

impl BillsAsked {
    fn checked(&self) -> Result<Vec<NewBill>, Refusal> {
        let text = &ENGLISH.merchant_refusal;
        if !(1..=BILLS_MAX).contains(&self.bills.len()) {
            return Err(Refusal::Field(text.bills.to_owned()));
        }
        let wrong = |said: &str, index: usize| Refusal::Field(fill(said, "index", index));
        let checked = self.bills.iter().enumerate().map(|(index, asked)| {
            let unknown = fill(text.bill, "why", ENGLISH.biller.bill_contract);
            let contract = Contract::try_from(asked.contract.clone());
            let due: Result<Day, _> = asked.due.parse();
            if !(1..=AMOUNT_MAX).contains(&asked.amount) {
                return Err(wrong(&fill(text.bill, "why", ENGLISH.biller.bill_amount), index));
            }
            Ok(NewBill {
                contract: contract.map_err(|_| wrong(&unknown, index))?,
                amount: asked.amount,
                due: due.map_err(|_| wrong(text.due, index))?,
                is_last: asked.last,
            })
        });
        checked.collect()
    }
}

/// `POST /api/v1/bills`: all of them or none. Sent again, they are answered alike: a bill is named by its contract and month.
async fn send(
    State(desk): State<Desk>,
    program: Program,
    request: Request,
) -> Result<Json<Bills>, Refusal> {
    program.may(Scope::WriteBills)?;
    let asked: BillsAsked = read_up_to(request.into_body(), BODY_MAX).await?;
    let asked = asked.checked()?;
    let unit = program.merchant.unit;
    if let Err(wrong) = bill::bill(&desk, &program.merchant, &asked).await? {
        let said = |wrong: &tacit_service::bill::WrongBill| {
            let text = fill(ENGLISH.merchant_refusal.bill, "index", wrong.index);
            fill(&text, "why", bill::why(wrong.why, unit))
        };
        let said: Vec<String> = wrong.iter().map(said).collect();
        return Err(Refusal::Field(said.join(" ")));
    }
    let mut bills = Vec::with_capacity(asked.len());
    for new in asked {
        let month = Epoch::of(new.due.start());
        let stream = bill::stream(&desk, new.contract).await?;
        let told = stream.and_then(|stream| Some(BillTold::of(&stream, stream.bills.get(&month)?)));
        bills.extend(told);
    }
    Ok(Json(Bills { bills }))
}

/// `POST /api/v1/contracts/{contract}/bills/{month}/withdraw`. Taken back already, it is answered alike.
async fn withdraw(
    State(desk): State<Desk>,
    program: Program,
    Path((id, month)): Path<(String, String)>,
) -> Result<Json<BillTold>, Refusal> {
    program.may(Scope::WriteBills)?;
    let paper = find(&desk, &program, id).await?;
    let month: Epoch = month.parse().map_err(|_| Refusal::NotFound)?;
    bill::withdraw(&desk, &program.merchant, paper.id, month).await?;
    let stream = bill::stream(&desk, paper.id).await?.ok_or(Refusal::NotFound)?;
    let bill = stream.bills.get(&month).ok_or(Refusal::NotFound)?;
    Ok(Json(BillTold::of(&stream, bill)))
}
