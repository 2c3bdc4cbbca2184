//! Reading the bookings of a statement.

use std::collections::HashMap;

use tacit_core::amount::Amount;

use super::id::EntryId;
use super::paper::{self, Paper};
use super::{
    Batch, Direction, Entry, Part, Parts, References, Refused, StatementError, Undivided,
    Unidentified, id,
};
use crate::decimal;
use crate::document::Node;
use crate::iban::BankAccount;

/// All bookings of a statement: those with an id, those without, and how many entries are not booked.
pub(super) fn all(
    statement: &Node<'_>,
    account: &BankAccount,
    references: References,
) -> Result<(Vec<Entry>, Vec<Refused>, usize), StatementError> {
    let (mut entries, mut refused, mut unbooked) = (Vec::new(), Vec::new(), 0);
    for node in statement.all("Ntry") {
        if !is_booked(node)? {
            unbooked += 1;
            continue;
        }
        match entry(node, account, references)? {
            Ok(entry) => entries.push(entry),
            Err(one) => refused.push(one),
        }
    }
    let mut count = HashMap::<EntryId, usize>::new();
    for entry in &entries {
        *count.entry(entry.id).or_default() += 1;
    }
    let (entries, same): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| count[&entry.id] == 1);
    refused.extend(same.into_iter().map(|entry| without_id(entry, Unidentified::SameReference)));
    refused.sort_by_key(|refused| refused.line);
    Ok((entries, refused, unbooked))
}

/// Only `BOOK` is money: the rest is pending, or for information. Up to version 07 the code is the status itself.
fn is_booked(entry: &Node<'_>) -> Result<bool, StatementError> {
    let missing = StatementError::Missing { line: entry.line, element: "Sts" };
    let status = entry.at(&["Sts"]).ok_or(missing)?;
    let code = status.text().or_else(|| status.text_at(&["Cd"]));
    // A bank's own status is none that we know to be booked.
    let code = code.or_else(|| status.text_at(&["Prtry"])).ok_or(missing)?;
    Ok(code == "BOOK")
}

/// One booking, or why it has no id.
fn entry(
    node: &Node<'_>,
    account: &BankAccount,
    references: References,
) -> Result<Result<Entry, Refused>, StatementError> {
    let (amount, direction) = (super::amount(node)?, super::direction(node)?);
    let booked = super::day(node, "BookgDt")?;
    let details: Vec<&Node<'_>> =
        node.all("NtryDtls").flat_map(|details| details.all("TxDtls")).collect();
    let batch = batch(node);
    let papers: Vec<Paper> = if details.is_empty() {
        vec![paper::read(node, None, account, direction)]
    } else {
        details.iter().map(|detail| paper::read(node, Some(detail), account, direction)).collect()
    };
    let id = match id::of_entry(node, &details, references) {
        Some(reference) => reference.id(account, direction, amount),
        None => {
            let reason = Unidentified::NoReference;
            let line = node.line;
            return Ok(Err(Refused { line, booked, direction, amount, reason, papers }));
        }
    };
    let payments = batch.as_ref().and_then(|batch| batch.payments);
    let parts = match amounts(&details, payments, direction, amount)? {
        Err(reason) => Parts::Undivided { reason, papers },
        Ok(amounts) => Parts::Divided(parts(id, &details, amounts, papers)),
    };
    let reversal = matches!(node.text_at(&["RvslInd"]), Some("true" | "1"));
    let line = node.line;
    Ok(Ok(Entry { id, line, booked, direction, reversal, amount, batch, parts }))
}

/// The order file that a booking names, if it names one or says how many payments it is.
fn batch(entry: &Node<'_>) -> Option<Batch> {
    let batches: Vec<&Node<'_>> =
        entry.all("NtryDtls").filter_map(|details| details.at(&["Btch"])).collect();
    let first = batches.first()?;
    let text = |name| id::meaningful(first.text_at(&[name])).map(str::to_owned);
    let count = |batch: &&Node<'_>| batch.text_at(&["NbOfTxs"])?.parse::<u64>().ok();
    Some(Batch {
        message_id: text("MsgId"),
        payment_information_id: text("PmtInfId"),
        payments: batches.iter().map(count).sum(),
    })
}

