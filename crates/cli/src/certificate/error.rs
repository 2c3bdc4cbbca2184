//! Why a presentation was not believed, and with which code the command then ends.

use std::io;
use std::path::PathBuf;

use tacit_credit::certificate::issuer::MetadataError;
use tacit_credit::certificate::verify::CertificateError;

/// Why a presentation was not believed, or is not enough. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum VerifyError {
    #[error("a scorecard's id is 64 hexadecimal digits")]
    Scorecard,
    #[error("{path} cannot be read", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} cannot be used", path = path.display())]
    Issuer { path: PathBuf, source: MetadataError },
    #[error("the presentation is no text in UTF-8")]
    NoText,
    #[error("not believed")]
    Certificate(#[from] CertificateError),
    #[error("{}", least("score", *shown))]
    Threshold { shown: Option<u16> },
    #[error("{}", least("history in months", *shown))]
    Tenure { shown: Option<u16> },
    #[error("it is signed, and does not show that nothing is overdue")]
    Overdue,
    #[error("it is signed, and shows no score by that scorecard")]
    OtherScorecard,
    #[error("the result could not be printed")]
    Output(#[source] io::Error),
}

fn least(what: &str, shown: Option<u16>) -> String {
    match shown {
        Some(shown) => format!("it is signed, and shows a {what} of at least {shown} only"),
        None => format!("it is signed, and shows no {what}"),
    }
}

impl VerifyError {
    /// 1 for a presentation that is not believed or not enough, 2 for a request that makes no sense, 4 for files, 75 for the rest.
    pub(super) fn exit(&self) -> u8 {
        match self {
            Self::NoText
            | Self::Certificate(_)
            | Self::Threshold { .. }
            | Self::Tenure { .. }
            | Self::Overdue
            | Self::OtherScorecard => 1,
            Self::Scorecard | Self::Issuer { .. } => 2,
            Self::Read { .. } => 4,
            Self::Output(_) => 75,
        }
    }
}
