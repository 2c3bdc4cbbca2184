//! `tacit score explain`: what somebody's score is, why, and what would raise it.

use std::fmt::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};
use tacit_credit::scorecard::explain::{Explanation, Part, Step};
use tacit_credit::scorecard::{CAP, Riskier};

use super::disk;
use super::error::ScoreError;
use super::figure::wrapped;
use super::verify::{heading, signer};

/// Bytes of values that are read.
const VALUES_BYTES_MAX: u64 = 64 * 1024;
const WIDTH: usize = 100;

/// Explain a score: points by counter, what was lost, what would raise it, reasons in plain words
///
/// Every counter of the card needs a value. Somebody without history has no score; that is not a low score.
/// Nothing is kept, and nothing leaves this machine.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["counters_values", "values"]))]
pub(crate) struct Explain {
    /// The scorecard
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
    /// The values, such as late=7,paid=120; other users of this machine can read them in the list of processes
    #[arg(long, value_name = "NAME=NUMBER,..", value_delimiter = ',')]
    counters_values: Vec<String>,
    /// The values as a JSON object in a file; - is stdin
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,
}

/// Names and numbers in the order of the file, doubled ones too, so that the card can refuse them.
struct Pairs(Vec<(String, u32)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and whole numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

pub(super) fn run(arguments: &Explain, is_json: bool) -> Result<(), ScoreError> {
    let signed = disk::read_card(&arguments.card)?;
    let pairs = match &arguments.values {
        Some(path) => {
            let bytes = disk::read(path, VALUES_BYTES_MAX)?;
            serde_json::from_slice::<Pairs>(&bytes).map_err(ScoreError::Values)?.0
        }
        None => arguments
            .counters_values
            .iter()
            .map(|text| pair(text).ok_or_else(|| ScoreError::Value { text: text.clone() }))
            .collect::<Result<_, _>>()?,
    };
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), *value));
    let explanation = signed.card().read(pairs)?.explain();
    let mut text = format!("{}\n{}", heading(&signed), signer(&signed));
    write_text(&explanation, &mut text).expect("a String takes what is written to it");
    let mut json = to_json(&explanation);
    json["card"] = json!(signed.id().to_string());
    super::print(is_json, &text, &json)
}

fn pair(text: &str) -> Option<(String, u32)> {
    let (name, number) = text.split_once('=')?;
    Some((name.trim().to_owned(), number.trim().parse().ok()?))
}

/// The explanation as people read it.
pub(crate) fn write_text(explanation: &Explanation<'_>, out: &mut String) -> fmt::Result {
    match (explanation.score, explanation.default_per_10000) {
        (Some(score), Some(defaults)) => {
            writeln!(out, "\nScore {score} of at most {CAP}")?;
            writeln!(out, "Of 10,000 people with such a score, {defaults} did not pay.")?;
        }
        _ => {
            writeln!(out, "\nNo score: there is no history yet. That is not a low score.")?;
        }
    }
    writeln!(
        out,
        "\n{:<32}  {:>6}  {:>6}  {:>4}  {:>4}",
        "counter", "value", "points", "of", "lost"
    )?;
    for Part { counter, value, points, lost } in &explanation.parts {
        let of = counter.points_max();
        writeln!(out, "{:<32}  {value:>6}  {points:>6}  {of:>4}  {lost:>4}", counter.name())?;
    }
    if let Some(step) = explanation.steps.first().filter(|_| explanation.score.is_some()) {
        writeln!(out, "\nWhat would raise the score most: {} more points", step.gain)?;
        writeln!(out, "{}", wrapped(&step_told(step), WIDTH, "  "))?;
        writeln!(out, "{}", wrapped(&step.counter.texts().advice, WIDTH, "  "))?;
    }
    let reasons = explanation.reasons();
    if !reasons.is_empty() {
        writeln!(out, "\nPrincipal reasons why it is not higher, the most points first")?;
        for (number, part) in (1..).zip(reasons) {
            let reason =
                format!("{number}. {} ({} points)", part.counter.texts().reason, part.lost);
            writeln!(out, "{}", wrapped(&reason, WIDTH, "  "))?;
        }
    }
    Ok(())
}

fn step_told(step: &Step<'_>) -> String {
    let Step { counter, from, to, .. } = step;
    let bound = match counter.riskier() {
        Riskier::High => "or less",
        Riskier::Low => "or more",
    };
    format!("{} ({}): {to} {bound}, now {from}.", counter.texts().title, counter.name())
}

fn to_json(explanation: &Explanation<'_>) -> Value {
    let part = |part: &Part<'_>| {
        json!({
            "counter": part.counter.name(),
            "value": part.value,
            "points": part.points,
            "of": part.counter.points_max(),
            "lost": part.lost,
        })
    };
    let step = |step: &Step<'_>| {
        json!({
            "counter": step.counter.name(),
            "from": step.from,
            "to": step.to,
            "gain": step.gain,
            "advice": step.counter.texts().advice,
        })
    };
    let reason = |part: &Part<'_>| {
        json!({
            "counter": part.counter.name(),
            "lost": part.lost,
            "reason": part.counter.texts().reason,
        })
    };
    // Without a score there is nothing to raise yet.
    let steps = explanation.steps.iter().filter(|_| explanation.score.is_some());
    json!({
        "score": explanation.score,
        "default_per_10000": explanation.default_per_10000,
        "parts": explanation.parts.iter().map(part).collect::<Vec<_>>(),
        "lost": explanation.lost.iter().map(part).collect::<Vec<_>>(),
        "steps": steps.map(step).collect::<Vec<_>>(),
        "reasons": explanation.reasons().iter().map(reason).collect::<Vec<_>>(),
    })
}