/// What each payment of a booking brought, or why that cannot be said.
///
/// One payment brought what was booked, also if the bank kept charges of it. Several must add up to the booking.
fn amounts(
    details: &[&Node<'_>],
    payments: Option<u64>,
    direction: Direction,
    booked: Amount,
) -> Result<Result<Vec<Amount>, Undivided>, StatementError> {
    let expected = payments.and_then(|payments| usize::try_from(payments).ok());
    match (details.len(), expected) {
        (0, Some(2..)) => return Ok(Err(Undivided::NoDetails)),
        (0 | 1, None | Some(0 | 1)) => return Ok(Ok(vec![booked])),
        (found, Some(expected)) if found != expected => return Ok(Err(Undivided::Count)),
        _ => {}
    }
    let mut amounts = Vec::with_capacity(details.len());
    for detail in details {
        match amount(detail, direction)? {
            Some(amount) if amount.unit() == booked.unit() => amounts.push(amount),
            _ => return Ok(Err(Undivided::NoAmount)),
        }
    }
    let sum = amounts
        .iter()
        .try_fold(Amount::zero(booked.unit()), |sum, amount| sum.checked_add(*amount).ok());
    Ok(if sum == Some(booked) { Ok(amounts) } else { Err(Undivided::Sum) })
}

/// What one of several payments brought: its own amount, which before version 04 stands with other amounts of it.
fn amount(detail: &Node<'_>, booked: Direction) -> Result<Option<Amount>, StatementError> {
    if detail.at(&["CdtDbtInd"]).is_some() && super::direction(detail)? != booked {
        return Ok(None);
    }
    let places = [&["Amt"][..], &["AmtDtls", "TxAmt", "Amt"], &["AmtDtls", "InstdAmt", "Amt"]];
    let Some(node) = places.iter().find_map(|path| detail.at(path)) else { return Ok(None) };
    let read =
        decimal::amount(node.text().unwrap_or_default(), node.currency().unwrap_or_default());
    read.map(Some).map_err(|source| StatementError::Amount { line: node.line, source })
}

fn parts(
    entry: EntryId,
    details: &[&Node<'_>],
    amounts: Vec<Amount>,
    mut papers: Vec<Paper>,
) -> Vec<Part> {
    if let [only] = &mut papers[..] {
        return vec![Part { id: entry, amount: amounts[0], paper: std::mem::take(only) }];
    }
    let content = |(amount, paper): (&Amount, &Paper)| {
        let account = paper.counterparty.account.as_ref().map(BankAccount::as_str);
        let fields = [paper.counterparty.name.as_deref(), account, paper.end_to_end_id.as_deref()];
        let lines = paper.structured.iter().chain(&paper.remittance).map(String::as_str);
        let fields = fields.map(Option::unwrap_or_default).into_iter().chain(lines);
        fields.fold(amount.to_string(), |content, field| content + "\n" + field)
    };
    let contents: Vec<String> = amounts.iter().zip(&papers).map(content).collect();
    let ids = id::of_parts(entry, details, &contents);
    let parts = ids.into_iter().zip(amounts).zip(papers);
    parts.map(|((id, amount), paper)| Part { id, amount, paper }).collect()
}

fn without_id(entry: Entry, reason: Unidentified) -> Refused {
    let Entry { line, booked, direction, amount, parts, .. } = entry;
    let papers = match parts {
        Parts::Divided(parts) => parts.into_iter().map(|part| part.paper).collect(),
        Parts::Undivided { papers, .. } => papers,
    };
    Refused { line, booked, direction, amount, reason, papers }
}
