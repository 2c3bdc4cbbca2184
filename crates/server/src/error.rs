//! How a refusal looks from outside: a status, and the detail and code of NUT-00, "Errors".

use std::error::Error;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tacit_ecash::code::Code;
use tacit_ecash::message::ErrorResponse;
use tacit_ecash::request::MessageError;
use tacit_service::issue::MintError;
use tacit_service::melt::MeltError;
use tacit_service::mint::{InputError, OutputError};
use tacit_service::quote::UnknownMethod;
use tacit_service::rail::RailError;
use tacit_service::swap::SwapError;
use tacit_service::vault::StoreError;

use crate::answer;
use crate::limit::TooFast;
use crate::log::{self, Level};
use crate::pool::PoolError;
use crate::writer::CommitError;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: Code,
    detail: String,
    retry_seconds: Option<u8>,
}

/// The code a response carries, left beside it for the counters.
#[derive(Clone, Copy)]
pub(crate) struct Refused(pub(crate) Code);

impl ApiError {
    /// The wallet's own doing: status 400.
    pub(crate) fn refused(code: Code, error: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, error.to_string())
    }

    /// Another status that is the client's doing.
    pub(crate) fn of_status(status: StatusCode, detail: &str) -> Self {
        Self::new(status, Code::Refused, detail.to_owned())
    }

    /// Our doing: logged whole; the client reads "internal".
    pub(crate) fn internal(error: &(dyn Error + 'static)) -> Self {
        log::error_chain(Level::Error, "a request failed", error);
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Refused, "internal".to_owned())
    }

    /// Too much at once, or nothing can be written for now: the same request may be sent again later.
    pub(crate) fn busy(detail: &str, retry_seconds: u8) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let error = Self::new(status, Code::Refused, detail.to_owned());
        Self { retry_seconds: Some(retry_seconds), ..error }
    }

    /// More than a second's worth: the same request may be sent again after that time.
    pub(crate) fn too_fast(too_fast: TooFast) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let error = Self::new(status, Code::Refused, "too many requests at once".to_owned());
        Self { retry_seconds: Some(too_fast.seconds()), ..error }
    }

    /// The quote in a path or body is not known, or is of another unit or method.
    pub(crate) fn unknown_quote() -> Self {
        Self::refused(Code::QuoteRefused, "the quote is not known")
    }

    fn new(status: StatusCode, code: Code, detail: String) -> Self {
        Self { status, code, detail, retry_seconds: None }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = u32::from(self.code.number());
        let body = ErrorResponse { detail: self.detail, code };
        let mut response = answer::json(&body);
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, u16::from(seconds).into());
        }
        response.extensions_mut().insert(Refused(self.code));
        response
    }
}

impl From<MessageError> for ApiError {
    fn from(error: MessageError) -> Self {
        Self::refused(error.code(), error)
    }
}

impl From<UnknownMethod> for ApiError {
    fn from(error: UnknownMethod) -> Self {
        Self::refused(Code::Refused, error)
    }
}

impl From<SwapError> for ApiError {
    fn from(error: SwapError) -> Self {
        let code = match &error {
            SwapError::Input(input) => code_of_input(input),
            SwapError::Output(output) => code_of_output(output),
            SwapError::Unbalanced { .. } => Code::Unbalanced,
        };
        Self::refused(code, error)
    }
}

impl From<MintError> for ApiError {
    fn from(error: MintError) -> Self {
        let code = match &error {
            MintError::UnknownQuote => Code::QuoteRefused,
            MintError::BadSignature => Code::InvalidMintSignature,
            MintError::AlreadyIssued => Code::QuoteIssued,
            MintError::NotPaid => Code::QuoteUnpaid,
            MintError::Output(output) => code_of_output(output),
            MintError::Unbalanced { .. } => Code::Unbalanced,
        };
        Self::refused(code, error)
    }
}

impl From<MeltError> for ApiError {
    fn from(error: MeltError) -> Self {
        let code = match &error {
            MeltError::UnknownQuote => Code::QuoteRefused,
            MeltError::Input(input) => code_of_input(input),
            MeltError::Output(output) => code_of_output(output),
            MeltError::Unbalanced { .. } => Code::Unbalanced,
            MeltError::Pending => Code::QuotePending,
            MeltError::Expired => Code::QuoteExpired,
            MeltError::PayeeClosed => Code::PaymentFailed,
        };
        Self::refused(code, error)
    }
}

pub(crate) fn code_of_input(error: &InputError) -> Code {
    match error {
        InputError::Empty => Code::Refused,
        InputError::UnknownKeyset { .. } => Code::UnknownKeyset,
        InputError::Duplicate { .. } => Code::DuplicateInputs,
        InputError::Overflow => Code::Unbalanced,
        InputError::OfMerchant { .. } | InputError::Locked(_) | InputError::InvalidProof { .. } => {
            Code::InvalidProof
        }
        InputError::AlreadySpent { .. } => Code::AlreadySpent,
        InputError::Pending { .. } => Code::ProofsPending,
        InputError::KeysetExpired { .. } => Code::ExpiredKeyset,
    }
}

pub(crate) fn code_of_output(error: &OutputError) -> Code {
    match error {
        OutputError::Empty => Code::Refused,
        OutputError::UnknownKeyset { .. } => Code::UnknownKeyset,
        OutputError::Duplicate { .. } => Code::DuplicateOutputs,
        OutputError::NoSuchDenomination { .. } => Code::AmountOutOfRange,
        OutputError::NotAPoint { .. } => Code::InvalidProof,
        OutputError::AlreadySigned { .. } => Code::AlreadySigned,
        OutputError::Promised { .. } => Code::OutputsPending,
        OutputError::KeysetInactive { .. } => Code::InactiveKeyset,
        OutputError::KeysetExpired { .. } => Code::ExpiredKeyset,
    }
}

impl From<RailError> for ApiError {
    fn from(error: RailError) -> Self {
        let code = match &error {
            RailError::BadRequest => Code::Refused,
            RailError::WrongUnit => Code::UnknownUnit,
            RailError::NoAmount => Code::AmountlessUnsupported,
            RailError::AlreadyPaid => Code::AlreadyPaid,
            RailError::Unreachable(_) => {
                log::error_chain(Level::Warn, "the rail cannot be reached", &error);
                return Self::busy("payments cannot be made now", 30);
            }
        };
        Self::refused(code, error)
    }
}

/// What is told while the database is away.
const AWAY: &str = "the mint cannot reach its database";

/// What is told when it was lost during a commit.
const IN_DOUBT: &str = "it is not known yet whether this was done: send the same request again";

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::busy("the mint is busy", 1),
            StoreError::Away(_) | StoreError::InDoubt(_) => Self::busy(AWAY, 5),
            StoreError::Unwritable(_) | StoreError::Corrupt(_) | StoreError::Failed(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<PoolError> for ApiError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full => Self::busy("the mint is busy", 1),
            PoolError::Stopping => Self::busy("the mint is stopping", 5),
            PoolError::Lost => Self::internal(&error),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Full | CommitError::Busy => Self::busy("the mint is busy", 1),
            CommitError::Stopping => Self::busy("the mint is stopping", 5),
            CommitError::Away => Self::busy(AWAY, 5),
            CommitError::InDoubt => Self::busy(IN_DOUBT, 5),
            CommitError::Unwritable => Self::busy("the mint cannot write now", 30),
            // The store's own error was logged where it happened, once for the whole batch.
            CommitError::Failed => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Refused, "internal".to_owned())
            }
        }
    }
}
