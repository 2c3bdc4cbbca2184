//! Why a command of the wallet did not do what was asked, and with which code it then ends.

use std::io;
use std::path::PathBuf;

use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_credit::certificate::request::RequestError;
use tacit_ecash::payment_request::PaymentRequestError;
use tacit_ecash::token::TokenError;
use tacit_wallet::history::NoteError;
use tacit_wallet::mint::{MintUrl, MintUrlError};
use tacit_wallet::operation::ask::AskError;
use tacit_wallet::operation::bills::BillError;
use tacit_wallet::operation::keysets::KeysetsError;
use tacit_wallet::operation::melt::{self, MeltError};
use tacit_wallet::operation::mint::{self, MintError};
use tacit_wallet::operation::passport::PassportError;
use tacit_wallet::operation::pay::{DeliverError, PayError};
use tacit_wallet::operation::prepare::PrepareError;
use tacit_wallet::operation::receive::ReceiveError;
use tacit_wallet::operation::reclaim::ReclaimError;
use tacit_wallet::operation::refund::RefundError;
use tacit_wallet::operation::restore::RestoreError;
use tacit_wallet::operation::send::SendError;
use tacit_wallet::operation::settle::SettleError;
use tacit_wallet::passport::bills::LinkError;
use tacit_wallet::seed::WordsError;
use tacit_wallet::select::NotEnough;
use tacit_wallet::transport::Refusal;

use super::file::FileError;
use super::keyring::KeyringError;
use super::money::MoneyError;
use super::net::NetError;
use super::passphrase::PassphraseError;

