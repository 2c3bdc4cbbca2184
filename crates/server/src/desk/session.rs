//! Who is logged in: the cookie, what a handler asks for it, and what keeps other sites from using it.
//!
//! The cookie holds 32 random bytes; the desk keeps their hash. Requests that change something are taken only if the browser
//! says that a page of the desk sent them, and if they carry the form's token besides, which other sites cannot know: each
//! of the two would do, and neither rests on the other.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{self, HeaderMap};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_service::desk::login::{Invitation, Session, SessionKey};
use tacit_service::desk::person::Person;
use tacit_service::desk::staff::{Permission, Staff};
use tacit_service::desk::{DeskStore, Owner, OwnerKind};

use super::Desk;
use super::refusal::Refusal;
use crate::origin::Origin;

/// Largest body of a form or of what the script sends.
const BODY_MAX: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(20);

/// Where the script puts the form's token.
const TOKEN_HEADER: &str = "x-form-token";

/// Somebody with an account is logged in.
pub(crate) struct PersonLogin {
    pub(crate) person: Person,
    /// A code that leads into their account in another way.
    pub(crate) requested: Option<Invitation>,
    pub(crate) key: SessionKey,
}

/// Somebody who works here is logged in.
pub(crate) struct StaffLogin {
    pub(crate) staff: Staff,
    pub(crate) key: SessionKey,
}

/// A kind of login, as handlers ask for one.
pub(crate) trait Login: Sized + Send + 'static {
    const KIND: OwnerKind;

    /// Looks up who it is; `None` if they are gone.
    fn find(
        store: &mut dyn DeskStore,
        owner: Owner,
        key: SessionKey,
        now: Timestamp,
    ) -> Result<Option<Self>, Refusal>;

    fn key(&self) -> &SessionKey;

    fn owner(&self) -> Owner;
}

impl Login for PersonLogin {
    const KIND: OwnerKind = OwnerKind::Person;

    fn find(
        store: &mut dyn DeskStore,
        owner: Owner,
        key: SessionKey,
        now: Timestamp,
    ) -> Result<Option<Self>, Refusal> {
        let Owner::Person(id) = owner else { return Ok(None) };
        let requested = store.requested_login(id, now)?;
        Ok(store.person(id)?.map(|person| Self { person, requested, key }))
    }

    fn key(&self) -> &SessionKey {
        &self.key
    }

    fn owner(&self) -> Owner {
        Owner::Person(self.person.id)
    }
}

impl Login for StaffLogin {
    const KIND: OwnerKind = OwnerKind::Staff;

    fn find(
        store: &mut dyn DeskStore,
        owner: Owner,
        key: SessionKey,
        _: Timestamp,
    ) -> Result<Option<Self>, Refusal> {
        let Owner::Staff(id) = owner else { return Ok(None) };
        Ok(store.staff(id)?.map(|staff| Self { staff, key }))
    }

    fn key(&self) -> &SessionKey {
        &self.key
    }

    fn owner(&self) -> Owner {
        Owner::Staff(self.staff.id)
    }
}

impl StaffLogin {
    /// Fails unless the role may do that.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub(crate) fn may(&self, permission: Permission) -> Result<(), Refusal> {
        if self.staff.role.may(permission) { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}

impl FromRequestParts<Desk> for PersonLogin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        login(&parts.headers, desk).await
    }
}

impl FromRequestParts<Desk> for StaffLogin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        login(&parts.headers, desk).await
    }
}

async fn login<L: Login>(headers: &HeaderMap, desk: &Desk) -> Result<L, Refusal> {
    let expired = || Refusal::Expired(L::KIND);
    let key = key_in(headers, &desk.handle.origin, L::KIND).ok_or_else(expired)?;
    let now = desk.now();
    desk.run(move |store| {
        let session: Option<Session> = store.session(key.hash(), now)?;
        let session = session.filter(|session| session.owner.kind() == L::KIND);
        let session = session.ok_or_else(expired)?;
        if let Some(until) = session.prolonged(now) {
            store.keep_session(session.hash, until)?;
        }
        L::find(store, session.owner, key, now)?.ok_or_else(expired)
    })
    .await
}

