//! A file of bills at the console: all of it is taken, or nothing, and every line that is wrong is named.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request, State};
use axum::response::Response;
use axum::routing::post;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_service::desk::merchant::Merchant;

use super::contracts::{PATH, Place, Typed, show_list};
use super::own;
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, check_token};
use crate::route::desk::see;
use crate::shop::bill::{self, NewBill};
use crate::shop::bill_file::{self, Line, Which, Wrong};
use crate::text::{ENGLISH, fill};

/// Bytes of a file: as many bills as are taken at once, and room for what is written around them.
const BYTES_MAX: usize = 128 * 1024;

/// How long a file may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/merchant/contracts/file", post(upload))
        .layer(DefaultBodyLimit::max(BYTES_MAX + 4096))
}

/// `POST /merchant/contracts/file`. The form's token comes first, and nothing is read before it.
async fn upload(State(desk): State<Desk>, request: Request) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let login = PersonLogin::from_request_parts(&mut parts, &desk).await?;
    let merchant = own(&desk, &login).await?;
    let form = Multipart::from_request(Request::from_parts(parts, body), &desk).await;
    let form = form.map_err(|_| Refusal::Bad)?;
    let read = tokio::time::timeout(ARRIVAL, file(form, &login)).await;
    let bytes = read.map_err(|_| Refusal::Bad)??;
    let wrong = match take(&desk, &merchant, &bytes).await? {
        Ok(count) => return Ok(see(&format!("{PATH}?done=billed&count={count}"))),
        Err(wrong) => wrong,
    };
    let typed = Typed { file: wrong, ..Typed::default() };
    show_list(&desk, &login, &merchant, Place::default(), typed).await
}

/// Takes the bills of a file, and says how many; within, what is wrong.
async fn take(
    desk: &Desk,
    merchant: &Merchant,
    bytes: &[u8],
) -> Result<Result<usize, Vec<Wrong>>, Refusal> {
    if bytes.is_empty() {
        let why = ENGLISH.biller.file_nothing.to_owned();
        return Ok(Err(vec![Wrong { line: 0, why }]));
    }
    let lines = match bill_file::read(bytes, merchant.unit) {
        Ok(lines) => lines,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let bills = match resolve(desk, merchant, &lines).await? {
        Ok(bills) => bills,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let refused = match bill::bill(desk, merchant, &bills).await? {
        Ok(()) => return Ok(Ok(bills.len())),
        Err(refused) => refused,
    };
    let wrong = refused.iter().map(|wrong| Wrong {
        line: lines[wrong.index].number,
        why: bill::why(wrong.why, merchant.unit),
    });
    Ok(Err(wrong.collect()))
}

/// The bills of the lines, each of a contract of the biller's, and one a contract and month.
async fn resolve(
    desk: &Desk,
    merchant: &Merchant,
    lines: &[Line],
) -> Result<Result<Vec<NewBill>, Vec<Wrong>>, Refusal> {
    let (account, named) = (merchant.account, lines.to_vec());
    let found = desk.run(move |store| {
        let contract = |store: &mut dyn tacit_service::desk::DeskStore, line: &Line| {
            let found = match line.contract {
                Which::Count(number) => store.contract_of_number(account, number)?,
                Which::Number(id) => store.contract(id)?,
            };
            Ok::<_, Refusal>(found.filter(|paper| paper.merchant == account).map(|it| it.id))
        };
        named.iter().map(|line| contract(store, line)).collect::<Result<Vec<_>, _>>()
    });
    let text = &ENGLISH.biller;
    let (mut bills, mut wrong) = (Vec::new(), Vec::new());
    let mut seen: HashMap<(Contract, Epoch), u64> = HashMap::new();
    for (line, contract) in lines.iter().zip(found.await?) {
        let Line { number, due, amount, is_last, .. } = *line;
        let Some(contract) = contract else {
            wrong.push(Wrong { line: number, why: text.bill_contract.to_owned() });
            continue;
        };
        if let Some(other) = seen.insert((contract, Epoch::of(due.start())), number) {
            wrong.push(Wrong { line: number, why: fill(text.bill_twice, "line", other) });
        }
        bills.push(NewBill { contract, amount, due, is_last });
    }
    Ok(if wrong.is_empty() { Ok(bills) } else { Err(wrong) })
}

/// The bytes of a form's file, which the form's token stands before.
async fn file(mut form: Multipart, login: &PersonLogin) -> Result<Vec<u8>, Refusal> {
    let mut is_own = false;
    loop {
        let field = form.next_field().await.map_err(|_| Refusal::TooLarge)?;
        let field = field.ok_or(Refusal::Forged)?;
        match field.name() {
            Some("form_token") => {
                let token = String::from_utf8(bounded(field, 2 * 32).await?);
                check_token(&token.map_err(|_| Refusal::Forged)?, &login.key)?;
                is_own = true;
            }
            Some("file") if is_own => return bounded(field, BYTES_MAX).await,
            _ => return Err(Refusal::Forged),
        }
    }
}

/// A field of at most so many bytes.
async fn bounded(mut field: Field<'_>, max: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| Refusal::TooLarge)? {
        if max < bytes.len() + chunk.len() {
            return Err(Refusal::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
