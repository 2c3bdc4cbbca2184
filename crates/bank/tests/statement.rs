//! Statements and notifications, whole: the same bookings in both messages, and everything that can be wrong with a file.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use tacit_bank::decimal::DecimalError;
use tacit_bank::reference::Found;
use tacit_bank::statement::id::EntryId;
use tacit_bank::statement::{
    self, BYTES_MAX, BankFile, Direction, Entry, Message, Part, Parts, References, StatementError,
    Undivided, Unidentified,
};

const STATEMENT: &str = include_str!("fixtures/statement-08.xml");
const NOTIFICATION: &str = include_str!("fixtures/notification-02.xml");

fn read(text: &str) -> Result<BankFile, StatementError> {
    statement::read(text.as_bytes(), References::Standard)
}

/// The statement with one thing changed, which must be there.
fn changed(from: &str, to: &str) -> String {
    assert!(STATEMENT.contains(from), "{from} is not in the fixture");
    STATEMENT.replacen(from, to, 1)
}

fn error(from: &str, to: &str) -> StatementError {
    read(&changed(from, to)).unwrap_err()
}

fn entries(text: &str) -> Vec<Entry> {
    read(text).unwrap().statements.remove(0).entries
}

fn parts(entry: &Entry) -> &[Part] {
    match &entry.parts {
        Parts::Divided(parts) => parts,
        Parts::Undivided { reason, .. } => panic!("undivided: {reason:?}"),
    }
}

fn undivided(entry: &Entry) -> Option<Undivided> {
    match &entry.parts {
        Parts::Divided(_) => None,
        Parts::Undivided { reason, .. } => Some(*reason),
    }
}

/// Ids with what they stand for.
fn ids(entries: &[Entry]) -> Vec<(EntryId, u64)> {
    let all = entries.iter().flat_map(parts).map(|part| (part.id, part.amount.value()));
    let mut all: Vec<(EntryId, u64)> = all.collect();
    all.sort_unstable();
    all
}

#[test]
fn a_statement_is_read_whole() {
    let file = read(STATEMENT).unwrap();
    assert_eq!((file.message, file.version), (Message::Statement, Some(8)));
    let [statement] = &file.statements[..] else { panic!("one statement") };
    assert_eq!(statement.account.as_str(), "DE89370400440532013000");
    assert_eq!(statement.opening.unwrap().amount.to_string(), "1000.00 eur");
    assert_eq!(statement.closing.unwrap().day.to_string(), "2026-11-22");
    assert_eq!(statement.adds_up(), Some(true));
    assert_eq!((statement.unbooked, statement.refused.len()), (1, 0));
    let [credit, payout, batch, returned] = &statement.entries[..] else { panic!("four entries") };

    let paper = &parts(credit)[0].paper;
    assert_eq!((credit.direction, credit.amount.value()), (Direction::Credit, 15_000));
    assert_eq!(paper.counterparty.name.as_deref(), Some("Anna Apfel & Co"));
    assert_eq!(
        paper.counterparty.account.as_ref().unwrap().as_str(),
        "FR1420041010050500013M02606"
    );
    assert_eq!(paper.end_to_end_id, None);
    assert!(matches!(paper.reference(), Found::One(one) if one.body() == "000000000077"));

    let paper = &parts(payout)[0].paper;
    assert_eq!(
        (payout.direction, payout.booked.unwrap().to_string()),
        (Direction::Debit, "2026-11-22".to_owned())
    );
    assert_eq!(paper.end_to_end_id.as_deref(), Some("PO-1"));
    assert_eq!(paper.payment_information_id.as_deref(), Some("TACIT-1"));
    assert_eq!(payout.batch.as_ref().unwrap().message_id.as_deref(), Some("TACIT-1"));
    assert_eq!(paper.counterparty.account.as_ref().unwrap().as_str(), "12-345-6");

    assert_eq!(
        parts(batch).iter().map(|part| part.amount.value()).collect::<Vec<_>>(),
        [6050, 3000]
    );
    assert!(matches!(parts(batch)[0].paper.reference(), Found::One(_)));

    let paper = &parts(returned)[0].paper;
    assert_eq!(paper.end_to_end_id.as_deref(), Some("PO-1"));
    assert_eq!(paper.counterparty.name.as_deref(), Some("Berta Birne"), "not ourselves");
    assert_eq!(paper.returned.as_ref().unwrap().reason.as_deref(), Some("AC04"));
    assert_ne!(payout.id, returned.id, "the bank gave both the same reference");
}

