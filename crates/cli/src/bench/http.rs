//! A client for HTTP/1.1 that costs next to nothing: rendered requests in, status and body out.
//!
//! Written out because the load generator shares its cores with the mint it measures: what a general client spends
//! on header maps and body streams would be counted against the mint. The head is parsed by `httparse`.
//! Source: RFC 9112, sections 4, 6.3 (length of the body), 7.1 (chunks) and 9.3 (persistence).

use std::io;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a mint may take to accept a connection.
const CONNECT_SECONDS_MAX: Duration = Duration::from_secs(10);

/// How long a mint may take to answer. Issuing 1,000 proofs takes the slowest peer some seconds.
const ANSWER_SECONDS_MAX: Duration = Duration::from_secs(60);

/// Bytes of an answer. 1,000 signatures with DLEQ come to 400 kB.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// Header fields of an answer.
const FIELDS_MAX: usize = 64;

/// Where a mint is: `http://HOST[:PORT][/PATH]`. The path never ends in a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MintUrl {
    host: String,
    port: u16,
    path: String,
}

/// Why a text is no URL of a mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MintUrlError {
    #[error("this is no URL; one looks like http://127.0.0.1:3338/usd")]
    Unreadable,
    #[error("only http:// is spoken here: measure a mint behind its TLS proxy, not through it")]
    Tls,
    #[error("the URL of a mint has no user name, password or query")]
    Extras,
}

impl FromStr for MintUrl {
    type Err = MintUrlError;

    fn from_str(text: &str) -> Result<Self, MintUrlError> {
        let uri: Uri = text.parse().map_err(|_| MintUrlError::Unreadable)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(MintUrlError::Tls),
            Some(_) | None => return Err(MintUrlError::Unreadable),
        }
        let authority = uri.authority().ok_or(MintUrlError::Unreadable)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(MintUrlError::Extras);
        }
        if authority.host().is_empty() {
            return Err(MintUrlError::Unreadable);
        }
        Ok(Self {
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(80),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl std::fmt::Display for MintUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.path)
    }
}

impl MintUrl {
    /// The bytes of `GET {path}`, where `path` follows the mint's own and begins with a slash.
    pub(crate) fn render_get(&self, path: &str) -> Vec<u8> {
        let head = self.render_head("GET", path);
        format!("{head}\r\n").into_bytes()
    }

    /// The bytes of `POST {path}` with a JSON body.
    pub(crate) fn render_post(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let head = self.render_head("POST", path);
        let length = body.len();
        let fields = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        [head.as_bytes(), fields.as_bytes(), body].concat()
    }

    fn render_head(&self, method: &str, path: &str) -> String {
        let Self { host, port, path: base } = self;
        format!(
            "{method} {base}{path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json\r\n"
        )
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        // Brackets of an IPv6 address belong to the URL, not to the address.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Why a request has no answer. Unless it is `Connect`, the mint may have acted on it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("cannot connect to {url}")]
    Connect { url: MintUrl, source: io::Error },
    #[error("no answer within {} seconds", ANSWER_SECONDS_MAX.as_secs())]
    TimedOut,
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    #[error("the connection was closed before the answer was complete")]
    Closed,
    #[error("the answer is no HTTP/1.1")]
    Malformed,
    #[error("the answer is larger than {ANSWER_MAX} bytes")]
    TooLarge,
}

impl HttpError {
    /// In a word or two, for the table of errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "cannot connect",
            Self::TimedOut => "timed out",
            Self::Broken(_) => "connection broken",
            Self::Closed => "connection closed",
            Self::Malformed => "malformed HTTP",
            Self::TooLarge => "answer too large",
        }
    }
}

/// One connection, kept alive and opened again when it has ended.
pub(crate) struct Connection {
    url: MintUrl,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// [`HttpError::Connect`].
    pub(crate) async fn open(url: &MintUrl) -> Result<Self, HttpError> {
        let stream = Some(open(url).await?);
        Ok(Self { url: url.clone(), stream, received: Vec::with_capacity(16 * 1024) })
    }

