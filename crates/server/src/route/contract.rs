//! Contracts for payers: their bills, payment with a receipt, and receipts of months in which nothing is due.
//!
//! Whoever has a contract's number is answered; nobody is asked who they are. The number stands in paths, which are not logged.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_credit::passport::wire::{self, bill};
use tacit_ecash::code::Code;
use tacit_ecash::message;
use tacit_ecash::payment_request::{PaymentRequest, Transport, TransportKind};
use tacit_ecash::request::PayRequest;
use tacit_service::account::HolderState;
use tacit_service::bill::{
    Bill, BillState, MonthError, PayBillError, PreparedMonth, PreparedReceipt, Stream, UnitSize,
    claim, oldest_month,
};
use tacit_service::passport::desk::month_subject;
use tacit_service::passport::{AnswerError, RequestDigest};
use tacit_service::vault::{Change, Outcome, VaultReader};

use super::check_unit;
use crate::answer::{self, Json};
use crate::cash::fees;
use crate::config::UnitConfig;
use crate::error::{ApiError, code_of_input};
use crate::passport::{Asked, Checked, Lane, check};
use crate::shop::request::mint_url;
use crate::state::{Shared, Step, UnitMint};

/// How often a payment is prepared anew that met another state, or another day, than it was prepared for.
const TRIES: usize = 3;

fn unknown() -> ApiError {
    ApiError::refused(Code::QuoteRefused, "the contract is not known")
}

/// The contract of a path.
fn contract(text: String) -> Result<Contract, ApiError> {
    Contract::try_from(text).map_err(|_| unknown())
}

/// The contract and month of a path.
fn place((contract_text, month): (String, String)) -> Result<(Contract, Epoch), ApiError> {
    let month = month.parse().map_err(|_| unknown())?;
    Ok((contract(contract_text)?, month))
}

/// A contract of this unit, and whether its biller can be paid.
fn find(
    reader: &mut dyn VaultReader,
    unit: Unit,
    id: Contract,
) -> Result<Option<(Stream, bool)>, ApiError> {
    let Some(stream) = reader.stream(id)?.filter(|stream| stream.contract.unit == unit) else {
        return Ok(None);
    };
    let holder = reader.holder(stream.contract.holder)?;
    let is_open = holder.is_some_and(|holder| holder.state == HolderState::Open);
    Ok(Some((stream, is_open)))
}

/// `GET /v1/contracts/{contract}`.
pub(super) async fn look_up(
    State(unit): State<UnitMint>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (id, of) = (contract(id)?, unit.terms.unit);
    let found = unit.shared.ask(move |reader| find(reader, of, id)).await?;
    let (stream, is_open) = found.ok_or_else(unknown)?;
    let (biller, description) = on_paper(&unit.shared, &stream).await;
    let now = unit.shared.now();
    let months = months(&stream, now);
    let months = months.map(|month| told(&unit, &stream, month, is_open, now)).collect();
    Ok(answer::json(&bill::Contract {
        contract: id,
        unit: of.to_string(),
        biller,
        description,
        begun: stream.contract.begun,
        ended: stream.contract.ended,
        months,
    }))
}

/// What the desk has on paper: names, without which a bill is paid all the same.
async fn on_paper(shared: &Arc<Shared>, stream: &Stream) -> (Option<String>, Option<String>) {
    let Some(desk) = &shared.desk else { return (None, None) };
    let (holder, id) = (stream.contract.holder, stream.contract.id);
    let found = desk.run(move |store| Ok((store.merchant(holder)?, store.contract(id)?))).await;
    let Ok((merchant, paper)) = found else { return (None, None) };
    (
        merchant.map(|merchant| merchant.name.as_str().to_owned()),
        paper.map(|paper| paper.description.as_str().to_owned()),
    )
}

/// The months there is something to say of: from the first that is kept to this one, and those of later bills.
fn months(stream: &Stream, now: Timestamp) -> impl Iterator<Item = Epoch> {
    let this = Epoch::of(now);
    let first = stream.contract.begun.max(oldest_month(now)).number();
    let last = stream.bills.keys().next_back().map_or(this, |last| this.max(*last));
    (first..=last.number()).filter_map(|number| Epoch::new(number).ok())
}