#[test]
fn both_messages_give_a_booking_the_same_id() {
    let (statement, notification) = (entries(STATEMENT), entries(NOTIFICATION));
    let told: Vec<Entry> = vec![statement[0].clone(), statement[2].clone()];
    assert_eq!(ids(&told), ids(&notification));
    assert_eq!(ids(&told).len(), 3);
    // And another account, amount or direction another one.
    let other = entries(&STATEMENT.replace("DE89370400440532013000", "DE02120300000000202051"));
    assert!(other.iter().zip(&statement).all(|(other, own)| other.id != own.id));
}

#[test]
fn ids_do_not_change_with_a_release() {
    let id = entries(STATEMENT)[0].id.to_string();
    assert_eq!(
        id, "dc7885e1d2ae88d7732012ee00cdc7710f2c9d2efb55261e62ed62f7dadc4433",
        "a new id would import old bookings again"
    );
}

#[test]
fn a_notification_in_another_encoding_and_prefix_is_read() {
    let text = NOTIFICATION.replace("Anna Apfel", "Zo\u{eb}");
    let bytes: Vec<u8> = text.chars().map(|character| u8::try_from(character).unwrap()).collect();
    let file = statement::read(&bytes, References::Standard).unwrap();
    assert_eq!((file.message, file.version), (Message::Notification, Some(2)));
    let entry = &file.statements[0].entries[0];
    assert_eq!(parts(entry)[0].paper.counterparty.name.as_deref(), Some("Zo\u{eb}"));
    assert_eq!(file.statements[0].adds_up(), None);
}