/// A form of whoever is logged in, with its token.
pub(crate) struct SignedForm<L, T> {
    pub(crate) login: L,
    pub(crate) form: T,
}

/// JSON that the script sends for whoever is logged in, with the form's token.
pub(crate) struct SignedJson<L, T> {
    pub(crate) login: L,
    pub(crate) body: T,
}

/// JSON that the script sends for whoever is not logged in yet.
pub(crate) struct ScriptJson<T>(pub(crate) T);

/// What every form carries.
#[derive(Deserialize)]
struct Token {
    form_token: String,
}

/// A form that says nothing more.
#[derive(Deserialize)]
pub(crate) struct Empty {}

impl<L: Login, T: DeserializeOwned> FromRequest<Desk> for SignedForm<L, T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers.clone();
        // The body first: whoever is let go while it is on its way must not be taken for logged in when it has come.
        let bytes = read(Request::from_parts(parts, body)).await?;
        let login: L = login(&headers, desk).await?;
        let token: Token = serde_urlencoded::from_bytes(&bytes).map_err(|_| Refusal::Forged)?;
        check_token(&token.form_token, login.key())?;
        let form = serde_urlencoded::from_bytes(&bytes).map_err(|_| Refusal::Bad)?;
        Ok(Self { login, form })
    }
}

impl<L: Login, T: DeserializeOwned> FromRequest<Desk> for SignedJson<L, T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Refusal> {
        let headers = request.headers().clone();
        let bytes = read(request).await?;
        let login: L = login(&headers, desk).await?;
        let token = headers.get(TOKEN_HEADER).and_then(|token| token.to_str().ok());
        check_token(token.unwrap_or_default(), login.key())?;
        let body = serde_json::from_slice(&bytes).map_err(|_| Refusal::Bad)?;
        Ok(Self { login, body })
    }
}

impl<T: DeserializeOwned> FromRequest<Desk> for ScriptJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Desk) -> Result<Self, Refusal> {
        let bytes = read(request).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| Refusal::Bad)
    }
}

pub(crate) async fn read(request: Request) -> Result<Bytes, Refusal> {
    let body = axum::body::to_bytes(request.into_body(), BODY_MAX);
    let read = tokio::time::timeout(BODY_WAIT, body).await.map_err(|_| Refusal::Bad)?;
    read.map_err(|_| Refusal::TooLarge)
}

/// Fails unless a form carries the token of this session.
///
/// # Errors
/// [`Refusal::Forged`].
pub(crate) fn check_token(given: &str, key: &SessionKey) -> Result<(), Refusal> {
    let given = hex::decode::<32>(given).map_err(|_| Refusal::Forged)?;
    let is_own: bool = given.ct_eq(key.form_token().expose()).into();
    if is_own { Ok(()) } else { Err(Refusal::Forged) }
}

/// Refuses what another site has a browser send. Whoever calls the API carries a key of their own and no cookie.
///
/// # Errors
/// [`Refusal::Forged`].
pub(crate) fn check_sender(
    method: &Method,
    headers: &HeaderMap,
    own: &Origin,
) -> Result<(), Refusal> {
    if method.is_safe() {
        return Ok(());
    }
    let says = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let own = own.to_string();
    let is_own = match (says("sec-fetch-site"), says(header::ORIGIN.as_str())) {
        (Some(site), Some(origin)) => site == b"same-origin" && origin == own.as_bytes(),
        (Some(site), None) => site == b"same-origin",
        // Browsers of before 2023.
        (None, Some(origin)) => origin == own.as_bytes(),
        (None, None) => false,
    };
    if is_own { Ok(()) } else { Err(Refusal::Forged) }
}

/// The cookie's name. The prefix binds it to the host, over TLS, for all paths; browsers take it with TLS alone, and a
/// demonstration has none.
fn cookie_name(kind: OwnerKind, origin: &Origin) -> &'static str {
    match (kind, origin.is_secure()) {
        (OwnerKind::Person, true) => "__Host-person",
        (OwnerKind::Person, false) => "person",
        (OwnerKind::Staff, true) => "__Host-staff",
        (OwnerKind::Staff, false) => "staff",
    }
}

