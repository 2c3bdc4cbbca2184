//! How a refusal of the desk looks: a page for people, problem details (RFC 9457) for programs and for the page's script.

use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tacit_service::desk::OwnerKind;
use tacit_service::vault::StoreError;

use crate::log::{self, Level};
use crate::shop::refusal::ShopRefusal;
use crate::text::{ENGLISH, Text};

/// Why the desk does not do as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is nothing under that path, or of that name.
    NotFound,
    /// The path does not know the method.
    Method,
    /// The request is not what the page sends.
    Bad,
    /// The body is larger than is taken.
    TooLarge,
    /// It came from another site, or without the form's token.
    Forged,
    /// Nobody is logged in.
    Expired(OwnerKind),
    /// The role does not allow it.
    Forbidden,
    /// More than is answered at once; seconds to wait.
    TooFast(u8),
    /// The ceremony is over, or of somebody else.
    Ceremony,
    /// The passkey did not prove what it should.
    Passkey,
    /// It belongs to somebody already.
    PasskeyTaken,
    /// There are as many as there may be.
    PasskeysFull,
    /// It is the last one.
    PasskeyLast,
    /// Its owner has none of that name.
    PasskeyUnknown,
    /// The code is worth nothing.
    Invitation,
    /// The code is not good yet.
    InvitationEarly,
    /// Somebody who works here is called so.
    NameTaken,
    /// Nobody would be left who can take staff in.
    LastAdmin,
    /// A field cannot be used: what is said of it.
    Field(String),
    /// Something is not done for a merchant.
    Shop(ShopRefusal),
    /// The database is busy or away.
    Busy,
    /// Our doing.
    Internal,
}

/// What a refusal says.
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    /// What it is called in problem details; never changed.
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
}

/// Problem details (RFC 9457).
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    of: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Refusal {
    /// Our doing: logged whole; whoever asked reads no more than that.
    pub(crate) fn internal(error: &(dyn Error + 'static)) -> Self {
        log::error_chain(Level::Error, "a request of the desk failed", error);
        Self::Internal
    }

    /// What it says in a language.
    pub(crate) fn said(&self, whole: &Text) -> Said {
        let text = &whole.refusal;
        let (title, detail) = match self {
            Self::NotFound => (text.not_found_title, text.not_found),
            Self::Method => (text.method_title, text.method),
            Self::Bad => (text.bad_title, text.bad),
            Self::TooLarge => (text.too_large_title, text.too_large),
            Self::Forged => (text.forged_title, text.forged),
            Self::Expired(_) => (text.expired_title, text.expired),
            Self::Forbidden => (text.forbidden_title, text.forbidden),
            Self::TooFast(_) => (text.too_fast_title, text.too_fast),
            Self::Ceremony => (text.ceremony_title, text.ceremony),
            Self::Passkey => (text.passkey_title, text.passkey),
            Self::PasskeyTaken => (text.passkey_title, text.passkey_taken),
            Self::PasskeysFull => (text.passkey_title, text.passkeys_full),
            Self::PasskeyLast => (text.passkey_title, text.passkey_last),
            Self::PasskeyUnknown => (text.passkey_title, text.passkey_unknown),
            Self::Invitation => (text.invitation_title, text.invitation),
            Self::InvitationEarly => (text.invitation_early_title, text.invitation_early),
            Self::NameTaken => (text.taken_title, text.name_taken),
            Self::LastAdmin => (text.taken_title, text.last_admin),
            Self::Field(detail) => (text.field_title, detail.as_str()),
            Self::Shop(refusal) => return refusal.said(whole),
            Self::Busy => (text.busy_title, text.busy),
            Self::Internal => (text.internal_title, text.internal),
        };
        let (status, slug) = self.code();
        Said { status, slug, title, detail: detail.to_owned() }
    }

    /// Its status, and what it is called in problem details.
    fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Bad => (StatusCode::BAD_REQUEST, "bad"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Forged => (StatusCode::FORBIDDEN, "forged"),
            Self::Expired(_) => (StatusCode::UNAUTHORIZED, "expired"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::TooFast(_) => (StatusCode::TOO_MANY_REQUESTS, "too-fast"),
            Self::Ceremony => (StatusCode::BAD_REQUEST, "ceremony"),
            Self::Passkey => (StatusCode::BAD_REQUEST, "passkey"),
            Self::PasskeyTaken => (StatusCode::CONFLICT, "passkey-taken"),
            Self::PasskeysFull => (StatusCode::CONFLICT, "passkeys-full"),
            Self::PasskeyLast => (StatusCode::CONFLICT, "passkey-last"),
            Self::PasskeyUnknown => (StatusCode::NOT_FOUND, "passkey-unknown"),
            Self::Invitation => (StatusCode::BAD_REQUEST, "invitation"),
            Self::InvitationEarly => (StatusCode::FORBIDDEN, "invitation-early"),
            Self::NameTaken => (StatusCode::CONFLICT, "name-taken"),
            Self::LastAdmin => (StatusCode::CONFLICT, "last-admin"),
            Self::Field(_) => (StatusCode::UNPROCESSABLE_ENTITY, "field"),
            Self::Shop(refusal) => refusal.code(),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// One of each, for the page that lists them.
    pub(crate) fn all() -> [Self; 21] {
        [
            Self::Bad,
            Self::Field(ENGLISH.refusal.field.to_owned()),
            Self::Ceremony,
            Self::Passkey,
            Self::Invitation,
            Self::Expired(OwnerKind::Person),
            Self::Forged,
            Self::Forbidden,
            Self::InvitationEarly,
            Self::NotFound,
            Self::PasskeyUnknown,
            Self::Method,
            Self::PasskeyTaken,
            Self::PasskeysFull,
            Self::PasskeyLast,
            Self::NameTaken,
            Self::LastAdmin,
            Self::TooLarge,
            Self::TooFast(1),
            Self::Internal,
            Self::Busy,
        ]
    }

    /// How long to wait, where waiting helps.
    fn retry_seconds(&self) -> Option<u8> {
        if let Self::TooFast(seconds) = self {
            return Some(*seconds);
        }
        (*self == Self::Busy).then_some(2)
    }

    /// As problem details.
    pub(crate) fn problem(&self, text: &Text) -> Response {
        let said = self.said(text);
        let problem = Problem {
            of: format!("/problems#{}", said.slug),
            title: said.title,
            status: said.status.as_u16(),
            detail: &said.detail,
        };
        let body = serde_json::to_vec(&problem).expect("texts and a number");
        let json = [(header::CONTENT_TYPE, "application/problem+json")];
        self.with_wait((said.status, json, body).into_response())
    }

    /// The same answer, with when to come again.
    pub(crate) fn with_wait(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_seconds() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(u16::from(seconds)));
        }
        response
    }
}

/// Bare, with the refusal beside it: what wraps all handlers knows whether a page or problem details are wanted.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::Away(_) | StoreError::InDoubt(_) | StoreError::Unwritable(_) => {
                log::error_chain(Level::Warn, "the desk's database cannot be used", &error);
                Self::Busy
            }
            StoreError::Corrupt(_) | StoreError::Failed(_) => Self::internal(&error),
        }
    }
}
