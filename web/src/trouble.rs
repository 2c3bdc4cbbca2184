//! Why something was not done, and how that is said: what happened, that nothing is lost, what to do.

use tacit_core::unit::Unit;
use tacit_credit::certificate::request::RequestError;
use tacit_ecash::payment_request::PaymentRequestError;
use tacit_wallet::history::NoteError;
use tacit_wallet::mint::MintUrlError;
use tacit_wallet::money::MoneyError;
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
use tacit_wallet::select::NotEnough;
use tacit_wallet::transport::Refusal;
use wasm_bindgen::JsValue;

use crate::screen::shown;
use crate::text::{Text, fill};

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No answer: nothing was begun, or it is open and taken up again.
    NoAnswer,
    /// Somebody is still at work on it.
    Pending,
    /// A quote that nobody has paid yet.
    AwaitsPayment,
    NotEnough {
        missing: u64,
    },
    /// The same in a unit.
    NotEnoughOf {
        missing: u64,
        unit: Unit,
    },
    /// What was received is spent.
    Spent,
    /// The words were used elsewhere.
    Stale,
    /// A mint or the desk shows other keys than before.
    ChangedKeys {
        detail: String,
    },
    /// `operator.json` is another's.
    OtherOperator,
    /// Of a mint that is not this operator's.
    ForeignMint {
        mint: String,
    },
    /// A payment is under way, and not known to have arrived.
    Undelivered,
    /// Whoever was to have it says no.
    Refused {
        detail: String,
    },
    Locked,
    /// Not what was expected: a text, an amount.
    Unreadable,
    NoPassport,
    NoCertificate,
    WrongSecret,
    Damaged,
    OtherTab,
    Storage {
        detail: String,
    },
    Random,
    /// In the words of the program.
    Other {
        detail: String,
    },
}

impl Trouble {
    /// Of IndexedDB.
    pub(crate) fn storage(error: JsValue) -> Self {
        let detail =
            js_sys::Reflect::get(&error, &"message".into()).ok().and_then(|it| it.as_string());
        Self::Storage { detail: detail.unwrap_or_default() }
    }

    pub(crate) fn other(error: &impl std::fmt::Display) -> Self {
        Self::Other { detail: error.to_string() }
    }

    /// The same, in a unit if it is about money.
    pub(crate) fn in_unit(self, unit: Unit) -> Self {
        if let Self::NotEnough { missing } = self {
            return Self::NotEnoughOf { missing, unit };
        }
        self
    }

    /// For people.
    pub(crate) fn say(&self, t: &Text) -> String {
        let plain = match self {
            Self::NoAnswer => t.no_answer,
            Self::Pending => t.still_pending,
            Self::AwaitsPayment => t.awaits_payment,
            Self::NotEnough { .. } => t.not_enough,
            Self::NotEnoughOf { missing, unit } => {
                return fill(t.not_enough_by, &[&shown(*missing, *unit)]);
            }
            Self::Spent => t.spent,
            Self::Stale => t.stale,
            Self::ChangedKeys { detail } => return fill(t.changed_keys, &[detail]),
            Self::OtherOperator => t.other_operator,
            Self::ForeignMint { mint } => return fill(t.foreign_mint, &[mint]),
            Self::Undelivered => t.undelivered,
            Self::Refused { detail } => return fill(t.refused, &[detail]),
            Self::Locked => t.locked_token,
            Self::Unreadable => t.unreadable,
            Self::NoPassport => t.no_passport,
            Self::NoCertificate => t.no_certificate,
            Self::WrongSecret => t.wrong_secret,
            Self::Damaged => t.damaged,
            Self::OtherTab => t.other_tab_changed,
            Self::Storage { detail } => return fill(t.storage_failed, &[detail]),
            Self::Random => t.no_random,
            Self::Other { detail } => return fill(t.failed, &[detail]),
        };
        plain.to_owned()
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        // Text from outside: without what a screen obeys.
        let clean: String = refusal.detail.chars().filter(|c| !c.is_control()).take(200).collect();
        Self::Refused { detail: format!("{clean} ({})", refusal.code) }
    }
}

impl From<NotEnough> for Trouble {
    fn from(error: NotEnough) -> Self {
        Self::NotEnough { missing: error.missing }
    }
}

impl From<PrepareError> for Trouble {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::NotEnough(error) => error.into(),
            PrepareError::InUse => Self::Pending,
            PrepareError::Locked(_) | PrepareError::Lock(_) => Self::Locked,
            PrepareError::NoKeyset
            | PrepareError::BelowFee { .. }
            | PrepareError::NotExpressible(_)
            | PrepareError::TooLarge(_)
            | PrepareError::Derive(_) => Self::other(&error),
        }
    }
}

impl From<SettleError> for Trouble {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::AwaitsPayment => Self::AwaitsPayment,
            SettleError::NoAnswer => Self::NoAnswer,
            SettleError::Pending => Self::Pending,
            SettleError::AlreadySpent => Self::Spent,
            SettleError::StaleCounter => Self::Stale,
            SettleError::Refused { refusal } => refusal.into(),
            SettleError::Output(_) => Self::ChangedKeys { detail: error.to_string() },
            SettleError::UnknownOperation | SettleError::AlreadyIssued => Self::other(&error),
        }
    }
}

impl From<SendError> for Trouble {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Prepare(error) => error.into(),
            SendError::Settle(error) => error.into(),
        }
    }
}