#[test]
fn other_messages_and_versions_are_refused() {
    for (from, to) in [
        ("camt.053.001.08", "camt.052.001.08"),
        ("camt.053.001.08", "camt.054.001.08"),
        ("camt.053.001.08", "camt.053"),
        ("camt.053.001.08", "camt.053.001.x"),
        ("urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", ""),
    ] {
        assert_eq!(error(from, to), StatementError::Message, "{to:?}");
    }
    assert_eq!(error("001.08", "001.01"), StatementError::Version { version: 1 });
    for text in ["<a/>", "<Document/>", "<html><body>login</body></html>"] {
        assert_eq!(read(text), Err(StatementError::Message), "{text}");
    }
    // A later one differs in nothing that is read, and some banks leave the namespace out.
    assert_eq!(read(&changed("001.08", "001.13")).unwrap().version, Some(13));
    assert_eq!(read(&changed("camt.053.001.08", "camt.053.003.08")).unwrap().version, Some(8));
    let bare = changed(" xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"", "");
    assert_eq!(read(&bare).unwrap().version, None);
}

#[test]
fn what_is_missing_or_wrong_refuses_the_whole_file_at_its_line() {
    let missing = |line, element| StatementError::Missing { line, element };
    assert_eq!(error("<Id>2026-226</Id>", ""), missing(5, "Id"));
    assert_eq!(error("<IBAN>DE89370400440532013000</IBAN>", "<IBAN> </IBAN>"), missing(5, "Acct"));
    assert_eq!(error("<Dt><Dt>2026-11-22</Dt></Dt>", ""), missing(8, "Dt"));
    assert_eq!(error("<Sts><Cd>BOOK</Cd></Sts>", ""), missing(16, "Sts"));
    assert_eq!(error("<Sts><Cd>BOOK</Cd></Sts>", "<Sts/>"), missing(16, "Sts"));
    assert_eq!(
        error("<Amt Ccy=\"EUR\">150.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\n        <Sts>", "<Sts>"),
        missing(16, "Amt")
    );
    let without =
        format!("{}</BkToCstmrStmt></Document>", STATEMENT.split_once("<Stmt>").unwrap().0);
    assert_eq!(read(&without), Err(missing(3, "Stmt")));

    let line = 17;
    let amount = |source| StatementError::Amount { line, source };
    assert_eq!(error(">150.00<", ">-150.00<"), amount(DecimalError::Form));
    assert_eq!(error(">150.00<", "><"), amount(DecimalError::Form));
    assert!(matches!(
        error(">150.00<", ">150.005<"),
        StatementError::Amount { source: DecimalError::Decimals { .. }, .. }
    ));
    assert_eq!(error("Ccy=\"EUR\">150.00<", ">150.00<"), amount(DecimalError::Currency));
    assert_eq!(error(">150.00<", ">99999999999999999999<"), amount(DecimalError::TooLarge));
    assert_eq!(
        error("150.00</Amt><CdtDbtInd>CRDT", "150.00</Amt><CdtDbtInd>BOTH"),
        StatementError::Direction { line }
    );
    let date = StatementError::Date { line: 19 };
    for day in [
        "2026-13-01",
        "2026-02-30",
        "1969-12-31",
        "22.11.2026",
        "",
        "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
    ] {
        assert_eq!(
            error("<BookgDt><Dt>2026-11-22<", &format!("<BookgDt><Dt>{day}<")),
            date,
            "{day}"
        );
    }
}

#[test]
fn only_what_is_booked_counts() {
    for status in ["PDNG", "INFO", "FUTR", "book"] {
        let text = changed("<Sts><Cd>BOOK</Cd></Sts>", &format!("<Sts><Cd>{status}</Cd></Sts>"));
        let statement = read(&text).unwrap().statements.remove(0);
        assert_eq!((statement.entries.len(), statement.unbooked), (3, 2), "{status}");
        assert_eq!(statement.adds_up(), Some(false));
    }
    let own = changed("<Sts><Cd>BOOK</Cd></Sts>", "<Sts><Prtry>ALMOST</Prtry></Sts>");
    assert_eq!(entries(&own).len(), 3);
}

#[test]
fn a_booking_without_a_reference_is_for_a_person() {
    let text = changed("<AcctSvcrRef>REF-A</AcctSvcrRef>\n        <NtryDtls>", "<NtryDtls>");
    let of_payment = entries(&text);
    assert_eq!(of_payment[0].id, entries(STATEMENT)[0].id, "the payment's own reference");

    let text = text.replace("<AcctSvcrRef>REF-A</AcctSvcrRef><EndToEndId>", "<EndToEndId>");
    let statement = read(&text).unwrap().statements.remove(0);
    assert_eq!(statement.entries.len(), 3);
    let [refused] = &statement.refused[..] else { panic!("one refused") };
    assert_eq!(
        (refused.reason, refused.line, refused.amount.value()),
        (Unidentified::NoReference, 16, 15_000)
    );
    assert_eq!(refused.papers[0].counterparty.name.as_deref(), Some("Anna Apfel & Co"));
    assert_eq!(statement.adds_up(), Some(true));

    let trusted = statement::read(text.as_bytes(), References::EntryReference).unwrap();
    assert_eq!(trusted.statements[0].entries.len(), 4);
    let known = trusted.statements[0].entries[1].id;
    assert_eq!(known, entries(STATEMENT)[1].id, "better references still come first");
}

#[test]
fn two_bookings_with_one_reference_are_both_for_a_person() {
    let single = STATEMENT.split("<Ntry>").nth(1).unwrap();
    let text = changed("<Ntry>", &format!("<Ntry>{single}<Ntry>"));
    let statement = read(&text).unwrap().statements.remove(0);
    assert_eq!(statement.entries.len(), 3);
    assert_eq!(
        statement.refused.iter().map(|refused| refused.reason).collect::<Vec<_>>(),
        [Unidentified::SameReference; 2]
    );
}

#[test]
fn a_batch_is_divided_only_if_it_adds_up() {
    let of_batch = |text: &str| undivided(&entries(text)[2]);
    assert_eq!(of_batch(&changed(">60.50<", ">60.51<")), Some(Undivided::Sum));
    assert_eq!(of_batch(&changed("<NbOfTxs>2<", "<NbOfTxs>3<")), Some(Undivided::Count));
    assert_eq!(of_batch(&changed("<Amt Ccy=\"EUR\">60.50</Amt>", "")), Some(Undivided::NoAmount));
    assert_eq!(of_batch(&changed("\"EUR\">60.50", "\"USD\">60.50")), Some(Undivided::NoAmount));
    assert_eq!(
        of_batch(&changed("60.50</Amt><CdtDbtInd>CRDT", "60.50</Amt><CdtDbtInd>DBIT")),
        Some(Undivided::NoAmount)
    );
    let (before, rest) = STATEMENT.split_once("<Btch><NbOfTxs>2</NbOfTxs></Btch>").unwrap();
    let (_, after) = rest.split_once("</NtryDtls>").unwrap();
    let bare = format!("{before}<Btch><NbOfTxs>2</NbOfTxs></Btch></NtryDtls>{after}");
    assert_eq!(of_batch(&bare), Some(Undivided::NoDetails));
    // Its id is that of the divided one: whoever posted it once knows it again.
    assert_eq!(entries(&bare)[2].id, entries(STATEMENT)[2].id);
}

#[test]
fn payments_of_a_batch_that_are_alike_in_everything_are_counted() {
    let alike = STATEMENT.replace(">60.50<", ">45.25<").replace(">30.00<", ">45.25<");
    let alike = alike.replace(
        "<RmtInf><Strd><CdtrRefInf><Ref>RF59 0000 0000 0077</Ref></CdtrRefInf></Strd></RmtInf>",
        "",
    );
    let ids = ids(&[entries(&alike)[2].clone()]);
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0].0, ids[1].0);
}