fn told(
    unit: &UnitMint,
    stream: &Stream,
    month: Epoch,
    is_open: bool,
    now: Timestamp,
) -> bill::Month {
    let bill = stream.bills.get(&month).map(|bill| bill::Bill {
        amount: bill.amount,
        due: bill.due.to_string(),
        last: bill.is_last,
        state: bill.state.name().to_owned(),
        units: size(&unit.terms).units(bill.amount),
        payment_request: (bill.state == BillState::Open)
            .then(|| payment_request(&unit.shared, stream, bill))
            .flatten(),
    });
    bill::Month {
        month,
        subject: month_subject(stream.contract.id, month),
        bill,
        quiet: stream.quiet_month(month, is_open, now).ok(),
    }
}

/// How any wallet pays a bill. Without a lock: what is sent goes to the mint itself, and nobody holds it in between.
fn payment_request(shared: &Shared, stream: &Stream, bill: &Bill) -> Option<String> {
    let mint = mint_url(shared, stream.contract.unit)?;
    let target =
        format!("{mint}/v1/contracts/{}/{}/pay", String::from(bill.contract), bill.month());
    let request = PaymentRequest {
        amount: Some(bill.amount),
        unit: Some(stream.contract.unit.code().to_owned()),
        is_single_use: Some(true),
        mints: vec![mint],
        transports: vec![Transport { kind: TransportKind::Post, target, tags: Vec::new() }],
        ..PaymentRequest::default()
    };
    request.to_creq_a().ok()
}

/// `POST /v1/contracts/{contract}/{month}/pay`: the payload of NUT-18, with a request for a receipt beside it.
#[derive(Deserialize)]
pub(super) struct PayAsked {
    #[serde(default)]
    id: Option<String>,
    unit: String,
    proofs: Vec<message::Proof>,
    #[serde(default)]
    receipt: Option<wire::Ask>,
}

/// A payment as it is tried: again, if something changed meanwhile.
struct Payment {
    contract: Contract,
    month: Epoch,
    request: PayRequest,
    receipt: Option<wire::Ask>,
}

