//! Why a command of `tacit score` did not do what was asked, and with which code it then ends.

use std::io;
use std::path::PathBuf;

use tacit_credit::scorecard::ReadError;
use tacit_credit::scorecard::definition::DefinitionError;
use tacit_credit::scorecard::sample::SampleError;
use tacit_credit::scorecard::signed::{KeyError, SignedCardError};
use tacit_credit::scorecard::study::StudyError;

/// Why a command did not do what was asked. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScoreError {
    #[error("{path} cannot be read", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is larger than {most} bytes", path = path.display())]
    TooLarge { path: PathBuf, most: u64 },
    #[error("{path} is no text in UTF-8", path = path.display())]
    NoText { path: PathBuf },
    #[error("{name} is no preset ({presets}), and no such file can be read")]
    NoCounters { name: String, presets: String, source: io::Error },
    #[error("the counters file {name} is refused")]
    Definition { name: String, source: DefinitionError },
    #[error(
        "column {column:?} is read by the counters: what a card is made of cannot be audited besides"
    )]
    AuditedInput { column: String },
    #[error("{path} does not hold a signing key: 64 hexadecimal digits, as tacit score new-key writes them", path = path.display())]
    NoKey { path: PathBuf },
    #[error(transparent)]
    PublicKey(#[from] KeyError),
    #[error("{path} is refused", path = path.display())]
    Sample { path: PathBuf, source: Box<SampleError> },
    #[error("no scorecard can be made of {path}", path = path.display())]
    Study { path: PathBuf, source: StudyError },
    #[error("{path} is refused", path = path.display())]
    Card { path: PathBuf, source: SignedCardError },
    #[error("the card is signed, but by {found}")]
    OtherKey { found: String },
    #[error("what was fitted cannot be signed")]
    Sign(#[source] SignedCardError),
    #[error("the values are no JSON object of names and whole numbers")]
    Values(#[source] serde_json::Error),
    #[error("{text:?} is not NAME=NUMBER")]
    Value { text: String },
    #[error(transparent)]
    Reading(#[from] ReadError),
    #[error("the operating system gives no randomness")]
    Random(#[from] getrandom::Error),
    #[error("{path} cannot be written", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the model card cannot be made")]
    Page(#[from] askama::Error),
    #[error("the result could not be printed")]
    Output(#[source] io::Error),
}

impl ScoreError {
    /// 1 if it cannot be, 2 if the request or a file's content makes no sense, 4 for files themselves, 75 for the rest.
    pub(super) fn exit(&self) -> u8 {
        match self {
            Self::Study { .. } | Self::OtherKey { .. } | Self::Sign(_) => 1,
            Self::Card { source: SignedCardError::Signature, .. } => 1,
            Self::TooLarge { .. }
            | Self::NoText { .. }
            | Self::NoCounters { .. }
            | Self::Definition { .. }
            | Self::AuditedInput { .. }
            | Self::NoKey { .. }
            | Self::PublicKey(_)
            | Self::Sample { .. }
            | Self::Card { .. }
            | Self::Values(_)
            | Self::Value { .. }
            | Self::Reading(_) => 2,
            Self::Read { .. } | Self::Write { .. } => 4,
            Self::Random(_) | Self::Page(_) | Self::Output(_) => 75,
        }
    }
}
