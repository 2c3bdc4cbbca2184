//! The pages of mint and wallet: what this is, and where to go on. No scripts, nothing loaded from elsewhere.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::site::CONTENT_POLICY;
use crate::config::UnitConfig;
use crate::origin::Origin;
use crate::state::Shared;

/// What a page may load: its style, from its own origin, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = concat!(include_str!("../page/style.css"), include_str!("../page/shop.css"));
const HEAD: &str = include_str!("../page/head.html");
const MINT: &str = include_str!("../page/mint.html");
const DEMO: &str = include_str!("../page/demo.html");
const WALLET: &str = include_str!("../page/wallet.html");
const FOOT: &str = "</main>\n</html>\n";

/// `GET /` of the mint.
pub(super) async fn mint(State(shared): State<Arc<Shared>>, asked: HeaderMap) -> Response {
    let scheme = if shared.is_secure() { "https" } else { "http" };
    let (own, demo) = (shared.origins.mint.as_ref(), shared.config.demo);
    let base = match (host_of(&asked), own) {
        // A demo is tried under the address it is known by to whoever tries it.
        (Some(host), _) if demo => format!("{scheme}://{}", known_to_all(host)),
        (_, Some(origin)) => origin.to_string(),
        (Some(host), None) => format!("{scheme}://{host}"),
        (None, None) => format!("{scheme}://{}", shared.config.listen),
    };
    let title = if demo { "Tacit: a demonstration mint" } else { "A Tacit mint" };
    let rows: String = shared.config.units.iter().map(|unit| row(unit, &base)).collect();
    let mut body = MINT.replace("{units}", &rows);
    if demo {
        body.push_str(&DEMO.replace("{base}", &base));
    }
    let others = [("the desk", &shared.origins.desk), ("the wallet", &shared.origins.wallet)];
    let others: Vec<String> = others
        .into_iter()
        .filter_map(|(name, origin)| Some(link(origin.as_ref()?, name)))
        .collect();
    if !others.is_empty() {
        body.push_str(&format!("<p>Beside it: {}.</p>\n", others.join(", ")));
    }
    page(title, &body)
}

/// `GET /` of the wallet.
pub(super) async fn wallet(State(shared): State<Arc<Shared>>) -> Response {
    page("The wallet", &WALLET.replace("{mint}", &link_to_mint(&shared)))
}

/// `GET /style.css`, of every origin: a style in the page would have to be excepted from the policy.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

// Paths, units and origins are lower-case letters, digits, dashes and dots (see the configuration), so that nothing
// needs escaping.
fn page(title: &str, body: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_POLICY, POLICY)];
    let head = HEAD.replace("{title}", title);
    (headers, format!("{head}<h1>{title}</h1>\n{body}{FOOT}")).into_response()
}

fn row(terms: &UnitConfig, base: &str) -> String {
    let (unit, path) = (terms.unit, &terms.path);
    format!(
        "<tr><td>{unit}</td><td><code>{base}/{path}</code></td><td><a href=\"/{path}/v1/info\">about it</a></td></tr>\n"
    )
}

fn link(origin: &Origin, name: &str) -> String {
    format!("<a href=\"{origin}/\">{name}</a>")
}

fn link_to_mint(shared: &Shared) -> String {
    shared.origins.mint.as_ref().map_or_else(
        || "the mint, whose address this server was not told".to_owned(),
        |origin| link(origin, "the mint"),
    )
}

/// Only browsers look for names under `localhost` on this machine; wallets may not.
fn known_to_all(host: &str) -> &str {
    match host.split_once('.') {
        Some((_, rest)) if rest.split(':').next() == Some("localhost") => rest,
        _ => host,
    }
}

/// The name the visitor knows this server by, if it is one that can stand in a page and in a shell's line as it is.
fn host_of(asked: &HeaderMap) -> Option<&str> {
    let host = asked.get(header::HOST)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    (!host.is_empty() && host.len() <= 255 && host.bytes().all(is_plain)).then_some(host)
}
