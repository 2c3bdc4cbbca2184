//! The web wallet: a release's files on an origin of their own, and what its operator says to it.
//!
//! Nothing here is asked who they are: no cookie is read or set. What a page of it may load and call stands in its policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::demo;
use super::site::CONTENT_POLICY;
use super::{no_such_method, no_such_path};
use crate::inventory;
use crate::origin::Origin;
use crate::release::{File, INDEX, INVENTORY, OPERATOR, Release};
use crate::shop::request::mint_url;
use crate::state::Shared;

/// What a page of the wallet may use of a device: its camera, to scan, and passkeys. Else nothing that watches, places or pays.
const PERMISSIONS: &str = "camera=(self), publickey-credentials-create=(self), publickey-credentials-get=(self), \
                           clipboard-write=(self), accelerometer=(), autoplay=(), bluetooth=(), browsing-topics=(), clipboard-read=(), \
                           display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), \
                           payment=(), serial=(), usb=(), xr-spatial-tracking=()";

/// A file whose name tells its contents: a year, and never asked for again.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// Asked for each time, and sent only if it changed.
const EACH_TIME: &str = "no-cache";

/// What is served, by its name in a path.
type Shelf = Arc<BTreeMap<String, File>>;

/// All that the wallet's origin answers where a release is served.
pub(super) fn router(shared: &Arc<Shared>, release: &Release) -> Router {
    let mut files = release.files().clone();
    files.insert(INVENTORY.to_owned(), File::new(inventory::json().into()));
    let policy = HeaderValue::from_str(&policy(shared)).expect("origins are plain text");
    let dress = move |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(CONTENT_POLICY, policy.clone());
        let permissions = HeaderValue::from_static(PERMISSIONS);
        headers.insert(HeaderName::from_static("permissions-policy"), permissions);
        std::future::ready(response)
    };
    // Not a file: the clock of a demonstration may have moved since.
    let asked = Arc::clone(shared);
    let operator = get(move |headers: HeaderMap| {
        let file = File::new(operator(&asked).into());
        std::future::ready(answer(OPERATOR, &file, &headers))
    });
    let mut router = Router::new()
        .route("/", get(file))
        .route(&format!("/{OPERATOR}"), operator)
        .route("/{*name}", get(file))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(Arc::new(files));
    if shared.demo.is_some() {
        // The wallet's own page may let a month pass and meet the street; a page of another origin may not, here as there.
        let levers = Router::new()
            .route("/demo/clock", post(demo::clock))
            .route("/demo/passport", post(demo::passport))
            .route("/demo/contract", post(demo::contract))
            .route("/demo/question", post(demo::question));
        router = router.merge(levers.with_state(Arc::clone(shared)));
    }
    router.layer(map_response(dress))
}

/// `GET /NAME`, and `GET /` for the page. A name is taken as it stands: none that is served needs an escape.
async fn file(State(shelf): State<Shelf>, uri: Uri, asked: HeaderMap) -> Response {
    let name = match uri.path().strip_prefix('/').unwrap_or_default() {
        "" => INDEX,
        name => name,
    };
    match shelf.get(name) {
        Some(file) => answer(name, file, &asked),
        None => no_such_path().await.into_response(),
    }
}

/// A file, or that it has not changed.
fn answer(name: &str, file: &File, asked: &HeaderMap) -> Response {
    let (body, coding) = pick(file, asked);
    // Weak: the same for each coding of the same file.
    let tag = format!("W/\"{}\"", file.digest);
    let mut known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    let is_known = known.any(|line| names_tag(line, &file.digest));
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(body).into_response(),
    };
    let headers = response.headers_mut();
    if !is_known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
    }
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let kept = if is_named_by_contents(name) { FOR_GOOD } else { EACH_TIME };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

/// A file in the best coding of those that a browser reads and that there are.
fn pick(file: &File, asked: &HeaderMap) -> (Bytes, Option<&'static str>) {
    let in_coding = |bytes: &Option<Bytes>, coding| {
        let bytes = bytes.clone().filter(|_| accepts(asked, coding))?;
        Some((bytes, Some(coding)))
    };
    in_coding(&file.brotli, "br")
        .or_else(|| in_coding(&file.gzip, "gzip"))
        .unwrap_or_else(|| (file.plain.clone(), None))
}

