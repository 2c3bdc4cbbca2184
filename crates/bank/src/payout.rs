//! What the bank is asked to pay: pain.001.001.09, the SEPA credit transfer.
//!
//! Ids are the caller's and deterministic, so that a file written twice is the same file and a bank that gets it twice
//! pays once. Texts are brought into the character set of the European Payments Council: characters outside it are
//! replaced as EPC217-08 says (`ü` by `u`, `Я` by `YA`), those it does not know by a full stop.

use std::collections::HashSet;

use sepa::charset::{Transliteration, transliterate};
use sepa::pain001::{CreditTransferEntry, CreditTransferGroup, Pain001Builder};
use tacit_core::amount::Amount;
use tacit_core::time::{Day, Timestamp};

use crate::iban::{Bic, Iban};

/// Longest name in characters; longer ones are cut, since the account number decides whom the bank pays.
const NAME_MAX: usize = 70;

/// Longest text for the payee in characters.
const REMITTANCE_MAX: usize = 140;

/// Largest single payment of the scheme in cents: 999,999,999.99 euros.
const CENTS_MAX: u64 = 99_999_999_999;

/// An order to pay.
#[derive(Clone)]
pub struct PayoutFile {
    /// `MsgId`: a bank refuses to carry out the same twice. Also the `PmtInfId` of the one group of payments.
    pub message_id: String,
    /// When the order was made: the same each time the file is written.
    pub created: Timestamp,
    /// When the bank shall pay.
    pub execution: Day,
    /// Name of the account's owner.
    pub debtor_name: String,
    /// The account that pays.
    pub debtor: Iban,
    /// Its bank, where it wants to be named.
    pub debtor_bank: Option<Bic>,
    /// One or more.
    pub payouts: Vec<Payout>,
}

/// One payment.
#[derive(Clone)]
pub struct Payout {
    /// `EndToEndId`: comes back with the booking, and with the money if it cannot be paid out.
    pub end_to_end_id: String,
    /// Who is paid.
    pub creditor_name: String,
    /// Where.
    pub creditor: Iban,
    /// How much, in euros.
    pub amount: Amount,
    /// What the payee reads.
    pub remittance: String,
}

