//! `tacit verify-certificate`: whether a presentation is what somebody's passport proved, checked on this machine alone.
//!
//! Reading order: this file, then [`error`]. Invariant: nothing here reaches a network: the issuer learns of no check.

mod error;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_credit::certificate::issuer::{METADATA_BYTES_MAX, Metadata};
use tacit_credit::certificate::statement::Shown;
use tacit_credit::certificate::verify::{Expected, PRESENTATION_BYTES_MAX, Presented, verify};
use tacit_credit::scorecard::signed::CardId;

use self::error::VerifyError;
use crate::wallet::clock;

/// Check a certificate that somebody presented
///
/// Asks nobody: the issuer does not learn that it is checked. Fetch the issuer's keys once, from
/// https://MINT/.well-known/jwt-vc-issuer, and keep the file.
///
/// Results go to stdout, all else to stderr.
///
/// Exits 0 if the presentation is believed and shows all that was required, 1 if not, 2 if the request or the issuer's
/// file makes no sense, 4 if a file cannot be read, 75 if the result could not be printed.
#[derive(Args)]
pub(crate) struct VerifyCertificate {
    /// The presentation itself, a file that holds it, or - for standard input
    #[arg(value_name = "PRESENTATION", default_value = "-")]
    presentation: String,
    /// The issuer's keys: a file of its metadata
    #[arg(long, value_name = "FILE")]
    issuer: std::path::PathBuf,
    /// Who the issuer must be, such as https://mint.example.org, if the file is not yours
    #[arg(long, value_name = "URL")]
    issuer_name: Option<String>,
    /// Whom it must have been made for: the client id you asked as
    #[arg(long, value_name = "TEXT")]
    audience: String,
    /// The nonce you asked with. Take each once, or a presentation counts twice
    #[arg(long, value_name = "TEXT")]
    nonce: String,
    /// Require a score of at least this
    #[arg(long, value_name = "SCORE")]
    threshold: Option<u16>,
    /// Require a history of at least so many months
    #[arg(long, value_name = "MONTHS")]
    tenure: Option<u16>,
    /// Require that nothing is overdue
    #[arg(long)]
    nothing_overdue: bool,
    /// Require this scorecard: its id
    #[arg(long, value_name = "ID")]
    scorecard: Option<String>,
    /// Judge as of this moment, in seconds since 1970, such as when it was received
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Checks, and says how it ended.
pub(crate) fn run(arguments: &VerifyCertificate) -> ExitCode {
    let is_json = arguments.json;
    let printed = judge(arguments).and_then(|presented| {
        let line = if is_json { record(&presented).to_string() } else { report(&presented) };
        let mut stdout = io::stdout().lock();
        let written = writeln!(stdout, "{}", line.trim_end()).and_then(|()| stdout.flush());
        written.map_err(VerifyError::Output)
    });
    let Err(error) = printed else { return ExitCode::SUCCESS };
    let exit = error.exit();
    let said = format!("{:#}", anyhow::Error::from(error));
    let line = if is_json {
        json!({"believed": false, "error": said, "exit": exit}).to_string()
    } else {
        format!("tacit: {said}")
    };
    // Who closed stderr does not want to hear.
    _ = writeln!(io::stderr().lock(), "{line}");
    ExitCode::from(exit)
}

fn judge(arguments: &VerifyCertificate) -> Result<Presented, VerifyError> {
    let scorecard = arguments.scorecard.as_deref().map(hex::decode::<32>).transpose();
    let scorecard = scorecard.map_err(|_| VerifyError::Scorecard)?.map(CardId::from_bytes);
    let metadata = read(&arguments.issuer, METADATA_BYTES_MAX)?;
    let metadata = Metadata::read(&metadata, arguments.issuer_name.as_deref());
    let path = || arguments.issuer.clone();
    let metadata = metadata.map_err(|source| VerifyError::Issuer { path: path(), source })?;
    let text = presentation(&arguments.presentation)?;
    let now = arguments.at.map_or_else(clock::now, Timestamp::from_seconds);
    let expected = Expected { audience: &arguments.audience, nonce: &arguments.nonce };
    let presented = verify(text.trim(), &metadata.certificates(), expected, now)?;
    let Shown { card, threshold, tenure, nothing_overdue } = presented.shown;
    let is_least =
        |shown: Option<u16>, wanted: Option<u16>| wanted.is_none_or(|wanted| Some(wanted) <= shown);
    if !is_least(threshold, arguments.threshold) {
        return Err(VerifyError::Threshold { shown: threshold });
    }
    if !is_least(tenure, arguments.tenure) {
        return Err(VerifyError::Tenure { shown: tenure });
    }
    if arguments.nothing_overdue && !nothing_overdue {
        return Err(VerifyError::Overdue);
    }
    if scorecard.is_some() && scorecard != card {
        return Err(VerifyError::OtherScorecard);
    }
    Ok(presented)
}

/// The presentation: what has `~` in it is one, all else is a file's name.
fn presentation(argument: &str) -> Result<String, VerifyError> {
    if argument.contains('~') {
        return Ok(argument.to_owned());
    }
    // Room for the line's end, and for a byte that shows there were more.
    let bytes = read(Path::new(argument), PRESENTATION_BYTES_MAX + 2)?;
    String::from_utf8(bytes).map_err(|_| VerifyError::NoText)
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>, VerifyError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|source| VerifyError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

fn report(presented: &Presented) -> String {
    let Presented { issuer, shown, validity, .. } = presented;
    let mut text = format!("believed: {issuer} signed it, and its holder presents it to you\n\n");
    let mut line = |name: &str, value: String| _ = writeln!(text, "{name:<16}{value}");
    let number = |value: Option<u16>, unit: &str| {
        value.map_or_else(|| "not shown".to_owned(), |value| format!("at least {value}{unit}"))
    };
    line("score", number(shown.threshold, ""));
    line(
        "by scorecard",
        shown.card.map_or_else(|| "not shown".to_owned(), |card| card.to_string()),
    );
    line("history", number(shown.tenure, " months"));
    let overdue = if shown.nothing_overdue { "nothing" } else { "not shown" };
    line("overdue", overdue.to_owned());
    line("made on", validity.since.day().to_string());
    line("valid until", validity.until.to_string());
    text
}

fn record(presented: &Presented) -> Value {
    let Presented { issuer, shown, validity, key } = presented;
    json!({
        "believed": true, "issuer": issuer,
        "scorecard": shown.card.map(|card| card.to_string()),
        "threshold": shown.threshold, "tenure_months": shown.tenure,
        "nothing_overdue": shown.nothing_overdue.then_some(true),
        "since": validity.since, "until": validity.until, "key": key.thumbprint(),
    })
}
