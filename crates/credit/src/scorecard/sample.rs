//! People in a CSV, as counters: what a card is fitted and measured on.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder};
use sha2::{Digest, Sha256};

use crate::scorecard::CounterName;
use crate::scorecard::definition::{Definition, TextReading};
use crate::scorecard::formula::ValueError;

/// Rows that are read.
pub const ROWS_MAX: usize = 5_000_000;
/// Rows below which no card is fitted.
pub const ROWS_MIN: usize = 200;
/// Columns a CSV may have.
pub const COLUMNS_MAX: usize = 4096;
/// Different values of a column that is audited, above which its numbers are cut into quarters.
const GROUPS_MAX: usize = 12;

/// Rows as counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// For each counter of the definition, a value a row.
    pub counters: Vec<Vec<u32>>,
    /// Which rows did not pay.
    pub bad: Vec<bool>,
    /// Columns that only the audit reads.
    pub audited: Vec<Audited>,
    /// What stood in the columns that were read, label included, as a hash: equal rows have equal ones.
    pub fingerprints: Vec<[u8; 16]>,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
}

/// A column that no counter reads, to see whom a card treats how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its name.
    pub column: String,
    /// What its groups are called.
    pub groups: Vec<String>,
    /// The group of each row.
    pub of_row: Vec<usize>,
}

/// Why a CSV gives no sample. Variants stand in the order they are checked; lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// Not one line.
    #[error("there is nothing in it")]
    Empty,
    /// No CSV.
    #[error("cannot be read as CSV")]
    Csv(#[from] csv::Error),
    /// More than [`COLUMNS_MAX`].
    #[error("it has {columns} columns, at most {COLUMNS_MAX} are read")]
    TooManyColumns {
        /// How many.
        columns: usize,
    },
    /// A column that is needed.
    #[error("line 1 has no column {column:?}; it has: {found}")]
    MissingColumn {
        /// Which.
        column: String,
        /// What there is, shortened.
        found: String,
    },
    /// A column that is needed, twice.
    #[error("line 1 has two columns {column:?}")]
    DoubledColumn {
        /// Which.
        column: String,
    },
    /// More than [`ROWS_MAX`].
    #[error("it has more than {ROWS_MAX} rows")]
    TooManyRows,
    /// A row with more or fewer cells than line 1.
    #[error("line {line} has {found} columns, and line 1 has {expected}")]
    RowLength {
        /// Where.
        line: u64,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Nothing where a number is needed.
    #[error("line {line}, column {column:?} is empty")]
    EmptyCell {
        /// Where.
        line: u64,
        /// Where.
        column: String,
    },
    /// Something else than a whole number, or more decimals than are kept.
    #[error("line {line}, column {column:?}: {text:?} is no whole number{}", decimals_told(*decimals))]
    NoNumber {
        /// Where.
        line: u64,
        /// Where.
        column: String,
        /// What stands there, cut short.
        text: String,
        /// Decimals that could be.
        decimals: u8,
    },
    /// A word that has no code.
    #[error("line {line}, column {column:?}: {text:?} is not among the codes of the counters file")]
    NoCode {
        /// Where.
        line: u64,
        /// Where.
        column: String,
        /// What stands there, cut short.
        text: String,
    },
    /// Neither paid nor not.
    #[error("line {line}, column {column:?}: {text:?} is neither {good:?} nor {bad:?}")]
    Label {
        /// Where.
        line: u64,
        /// Where.
        column: String,
        /// What stands there, cut short.
        text: String,
        /// Who paid.
        good: String,
        /// Who did not.
        bad: String,
    },
    /// A formula without a value.
    #[error("line {line}: counter {counter} has no value")]
    Value {
        /// Where.
        line: u64,
        /// Which counter.
        counter: CounterName,
        /// Why.
        source: ValueError,
    },
    /// A value that a counter cannot have.
    #[error(
        "line {line}: counter {counter} is {value}, outside 0 to {most}: clamp it, or set `most`"
    )]
    OutOfBounds {
        /// Where.
        line: u64,
        /// Which counter.
        counter: CounterName,
        /// Its value.
        value: i64,
        /// The largest.
        most: u32,
    },
    /// Fewer than [`ROWS_MIN`].
    #[error("it has {rows} rows: at least {ROWS_MIN} are needed")]
    TooFewRows {
        /// How many.
        rows: usize,
    },
    /// Everybody paid, or nobody did.
    #[error(
        "column {column:?} is {only:?} in every row: there must be some who paid and some who did not"
    )]
    OneClass {
        /// The label's column.
        column: String,
        /// What it always is.
        only: String,
    },
    /// A column of words with too many of them.
    #[error(
        "column {column:?} has more than {GROUPS_MAX} values that are no numbers: it cannot be audited"
    )]
    TooManyGroups {
        /// Which.
        column: String,
    },
}