/// Why no file can be written. Variants stand in the order they are checked; `index` counts payouts from 0.
#[derive(Debug, thiserror::Error)]
pub enum PayoutError {
    /// Nothing to pay.
    #[error("there is nothing to pay")]
    Empty,
    /// Not an id that banks take.
    #[error("a message id is 1 to 35 letters, digits and signs of SEPA's character set")]
    MessageId,
    /// A time after the year 9999.
    #[error("a date has a year of four digits")]
    Date,
    /// Nothing left of it in the character set.
    #[error("the name of the account's owner cannot be written in SEPA's character set")]
    DebtorName,
    /// The scheme knows euros alone.
    #[error("payout {index} is not in euros")]
    NotEuro {
        /// Which payout.
        index: usize,
    },
    /// Zero, or above what the scheme carries.
    #[error("payout {index} is zero or above 999999999.99 euros")]
    Amount {
        /// Which payout.
        index: usize,
    },
    /// An account that the scheme does not reach.
    #[error("payout {index} goes to a country outside SEPA")]
    OutsideSepa {
        /// Which payout.
        index: usize,
    },
    /// Not an id that banks take.
    #[error("the end-to-end id of payout {index} is not 1 to 35 characters of SEPA's set")]
    EndToEndId {
        /// Which payout.
        index: usize,
    },
    /// Two payouts could not be told apart when they come back.
    #[error("payout {index} has the end-to-end id of an earlier one")]
    SameEndToEndId {
        /// Which payout.
        index: usize,
    },
    /// Nothing left of it in the character set.
    #[error("the payee's name of payout {index} cannot be written in SEPA's character set")]
    CreditorName {
        /// Which payout.
        index: usize,
    },
    /// Empty or too long.
    #[error("the text of payout {index} is not 1 to 140 characters")]
    Remittance {
        /// Which payout.
        index: usize,
    },
    /// A rule of the scheme that is not among the others.
    #[error("the file breaks a rule of the scheme")]
    Scheme(#[source] sepa::BuildError),
}

/// Writes an order: XML in UTF-8, the same bytes for the same order.
///
/// Each payment is asked to be booked by itself, so that the statement names each `EndToEndId`.
///
/// # Errors
/// [`PayoutError`].
///
/// Source: pain.001.001.09; EPC132-08, "SEPA Credit Transfer Scheme Customer-to-PSP Implementation Guidelines".
pub fn write(file: &PayoutFile) -> Result<String, PayoutError> {
    if file.payouts.is_empty() {
        return Err(PayoutError::Empty);
    }
    if sepa::validate::check_id("MsgId", &file.message_id).is_err() {
        return Err(PayoutError::MessageId);
    }
    let execution = sepa::IsoDate::parse(&file.execution.to_string());
    let execution = execution.map_err(|_| PayoutError::Date)?;
    let created = sepa::IsoDateTime::parse(&file.created.to_string());
    let created = created.map_err(|_| PayoutError::Date)?;
    let debtor_name = name(&file.debtor_name).ok_or(PayoutError::DebtorName)?;
    let mut group =
        CreditTransferGroup::new(debtor_name.clone(), &library_iban(&file.debtor), execution)
            .payment_info_id(file.message_id.clone())
            .batch_booking(false);
    if let Some(bank) = &file.debtor_bank {
        group = group.debtor_bic(bank.as_str().parse().expect("checked when it was made"));
    }
    let mut ids = HashSet::new();
    for (index, payout) in file.payouts.iter().enumerate() {
        let entry = entry(index, payout)?;
        if !ids.insert(&payout.end_to_end_id) {
            return Err(PayoutError::SameEndToEndId { index });
        }
        group = group.add_entry(entry);
    }
    Pain001Builder::new(debtor_name, file.message_id.clone())
        .created_at(created)
        .add_group(group)
        .build()
        .map_err(PayoutError::Scheme)
}

fn entry(index: usize, payout: &Payout) -> Result<CreditTransferEntry, PayoutError> {
    if payout.amount.unit().code() != "eur" {
        return Err(PayoutError::NotEuro { index });
    }
    let cents = Some(payout.amount.value()).filter(|cents| (1..=CENTS_MAX).contains(cents));
    let cents = cents.and_then(|cents| i64::try_from(cents).ok());
    let cents = cents.ok_or(PayoutError::Amount { index })?;
    let creditor = library_iban(&payout.creditor);
    if !creditor.is_sepa() {
        return Err(PayoutError::OutsideSepa { index });
    }
    if sepa::validate::check_id("EndToEndId", &payout.end_to_end_id).is_err() {
        return Err(PayoutError::EndToEndId { index });
    }
    let name = name(&payout.creditor_name).ok_or(PayoutError::CreditorName { index })?;
    let text = written(&payout.remittance);
    if text.is_empty() || text.len() > REMITTANCE_MAX {
        return Err(PayoutError::Remittance { index });
    }
    let id = payout.end_to_end_id.clone();
    Ok(CreditTransferEntry::new(name, creditor, cents, id).with_description(text))
}

fn library_iban(iban: &Iban) -> sepa::Iban {
    sepa::validate_iban(iban.as_str()).expect("checked when it was made")
}

/// A text in the scheme's character set (ASCII), with single spaces.
fn written(text: &str) -> String {
    let spaced: Vec<&str> = text.split_whitespace().collect();
    transliterate(&spaced.join(" "), Transliteration::Epc).trim().to_owned()
}

/// A name in the scheme's character set, cut to its length. `None` if no letter or digit is left.
fn name(text: &str) -> Option<String> {
    let mut name = written(text);
    name.truncate(NAME_MAX); // ASCII: every place is between two characters.
    let name = name.trim_end().to_owned();
    name.bytes().any(|byte| byte.is_ascii_alphanumeric()).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tacit_core::unit::Unit;

    use super::*;

    fn euros(cents: u64) -> Amount {
        Amount::new(cents, Unit::new("eur").unwrap()).unwrap()
    }

    fn payout() -> Payout {
        Payout {
            end_to_end_id: "PO-1".to_owned(),
            creditor_name: "Jürgen Groß & Söhne".to_owned(),
            creditor: "FR1420041010050500013M02606".parse().unwrap(),
            amount: euros(123_456),
            remittance: "Payout of 22 November".to_owned(),
        }
    }

    fn file() -> PayoutFile {
        PayoutFile {
            message_id: "TACIT-1".to_owned(),
            created: Timestamp::from_seconds(1_795_305_600),
            execution: Timestamp::from_seconds(1_795_392_000).day(),
            debtor_name: "Tacit".to_owned(),
            debtor: "DE89370400440532013000".parse().unwrap(),
            debtor_bank: Some("COBADEFFXXX".parse().unwrap()),
            payouts: vec![payout()],
        }
    }

    fn error(change: impl FnOnce(&mut PayoutFile)) -> String {
        let mut file = file();
        change(&mut file);
        format!("{:?}", write(&file).unwrap_err())
    }

    #[test]
    fn an_order_is_written_whole() {
        let text = write(&file()).unwrap();
        for part in [
            "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
            "<MsgId>TACIT-1</MsgId>",
            "<CreDtTm>2026-11-22T00:00:00Z</CreDtTm>",
            "<NbOfTxs>1</NbOfTxs>",
            "<CtrlSum>1234.56</CtrlSum>",
            "<BtchBookg>false</BtchBookg>",
            "<ReqdExctnDt><Dt>2026-11-23</Dt></ReqdExctnDt>",
            "<BICFI>COBADEFFXXX</BICFI>",
            "<EndToEndId>PO-1</EndToEndId>",
            "<InstdAmt Ccy=\"EUR\">1234.56</InstdAmt>",
            "<Nm>Jurgen Gros + Sohne</Nm>",
            "<Ustrd>Payout of 22 November</Ustrd>",
        ] {
            let flat: String = text.lines().map(str::trim).collect();
            assert!(flat.contains(part), "{part} is not in {flat}");
        }
        assert_eq!(write(&file()).unwrap(), text);
    }

    #[test]
    fn each_rule_has_its_error() {
        let usd = Amount::new(1, Unit::new("usd").unwrap()).unwrap();
        assert_eq!(error(|file| file.payouts.clear()), "Empty");
        for id in ["", "ü", "/1", "1//2", &"1".repeat(36)] {
            assert_eq!(error(|file| file.message_id = id.to_owned()), "MessageId");
            assert_eq!(
                error(|file| file.payouts[0].end_to_end_id = id.to_owned()),
                "EndToEndId { index: 0 }"
            );
        }
        assert_eq!(error(|file| file.execution = Day::from_number(u64::MAX >> 20)), "Date");
        assert_eq!(error(|file| file.created = Timestamp::from_seconds(1 << 50)), "Date");
        assert_eq!(error(|file| file.debtor_name = "商店".to_owned()), "DebtorName");
        assert_eq!(error(|file| file.payouts[0].amount = usd), "NotEuro { index: 0 }");
        for amount in [euros(0), euros(CENTS_MAX + 1)] {
            assert_eq!(error(|file| file.payouts[0].amount = amount), "Amount { index: 0 }");
        }
        let qatar = "QA58DOHB00001234567890ABCDEFG".parse::<Iban>().unwrap();
        assert_eq!(error(|file| file.payouts[0].creditor = qatar), "OutsideSepa { index: 0 }");
        assert_eq!(error(|file| file.payouts.push(payout())), "SameEndToEndId { index: 1 }");
        assert_eq!(
            error(|file| file.payouts[0].creditor_name = " ".to_owned()),
            "CreditorName { index: 0 }"
        );
        for text in [String::new(), "x".repeat(141)] {
            assert_eq!(error(|file| file.payouts[0].remittance = text), "Remittance { index: 0 }");
        }
    }

    #[test]
    fn names_are_brought_into_the_character_set() {
        assert_eq!(name("Žofia  Nováková\n").as_deref(), Some("Zofia Novakova"));
        assert_eq!(name("Яна <script>").as_deref(), Some("YAna (script)"));
        assert_eq!(name(&"é".repeat(80)), Some("e".repeat(70)));
        assert_eq!(name("***"), None);
    }

    proptest! {
        /// Whatever people are called and write, the file is well-formed and in the character set.
        #[test]
        fn any_text_is_written_or_refused(name in ".{0,90}", text in ".{0,150}", cents in 0..=CENTS_MAX + 1) {
            let mut file = file();
            file.payouts[0].creditor_name = name;
            file.payouts[0].remittance = text;
            file.payouts[0].amount = euros(cents);
            if let Ok(written) = write(&file) {
                prop_assert!(written.is_ascii());
                prop_assert!(crate::document::read(&written).is_ok());
            } else {
                prop_assert!(!matches!(write(&file), Err(PayoutError::Scheme(_))), "a rule that has no error of its own");
            }
        }
    }
}