#[test]
fn one_payment_brought_what_was_booked() {
    let after_charges = changed(
        "<Amt Ccy=\"EUR\">150.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\n          <RltdPties>",
        "<Amt Ccy=\"EUR\">152.00</Amt><RltdPties>",
    );
    assert_eq!(parts(&entries(&after_charges)[0])[0].amount.value(), 15_000);
}

#[test]
fn thousands_of_bookings_are_read() {
    let (head, rest) = STATEMENT.split_once("<Ntry>").unwrap();
    let (single, _) = rest.split_once("</Ntry>").unwrap();
    let many: String = (0..10_000)
        .map(|number| format!("<Ntry>{}</Ntry>", single.replace("REF-A", &format!("REF-{number}"))))
        .collect();
    let file = read(&format!("{head}{many}</Stmt></BkToCstmrStmt></Document>")).unwrap();
    assert_eq!(file.statements[0].entries.len(), 10_000);
}

#[test]
fn a_file_is_bounded_and_may_be_cut_anywhere() {
    assert_eq!(
        statement::read(&vec![b' '; BYTES_MAX + 1], References::Standard),
        Err(StatementError::TooLong)
    );
    for end in 0..STATEMENT.trim_end().len() {
        assert!(read(&STATEMENT[..end]).is_err(), "{end}");
    }
}

#[test]
fn nothing_of_a_payer_prints() {
    let shown = format!("{:?}", read(STATEMENT).unwrap());
    for secret in [
        "Anna",
        "Berta",
        "FR1420041010050500013M02606",
        "DE89370400440532013000",
        "savings",
        "12-345-6",
    ] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever a file becomes, reading it ends, and what it yields keeps its rules.
    #[test]
    fn any_change_is_read_or_refused(place in 0..STATEMENT.len(), length in 0..60_usize, put in "[<>/&;\"' 0-9A-Za-z]{0,12}") {
        let end = (place + length).min(STATEMENT.len());
        let text = [&STATEMENT[..place], &put, &STATEMENT[end..]].concat();
        if let Ok(file) = read(&text) {
            for entry in file.statements.iter().flat_map(|statement| &statement.entries) {
                if undivided(entry).is_none() {
                    let sum: u64 = parts(entry).iter().map(|part| part.amount.value()).sum();
                    prop_assert_eq!(sum, entry.amount.value());
                }
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = statement::read(&bytes, References::Standard);
    }
}