/// Why a command did not do what was asked. Variants stand in the order they are checked: the request, the file, the
/// person, the network, the mint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WalletError {
    #[error("the configuration {path} cannot be used", path = path.display())]
    Config { path: PathBuf, source: anyhow::Error },
    #[error("there is no home directory to keep a wallet in: use --wallet FILE")]
    NoHome,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Request(#[from] PaymentRequestError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Words(#[from] WordsError),
    #[error(transparent)]
    MintUrl(#[from] MintUrlError),
    #[error("nothing can be read from standard input")]
    Input(#[source] io::Error),
    #[error("{path} cannot be read", path = path.display())]
    InputFile { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("there is no {what} {number}")]
    NoSuch { what: &'static str, number: u64 },
    #[error("no payment request of yours is {id:?}: tacit wallet requests lists them")]
    NoRequest { id: String },
    #[error("this is {what}: use `tacit wallet {command}`")]
    OtherCommand { what: &'static str, command: &'static str },
    #[error("the wallet deals with no mint{of}: add one with `tacit wallet mints add URL`", of = of_unit(*unit))]
    NoMint { unit: Option<Unit> },
    #[error("the wallet has several units: say which, as in `10.50 usd`")]
    SeveralUnits,
    #[error("the wallet deals with several mints of {unit}: say which with --mint URL")]
    SeveralMints { unit: Unit },
    #[error("the wallet does not deal with {mint}")]
    NotListed { mint: MintUrl },
    #[error(
        "this is no link of a portal's passport page: take it from there, whole and between quotes"
    )]
    PassportLink,
    #[error(
        "there is no passport in this wallet: tacit passport enrol, or tacit passport recover URL"
    )]
    NoPassport,
    #[error(transparent)]
    BillLink(#[from] LinkError),
    #[error("no such bill is to be paid: tacit passport bills lists them")]
    NoBill,
    #[error("the operator makes no certificates of this passport")]
    NoCertificates,
    #[error("no certificate is left that says what is asked for: tacit passport certify")]
    NoCertificate,
    #[error("the request is not answered")]
    Presentation(#[from] RequestError),
    #[error("{host} does not take the answer: the certificate is used up")]
    NotTaken { host: String },
    #[error("there are passports with several operators: say which with --desk URL")]
    SeveralPassports,
    #[error("the mint {mint} offers no way to pay for {unit} that is known here")]
    NoMethod { mint: MintUrl, unit: Unit },
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("the operating system gives no randomness")]
    Random(#[from] getrandom::Error),
    #[error("not done, as you said")]
    Declined,
    #[error("this needs your consent, and there is no terminal to ask at: use --yes")]
    NeedsYes,
    #[error(
        "the token is of a mint you have not dealt with, {mint}: use --trust if you want its money"
    )]
    UnknownMint { mint: MintUrl },
    #[error("there is not enough: {missing} more would be needed, fees included")]
    NotEnough { missing: Amount },
    #[error("the mint does not answer{because}: nothing is lost, run this again later", because = because(reason.as_deref()))]
    NoAnswer { reason: Option<String> },
    #[error("the mint has not answered{because}: the operation is open, and the next command takes it up again", because = because(reason.as_deref()))]
    Open { reason: Option<String> },
    #[error("the mint is still at work on it: `tacit wallet pending` asks again")]
    Pending,
    #[error("the quote waits for its payment: `tacit wallet quotes` collects it later")]
    AwaitsPayment,
    /// `detail` is the mint's text, printed with its control characters escaped.
    #[error("the mint refuses: {detail:?} (code {code})", detail = shortened(&refusal.detail), code = refusal.code)]
    Refused { refusal: Refusal },
    #[error("it is spent already")]
    AlreadySpent,
    #[error("the operator's scorecard is none that this program can read")]
    Scorecard,
    #[error(transparent)]
    Passport(PassportError),
    #[error(transparent)]
    Bill(BillError),
    #[error(transparent)]
    Keysets(KeysetsError),
    #[error(transparent)]
    Prepare(PrepareError),
    #[error("the token cannot be received: {0}")]
    Receive(ReceiveError),
    #[error("the token cannot be taken back")]
    Reclaim(#[source] ReclaimError),
    #[error(transparent)]
    Settle(SettleError),
    #[error(transparent)]
    Refund(RefundError),
    #[error(transparent)]
    Restore(RestoreError),
    #[error(transparent)]
    MintQuote(mint::QuoteError),
    #[error(transparent)]
    MeltQuote(melt::QuoteError),
    #[error(transparent)]
    Melt(MeltError),
    #[error(transparent)]
    PayRequest(PayError),
    /// The money is safe: what could not be printed stands in the wallet.
    #[error("the result could not be printed; `tacit wallet pending` shows tokens again")]
    Output(#[source] io::Error),
}

/// How a command ends, for scripts. The numbers are documented and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The mint says no, or it cannot be.
    Refused = 1,
    /// What was asked makes no sense.
    Usage = 2,
    /// There is too little.
    NotEnough = 3,
    /// The wallet file, or its passphrase.
    File = 4,
    /// The person said no, or could not be asked.
    Declined = 5,
    /// Run it again later (EX_TEMPFAIL).
    Later = 75,
}

