//! `tacit score fit`: a scorecard from a table of people.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use serde_json::json;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_credit::scorecard::definition::{self, Definition, Preset};
use tacit_credit::scorecard::sample::Sample;
use tacit_credit::scorecard::signed::{CardKey, Origin, SignedCard};
use tacit_credit::scorecard::study::{Request, Study};

use super::disk;
use super::error::ScoreError;
use super::page;
use super::record;
use super::report;

/// Bytes of a table of people that are read.
const DATA_BYTES_MAX: u64 = 1 << 30;

/// Fit a scorecard to a table of people and say how good it is
///
/// Seven tenths of the rows teach, the others examine: which ones follows from a hash of their numbers, so that everybody
/// gets the same. The fit is monotone: no counter can raise the score in one place and lower it in another.
///
/// With --out, the signed card (scorecard.json) and a page about it (model-card.html) are written. The table of people
/// is read and never written anywhere.
#[derive(Args)]
pub(crate) struct Fit {
    /// The table: a CSV whose columns the counters file names; - is stdin
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Which counters to make of it: taiwan-t10, passport, or a counters file
    #[arg(long, value_name = "NAME|FILE")]
    counters: String,
    /// The text that decides, with the rows' numbers, which rows teach
    #[arg(long, value_name = "TEXT", default_value = "seed0")]
    seed: String,
    /// Leave a counter out, to see what it is worth (may be repeated); such a card is not signed
    #[arg(long, value_name = "NAME", conflicts_with = "out")]
    without: Vec<String>,
    /// Columns to hold the card against, such as SEX,AGE: no counter may be made of them
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    audit_columns: Vec<String>,
    /// The share of people who are approved when the audit compares groups
    #[arg(long, value_name = "PERCENT", default_value_t = 70, value_parser = value_parser!(u8).range(1..=99))]
    approval: u8,
    /// Write the signed card and its page into this directory
    #[arg(long, value_name = "DIR", requires = "key")]
    out: Option<PathBuf>,
    /// Sign with the key in this file, as tacit score new-key makes it
    #[arg(long, value_name = "FILE", requires = "out")]
    key: Option<PathBuf>,
}

/// All that a report speaks of.
pub(super) struct Fitted<'a> {
    pub(super) definition: &'a Definition,
    pub(super) sample: &'a Sample,
    pub(super) study: &'a Study,
    pub(super) seed: &'a str,
    pub(super) approval: u8,
}

pub(super) fn run(arguments: &Fit, is_json: bool) -> Result<(), ScoreError> {
    let (text, definition) = definition(&arguments.counters, &arguments.without)?;
    let inputs = || definition.inputs.iter().map(|input| &input.header);
    let read = |column: &&String| inputs().any(|input| input == *column);
    if let Some(column) = arguments.audit_columns.iter().find(read) {
        return Err(ScoreError::AuditedInput { column: column.clone() });
    }
    // Before the fit, so that nobody waits for it in vain.
    let out = arguments.out.as_deref().zip(arguments.key.as_deref());
    let out = out.map(|(out, key)| Ok::<_, ScoreError>((out, disk::read_key(key)?))).transpose()?;
    let path = &arguments.data;
    let data = disk::read(path, DATA_BYTES_MAX)?;
    let sample = Sample::read(&data, &definition, &arguments.audit_columns);
    let sample = sample.map_err(|source| {
        let source = Box::new(source);
        ScoreError::Sample { path: path.clone(), source }
    })?;
    drop(data);
    let request = Request { seed: arguments.seed.clone(), approval_percent: arguments.approval };
    let study = Study::make(&definition, &sample, &request);
    let study = study.map_err(|source| ScoreError::Study { path: path.clone(), source })?;
    let fitted = Fitted {
        definition: &definition,
        sample: &sample,
        study: &study,
        seed: &arguments.seed,
        approval: arguments.approval,
    };
    let mut json = record::json(&fitted);
    let mut report = report::text(&fitted);
    if let Some((out, key)) = out {
        let signed = write(&fitted, &text, out, &key)?;
        report.push_str(&format!(
            "\nWritten\n  {}\n  {}\n  id {}\n  signed by {}\n",
            out.join(CARD).display(),
            out.join(PAGE).display(),
            signed.id(),
            signed.key()
        ));
        json["written"] = json!({
            "card": out.join(CARD), "model_card": out.join(PAGE),
            "id": signed.id().to_string(), "public_key": signed.key().to_string(),
        });
    }
    super::print(is_json, &report, &json)
}

const CARD: &str = "scorecard.json";
const PAGE: &str = "model-card.html";

fn write(
    fitted: &Fitted<'_>,
    counters: &str,
    out: &Path,
    key: &CardKey,
) -> Result<SignedCard, ScoreError> {
    let Fitted { definition, sample, study, seed, .. } = fitted;
    let rows = |rows: &[usize]| u32::try_from(rows.len()).expect("a sample has fewer rows");
    let auc = (study.test.auc.value * 10_000.0).round().clamp(0.0, 10_000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and between 0 and 10,000"
    )]
    let test_auc_per_10000 = auc as u16;
    let origin = Origin {
        name: definition.name.clone(),
        version: definition.version,
        title: definition.title.clone(),
        data_sha256: hex::encode(&sample.digest),
        counters_sha256: hex::encode(&Sha256::digest(counters.as_bytes())),
        seed: (*seed).to_owned(),
        train_rows: rows(&study.split.train),
        test_rows: rows(&study.split.test),
        test_auc_per_10000,
    };
    let signed = SignedCard::sign(&study.card, origin, key).map_err(ScoreError::Sign)?;
    let page = page::html(fitted, &signed)?;
    fs::create_dir_all(out).map_err(|source| ScoreError::Write { path: out.to_owned(), source })?;
    disk::write(&out.join(CARD), signed.as_bytes())?;
    disk::write(&out.join(PAGE), page.as_bytes())?;
    Ok(signed)
}

/// The counters file of a preset's name or of a path, and what it says.
fn definition(name: &str, without: &[String]) -> Result<(String, Definition), ScoreError> {
    let preset = Preset::ALL.into_iter().find(|preset| preset.name() == name);
    let text = match preset {
        Some(preset) => preset.text().to_owned(),
        None => file(name)?,
    };
    let refused = |source| ScoreError::Definition { name: name.to_owned(), source };
    let mut definition = Definition::new(&text).map_err(refused)?;
    for counter in without {
        definition = definition.without(counter).map_err(refused)?;
    }
    Ok((text, definition))
}

fn file(name: &str) -> Result<String, ScoreError> {
    let path = Path::new(name);
    let most = u64::try_from(definition::FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let bytes = match disk::read(path, most) {
        Err(ScoreError::Read { source, .. }) => {
            let presets: Vec<&str> = Preset::ALL.into_iter().map(Preset::name).collect();
            let (name, presets) = (name.to_owned(), presets.join(", "));
            return Err(ScoreError::NoCounters { name, presets, source });
        }
        read => read?,
    };
    String::from_utf8(bytes).map_err(|_| ScoreError::NoText { path: path.to_owned() })
}