fn decimals_told(decimals: u8) -> String {
    if decimals == 0 { String::new() } else { format!(", nor one with {decimals} decimals") }
}

impl Sample {
    /// Reads a CSV (RFC 4180; a byte-order mark, either line end and empty lines do not matter).
    ///
    /// # Errors
    /// [`SampleError`].
    pub fn read(
        bytes: &[u8],
        definition: &Definition,
        audit: &[String],
    ) -> Result<Self, SampleError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(SampleError::Empty);
        }
        let data = &definition.data;
        let mut reader = ReaderBuilder::new()
            .delimiter(u8::try_from(data.delimiter).expect("a definition's delimiter is ASCII"))
            .has_headers(data.header)
            .flexible(true) // So that what is wrong is said here, with the right line.
            .from_reader(bytes);
        let places = Places::new(reader.byte_headers()?, definition, audit)?;
        let mut gathering = Gathering::new(definition, audit);
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record)? {
            if gathering.bad.len() == ROWS_MAX {
                return Err(SampleError::TooManyRows);
            }
            let start = record.position().map_or(0, csv::Position::byte);
            gathering.take(&record, &places, &|| line_at(bytes, start))?;
        }
        gathering.finish(Sha256::digest(bytes).into())
    }
}

/// The line of the row that begins at a byte or behind the line ends that follow it, as an editor counts.
fn line_at(bytes: &[u8], start: u64) -> u64 {
    let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
    let blanks = bytes[start..].iter().take_while(|byte| matches!(**byte, b'\r' | b'\n')).count();
    let ends = bytes[..start + blanks].iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX).saturating_add(1)
}

/// Where in a record stands what is read.
struct Places {
    columns: usize,
    inputs: Vec<usize>,
    label: usize,
    audit: Vec<usize>,
}

impl Places {
    fn new(
        headers: &ByteRecord,
        definition: &Definition,
        audit: &[String],
    ) -> Result<Self, SampleError> {
        if headers.len() > COLUMNS_MAX {
            return Err(SampleError::TooManyColumns { columns: headers.len() });
        }
        let names: Vec<String> = if definition.data.header {
            headers.iter().map(|header| String::from_utf8_lossy(header).trim().to_owned()).collect()
        } else {
            (1..=headers.len()).map(|number| number.to_string()).collect()
        };
        let place = |column: &str| {
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == column);
            match (places.next(), places.next()) {
                (Some((place, _)), None) => Ok(place),
                (Some(_), Some(_)) => Err(SampleError::DoubledColumn { column: column.to_owned() }),
                (None, _) => Err(SampleError::MissingColumn {
                    column: column.to_owned(),
                    found: listed(&names),
                }),
            }
        };
        let inputs = definition.inputs.iter().map(|input| place(&input.header));
        Ok(Self {
            columns: headers.len(),
            label: place(&definition.data.label)?,
            inputs: inputs.collect::<Result<_, _>>()?,
            audit: audit.iter().map(|column| place(column)).collect::<Result<_, _>>()?,
        })
    }
}