impl WalletError {
    /// With which code the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Config { .. }
            | Self::NoHome
            | Self::Money(_)
            | Self::Token(_)
            | Self::Request(_)
            | Self::Ask(_)
            | Self::Words(_)
            | Self::MintUrl(_)
            | Self::Input(_)
            | Self::InputFile { .. }
            | Self::Note(_)
            | Self::NoSuch { .. }
            | Self::NoRequest { .. }
            | Self::OtherCommand { .. }
            | Self::NoMint { .. }
            | Self::SeveralUnits
            | Self::SeveralMints { .. }
            | Self::NotListed { .. }
            | Self::PassportLink
            | Self::NoPassport
            | Self::BillLink(_)
            | Self::NoBill
            | Self::NoCertificates
            | Self::NoCertificate
            | Self::Presentation(_)
            | Self::NotTaken { .. }
            | Self::SeveralPassports
            | Self::Net(_) => Exit::Usage,
            Self::File(FileError::Busy { .. } | FileError::Conflict) => Exit::Later,
            Self::File(_) | Self::Passphrase(_) | Self::Keyring(_) => Exit::File,
            Self::Declined | Self::NeedsYes | Self::UnknownMint { .. } => Exit::Declined,
            // As long as it is not delivered or taken back, nothing else is wrong with it.
            Self::PayRequest(PayError::Undelivered { .. }) => Exit::Later,
            Self::NotEnough { .. } | Self::PayRequest(PayError::NotEnough { .. }) => {
                Exit::NotEnough
            }
            Self::Random(_)
            | Self::NoAnswer { .. }
            | Self::Open { .. }
            | Self::Pending
            | Self::AwaitsPayment
            | Self::PayRequest(PayError::Deliver(_))
            | Self::Bill(BillError::Deliver(_))
            | Self::Output(_) => Exit::Later,
            Self::NoMethod { .. }
            | Self::Refused { .. }
            | Self::AlreadySpent
            | Self::Scorecard
            | Self::Passport(_)
            | Self::Bill(_)
            | Self::Keysets(_)
            | Self::Prepare(_)
            | Self::Receive(_)
            | Self::Reclaim(_)
            | Self::Settle(_)
            | Self::Refund(_)
            | Self::Restore(_)
            | Self::MintQuote(_)
            | Self::MeltQuote(_)
            | Self::Melt(_)
            | Self::PayRequest(_) => Exit::Refused,
        }
    }

    /// The same with why no answer came.
    pub(super) fn because(mut self, trouble: Option<&str>) -> Self {
        if let Self::NoAnswer { reason } | Self::Open { reason } = &mut self
            && reason.is_none()
        {
            *reason = trouble.map(str::to_owned);
        }
        self
    }

    /// The same with the unit of what is missing.
    pub(super) fn in_unit(self, unit: Unit) -> Self {
        let Self::Prepare(PrepareError::NotEnough(NotEnough { missing })) = self else {
            return self;
        };
        match Amount::new(missing, unit) {
            Ok(missing) => Self::NotEnough { missing },
            Err(error) => Self::Money(error.into()),
        }
    }
}

impl From<KeysetsError> for WalletError {
    fn from(error: KeysetsError) -> Self {
        match error {
            KeysetsError::NoAnswer => Self::NoAnswer { reason: None },
            KeysetsError::Refused { refusal } => Self::Refused { refusal },
            KeysetsError::OtherMint { .. }
            | KeysetsError::Changed { .. }
            | KeysetsError::FalseId { .. } => Self::Keysets(error),
        }
    }
}

impl From<PassportError> for WalletError {
    fn from(error: PassportError) -> Self {
        match error {
            PassportError::NoAnswer => Self::NoAnswer { reason: None },
            PassportError::Refused { refusal } => Self::Refused { refusal },
            PassportError::None { .. } => Self::NoPassport,
            PassportError::Changed { .. }
            | PassportError::Held { .. }
            | PassportError::Expired
            | PassportError::Prepare(_)
            | PassportError::Reply(_)
            | PassportError::Recovery(_)
            | PassportError::Certificates(_) => Self::Passport(error),
        }
    }
}

impl From<BillError> for WalletError {
    fn from(error: BillError) -> Self {
        match error {
            BillError::NoAnswer => Self::NoAnswer { reason: None },
            BillError::NoPassport { .. } => Self::NoPassport,
            BillError::Send(error) => error.into(),
            BillError::Twice
            | BillError::NotTaken
            | BillError::Counted
            | BillError::Unknown { .. }
            | BillError::Unit(_)
            | BillError::NothingDue { .. }
            | BillError::Amount(_)
            | BillError::Changed { .. }
            | BillError::TooEarly { .. }
            | BillError::Url(_)
            | BillError::Prepare(_)
            | BillError::Deliver(_) => Self::Bill(error),
        }
    }
}

impl From<SettleError> for WalletError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::NoAnswer => Self::Open { reason: None },
            SettleError::Pending => Self::Pending,
            SettleError::AwaitsPayment => Self::AwaitsPayment,
            SettleError::AlreadySpent => Self::AlreadySpent,
            SettleError::Refused { refusal } => Self::Refused { refusal },
            SettleError::UnknownOperation
            | SettleError::Output(_)
            | SettleError::AlreadyIssued
            | SettleError::StaleCounter => Self::Settle(error),
        }
    }
}