    /// Sends the bytes of one request, appends the body of the answer to `body`, and returns its status.
    ///
    /// # Errors
    /// [`HttpError`]; the next call opens a new connection, and `body` is as it was.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        body: &mut Vec<u8>,
    ) -> Result<u16, HttpError> {
        // Taken out: whoever stops waiting in the middle leaves no half-used connection behind.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(&self.url).await?,
        };
        let answer = exchange(&mut stream, &mut self.received, request);
        let Answer { head, body: range } =
            timeout(ANSWER_SECONDS_MAX, answer).await.map_err(|_| HttpError::TimedOut)??;
        match range {
            Body::Plain { end } => body.extend_from_slice(&self.received[head.bytes..end]),
            Body::Joined(chunks) => body.extend_from_slice(&chunks),
        }
        if head.persistent {
            self.stream = Some(stream);
        }
        Ok(head.status)
    }
}

async fn open(url: &MintUrl) -> Result<TcpStream, HttpError> {
    let connected = timeout(CONNECT_SECONDS_MAX, url.connect()).await;
    connected
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|source| HttpError::Connect { url: url.clone(), source })
}

/// A whole answer in the buffer it was received in.
struct Answer {
    head: Head,
    body: Body,
}

enum Body {
    /// From the end of the head up to `end`.
    Plain { end: usize },
    /// The chunks put together.
    Joined(Vec<u8>),
}

async fn exchange(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
    request: &[u8],
) -> Result<Answer, HttpError> {
    stream.write_all(request).await?;
    received.clear();
    let mut head = None;
    loop {
        if received.len() > ANSWER_MAX {
            return Err(HttpError::TooLarge);
        }
        let is_end = stream.read_buf(received).await? == 0;
        if head.is_none() {
            head = Head::parse(received)?;
        }
        if let Some(found) = head
            && let Some(body) = find_body(&found, received, is_end)?
        {
            return Ok(Answer { head: found, body });
        }
        if is_end {
            return Err(HttpError::Closed);
        }
    }
}

/// The body, if all of it is there.
fn find_body(head: &Head, received: &[u8], is_end: bool) -> Result<Option<Body>, HttpError> {
    match head.framing {
        Framing::Length(length) => {
            let end = head.bytes.checked_add(length).ok_or(HttpError::TooLarge)?;
            if end > ANSWER_MAX {
                return Err(HttpError::TooLarge);
            }
            Ok((received.len() >= end).then_some(Body::Plain { end }))
        }
        Framing::Chunked => Ok(join_chunks(&received[head.bytes..])?.map(Body::Joined)),
        Framing::UntilClose => Ok(is_end.then_some(Body::Plain { end: received.len() })),
    }
}

/// What the head of an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Length of the head itself.
    bytes: usize,
    framing: Framing,
    persistent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

impl Head {
    /// The head, or `None` if it is not all there.
    fn parse(received: &[u8]) -> Result<Option<Self>, HttpError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut response = httparse::Response::new(&mut fields);
        let bytes = match response.parse(received).map_err(|_| HttpError::Malformed)? {
            httparse::Status::Complete(bytes) => bytes,
            httparse::Status::Partial => return Ok(None),
        };
        let status = response.code.ok_or(HttpError::Malformed)?;
        let mut head = Self {
            status,
            bytes,
            framing: Framing::UntilClose,
            persistent: response.version == Some(1),
        };
        for field in response.headers.iter() {
            let value = std::str::from_utf8(field.value).map_err(|_| HttpError::Malformed)?;
            head.read_field(field.name, value)?;
        }
        if head.framing == Framing::UntilClose {
            head.persistent = false;
            if matches!(status, 204 | 304) {
                head.framing = Framing::Length(0);
            }
        }
        Ok(Some(head))
    }

    fn read_field(&mut self, name: &str, value: &str) -> Result<(), HttpError> {
        if name.eq_ignore_ascii_case("content-length") {
            // Chunks win over a length (RFC 9112, section 6.3).
            if self.framing != Framing::Chunked {
                self.framing = Framing::Length(value.parse().map_err(|_| HttpError::Malformed)?);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(HttpError::Malformed); // Nothing else was offered.
            }
            self.framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
            self.persistent = false;
        }
        Ok(())
    }
}

