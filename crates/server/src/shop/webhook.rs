//! Webhooks are sent: signed, over TLS, to public addresses, with a deadline, without following anybody elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::BuilderVerifierExt;
use serde_json::json;
use sha2::Sha256;
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::paper::{Line, OrderPaper};
use tacit_service::desk::webhook::{Attempt, Delivery};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;

use super::hook_url::{HookUrl, Reach, is_public};

/// How long an attempt may take, from the name's resolution to the answer's status.
const DEADLINE: Duration = Duration::from_secs(10);

/// The header with the moment and the signature.
pub(crate) const SIGNATURE: &str = "tacit-signature";

/// Why a webhook did not arrive, as the merchant's log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Failed {
    #[error("no webhook is set")]
    NotSet,
    #[error("the address cannot be used")]
    Address,
    #[error("the name leads nowhere")]
    Name,
    #[error("the name leads to a private address")]
    Private,
    #[error("no connection")]
    Connect,
    #[error("no trusted certificate")]
    Certificate,
    #[error("no answer in time")]
    Late,
    #[error("no answer")]
    Answer,
    #[error("{0}")]
    Status(u16),
}

/// Who sends.
pub(crate) struct Sender {
    tls: Option<TlsConnector>,
    reach: Reach,
}

impl Sender {
    pub(crate) fn new(reach: Reach) -> Self {
        // Without authorities of the system nobody's certificate can be trusted, and nothing is sent over TLS.
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_platform_verifier());
        let config = builder.ok().map(|builder| builder.with_no_client_auth());
        Self { tls: config.map(|config| TlsConnector::from(Arc::new(config))), reach }
    }

    /// Tries to tell a merchant's program. Statuses from 200 to 299 mean that it has heard.
    pub(crate) async fn send(
        &self,
        merchant: &Merchant,
        order: &OrderPaper,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Attempt {
        let body = body(order, delivery);
        let signature = signature(merchant.webhook_secret.expose(), now, &body);
        let sent = async {
            let url = merchant.webhook.as_deref().ok_or(Failed::NotSet)?;
            let url: HookUrl = url.parse().map_err(|_| Failed::Address)?;
            let url = url.allowed(&self.reach).map_err(|_| Failed::Address)?;
            tokio::time::timeout(DEADLINE, self.post(&url, signature, body))
                .await
                .map_err(|_| Failed::Late)?
        };
        match sent.await {
            Ok(status) => Attempt { is_arrived: true, said: status.to_string() },
            Err(failed) => Attempt { is_arrived: false, said: failed.to_string() },
        }
    }

    async fn post(&self, url: &HookUrl, signature: String, body: String) -> Result<u16, Failed> {
        let address = self.resolve(url).await?;
        // To the very address that was looked at: a second look-up could lead elsewhere.
        let stream = TcpStream::connect(address).await.map_err(|_| Failed::Connect)?;
        let request = Request::post(&url.target)
            .header(header::HOST, &url.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "Tacit")
            .header(SIGNATURE, signature)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| Failed::Address)?;
        if !url.is_secure {
            return exchange(stream, request).await;
        }
        let tls = self.tls.as_ref().ok_or(Failed::Certificate)?;
        let name = ServerName::try_from(url.host.clone()).map_err(|_| Failed::Address)?;
        let stream = tls.connect(name, stream).await.map_err(|_| Failed::Certificate)?;
        exchange(stream, request).await
    }

    async fn resolve(&self, url: &HookUrl) -> Result<SocketAddr, Failed> {
        let found = tokio::net::lookup_host((url.host.as_str(), url.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_| Failed::Name)?.collect();
        let may = |address: &&SocketAddr| self.reach.has(url) || is_public(address.ip());
        match found.iter().find(may) {
            Some(address) => Ok(*address),
            None if found.is_empty() => Err(Failed::Name),
            None => Err(Failed::Private),
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<u16, Failed> {
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|_| Failed::Answer)?;
    // It is dropped with the connection once the status is here: what else is said is not read.
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    connection.abort();
    let status = answer.map_err(|_| Failed::Answer)?.status();
    if status.is_success() { Ok(status.as_u16()) } else { Err(Failed::Status(status.as_u16())) }
}

/// What a merchant's program is told. Of who paid there is nothing to tell.
fn body(order: &OrderPaper, delivery: &Delivery) -> String {
    json!({
        "id": hex::encode(delivery.event.as_bytes()),
        "type": delivery.kind.name(),
        "day": delivery.day.to_string(),
        "order": {
            "id": order.checkout.to_string(),
            "number": order.number,
            "reference": order.reference.as_ref().map(Line::as_str),
            "amount": order.amount,
            "unit": order.unit.code(),
        },
        "amount": delivery.amount,
    })
    .to_string()
}

/// `t=…,v1=…`: the moment, and HMAC-SHA256 of the moment, a full stop and the body, in hexadecimal.
pub(crate) fn signature(secret: &[u8; 32], now: Timestamp, body: &str) -> String {
    let key = hex::encode(secret);
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length is a key");
    let moment = now.seconds();
    mac.update(format!("{moment}.{body}").as_bytes());
    let code: [u8; 32] = mac.finalize().into_bytes().into();
    format!("t={moment},v1={}", hex::encode(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac`: the key is the text that the merchant was shown.
    #[test]
    fn a_signature_covers_the_moment_and_the_body() {
        let signed = signature(&[1; 32], Timestamp::from_seconds(1_700_000_000), "{\"a\":1}");
        assert_eq!(
            signed,
            "t=1700000000,v1=da3161e00fa7e6a24928e4e5450e977b60210029c66fb3091cc445ec147c74d6"
        );
    }
}
