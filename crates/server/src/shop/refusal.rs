//! Why something is not done for a merchant.

use axum::http::StatusCode;

use crate::desk::refusal::{Refusal, Said};
use crate::text::{ENGLISH, Text};

/// Why something is not done for a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShopRefusal {
    /// No key, or one that counts for nothing.
    ApiKey,
    /// The key may not be used for that.
    Scope,
    /// A request that changes something came without a key of its own.
    RequestKey,
    /// Something else was asked for under this key.
    RequestKeyReused,
    /// The order is paid or was cancelled.
    NotOpen,
    /// The order is not paid.
    NotPaid,
    /// More than is left of what was paid.
    TooMuch,
    /// The account is frozen or closed, or does not hold as much.
    Account,
    /// Who asks has a shop already.
    HasShop,
    /// There are as many keys as there may be.
    KeysFull,
    /// The shop has no licence to bill.
    Unlicensed,
    /// It has as many contracts as its licence allows.
    ContractsFull,
    /// The bill is paid.
    BillPaid,
}

impl ShopRefusal {
    /// One of each.
    pub(crate) const ALL: [Self; 13] = [
        Self::RequestKey,
        Self::ApiKey,
        Self::Scope,
        Self::NotOpen,
        Self::NotPaid,
        Self::Account,
        Self::HasShop,
        Self::KeysFull,
        Self::Unlicensed,
        Self::ContractsFull,
        Self::BillPaid,
        Self::RequestKeyReused,
        Self::TooMuch,
    ];

    /// Its status, and what it is called in problem details.
    pub(crate) fn code(self) -> (StatusCode, &'static str) {
        let said = self.said(&ENGLISH);
        (said.status, said.slug)
    }

    /// What it says in a language.
    pub(crate) fn said(self, text: &Text) -> Said {
        let text = &text.merchant_refusal;
        let (status, slug, title, detail) = match self {
            Self::ApiKey => (StatusCode::UNAUTHORIZED, "api-key", text.key_title, text.api_key),
            Self::Scope => (StatusCode::FORBIDDEN, "scope", text.key_title, text.scope),
            Self::RequestKey => {
                (StatusCode::BAD_REQUEST, "idempotency-key", text.request_title, text.request_key)
            }
            Self::RequestKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                text.request_title,
                text.request_key_reused,
            ),
            Self::NotOpen => (StatusCode::CONFLICT, "not-open", text.order_title, text.not_open),
            Self::NotPaid => (StatusCode::CONFLICT, "not-paid", text.refund_title, text.not_paid),
            Self::TooMuch => {
                (StatusCode::UNPROCESSABLE_ENTITY, "too-much", text.refund_title, text.too_much)
            }
            Self::Account => (StatusCode::CONFLICT, "account", text.refund_title, text.account),
            Self::HasShop => (StatusCode::CONFLICT, "has-shop", text.shop_title, text.has_shop),
            Self::KeysFull => (StatusCode::CONFLICT, "keys-full", text.key_title, text.keys_full),
            Self::Unlicensed => {
                (StatusCode::FORBIDDEN, "unlicensed", text.licence_title, text.unlicensed)
            }
            Self::ContractsFull => {
                (StatusCode::CONFLICT, "contracts-full", text.licence_title, text.contracts_full)
            }
            Self::BillPaid => (StatusCode::CONFLICT, "bill-paid", text.bill_title, text.bill_paid),
        };
        Said { status, slug, title, detail: detail.to_owned() }
    }
}

impl From<ShopRefusal> for Refusal {
    fn from(refusal: ShopRefusal) -> Self {
        Self::Shop(refusal)
    }
}
