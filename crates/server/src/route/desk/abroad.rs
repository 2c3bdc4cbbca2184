//! What wallets in browsers ask the desk from an origin of their own: paths that any page may call, without credentials of the
//! browser's. Pages of the desk are not among them.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

use crate::answer::BodyWait;
use crate::desk::Desk;
use crate::route::preflight;

/// Whether any page may call this path.
pub(super) fn is_open(path: &str) -> bool {
    path == "/api/v1/passport"
        || path.starts_with("/api/v1/passport/")
        || path.starts_with("/certificate/")
}

/// Lets pages of any origin call these paths, all of which are open by [`is_open`].
pub(super) fn for_any_origin(router: Router<Desk>, desk: &Desk) -> Router<Desk> {
    router.layer(from_fn_with_state(desk.clone(), answer))
}

/// No cookie gets in: a login must not ride along.
async fn answer(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        let mut response = preflight();
        // A star does not cover this one (Fetch, "CORS non-wildcard request-header name").
        let allowed = HeaderValue::from_static("authorization, content-type");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        response
    } else {
        request.headers_mut().remove(header::COOKIE);
        request.extensions_mut().insert(BodyWait(desk.shared.config.bounds.body_wait));
        next.run(request).await
    };
    open(&mut response);
    response
}

/// Lets a page of any origin read an answer, and when to come again.
pub(super) fn open(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("retry-after");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}