/// Names for a message: the first dozen.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().take(12).map(|name| format!("{:?}", shortened(name.as_bytes()))).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// A cell for a message.
fn shortened(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).chars().take(40).collect()
}

/// A sample that grows row by row.
struct Gathering<'a> {
    definition: &'a Definition,
    audit: &'a [String],
    /// The numbers of the row at hand.
    row: Vec<i64>,
    counters: Vec<Vec<u32>>,
    bad: Vec<bool>,
    /// For each audited column, the value of each row and what values there are.
    audited: Vec<(Vec<usize>, BTreeMap<String, usize>)>,
    fingerprints: Vec<[u8; 16]>,
}

impl<'a> Gathering<'a> {
    fn new(definition: &'a Definition, audit: &'a [String]) -> Self {
        Self {
            definition,
            audit,
            row: Vec::new(),
            counters: vec![Vec::new(); definition.counters.len()],
            bad: Vec::new(),
            audited: vec![Default::default(); audit.len()],
            fingerprints: Vec::new(),
        }
    }

    /// Takes a row; `line` says where it stands, if that is asked for.
    fn take(
        &mut self,
        record: &ByteRecord,
        places: &Places,
        line: &dyn Fn() -> u64,
    ) -> Result<(), SampleError> {
        let (found, expected) = (record.len(), places.columns);
        if found != expected {
            return Err(SampleError::RowLength { line: line(), found, expected });
        }
        let cell = |place: usize| record.get(place).unwrap_or_default().trim_ascii();
        self.row.clear();
        for (input, place) in self.definition.inputs.iter().zip(&places.inputs) {
            let number = number(cell(*place), &input.reading);
            self.row.push(number.map_err(|fault| fault.at(line(), &input.header, cell(*place)))?);
        }
        let data = &self.definition.data;
        let label = cell(places.label);
        let is_bad = label == data.bad.as_bytes();
        if !is_bad && label != data.good.as_bytes() {
            return Err(SampleError::Label {
                line: line(),
                column: data.label.clone(),
                text: shortened(label),
                good: data.good.clone(),
                bad: data.bad.clone(),
            });
        }
        for (counter, values) in self.definition.counters.iter().zip(&mut self.counters) {
            let name = || counter.name.clone();
            let value = counter.formula.value(&self.row).map_err(|source| SampleError::Value {
                line: line(),
                counter: name(),
                source,
            })?;
            let most = counter.most;
            let within = u32::try_from(value).ok().filter(|value| *value <= most);
            values.push(within.ok_or_else(|| SampleError::OutOfBounds {
                line: line(),
                counter: name(),
                value,
                most,
            })?);
        }
        for ((of_row, known), place) in self.audited.iter_mut().zip(&places.audit) {
            let text = shortened(cell(*place));
            let next = known.len();
            of_row.push(*known.entry(text).or_insert(next));
        }
        self.fingerprints.push(fingerprint(&self.row, is_bad));
        self.bad.push(is_bad);
        Ok(())
    }

    fn finish(self, digest: [u8; 32]) -> Result<Sample, SampleError> {
        let rows = self.bad.len();
        if rows < ROWS_MIN {
            return Err(SampleError::TooFewRows { rows });
        }
        let bads = self.bad.iter().filter(|bad| **bad).count();
        let data = &self.definition.data;
        if bads == 0 || bads == rows {
            let only = if bads == 0 { data.good.clone() } else { data.bad.clone() };
            return Err(SampleError::OneClass { column: data.label.clone(), only });
        }
        let columns = self.audit.iter().zip(self.audited);
        let audited = columns
            .map(|(column, (of_row, known))| groups(column, of_row, known))
            .collect::<Result<_, _>>()?;
        let Self { counters, bad, fingerprints, .. } = self;
        Ok(Sample { counters, bad, audited, fingerprints, digest })
    }
}

/// Why a cell is no number.
enum CellFault {
    Empty,
    Number(u8),
    Code,
}