impl From<ReceiveError> for WalletError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Mint(error) => Self::MintUrl(error),
            ReceiveError::Prepare(error) => Self::Prepare(error),
            ReceiveError::Settle(error) => error.into(),
            ReceiveError::Keyset(_) | ReceiveError::Unit | ReceiveError::Payment(_) => {
                Self::Receive(error)
            }
        }
    }
}

impl From<SendError> for WalletError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Prepare(error) => Self::Prepare(error),
            SendError::Settle(error) => error.into(),
        }
    }
}

impl From<MintError> for WalletError {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Prepare(error) => Self::Prepare(error),
            MintError::Settle(error) => error.into(),
        }
    }
}

impl From<mint::QuoteError> for WalletError {
    fn from(error: mint::QuoteError) -> Self {
        match error {
            mint::QuoteError::NoAnswer => Self::NoAnswer { reason: None },
            mint::QuoteError::Refused { refusal } => Self::Refused { refusal },
            mint::QuoteError::OtherAmount
            | mint::QuoteError::OtherKey
            | mint::QuoteError::Derive(_) => Self::MintQuote(error),
        }
    }
}

impl From<melt::QuoteError> for WalletError {
    fn from(error: melt::QuoteError) -> Self {
        match error {
            melt::QuoteError::NoAnswer => Self::NoAnswer { reason: None },
            melt::QuoteError::Refused { refusal } => Self::Refused { refusal },
            melt::QuoteError::OtherPayment => Self::MeltQuote(error),
        }
    }
}

impl From<MeltError> for WalletError {
    fn from(error: MeltError) -> Self {
        match error {
            MeltError::Prepare(error) => Self::Prepare(error),
            MeltError::Settle(error) => error.into(),
            MeltError::NotUnpaid | MeltError::Unit => Self::Melt(error),
        }
    }
}

impl From<DeliverError> for WalletError {
    fn from(error: DeliverError) -> Self {
        PayError::Deliver(error).into()
    }
}

impl From<PayError> for WalletError {
    fn from(error: PayError) -> Self {
        match error {
            PayError::NoAnswer => Self::NoAnswer { reason: None },
            PayError::Send(error) => error.into(),
            PayError::NoAmount
            | PayError::OtherAmount
            | PayError::Unit(_)
            | PayError::Amount(_)
            | PayError::Lock(_)
            | PayError::NoTransport
            | PayError::Url(_)
            | PayError::Undelivered { .. }
            | PayError::NotTaken
            | PayError::NotEnough { .. }
            | PayError::LockUnsupported
            | PayError::Method
            | PayError::Deliver(_) => Self::PayRequest(error),
        }
    }
}

impl From<ReclaimError> for WalletError {
    fn from(error: ReclaimError) -> Self {
        match error {
            ReclaimError::NoAnswer => Self::NoAnswer { reason: None },
            ReclaimError::Pending => Self::Pending,
            ReclaimError::Prepare(error) => Self::Prepare(error),
            ReclaimError::Settle(error) => error.into(),
            ReclaimError::UnknownToken => Self::Reclaim(error),
        }
    }
}

impl From<RefundError> for WalletError {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NoAnswer => Self::NoAnswer { reason: None },
            RefundError::Refused { refusal } => Self::Refused { refusal },
            RefundError::UnknownPayment | RefundError::Derive(_) | RefundError::Output(_) => {
                Self::Refund(error)
            }
        }
    }
}

impl From<RestoreError> for WalletError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::NoAnswer => Self::NoAnswer { reason: None },
            RestoreError::BadSignature { .. } | RestoreError::Derive(_) => Self::Restore(error),
        }
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" ({reason})")).unwrap_or_default()
}

fn of_unit(unit: Option<Unit>) -> String {
    unit.map(|unit| format!(" of {unit}")).unwrap_or_default()
}

/// A text from outside fits on a screen.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(300)]
}
