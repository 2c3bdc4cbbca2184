//! Which of the origins a request is for, and what every answer of one carries.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::desk::refusal::Refusal;
use crate::error::ApiError;
use crate::limit::{Bucket, TooFast};
use crate::metric::Counter;
use crate::origin::{Origins, Site};
use crate::state::Shared;

/// What a page may load and do.
pub(super) const CONTENT_POLICY: HeaderName = header::CONTENT_SECURITY_POLICY;

/// For what is no page: it may do nothing at all.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Two years, as browsers' lists ask for. Without subdomains: those are not ours to decide.
const TRANSPORT: &str = "max-age=63072000";

/// All that a server answers, by site.
#[derive(Clone)]
pub(crate) struct Sites {
    pub(super) mint: TowerToHyperService<axum::Router>,
    pub(super) desk: TowerToHyperService<axum::Router>,
    pub(super) wallet: TowerToHyperService<axum::Router>,
    pub(super) operator: TowerToHyperService<axum::Router>,
    pub(super) origins: Origins,
    /// Sites with listeners of their own.
    pub(super) apart: Vec<Site>,
    pub(super) shared: Arc<Shared>,
}

/// How a request came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    /// The one site this listener is for; `None` if the host decides.
    pub(crate) only: Option<Site>,
    /// Whether the connection is TLS.
    pub(crate) is_secure: bool,
}

impl Sites {
    /// Answers a request. `own` is the bucket of the connection.
    pub(crate) async fn answer(
        &self,
        door: Door,
        own: &Bucket,
        request: Request<Incoming>,
    ) -> Response {
        let (site, mut response) = match self.site_of(door, &request) {
            Ok(site) => match self.take(site, own, &request) {
                Ok(()) => (site, self.pass(site, request).await),
                Err(too_fast) => (site, self.send_away(site, request.uri().path(), too_fast)),
            },
            Err(refusal) => (Site::Desk, refusal.into_response()),
        };
        dress(site, door, response.headers_mut());
        response
    }

    /// Takes a request's tokens. Whether the mint lives can be asked however much is going on.
    fn take(&self, site: Site, own: &Bucket, request: &Request<Incoming>) -> Result<(), TooFast> {
        if site == Site::Operator {
            return Ok(());
        }
        own.take()?;
        self.shared.buckets.take(request.method(), request.uri().path())
    }

    fn send_away(&self, site: Site, path: &str, too_fast: TooFast) -> Response {
        self.shared.metrics.add(Counter::Limited, 1);
        if site == Site::Desk
            && let Some(page) =
                super::desk::refused(&self.shared, &Refusal::TooFast(too_fast.seconds()), path)
        {
            return page;
        }
        let mut response = ApiError::too_fast(too_fast).into_response();
        if site == Site::Mint {
            // So that a wallet in a browser can read how long to wait.
            let any = HeaderValue::from_static("*");
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
            let exposed = HeaderValue::from_static("retry-after");
            response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        response
    }

    fn site_of(&self, door: Door, request: &Request<Incoming>) -> Result<Site, ApiError> {
        let host = host_of(request)?;
        let asked = host.map_or(Site::Mint, |host| self.origins.site_of(host));
        let elsewhere = || {
            let detail = "this name is not served here";
            ApiError::of_status(StatusCode::MISDIRECTED_REQUEST, detail)
        };
        match door.only {
            // An address or another name means whoever listens, the name of another site does not.
            Some(only) if asked == Site::Mint || asked == only => Ok(only),
            Some(_) => Err(elsewhere()),
            None if self.apart.contains(&asked) => Err(elsewhere()),
            None => Ok(asked),
        }
    }

    async fn pass(&self, site: Site, mut request: Request<Incoming>) -> Response<Body> {
        let router = match site {
            Site::Mint => &self.mint,
            Site::Desk => &self.desk,
            Site::Wallet => &self.wallet,
            Site::Operator => &self.operator,
        };
        // Neither mint nor wallet is asked who somebody is.
        let is_bare = matches!(site, Site::Mint | Site::Wallet);
        if is_bare {
            // Not that anything would read them: so that nothing ever can.
            for name in [header::COOKIE, header::AUTHORIZATION] {
                request.headers_mut().remove(name);
            }
        }
        let mut response = match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if is_bare {
            response.headers_mut().remove(header::SET_COOKIE);
        }
        response
    }
}

/// The host a request names, its port with it; `None` if it names none, as old clients may.
fn host_of<B>(request: &Request<B>) -> Result<Option<&str>, ApiError> {
    let bad = || ApiError::of_status(StatusCode::BAD_REQUEST, "the request's host is not one name");
    // A target that names a host counts more than the header (RFC 9112, section 3.2.2).
    if let Some(authority) = request.uri().authority() {
        return Ok(Some(authority.as_str()));
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().map(Some).map_err(|_| bad()),
        (None, _) if request.version() <= Version::HTTP_10 => Ok(None),
        (None, _) | (Some(_), Some(_)) => Err(bad()),
    }
}

/// Headers of every answer, pages and JSON alike.
fn dress(site: Site, door: Door, headers: &mut HeaderMap) {
    let is_mint = site == Site::Mint;
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With no-referrer, browsers would not say of the desk's own forms where they come from.
        (header::REFERRER_POLICY, if site == Site::Desk { "same-origin" } else { "no-referrer" }),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            // A mint may be called from any page.
            if is_mint { "cross-origin" } else { "same-origin" },
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    // What a quote or a token was must not lie in a browser's cache.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if door.is_secure {
        let value = HeaderValue::from_static(TRANSPORT);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
}