impl CellFault {
    fn at(self, line: u64, column: &str, cell: &[u8]) -> SampleError {
        let (column, text) = (column.to_owned(), shortened(cell));
        match self {
            Self::Empty => SampleError::EmptyCell { line, column },
            Self::Number(decimals) => SampleError::NoNumber { line, column, text, decimals },
            Self::Code => SampleError::NoCode { line, column, text },
        }
    }
}

/// The number a cell says.
fn number(cell: &[u8], reading: &TextReading) -> Result<i64, CellFault> {
    if cell.is_empty() {
        return reading.missing.ok_or(CellFault::Empty);
    }
    let text = std::str::from_utf8(cell).map_err(|_| CellFault::Number(reading.decimals))?;
    if !reading.codes.is_empty() {
        return reading.codes.get(text).copied().ok_or(CellFault::Code);
    }
    decimal(text, reading.decimals).ok_or(CellFault::Number(reading.decimals))
}

/// A decimal number as so many of its smallest kept parts; zeros beyond those are read over, nothing is rounded.
fn decimal(text: &str, decimals: u8) -> Option<i64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (kept, beyond) = fraction.split_at(fraction.len().min(usize::from(decimals)));
    if beyond.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let zeros = std::iter::repeat_n(b'0', usize::from(decimals) - kept.len());
    let mut digits = whole.bytes().chain(kept.bytes()).chain(zeros);
    let value = digits.try_fold(0_i64, |value, digit| {
        value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
    })?;
    Some(if text.starts_with('-') { -value } else { value })
}

fn fingerprint(row: &[i64], is_bad: bool) -> [u8; 16] {
    let mut hash = Sha256::new();
    for number in row {
        hash.update(number.to_be_bytes());
    }
    hash.update([u8::from(is_bad)]);
    hash.finalize()[..16].try_into().expect("a hash has 32 bytes")
}

/// Groups by value; of many numbers, by quarters of the rows.
fn groups(
    column: &str,
    of_row: Vec<usize>,
    known: BTreeMap<String, usize>,
) -> Result<Audited, SampleError> {
    let column = column.to_owned();
    if known.len() <= GROUPS_MAX {
        // In the order of their names, not of their first appearance; numbers by size.
        let mut values: Vec<(&String, usize)> =
            known.iter().map(|(text, at)| (text, *at)).collect();
        values.sort_by_key(|(text, _)| decimal(text, 9).unwrap_or(i64::MAX));
        let mut place = vec![0; known.len()];
        for (group, (_, at)) in values.iter().enumerate() {
            place[*at] = group;
        }
        let groups = values.iter().map(|(text, _)| (*text).clone()).collect();
        return Ok(Audited {
            column,
            groups,
            of_row: of_row.iter().map(|at| place[*at]).collect(),
        });
    }
    let mut numbers = vec![0; known.len()];
    for (text, at) in &known {
        let Some(number) = decimal(text, 0) else {
            return Err(SampleError::TooManyGroups { column });
        };
        numbers[*at] = number;
    }
    let values: Vec<i64> = of_row.iter().map(|at| numbers[*at]).collect();
    let mut sorted = values.clone();
    sorted.sort_unstable();
    let mut edges: Vec<i64> = (1..4).map(|quarter| sorted[quarter * sorted.len() / 4]).collect();
    edges.dedup();
    edges.retain(|edge| *edge > sorted[0]);
    let ends: Vec<i64> = std::iter::once(sorted[0]).chain(edges.iter().copied()).collect();
    let last = sorted[sorted.len() - 1];
    let groups = (0..ends.len())
        .map(|at| format!("{} to {}", ends[at], ends.get(at + 1).map_or(last, |next| next - 1)))
        .collect();
    let of_row = values.iter().map(|value| edges.partition_point(|edge| edge <= value)).collect();
    Ok(Audited { column, groups, of_row })
}

#[cfg(test)]
mod tests;