/// The chunks put together, or `None` if they are not all there. Trailer fields are not supported.
fn join_chunks(mut received: &[u8]) -> Result<Option<Vec<u8>>, HttpError> {
    let mut joined = Vec::new();
    loop {
        let (begin, size) = match httparse::parse_chunk_size(received) {
            Ok(httparse::Status::Complete((begin, size))) => (begin, size),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(HttpError::Malformed),
        };
        let size = usize::try_from(size).map_err(|_| HttpError::TooLarge)?;
        let end = begin.checked_add(size).filter(|end| *end <= ANSWER_MAX);
        let end = end.ok_or(HttpError::TooLarge)?;
        let Some(after) = received.get(end..end + 2) else {
            return Ok(None);
        };
        if after != b"\r\n" {
            return Err(HttpError::Malformed);
        }
        if size == 0 {
            return Ok(Some(joined));
        }
        joined.extend_from_slice(&received[begin..end]);
        received = &received[end + 2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> MintUrl {
        text.parse().unwrap()
    }

    #[test]
    fn urls_of_mints_are_read() {
        for (text, shown) in [
            ("http://127.0.0.1:3338/usd", "http://127.0.0.1:3338/usd"),
            ("http://127.0.0.1:3338/usd/", "http://127.0.0.1:3338/usd"),
            ("http://localhost:8085", "http://localhost:8085"),
            ("http://localhost", "http://localhost:80"),
            ("http://[::1]:3338/a/b", "http://[::1]:3338/a/b"),
        ] {
            assert_eq!(url(text).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_plain_url_is_refused_with_its_reason() {
        for (text, error) in [
            ("", MintUrlError::Unreadable),
            ("localhost:3338", MintUrlError::Unreadable),
            ("/usd", MintUrlError::Unreadable),
            ("ftp://localhost", MintUrlError::Unreadable),
            ("https://localhost", MintUrlError::Tls),
            ("http://user:word@localhost", MintUrlError::Extras),
            ("http://localhost/?unit=usd", MintUrlError::Extras),
        ] {
            assert_eq!(text.parse::<MintUrl>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_request_is_rendered_whole() {
        let rendered = url("http://localhost:3338/usd").render_post("/v1/swap", b"{\"a\":1}");
        assert_eq!(
            String::from_utf8(rendered).unwrap(),
            "POST /usd/v1/swap HTTP/1.1\r\nHost: localhost:3338\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
        );
        let rendered = url("http://localhost:3338").render_get("/v1/keysets");
        assert_eq!(
            String::from_utf8(rendered).unwrap(),
            "GET /v1/keysets HTTP/1.1\r\nHost: localhost:3338\r\nAccept: application/json\r\n\r\n"
        );
    }

    /// Status, body and persistence of an answer that comes in two parts, cut at every place.
    fn read(answer: &[u8]) -> (u16, Vec<u8>, bool) {
        let whole = |received: &[u8]| {
            let head = Head::parse(received).unwrap()?;
            let body = match find_body(&head, received, false).unwrap()? {
                Body::Plain { end } => received[head.bytes..end].to_vec(),
                Body::Joined(chunks) => chunks,
            };
            Some((head.status, body, head.persistent))
        };
        for cut in 0..answer.len() {
            assert_eq!(whole(&answer[..cut]), None, "cut at {cut}");
        }
        whole(answer).unwrap()
    }

    #[test]
    fn an_answer_is_complete_only_at_its_last_byte() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(read(answer), (200, b"{}".to_vec(), true));
        let answer =
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(read(answer), (400, b"abc".to_vec(), false));
        let answer =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n";
        assert_eq!(read(answer), (200, b"abcd".to_vec(), true));
    }

    #[test]
    fn without_a_length_the_body_ends_with_the_connection() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\nab";
        let head = Head::parse(answer).unwrap().unwrap();
        assert!(!head.persistent);
        assert!(find_body(&head, answer, false).unwrap().is_none());
        assert!(matches!(find_body(&head, answer, true), Ok(Some(Body::Plain { end: 21 }))));
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for answer in [
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ] {
            assert!(matches!(Head::parse(answer), Err(HttpError::Malformed)));
        }
        for chunks in [&b"x\r\n"[..], b"1\r\nabc"] {
            assert!(matches!(join_chunks(chunks), Err(HttpError::Malformed)));
        }
        assert!(matches!(join_chunks(b"ffffffff\r\n"), Err(HttpError::TooLarge)));
        let endless = b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n";
        let head = Head::parse(endless).unwrap().unwrap();
        assert!(matches!(find_body(&head, endless, false), Err(HttpError::TooLarge)));
    }
}
