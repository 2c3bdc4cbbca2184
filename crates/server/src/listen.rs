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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::config::Bounds;
use crate::log::{self, Field, Level};
use crate::route::site::{Door, Sites};
use crate::state::{Shared, stopped};

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
    pub(crate) door: Door,
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
    let Entrance { listener, door } = entrance;
    let bounds = &shared.config.bounds;
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
                let (sites, stopping) = (Arc::clone(&sites), shared.stopping.clone());
                tokio::spawn(async move {
                    serve(stream, peer, door, sites, stopping).await;
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
    let all = seats_of(bounds);
    if tokio::time::timeout(bounds.stop_wait, seats.acquire_many(all)).await.is_err() {
        let left = shared.connections.load(Ordering::Relaxed);
        log::write(Level::Warn, "connections were cut off", &[(Field::Count, &left)]);
    }
}

/// How many connections may be open.
pub(crate) fn seats_of(bounds: &Bounds) -> u32 {
    u32::try_from(bounds.connections).unwrap_or(u32::MAX)
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

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    door: Door,
    sites: Arc<Sites>,
    mut stopping: watch::Receiver<bool>,
) {
    _ = stream.set_nodelay(true); // Slower without it, not wrong.
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let sites = Arc::clone(&sites);
        async move { Ok::<_, Infallible>(sites.answer(door, request).await) }
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