/// `POST /v1/contracts/{contract}/{month}/pay`. The same again gets the same receipt.
pub(super) async fn pay(
    State(unit): State<UnitMint>,
    Path(path): Path<(String, String)>,
    Json(body): Json<PayAsked>,
) -> Result<Response, ApiError> {
    let (contract, month) = place(path)?;
    let PayAsked { id, unit: of, proofs, receipt } = body;
    let request = message::PayRequest { id, unit: of, proofs, refund_outputs: None };
    let request = PayRequest::try_from(request)?;
    check_unit(&unit, request.unit)?;
    let payment = Arc::new(Payment { contract, month, request, receipt });
    let mut tries = 1;
    loop {
        let lane = match &payment.receipt {
            Some(_) => Some(unit.shared.passports.lane().await?),
            None => None,
        };
        match try_pay(&unit, Arc::clone(&payment), lane).await? {
            Ok(paid) => return Ok(answer::json(&paid)),
            Err(PayBillError::Changed) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn try_pay(
    unit: &UnitMint,
    payment: Arc<Payment>,
    lane: Option<Lane>,
) -> Result<Result<bill::Paid, PayBillError>, ApiError> {
    let (terms, now) = (Arc::clone(&unit.terms), unit.shared.now());
    let of = terms.unit;
    let prepare = move |reader: &mut dyn VaultReader, shared: &Shared| {
        let _lane = lane;
        let found = find(reader, of, payment.contract)?;
        let bill = found.as_ref().and_then(|(stream, _)| stream.bills.get(&payment.month));
        let Some(((stream, _), bill)) = found.as_ref().zip(bill) else {
            return Ok(Step::Done(Err(PayBillError::Unknown)));
        };
        let key = reader.holder(stream.contract.holder)?.and_then(|holder| holder.key);
        let (mint, inputs) = (shared.mint(), payment.request.inputs.as_slice());
        let prepared = mint.prepare_bill_payment(&stream.contract, bill, key.as_ref(), inputs);
        let prepared = match prepared {
            Ok(prepared) => prepared.with_fee(fees(shared, of).sale.of(bill.amount)),
            Err(refused) => return Ok(Step::Done(Err(refused))),
        };
        let Some(ask) = &payment.receipt else {
            return Ok(Step::Commit(Change::PayBill(Box::new(prepared))));
        };
        if bill.state.is_paid() {
            // Its proofs were checked before, and nothing of this changes anything: the same request has the same reply.
            let reply = reader.reply(RequestDigest::of(&ask.request))?;
            let told = reply.map(|reply| paid(of, bill.state, Some(reply)));
            return Ok(Step::Done(told.ok_or(PayBillError::AlreadyPaid)));
        }
        let facts = bill.receipt(now, size(&terms));
        let checked = check(reader, shared, ask, &Asked::Claim(claim(payment.month, facts)));
        if let Ok(Checked::Now(answer)) = checked {
            let receipt = PreparedReceipt { facts, answer: *answer };
            return Ok(Step::Commit(Change::PayBill(Box::new(prepared.with_receipt(receipt)))));
        }
        // Somebody may have paid it between the two looks: then the bill says so, not its receipt.
        let again = find(reader, of, payment.contract)?;
        let again = again.as_ref().and_then(|(stream, _)| stream.bills.get(&payment.month));
        if again != Some(bill) {
            return Ok(Step::Done(Err(PayBillError::Changed)));
        }
        // Else it is a month's receipt of nothing due, from when the biller could not be paid.
        checked.map(|_| Step::Done(Err(PayBillError::Receipt(AnswerError::Shown { index: 0 }))))
    };
    let finish = move |change, outcome| {
        let (Change::PayBill(payment), Outcome::BillPaid(done)) = (change, outcome) else {
            unreachable!("it was a payment")
        };
        Ok(done.map(|reply| paid(of, payment.bill().paid(now), reply)))
    };
    unit.shared.transact(prepare, finish).await
}

/// What a payer is told of a payment. Whether it was in time, the receipt says by the moment of the commit.
fn paid(unit: Unit, state: BillState, reply: Option<Vec<u8>>) -> bill::Paid {
    let receipt = reply.map(|reply| wire::Answer { reply });
    bill::Paid { state: state.name().to_owned(), unit: unit.to_string(), receipt }
}

/// `POST /v1/contracts/{contract}/{month}/receipt`: of a month in which nothing is due. The same again gets the same reply.
pub(super) async fn close(
    State(unit): State<UnitMint>,
    Path(path): Path<(String, String)>,
    Json(ask): Json<wire::Ask>,
) -> Result<Response, ApiError> {
    let ((contract, month), of) = (place(path)?, unit.terms.unit);
    let lane = unit.shared.passports.lane().await?;
    let prepare = move |reader: &mut dyn VaultReader, shared: &Shared| {
        let _lane = lane;
        let (stream, is_open) = find(reader, of, contract)?.ok_or_else(unknown)?;
        let facts = match stream.quiet_month(month, is_open, shared.now()) {
            Ok(facts) => facts,
            Err(refused) => return Ok(Step::Done(Err(refused))),
        };
        Ok(match check(reader, shared, &ask, &Asked::Claim(claim(month, facts)))? {
            Checked::Before(reply) => Step::Done(Ok(reply)),
            Checked::Now(answer) => {
                let receipt = PreparedReceipt { facts, answer: *answer };
                let holder = stream.contract.holder;
                let month = PreparedMonth { contract, holder, month, receipt };
                Step::Commit(Change::CloseMonth(Box::new(month)))
            }
        })
    };
    let closed = unit.shared.transact(prepare, |_, outcome| {
        let Outcome::MonthClosed(closed) = outcome else { unreachable!("it was a month") };
        Ok(closed)
    });
    Ok(answer::json(&wire::Answer { reply: closed.await?? }))
}

/// What counts as one in a passport.
fn size(terms: &UnitConfig) -> UnitSize {
    UnitSize::new(terms.passport_unit).expect("at least 1, as the configuration was checked")
}

impl From<PayBillError> for ApiError {
    fn from(error: PayBillError) -> Self {
        let code = match &error {
            PayBillError::Unknown => Code::QuoteRefused,
            PayBillError::Input(input) => code_of_input(input),
            PayBillError::WrongLock { .. } => Code::InvalidProof,
            PayBillError::WrongAmount { .. } => Code::Unbalanced,
            PayBillError::AlreadyPaid => Code::AlreadyPaid,
            PayBillError::Withdrawn | PayBillError::BillerClosed | PayBillError::Changed => {
                Code::Refused
            }
            PayBillError::Receipt(_) => Code::PassportShown,
        };
        Self::refused(code, error)
    }
}

impl From<MonthError> for ApiError {
    fn from(error: MonthError) -> Self {
        let code = match &error {
            MonthError::Unknown => Code::QuoteRefused,
            MonthError::NotBegun { .. }
            | MonthError::TooOld { .. }
            | MonthError::Billed { .. }
            | MonthError::TooEarly { .. }
            | MonthError::Changed => Code::Refused,
            MonthError::Receipt(_) => Code::PassportShown,
        };
        Self::refused(code, error)
    }
}
