//! The counters file: which columns of a CSV become which counters, and what people are told of them.
//!
//! TOML, described in docs/reference/counters.md. Nothing here knows a data set: [`Preset`] names the files that are
//! shipped, and they are read like any other.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::scorecard::fit::CutLimits;
use crate::scorecard::formula::{Formula, FormulaError, MONTHS_MAX, Meaning};
use crate::scorecard::{
    COUNTERS_MAX, CUTS_MAX, CounterName, NameError, Riskier, TEXT_BYTES_MAX, Texts, is_readable,
};

/// Bytes a counters file may have.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Candidate cuts of a counter, if the file does not say how many.
const CANDIDATES: usize = 15;

/// A counters file that is shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Ten counters of Taiwan's card holders, the reference.
    TaiwanT10,
    /// The passport's own counters, mapped to Taiwan's columns as far as they reach.
    Passport,
}

impl Preset {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::TaiwanT10, Self::Passport];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaiwanT10 => "taiwan-t10",
            Self::Passport => "passport",
        }
    }

    /// The file.
    pub fn text(self) -> &'static str {
        match self {
            Self::TaiwanT10 => include_str!("../../presets/taiwan-t10.toml"),
            Self::Passport => include_str!("../../presets/passport.toml"),
        }
    }
}

/// A checked counters file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What the card is called.
    pub name: CounterName,
    /// Its version, counted by whoever writes the file.
    pub version: u32,
    /// One line for people.
    pub title: String,
    /// Where the rows come from.
    pub data: DataDefinition,
    /// What people should know who use the card.
    pub card: CardNotes,
    /// How many cuts there may be.
    pub cuts: CutLimits,
    /// Numbers that formulas read, in the order of a row.
    pub inputs: Vec<Input>,
    /// The counters.
    pub counters: Vec<CounterDefinition>,
}

/// How the CSV is read, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataDefinition {
    /// The column that says who did not pay.
    pub label: String,
    /// What stands there for somebody who did not.
    pub bad: String,
    /// What stands there for somebody who did.
    pub good: String,
    /// What the split is named after.
    pub split: String,
    /// One character; a comma unless said otherwise.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Whether the first line names the columns; if not, they are called 1, 2, 3, …
    #[serde(default = "yes")]
    pub header: bool,
    /// Who published it, where.
    pub source: String,
    /// Under which licence.
    pub licence: String,
}

fn comma() -> char {
    ','
}

fn yes() -> bool {
    true
}

/// What the model card says in words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardNotes {
    /// What the card may be used for.
    pub use_for: String,
    /// What it must not be used for.
    pub not_for: String,
    /// Where the data stand in for something else; empty if nowhere.
    #[serde(default)]
    pub proxy: String,
}

/// One number of a row, and how its text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The column's name in the CSV.
    pub header: String,
    /// How its text is read.
    pub reading: TextReading,
}

/// How the text of a cell becomes a whole number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextReading {
    /// Decimals that are kept: `1.25` with 2 is 125. Further ones must be zeros.
    pub decimals: u8,
    /// Words and the numbers they stand for; nothing else is then read.
    pub codes: BTreeMap<String, i64>,
    /// The number that an empty cell stands for.
    pub missing: Option<i64>,
}

/// How a counter follows from a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterDefinition {
    /// Its name.
    pub name: CounterName,
    /// Where the risk lies.
    pub riskier: Riskier,
    /// The largest value.
    pub most: u32,
    /// Whether a value above 0 shows a history.
    pub history: bool,
    /// Whether the person may leave away what feeds it.
    pub optional: bool,
    /// The formula as it was written.
    pub written: String,
    /// The formula.
    pub formula: Formula,
    /// What people are told.
    pub texts: Texts,
}

