//! From the bank's words to the desk's.

use sha2::{Digest, Sha256};
use tacit_bank::reference::Found;
use tacit_bank::statement::paper::Paper as BankPaper;
use tacit_bank::statement::{self, Entry, Parts, Refused, Statement, Unidentified};
use tacit_core::unit::Unit;
use tacit_service::account::Direction;
use tacit_service::desk::booking::{Booking, BookingState, Paper, Unclear};
use tacit_service::posting::EntryId;

/// Characters of a name or number that are kept. Banks send at most 140.
const NAME_MAX: usize = 200;

/// Characters of all texts together that are kept.
const TEXT_MAX: usize = 4000;

/// All bookings of a statement, each with its parts. `file`: the bytes it came in.
pub(super) fn of_statement(
    statement: &Statement,
    unit: Unit,
    file: &[u8],
) -> Vec<(EntryId, Vec<Booking>)> {
    // Some banks book nothing, in so many words.
    let entries = statement.entries.iter().filter(|entry| entry.amount.value() > 0);
    let entries = entries.map(|entry| of_entry(entry, unit));
    let digest: [u8; 32] = Sha256::digest(file).into();
    let refused = statement.refused.iter().filter(|refused| refused.amount.value() > 0);
    entries.chain(refused.map(|refused| of_refused(refused, unit, &digest))).collect()
}

fn of_entry(entry: &Entry, unit: Unit) -> (EntryId, Vec<Booking>) {
    let id = EntryId::from_bytes(*entry.id.as_bytes());
    let whole = Booking {
        id,
        entry: id,
        day: entry.booked,
        direction: direction(entry.direction),
        unit: entry.amount.unit(),
        amount: entry.amount.value(),
        paper: Paper::default(),
        state: BookingState::Noted,
    };
    let is_foreign = entry.amount.unit() != unit;
    let bookings = match &entry.parts {
        Parts::Divided(parts) if !is_foreign => {
            let part = |part: &statement::Part| Booking {
                id: EntryId::from_bytes(*part.id.as_bytes()),
                amount: part.amount.value(),
                paper: paper(&part.paper),
                ..whole.clone()
            };
            parts.iter().map(part).filter(|part| part.amount > 0).collect()
        }
        Parts::Divided(parts) => {
            let papers: Vec<&BankPaper> = parts.iter().map(|part| &part.paper).collect();
            let state = BookingState::Unclear(Unclear::Currency);
            vec![Booking { paper: papers_of(&papers), state, ..whole }]
        }
        Parts::Undivided { papers, .. } => {
            let papers: Vec<&BankPaper> = papers.iter().collect();
            let unclear = if is_foreign { Unclear::Currency } else { Unclear::Undivided };
            vec![Booking {
                paper: papers_of(&papers),
                state: BookingState::Unclear(unclear),
                ..whole
            }]
        }
    };
    (id, bookings)
}

/// A booking without an id of the bank's gets one of the file: it is shown once for each file that has it.
fn of_refused(refused: &Refused, unit: Unit, file: &[u8; 32]) -> (EntryId, Vec<Booking>) {
    let place = refused.line.to_be_bytes();
    let hash = Sha256::new_with_prefix(b"tacit/bank/unidentified/1").chain_update(file);
    let id = EntryId::from_bytes(hash.chain_update(place).finalize().into());
    let papers: Vec<&BankPaper> = refused.papers.iter().collect();
    let unclear = match refused.reason {
        _ if refused.amount.unit() != unit => Unclear::Currency,
        Unidentified::NoReference => Unclear::NoReference,
        Unidentified::SameReference => Unclear::SameReference,
    };
    let booking = Booking {
        id,
        entry: id,
        day: refused.booked,
        direction: direction(refused.direction),
        unit: refused.amount.unit(),
        amount: refused.amount.value(),
        paper: papers_of(&papers),
        state: BookingState::Unclear(unclear),
    };
    (id, vec![booking])
}

fn direction(direction: statement::Direction) -> Direction {
    match direction {
        statement::Direction::Credit => Direction::In,
        statement::Direction::Debit => Direction::Out,
    }
}

fn paper(of: &BankPaper) -> Paper {
    let reference = match of.reference() {
        Found::One(reference) => Some(reference.as_str().to_owned()),
        Found::Nothing | Found::Several => None,
    };
    let returned = of.returned.as_ref();
    let said = returned.map(|back| back.information.as_slice()).unwrap_or_default();
    let lines: Vec<&String> =
        of.structured.iter().chain(&of.remittance).chain(&of.additional).chain(said).collect();
    Paper {
        name: of.counterparty.name.as_deref().map(|name| plain(name, NAME_MAX)),
        account: of.counterparty.account.as_ref().map(|account| plain(account.as_str(), NAME_MAX)),
        end_to_end: of.end_to_end_id.as_deref().map(|id| plain(id, NAME_MAX)),
        text: text(&lines),
        reference,
        returned: returned.map(|back| plain(back.reason.as_deref().unwrap_or_default(), NAME_MAX)),
    }
}

/// The paper of a booking that is not divided: that of its only payment, else all texts.
fn papers_of(papers: &[&BankPaper]) -> Paper {
    if let [only] = papers {
        return paper(only);
    }
    let all: Vec<Paper> = papers.iter().map(|one| paper(one)).collect();
    let lines: Vec<&String> =
        all.iter().flat_map(|one| one.name.iter().chain([&one.text])).collect();
    Paper { text: text(&lines), ..Paper::default() }
}

fn text(lines: &[&String]) -> String {
    let lines = lines.iter().flat_map(|line| line.lines()).map(|line| plain(line, TEXT_MAX));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n").chars().take(TEXT_MAX).collect()
}

/// Without what moves a cursor or turns the direction of writing, and not longer than `max` characters.
fn plain(text: &str, max: usize) -> String {
    let is_unshown = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    };
    let shown = |c| if is_unshown(c) { ' ' } else { c };
    text.chars().map(shown).take(max).collect::<String>().trim().to_owned()
}
