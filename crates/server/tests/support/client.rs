//! A small HTTP client: one connection each, opened again when the server has closed it.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tacit_ecash::message::ErrorResponse;
use tokio::net::TcpStream;

/// One connection to a server.
pub struct Client {
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// No answer came: the connection was refused or lost.
#[derive(Debug)]
pub struct NoAnswer;

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens the connection, so that a later request leaves at once.
    pub async fn connect(&mut self) -> Result<(), NoAnswer> {
        let open = self.connection.take().filter(|connection| !connection.is_closed());
        self.connection = Some(match open {
            Some(open) => open,
            None => {
                let stream = TcpStream::connect(self.address).await.map_err(|_| NoAnswer)?;
                stream.set_nodelay(true).map_err(|_| NoAnswer)?;
                let (sender, connection) =
                    handshake(TokioIo::new(stream)).await.map_err(|_| NoAnswer)?;
                tokio::spawn(connection);
                sender
            }
        });
        Ok(())
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
        self.connect().await?;
        let connection = self.connection.as_mut().expect("just opened");
        connection.ready().await.map_err(|_| NoAnswer)?;
        let response = connection.send_request(request).await.map_err(|_| NoAnswer)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| NoAnswer)?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    pub async fn try_get(&mut self, path: &str) -> Result<Answer, NoAnswer> {
        self.send(request(Method::GET, path, Bytes::new())).await
    }

    pub async fn try_post(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, NoAnswer> {
        self.send(request(Method::POST, path, serde_json::to_vec(body).unwrap().into())).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.try_get(path).await.expect("the server answers")
    }

    pub async fn post(&mut self, path: &str, body: &impl Serialize) -> Answer {
        self.try_post(path, body).await.expect("the server answers")
    }

    pub async fn try_post_bytes(
        &mut self,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer, NoAnswer> {
        self.send(request(Method::POST, path, body.into())).await
    }

    pub async fn post_bytes(&mut self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.try_post_bytes(path, body).await.expect("the server answers")
    }

    pub async fn method(&mut self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = request(method, path, Bytes::new());
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        self.send(request).await.expect("the server answers")
    }
}

impl Answer {
    /// The body of an answer of status 200.
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("the body is what was asked for")
    }

    /// The code of a refusal.
    #[track_caller]
    pub fn refusal(&self) -> u32 {
        assert_ne!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        let body: ErrorResponse = serde_json::from_slice(&self.body).expect("a refusal is JSON");
        body.code
    }

    /// Status 400 and this code.
    #[track_caller]
    pub fn refused(&self, code: u32) {
        let said = String::from_utf8_lossy(&self.body);
        assert_eq!((self.status, self.refusal()), (StatusCode::BAD_REQUEST, code), "{said}");
    }
}

fn request(method: Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "mint")
        .header("content-type", "application/json")
        .body(Full::new(body))
        .expect("a path")
}
