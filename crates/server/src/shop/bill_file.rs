//! A file of bills: read whole, with every line that is wrong named, before anything of it is taken.

use csv::{ReaderBuilder, StringRecord, Trim};
use tacit_core::unit::Unit;
use tacit_credit::passport::standing::Contract;

use super::amount_of;
use super::bill::BILLS_MAX;
use crate::text::{ENGLISH, fill};

/// Which contract a line is of: by the biller's own count, or by the contract's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Count(u64),
    Number(Contract),
}

/// A line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// As a program that shows the file counts it.
    pub(crate) number: u64,
    pub(crate) contract: Which,
    pub(crate) due: tacit_core::time::Day,
    pub(crate) amount: u64,
    pub(crate) is_last: bool,
}

/// What is wrong with a line; of line 0, with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) line: u64,
    pub(crate) why: String,
}

impl Wrong {
    fn of_file(why: String) -> Vec<Self> {
        vec![Self { line: 0, why }]
    }
}

/// Where the columns stand.
struct Columns {
    contract: usize,
    due: usize,
    amount: usize,
    last: Option<usize>,
}

/// Reads a file. Its first line names the columns: `contract`, `due`, `amount` and, if one likes, `last`; it is separated by
/// commas or by semicolons.
///
/// # Errors
/// All that is wrong, in order.
pub(crate) fn read(bytes: &[u8], unit: Unit) -> Result<Vec<Line>, Vec<Wrong>> {
    let text = &ENGLISH.biller;
    let whole =
        std::str::from_utf8(bytes).map_err(|_| Wrong::of_file(text.file_unread.to_owned()))?;
    let whole = whole.strip_prefix('\u{feff}').unwrap_or(whole);
    let mut rows = whole.lines().zip(1_u64..).filter(|(row, _)| !row.trim().is_empty());
    let (head, _) = rows.next().unwrap_or_default();
    let delimiter = if head.contains(';') { b';' } else { b',' };
    let columns = fields(head, delimiter).as_ref().and_then(columns);
    let columns = columns.ok_or_else(|| Wrong::of_file(text.file_head.to_owned()))?;
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (row, number) in rows {
        let record = fields(row, delimiter).ok_or(text.file_unread);
        match record.and_then(|record| line(&record, number, &columns, unit)) {
            Ok(line) => lines.push(line),
            Err(why) => wrong.push(Wrong { line: number, why: why.to_owned() }),
        }
        if BILLS_MAX < lines.len() + wrong.len() {
            return Err(Wrong::of_file(fill(text.file_long, "max", BILLS_MAX)));
        }
    }
    match (wrong.is_empty(), lines.is_empty()) {
        (false, _) => Err(wrong),
        (true, true) => Err(Wrong::of_file(text.file_empty.to_owned())),
        (true, false) => Ok(lines),
    }
}

/// The fields of a line. None spans two: numbers, days and amounts do not.
fn fields(row: &str, delimiter: u8) -> Option<StringRecord> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .trim(Trim::All)
        .delimiter(delimiter)
        .from_reader(row.as_bytes());
    reader.records().next()?.ok()
}

fn columns(head: &StringRecord) -> Option<Columns> {
    let at = |name: &str| head.iter().position(|column| column.eq_ignore_ascii_case(name));
    let columns = Columns {
        contract: at("contract")?,
        due: at("due")?,
        amount: at("amount")?,
        last: at("last"),
    };
    let known = if columns.last.is_some() { 4 } else { 3 };
    (head.len() == known).then_some(columns)
}

fn line(
    record: &StringRecord,
    number: u64,
    columns: &Columns,
    unit: Unit,
) -> Result<Line, &'static str> {
    let text = &ENGLISH.biller;
    let field = |at: usize| record.get(at).unwrap_or_default();
    let last = columns.last.map_or("", field);
    let is_last = match last.to_ascii_lowercase().as_str() {
        "" | "no" | "false" | "0" => false,
        "yes" | "true" | "1" => true,
        _ => return Err(text.line_last),
    };
    Ok(Line {
        number,
        contract: which(field(columns.contract)).ok_or(text.line_contract)?,
        due: field(columns.due).parse().map_err(|_| text.line_due)?,
        amount: amount_of(field(columns.amount), unit).ok_or(text.line_amount)?,
        is_last,
    })
}

/// The contract of a text: a count of up to nine digits, or a number of 32.
pub(crate) fn which(text: &str) -> Option<Which> {
    let is_count = text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_count {
        return text.parse().ok().map(Which::Count);
    }
    Contract::try_from(text.to_ascii_lowercase()).ok().map(Which::Number)
}

#[cfg(test)]
mod tests {
    use tacit_core::time::Day;

    use super::*;

    fn usd() -> Unit {
        Unit::new("usd").unwrap()
    }

    fn lines(text: &str) -> Result<Vec<Line>, Vec<u64>> {
        let wrong = |wrong: Vec<Wrong>| wrong.iter().map(|wrong| wrong.line).collect();
        read(text.as_bytes(), usd()).map_err(wrong)
    }

    #[test]
    fn a_file_is_read_in_whatever_order_and_with_either_separator() {
        let due: Day = "2026-12-15".parse().unwrap();
        let first =
            Line { number: 2, contract: Which::Count(7), due, amount: 4120, is_last: false };
        let hex = "0f".repeat(16);
        let number = Which::Number(Contract([15; 16]));
        let second = Line { number: 3, contract: number, is_last: true, ..first };
        let commas =
            format!("contract,due,amount,last\n7,2026-12-15,41.20,\n{hex},2026-12-15,41.2,yes\n");
        assert_eq!(lines(&commas), Ok(vec![first, second]));
        let semicolons = format!(
            "\u{feff}Amount;Due;Contract;Last\r\n\"41,20\"; 2026-12-15 ;7;no\r\n41,20;2026-12-15;{};TRUE\r\n",
            hex.to_uppercase()
        );
        assert_eq!(lines(&semicolons), Ok(vec![first, second]));
        assert_eq!(lines("contract,due,amount\n7,2026-12-15,41.20"), Ok(vec![first]));
    }

    #[test]
    fn every_wrong_line_is_named_and_nothing_is_taken() {
        let text = "contract,due,amount,last\n\
                    7,2026-12-15,41.20,no\n\
                    seven,2026-12-15,41.20,no\n\
                    7,15.12.2026,41.20,no\n\
                    7,2026-02-30,41.20,no\n\
                    7,2026-12-15,41.205,no\n\
                    7,2026-12-15,-3,no\n\
                    7,2026-12-15,41.20,perhaps\n\
                    7,2026-12-15\n";
        assert_eq!(lines(text), Err((3..=9).collect()));
        let many = format!("contract,due,amount\n{}", "1,2026-12-15,5\n".repeat(BILLS_MAX + 1));
        for text in [
            "",
            "contract,due",
            "contract,due,amount,colour\n1,2026-12-15,5,red",
            "contract,due,amount\n",
            "1,2026-12-15,5\n",
            &many,
        ] {
            assert_eq!(lines(text), Err(vec![0]), "{}", &text[..text.len().min(50)]);
        }
        assert!(read(b"contract,due,amount\n\xff\xfe,2026-12-15,5", usd()).is_err());
    }
}
