//! Accepting connections: HTTP/1.1, bounded in number, ended gently when the server stops.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::limit::Bucket;
use crate::log::{self, Field, Level};
use crate::origin::Site;
use crate::route::site::{Door, Sites};
use crate::state::{Shared, stopped};
use crate::tls::Tls;

/// How long a connection may be silent before and within the head of a request.
const HEAD_WAIT: Duration = Duration::from_secs(75);

/// How long to wait after the system has refused a connection, most likely for want of file descriptors.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// Most headers of a request.
const HEADERS: usize = 64;

/// Bytes of a request's head, and of what is read at once.
const READ_BUFFER: usize = 64 * 1024;

/// Something that connections come in by.
pub(crate) struct Entrance {
    pub(crate) listener: TcpListener,
    /// The one site it is for; `None` if the host decides.
    pub(crate) only: Option<Site>,
    /// What speaks TLS there.
    pub(crate) tls: Option<Arc<Tls>>,
}

/// Serves connections until the server stops, then waits for those under way, up to the configured bound.
///
/// `seats` are the connections that all entrances may hold together.
pub(crate) async fn accept(
    entrance: Entrance,
    sites: Arc<Sites>,
    seats: Arc<Semaphore>,
    shared: Arc<Shared>,
) {
    let Entrance { listener, only, tls } = entrance;
    let door = Door { only, is_secure: tls.is_some() };
    let limits = &shared.config.serving.limits;
    let mut stopping = shared.stopping.clone();
    let next = async |seats: &Arc<Semaphore>| {
        let seat = Arc::clone(seats).acquire_owned().await.expect("the semaphore is never closed");
        (listener.accept().await, seat)
    };
    loop {
        let (accepted, seat) = tokio::select! {
            next = next(&seats) => next,
            () = stopped(&mut stopping) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let open = Open::count(&shared);
                let visit = Visit {
                    peer,
                    door,
                    own: Arc::new(Bucket::new(limits.connection_requests_per_second)),
                    sites: Arc::clone(&sites),
                    stopping: shared.stopping.clone(),
                };
                let tls = tls.clone();
                tokio::spawn(async move {
                    visit.begin(stream, tls.as_deref()).await;
                    drop((open, seat));
                });
            }
            Err(error) => {
                log::write(Level::Warn, "a connection was refused", &[(Field::Error, &error)]);
                tokio::time::sleep(REFUSED_WAIT).await;
            }
        }
    }
    drop(listener);
    let (all, wait) = (limits.connections, shared.config.bounds.stop_wait);
    if tokio::time::timeout(wait, seats.acquire_many(all)).await.is_err() {
        let left = shared.connections.load(Ordering::Relaxed);
        log::write(Level::Warn, "connections were cut off", &[(Field::Count, &left)]);
    }
}

/// Counts an open connection for as long as it lives.
struct Open(Arc<Shared>);

impl Open {
    fn count(shared: &Arc<Shared>) -> Self {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }

    fn counter(&self) -> &AtomicUsize {
        &self.0.connections
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counter().fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection.
struct Visit {
    peer: SocketAddr,
    door: Door,
    /// Of this connection alone, and gone with it.
    own: Arc<Bucket>,
    sites: Arc<Sites>,
    stopping: watch::Receiver<bool>,
}

impl Visit {
    async fn begin(self, stream: TcpStream, tls: Option<&Tls>) {
        _ = stream.set_nodelay(true); // Slower without it, not wrong.
        let Some(tls) = tls else { return self.speak(stream).await };
        let mut stopping = self.stopping.clone();
        let agreed = tokio::select! {
            agreed = tls.accept(stream) => agreed,
            () = stopped(&mut stopping) => return,
        };
        if let Some(stream) = agreed {
            self.speak(stream).await;
        }
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { peer, door, own, sites, mut stopping } = self;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let (sites, own) = (Arc::clone(&sites), Arc::clone(&own));
            async move { Ok::<_, Infallible>(sites.answer(door, &own, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WAIT)
            .max_headers(HEADERS)
            .max_buf_size(READ_BUFFER)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        // How a connection ends is the client's affair: it hung up, or it spoke no HTTP.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stopped(&mut stopping) => connection.as_mut().graceful_shutdown(),
        }
        _ = connection.await;
    }
}