/// The cookie that logs somebody in. It goes when the browser is closed; the desk ends the session sooner.
///
/// People come by links, from a wallet that wants a payment approved: the cookie goes along with links, and with nothing
/// that changes something. Nobody links into the console, so staff's goes along with nothing of another site.
pub(crate) fn cookie(kind: OwnerKind, key: &SessionKey, origin: &Origin) -> HeaderValue {
    set_cookie(kind, &hex::encode(key.expose()), "", origin)
}

/// The cookie that takes that one away.
pub(crate) fn no_cookie(kind: OwnerKind, origin: &Origin) -> HeaderValue {
    set_cookie(kind, "", "; Max-Age=0", origin)
}

fn set_cookie(kind: OwnerKind, value: &str, more: &str, origin: &Origin) -> HeaderValue {
    let same_site = match kind {
        OwnerKind::Person => "Lax",
        OwnerKind::Staff => "Strict",
    };
    let secure = if origin.is_secure() { "; Secure" } else { "" };
    let name = cookie_name(kind, origin);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}{more}");
    HeaderValue::from_str(&text).expect("letters, digits and signs that headers may hold")
}

fn key_in(headers: &HeaderMap, origin: &Origin, kind: OwnerKind) -> Option<SessionKey> {
    let name = cookie_name(kind, origin);
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs =
        cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.into_iter().find(|(own, _)| *own == name).map(|(_, value)| value)?;
    hex::decode(value).ok().map(SessionKey::from_random)
}

/// Where somebody logs in.
pub(crate) const fn sign_in_page(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Person => "/portal/sign-in",
        OwnerKind::Staff => "/operator/sign-in",
    }
}

/// Where somebody who has logged in begins.
pub(crate) const fn home_page(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Person => "/portal",
        OwnerKind::Staff => "/operator",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_change_is_taken_from_a_page_of_the_desk_alone() {
        let own: Origin = "https://desk.example.org".parse().unwrap();
        let check = |pairs| check_sender(&Method::POST, &headers(pairs), &own);
        for good in [
            &[("sec-fetch-site", "same-origin"), ("origin", "https://desk.example.org")][..],
            &[("sec-fetch-site", "same-origin")],
            &[("origin", "https://desk.example.org")],
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        for bad in [
            &[][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://mint.example.org")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("origin", "null")],
            &[("origin", "http://desk.example.org")],
            &[("origin", "https://desk.example.org.evil.example")],
        ] {
            assert_eq!(check(bad), Err(Refusal::Forged), "{bad:?}");
        }
        assert_eq!(check_sender(&Method::GET, &headers(&[]), &own), Ok(()));
    }

    #[test]
    fn a_cookie_is_read_back_and_bound_to_its_host() {
        let secure: Origin = "https://desk.example.org".parse().unwrap();
        let key = SessionKey::from_random([7; 32]);
        let text = cookie(OwnerKind::Staff, &key, &secure).to_str().unwrap().to_owned();
        assert!(text.starts_with("__Host-staff=0707"), "{text}");
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
        let pair = text.split(';').next().unwrap();
        let sent = headers(&[("cookie", &format!("other=1; {pair}"))]);
        let found = key_in(&sent, &secure, OwnerKind::Staff).unwrap();
        assert_eq!(found.hash(), key.hash());
        assert!(key_in(&sent, &secure, OwnerKind::Person).is_none());
        let plain: Origin = "http://desk.localhost:3338".parse().unwrap();
        assert!(key_in(&sent, &plain, OwnerKind::Staff).is_none());
    }

    #[test]
    fn a_token_is_that_of_its_session() {
        let (key, other) = (SessionKey::from_random([1; 32]), SessionKey::from_random([2; 32]));
        let token = |key: &SessionKey| hex::encode(key.form_token().expose());
        assert_eq!(check_token(&token(&key), &key), Ok(()));
        assert_eq!(check_token(&token(&other), &key), Err(Refusal::Forged));
        assert_eq!(check_token("", &key), Err(Refusal::Forged));
    }
}