/// Whether a request names a coding, and does not refuse it (RFC 9110, section 12.5.3).
fn accepts(asked: &HeaderMap, coding: &str) -> bool {
    let lines = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let is_meant = |item: &str| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        is_named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|it| 0.0 < it))
    };
    lines.flat_map(|line| line.split(',')).any(is_meant)
}

/// Whether a line of `If-None-Match` names a file (RFC 9110, section 13.1.2): weakly compared.
fn names_tag(line: &str, digest: &str) -> bool {
    line.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.strip_prefix('"').and_then(|it| it.strip_suffix('"')) == Some(digest)
    })
}

/// The type of a file, by what its name ends with.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether a name ends, before its extension, with `-` and at least eight hexadecimal digits.
fn is_named_by_contents(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name);
    let stem = own.rsplit_once('.').map_or("", |(stem, _)| stem);
    let hash = stem.rsplit_once('-').map_or("", |(_, hash)| hash);
    8 <= hash.len() && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `GET /operator.json`: who this wallet is with.
fn operator(shared: &Shared) -> String {
    let units = shared.config.units.iter();
    let mint: Vec<String> = units.filter_map(|terms| mint_url(shared, terms.unit)).collect();
    let mut told = json!({
        "name": shared.config.about.name.as_deref().unwrap_or("Tacit"),
        "mint": mint,
        "desk": shared.origins.desk.as_ref().map(ToString::to_string),
        "demo": shared.config.demo,
    });
    if let Some(demo) = &shared.demo {
        told["days_ahead"] = json!(demo.clock.days());
    }
    told.to_string()
}

/// What a page of the wallet may load, and whom it may call: its mint under each of its names, and the desk.
fn policy(shared: &Shared) -> String {
    let told = shared.config.units.iter().find_map(|terms| mint_url(shared, terms.unit));
    let told = told.as_deref().and_then(Origin::of_url);
    let mut called: Vec<String> = Vec::new();
    for mint in shared.origins.mint.iter().chain(&told).map(ToString::to_string) {
        if !called.contains(&mint) {
            let socket = mint.replacen("http", "ws", 1);
            called.extend([mint, socket]);
        }
    }
    called.extend(shared.origins.desk.as_ref().map(ToString::to_string));
    let called: String = called.iter().map(|origin| format!(" {origin}")).collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
         media-src 'self' blob: mediastream:; font-src 'self'; connect-src 'self'{called}; manifest-src 'self'; \
         worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_ends_with_a_hash_is_kept_for_good() {
        for name in ["app-1a2b3c4d.wasm", "app-bg-0123456789ABCDEF.js", "snippets/x/y-00000000.js"]
        {
            assert!(is_named_by_contents(name), "{name}");
        }
        for name in [
            "index.html",
            "app.wasm",
            "app-1a2b3c4.wasm",
            "app-1a2b3c4d",
            "app-1a2b3c4g.js",
            "app-1a2b3c4d_bg.wasm",
            "snippets/x-0123456789abcdef/y.js",
        ] {
            assert!(!is_named_by_contents(name), "{name}");
        }
    }

    #[test]
    fn a_coding_is_taken_only_if_it_is_asked_for() {
        for (line, brotli, gzip) in [
            ("gzip, deflate, br, zstd", true, true),
            ("GZIP;q=0.5 , identity", false, true),
            ("br;q=0, gzip;q=1.0", false, true),
            ("br; q=0.000", false, false),
            ("br;q=much", false, false),
            ("brotli, x-gzip", false, false),
            ("", false, false),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            assert_eq!((accepts(&asked, "br"), accepts(&asked, "gzip")), (brotli, gzip), "{line}");
        }
    }

    #[test]
    fn a_tag_is_known_whoever_weakened_it() {
        for line in ["\"ab\"", "W/\"ab\"", "\"x\", W/\"ab\"", "*"] {
            assert!(names_tag(line, "ab"), "{line}");
        }
        for line in ["ab", "\"abc\"", "", "\"\""] {
            assert!(!names_tag(line, "ab"), "{line}");
        }
    }
}
