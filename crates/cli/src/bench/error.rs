//! Why a benchmark has no result.

use crate::bench::http::HttpError;
use crate::bench::wallet::SignatureError;

/// Why a benchmark has no result. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error(
        "{connections} connections cannot share {swaps} swaps: use at most as many connections as swaps"
    )]
    TooManyConnections { connections: u32, swaps: u32 },
    #[error("the processor time of process {id} cannot be read")]
    NoProcess { id: u32 },
    #[error("this machine cannot run the load generator")]
    Machine(#[source] std::io::Error),
    #[error("the machine gives no random numbers")]
    Randomness(#[from] getrandom::Error),
    #[error("no answer to the request for {what}")]
    Unreachable { what: &'static str, source: HttpError },
    /// `detail` is the mint's text, printed with its control characters escaped.
    #[error("the mint refused {what} with status {status}: {detail:?}")]
    Refused { what: &'static str, status: u16, detail: String },
    #[error(
        "the answer to the request for {what} cannot be read: is this the URL of a Cashu mint?"
    )]
    Unreadable { what: &'static str, source: serde_json::Error },
    #[error("the mint has no active keyset of the unit {unit}; it has: {offered}")]
    UnknownUnit { unit: String, offered: String },
    #[error("the mint does not give the keys of its keyset {keyset}")]
    NoKeys { keyset: String },
    #[error("the keys of keyset {keyset} are not the ones it is named after")]
    FalseKeysetId { keyset: String },
    #[error("the mint issues {unit} by no method known here; it offers: {offered}")]
    NoMethod { unit: String, offered: String },
    #[error(
        "a keyset with a fee of {fee_ppk} ppk and these denominations allows no swap of {inputs} inputs and {outputs} outputs"
    )]
    NoPlan { inputs: u16, outputs: u16, fee_ppk: u64 },
    #[error("a swap needs {needed} in e-cash, and the mint issues at most {max} at a time")]
    QuoteTooSmall { needed: u64, max: u64 },
    #[error(
        "{unpaid} quotes were still unpaid after {seconds} s; only mints whose quotes pay themselves can be measured"
    )]
    NeverPaid { unpaid: usize, seconds: u64 },
    #[error("the mint signed {signed} of {asked} outputs it was paid for")]
    MissingSignatures { asked: usize, signed: usize },
    #[error("the mint issued a false signature")]
    FalseSignature(#[from] SignatureError),
}

impl BenchError {
    /// 1 if the mint is at fault, 2 if the request was, 75 (EX_TEMPFAIL) if the mint cannot be reached.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::TooManyConnections { .. }
            | Self::NoProcess { .. }
            | Self::UnknownUnit { .. }
            | Self::NoMethod { .. }
            | Self::NoPlan { .. }
            | Self::QuoteTooSmall { .. } => 2,
            Self::Machine(_) | Self::Randomness(_) | Self::Unreachable { .. } => 75,
            Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::NoKeys { .. }
            | Self::FalseKeysetId { .. }
            | Self::NeverPaid { .. }
            | Self::MissingSignatures { .. }
            | Self::FalseSignature(_) => 1,
        }
    }
}
