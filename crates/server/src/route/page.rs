//! The page at `/`, in demo mode: what this is, and how to try it. No scripts, nothing loaded from elsewhere.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::state::Shared;

/// `GET /`.
pub(super) async fn start(State(shared): State<Arc<Shared>>, asked: HeaderMap) -> Response {
    let host = host_of(&asked).map_or_else(|| shared.config.listen.to_string(), str::to_owned);
    let rows: String = shared
        .config
        .units
        .iter()
        .map(|terms| {
            let (unit, path) = (terms.unit, &terms.path);
            format!(
                "<tr><td>{unit}</td><td><code>http://{host}/{path}</code></td>\
                 <td><a href=\"/{path}/v1/info\">about it</a></td></tr>\n"
            )
        })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    (headers, PAGE.replace("{units}", &rows).replace("{host}", &host)).into_response()
}

/// The name the visitor knows this server by, if it is one that can stand in a page and in a shell's line as it is.
fn host_of(asked: &HeaderMap) -> Option<&str> {
    let host = asked.get(header::HOST)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    (!host.is_empty() && host.len() <= 255 && host.bytes().all(is_plain)).then_some(host)
}

// Paths and units are lower-case letters, digits and dashes (see the configuration), so nothing needs escaping.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tacit: a demonstration mint</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
pre { background: #eee; padding: .8rem; overflow-x: auto; } td { padding-right: 1.5rem; } h1 { line-height: 1.2; } code { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } pre { background: #222; } a { color: #8bf; } }
</style>
<h1>Tacit: a demonstration mint</h1>
<p>This server issues e-cash and redeems it. It signs blinded secrets, so it cannot tell which payment came from
whom. <strong>The money here is not real</strong>: whatever you ask for is paid by itself after a second.</p>
<p>Each unit is a mint of its own, for any wallet that speaks Cashu. Give one of these addresses to it:</p>
<table>
{units}</table>
<p>With Nutshell, a wallet for the command line:</p>
<pre>python3 -m venv nutshell
nutshell/bin/pip install 'cashu==0.20.2' 'marshmallow&lt;4' 'limits&lt;4'
export TOR=FALSE CASHU_DIR=alice M=http://{host}
nutshell/bin/cashu -h $M/usd -u usd -y invoice 10.50
nutshell/bin/cashu -h $M/usd -u usd -y send 2.50
CASHU_DIR=bob nutshell/bin/cashu -h $M/usd -u usd -y receive TOKEN</pre>
<p>The first line with <code>invoice</code> waits until the money has come and takes e-cash for it; <code>send</code> prints a token,
which is the money; whoever receives it has it.</p>
<p>To pay something out, make an invoice that the demonstration pays, and let the clock run to see keysets expire:</p>
<pre>curl $M/demo/invoice -d '{"unit": "usd", "amount": 250}'
curl $M/demo/clock -d '{"advance_days": 1}'
curl $M/demo/rotate -d '{"unit": "usd"}'</pre>
<p>What the operator keeps: <code>tacitd inventory</code>. Whether it adds up: <code>tacitd verify</code> with the data directory.</p>
</html>
"#;