impl From<ReceiveError> for Trouble {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Prepare(error) => error.into(),
            ReceiveError::Settle(error) => error.into(),
            ReceiveError::Mint(_)
            | ReceiveError::Keyset(_)
            | ReceiveError::Unit
            | ReceiveError::Payment(_) => Self::other(&error),
        }
    }
}

impl From<MintError> for Trouble {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Prepare(error) => error.into(),
            MintError::Settle(error) => error.into(),
        }
    }
}

impl From<MeltError> for Trouble {
    fn from(error: MeltError) -> Self {
        match error {
            MeltError::Prepare(error) => error.into(),
            MeltError::Settle(error) => error.into(),
            MeltError::NotUnpaid | MeltError::Unit => Self::other(&error),
        }
    }
}

impl From<mint::QuoteError> for Trouble {
    fn from(error: mint::QuoteError) -> Self {
        match error {
            mint::QuoteError::NoAnswer => Self::NoAnswer,
            mint::QuoteError::Refused { refusal } => refusal.into(),
            mint::QuoteError::OtherAmount
            | mint::QuoteError::OtherKey
            | mint::QuoteError::Derive(_) => Self::other(&error),
        }
    }
}

impl From<melt::QuoteError> for Trouble {
    fn from(error: melt::QuoteError) -> Self {
        match error {
            melt::QuoteError::NoAnswer => Self::NoAnswer,
            melt::QuoteError::Refused { refusal } => refusal.into(),
            melt::QuoteError::OtherPayment => Self::other(&error),
        }
    }
}

impl From<KeysetsError> for Trouble {
    fn from(error: KeysetsError) -> Self {
        match error {
            KeysetsError::NoAnswer => Self::NoAnswer,
            KeysetsError::Refused { refusal } => refusal.into(),
            KeysetsError::OtherMint { .. }
            | KeysetsError::Changed { .. }
            | KeysetsError::FalseId { .. } => Self::ChangedKeys { detail: error.to_string() },
        }
    }
}

impl From<DeliverError> for Trouble {
    fn from(error: DeliverError) -> Self {
        match error {
            DeliverError::NoAnswer => Self::Undelivered,
            DeliverError::Bill { refusal } => refusal.into(),
            DeliverError::Refused { .. } => Self::Refused { detail: error.to_string() },
            DeliverError::UnknownPayment | DeliverError::Receipt(_) => Self::other(&error),
        }
    }
}

impl From<PayError> for Trouble {
    fn from(error: PayError) -> Self {
        match error {
            PayError::Undelivered { .. } => Self::Undelivered,
            PayError::NotEnough { missing } => Self::NotEnough { missing },
            PayError::NoAnswer => Self::NoAnswer,
            PayError::Send(error) => error.into(),
            PayError::Deliver(error) => error.into(),
            PayError::NoAmount
            | PayError::OtherAmount
            | PayError::Unit(_)
            | PayError::Amount(_)
            | PayError::Lock(_)
            | PayError::NoTransport
            | PayError::Url(_)
            | PayError::NotTaken
            | PayError::LockUnsupported
            | PayError::Method => Self::other(&error),
        }
    }
}

impl From<ReclaimError> for Trouble {
    fn from(error: ReclaimError) -> Self {
        match error {
            ReclaimError::NoAnswer => Self::NoAnswer,
            ReclaimError::Pending => Self::Pending,
            ReclaimError::Prepare(error) => error.into(),
            ReclaimError::Settle(error) => error.into(),
            ReclaimError::UnknownToken => Self::other(&error),
        }
    }
}

impl From<RefundError> for Trouble {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NoAnswer => Self::NoAnswer,
            RefundError::Refused { refusal } => refusal.into(),
            RefundError::Output(_) => Self::ChangedKeys { detail: error.to_string() },
            RefundError::UnknownPayment | RefundError::Derive(_) => Self::other(&error),
        }
    }
}

impl From<RestoreError> for Trouble {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::NoAnswer => Self::NoAnswer,
            RestoreError::BadSignature { .. } => Self::ChangedKeys { detail: error.to_string() },
            RestoreError::Derive(_) => Self::other(&error),
        }
    }
}

impl From<PassportError> for Trouble {
    fn from(error: PassportError) -> Self {
        match error {
            PassportError::NoAnswer => Self::NoAnswer,
            PassportError::Refused { refusal } => refusal.into(),
            PassportError::Changed { .. } => Self::ChangedKeys { detail: error.to_string() },
            PassportError::None { .. } => Self::NoPassport,
            PassportError::Held { .. }
            | PassportError::Expired
            | PassportError::Prepare(_)
            | PassportError::Reply(_)
            | PassportError::Recovery(_)
            | PassportError::Certificates(_) => Self::other(&error),
        }
    }
}

impl From<BillError> for Trouble {
    fn from(error: BillError) -> Self {
        match error {
            BillError::NoPassport { .. } => Self::NoPassport,
            BillError::NoAnswer => Self::NoAnswer,
            BillError::Unknown { refusal } => refusal.into(),
            BillError::Send(error) => error.into(),
            BillError::Deliver(error) => error.into(),
            BillError::Twice
            | BillError::NotTaken
            | BillError::Counted
            | BillError::Unit(_)
            | BillError::NothingDue { .. }
            | BillError::Amount(_)
            | BillError::Changed { .. }
            | BillError::TooEarly { .. }
            | BillError::Url(_)
            | BillError::Prepare(_) => Self::other(&error),
        }
    }
}

macro_rules! unreadable {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Trouble {
            fn from(error: $kind) -> Self {
                Self::other(&error)
            }
        }
    )*};
}

unreadable!(MoneyError, AskError, NoteError, MintUrlError, PaymentRequestError, RequestError);