/// Why a text is no counters file. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// No TOML, or not with these keys.
    #[error("cannot be read")]
    Toml(#[from] toml::de::Error),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Written for another version of this program.
    #[error("its format is {format}, and 1 is known here")]
    Format {
        /// What it says.
        format: u32,
    },
    /// Empty, too long, or with control characters.
    #[error("{what} is empty, longer than {TEXT_BYTES_MAX} bytes, or holds control characters")]
    Text {
        /// Which text.
        what: String,
    },
    /// Candidates or kept cuts outside 1 to [`CUTS_MAX`].
    #[error("fit.candidates and fit.keep are 1 to {CUTS_MAX}")]
    CutLimits,
    /// The delimiter is no ASCII character.
    #[error("data.delimiter is one ASCII character")]
    Delimiter,
    /// None, or more than [`MONTHS_MAX`].
    #[error("{name} has {months} months, 1 to {MONTHS_MAX} are read")]
    MonthsCount {
        /// Whose.
        name: CounterName,
        /// How many.
        months: usize,
    },
    /// More decimals than a number holds.
    #[error("{name} has {decimals} decimals, at most 9 are read")]
    Decimals {
        /// Whose.
        name: CounterName,
        /// How many.
        decimals: u8,
    },
    /// A name that is both a column and months.
    #[error("{name} is declared twice")]
    DoubledName {
        /// Which.
        name: CounterName,
    },
    /// None, or more than [`COUNTERS_MAX`].
    #[error("there are {counters} counters: 1 to {COUNTERS_MAX} are read")]
    CounterCount {
        /// How many.
        counters: usize,
    },
    /// A formula that is none.
    #[error("the value of counter {name} cannot be read")]
    Formula {
        /// Whose.
        name: CounterName,
        /// Why.
        source: FormulaError,
    },
    /// No counter is marked `history`.
    #[error("no counter is marked `history`: nobody could have a score")]
    NoHistory,
    /// A counter to leave out that the file does not have.
    #[error("there is no counter {name} to leave out")]
    NoSuchCounter {
        /// Which.
        name: String,
    },
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    name: CounterName,
    version: u32,
    title: String,
    data: DataDefinition,
    card: CardNotes,
    #[serde(default)]
    fit: FitTable,
    #[serde(default)]
    columns: BTreeMap<String, ColumnTable>,
    #[serde(default)]
    months: BTreeMap<String, MonthsTable>,
    #[serde(default)]
    counter: Vec<CounterTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FitTable {
    candidates: Option<usize>,
    keep: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    header: String,
    #[serde(default)]
    decimals: u8,
    #[serde(default)]
    codes: BTreeMap<String, i64>,
    missing: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MonthsTable {
    headers: Vec<String>,
    #[serde(default)]
    decimals: u8,
    #[serde(default)]
    codes: BTreeMap<String, i64>,
    missing: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CounterTable {
    name: CounterName,
    value: String,
    riskier: Riskier,
    most: u32,
    #[serde(default)]
    history: bool,
    #[serde(default)]
    optional: bool,
    title: String,
    reason: String,
    advice: String,
}

impl Definition {
    /// Reads a counters file.
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub fn new(text: &str) -> Result<Self, DefinitionError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(DefinitionError::TooLarge);
        }
        let file: File = toml::from_str(text)?;
        if file.format != 1 {
            return Err(DefinitionError::Format { format: file.format });
        }
        let limits = 1..=CUTS_MAX;
        let candidates = file.fit.candidates.unwrap_or(CANDIDATES);
        let kept = file.fit.keep.unwrap_or(CUTS_MAX);
        let File { data, card, .. } = &file;
        for (what, text) in [
            ("title", &file.title),
            ("data.source", &data.source),
            ("data.licence", &data.licence),
            ("data.split", &data.split),
            ("card.use_for", &card.use_for),
            ("card.not_for", &card.not_for),
        ] {
            check_text(what, text)?;
        }
        if !card.proxy.is_empty() {
            check_text("card.proxy", &card.proxy)?;
        }
        if !limits.contains(&candidates) || !limits.contains(&kept) {
            return Err(DefinitionError::CutLimits);
        }
        if !data.delimiter.is_ascii() {
            return Err(DefinitionError::Delimiter);
        }
        let (inputs, meanings) = inputs(file.columns, file.months)?;
        let counters = counters(file.counter, &meanings)?;
        Ok(Self {
            name: file.name,
            version: file.version,
            title: file.title,
            data: file.data,
            card: file.card,
            cuts: CutLimits { candidates, kept },
            inputs,
            counters,
        })
    }

    /// The same without one counter.
    ///
    /// # Errors
    /// [`DefinitionError::NoSuchCounter`]; [`DefinitionError::CounterCount`] if it was the only one, and
    /// [`DefinitionError::NoHistory`] if no other shows a history.
    pub fn without(mut self, name: &str) -> Result<Self, DefinitionError> {
        let before = self.counters.len();
        self.counters.retain(|counter| counter.name.as_str() != name);
        match self.counters.len() {
            0 => Err(DefinitionError::CounterCount { counters: 0 }),
            left if left == before => {
                Err(DefinitionError::NoSuchCounter { name: name.chars().take(32).collect() })
            }
            _ if !self.counters.iter().any(|counter| counter.history) => {
                Err(DefinitionError::NoHistory)
            }
            _ => Ok(self),
        }
    }
}

fn check_text(what: &str, text: &str) -> Result<(), DefinitionError> {
    if is_readable(text) {
        return Ok(());
    }
    Err(DefinitionError::Text { what: what.to_owned() })
}

type Meanings = BTreeMap<String, Meaning>;

/// The numbers of a row, and what each name stands for in it.
fn inputs(
    columns: BTreeMap<String, ColumnTable>,
    months: BTreeMap<String, MonthsTable>,
) -> Result<(Vec<Input>, Meanings), DefinitionError> {
    let mut inputs = Vec::new();
    let mut meanings = Meanings::new();
    for (name, column) in columns {
        let name = CounterName::new(&name)?;
        let ColumnTable { header, decimals, codes, missing } = column;
        check_decimals(&name, decimals)?;
        meanings.insert(name.into(), Meaning::Column(inputs.len()));
        inputs.push(Input { header, reading: TextReading { decimals, codes, missing } });
    }
    for (name, months) in months {
        let name = CounterName::new(&name)?;
        let MonthsTable { headers, decimals, codes, missing } = months;
        if headers.is_empty() || headers.len() > MONTHS_MAX {
            return Err(DefinitionError::MonthsCount { name, months: headers.len() });
        }
        check_decimals(&name, decimals)?;
        let places = (inputs.len()..inputs.len() + headers.len()).collect();
        if meanings.insert(name.as_str().to_owned(), Meaning::Months(places)).is_some() {
            return Err(DefinitionError::DoubledName { name });
        }
        inputs.extend(headers.into_iter().map(|header| {
            let reading = TextReading { decimals, codes: codes.clone(), missing };
            Input { header, reading }
        }));
    }
    Ok((inputs, meanings))
}

fn check_decimals(name: &CounterName, decimals: u8) -> Result<(), DefinitionError> {
    if decimals <= 9 {
        return Ok(());
    }
    Err(DefinitionError::Decimals { name: name.clone(), decimals })
}

fn counters(
    tables: Vec<CounterTable>,
    meanings: &Meanings,
) -> Result<Vec<CounterDefinition>, DefinitionError> {
    if tables.is_empty() || tables.len() > COUNTERS_MAX {
        return Err(DefinitionError::CounterCount { counters: tables.len() });
    }
    let mut counters: Vec<CounterDefinition> = Vec::new();
    for table in tables {
        let CounterTable { name, value, riskier, most, history, optional, .. } = table;
        if counters.iter().any(|counter| counter.name == name) {
            return Err(DefinitionError::DoubledName { name });
        }
        let formula = Formula::new(&value, &|name| meanings.get(name).cloned());
        let formula =
            formula.map_err(|source| DefinitionError::Formula { name: name.clone(), source })?;
        let texts = Texts { title: table.title, reason: table.reason, advice: table.advice };
        for (what, text) in
            [("title", &texts.title), ("reason", &texts.reason), ("advice", &texts.advice)]
        {
            check_text(&format!("the {what} of counter {name}"), text)?;
        }
        let written = value;
        counters.push(CounterDefinition {
            name,
            riskier,
            most,
            history,
            optional,
            written,
            formula,
            texts,
        });
    }
    if !counters.iter().any(|counter| counter.history) {
        return Err(DefinitionError::NoHistory);
    }
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(String) -> String) -> String {
        let error = Definition::new(&change(Preset::Passport.text().to_owned())).unwrap_err();
        match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    }

    #[test]
    fn every_preset_is_a_counters_file_of_its_name() {
        for preset in Preset::ALL {
            let definition = Definition::new(preset.text()).unwrap();
            assert_eq!(definition.name.as_str().replace('_', "-"), preset.name());
            assert!(!definition.card.proxy.is_empty(), "both stand in for something else");
        }
        let passport = Definition::new(Preset::Passport.text()).unwrap();
        let names: Vec<&str> = passport.counters.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["arrears", "late", "behind", "paid", "paid_months", "income"]);
        assert_eq!(passport.cuts, CutLimits { candidates: 30, kept: 4 });
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let replaced = |from: &'static str, to: &'static str| {
            refused(move |text| {
                assert!(text.contains(from), "{from}");
                text.replacen(from, to, 1)
            })
        };
        for (from, to, said) in [
            ("format = 1", "format = 2", "its format is 2"),
            ("format = 1", "", "missing field `format`"),
            ("keep = 4", "keeps = 4", "unknown field `keeps`"),
            ("keep = 4", "keep = 0", "are 1 to 31"),
            ("candidates = 30", "candidates = 99", "are 1 to 31"),
            ("name = \"passport\"", "name = \"Passport\"", "is no name"),
            ("split = \"taiwan\"", "split = \"\"", "data.split is empty"),
            ("split = \"taiwan\"", "split = \"taiwan\"\ndelimiter = \"ß\"", "one ASCII character"),
            ("name = \"late\"", "name = \"arrears\"", "arrears is declared twice"),
            (
                "delay[1]",
                "delay[9]",
                "the value of counter arrears cannot be read: there are months",
            ),
            (
                "clamp(delay[1], 0, 3)",
                "delay",
                "counter arrears cannot be read: this gives 6 months",
            ),
            ("riskier = \"high\"", "riskier = \"up\"", "unknown variant `up`"),
            ("most = 3\n", "most = -3\n", "invalid value"),
            (
                "[months]",
                "[columns]\ndelay = { header = \"X\" }\n[months]",
                "delay is declared twice",
            ),
            ("[months]", "[months]\nnone = { headers = [] }", "none has 0 months"),
            (
                "[months]",
                "[columns]\nx = { header = \"X\", decimals = 10 }\n[months]",
                "10 decimals",
            ),
            (
                "reason = \"A payment is overdue at present\"",
                "reason = \" \"",
                "the reason of counter arrears is empty",
            ),
        ] {
            let refused = replaced(from, to);
            assert!(refused.contains(said), "{from} as {to}: {refused}");
        }
        assert!(
            refused(|text| text.split("[[counter]]").next().unwrap().to_owned())
                .contains("there are 0 counters")
        );
        let unmarked = refused(|text| text.replace("history = true", "history = false"));
        assert!(unmarked.contains("nobody could have a score"), "{unmarked}");
        assert!(refused(|_| "#".repeat(FILE_BYTES_MAX + 1)).contains("larger than"));
    }

    #[test]
    fn a_counter_can_be_left_out_and_not_the_last_one() {
        let passport = || Definition::new(Preset::Passport.text()).unwrap();
        assert_eq!(passport().without("income").unwrap().counters.len(), 5);
        assert!(matches!(passport().without("age"), Err(DefinitionError::NoSuchCounter { .. })));
        let mut incomes = passport();
        incomes.counters.retain(|counter| ["late", "income"].contains(&counter.name.as_str()));
        assert!(matches!(incomes.without("late"), Err(DefinitionError::NoHistory)));
        let mut one = passport();
        one.counters.truncate(1);
        assert!(matches!(one.without("arrears"), Err(DefinitionError::CounterCount { .. })));
    }
}
