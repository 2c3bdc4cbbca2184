//! Where connections come in: the one listener that all sites answer on, and those of one site alone.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::listen::{Entrance, accept};
use crate::origin::{Origins, Site};
use crate::route;
use crate::state::Shared;
use crate::tls::Tls;

/// Why a server cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {hint}")]
pub struct ListenError {
    address: String,
    hint: &'static str,
    source: std::io::Error,
}

/// Listeners that are open, and not served yet. The first is the one that all sites answer on.
pub(crate) struct Entrances(Vec<Opened>);

/// Where a listener is, and the one site it is for; `None` if the host decides.
pub(crate) type Served = (Option<Site>, SocketAddr);

struct Opened {
    listener: TcpListener,
    address: SocketAddr,
    only: Option<Site>,
}

impl Entrances {
    /// Opens all listeners.
    ///
    /// # Errors
    /// [`ListenError`].
    pub(crate) async fn open(config: &Config) -> Result<Self, ListenError> {
        let apart = config.serving.listeners.known().map(|(site, listen)| (Some(site), listen));
        let mut opened = Vec::new();
        for (only, listen) in std::iter::once((None, config.listen.as_str())).chain(apart) {
            opened.push(Opened::bind(only, listen).await?);
        }
        Ok(Self(opened))
    }

    /// The origins that were given and, in demo mode, names under `localhost` for those that were not.
    pub(crate) fn origins(&self, config: &Config) -> Origins {
        let given = config.serving.origins.clone();
        if !config.demo {
            return given;
        }
        let port = |site| {
            let own = self.0.iter().find(|opened| opened.only == Some(site));
            own.unwrap_or(&self.0[0]).address.port()
        };
        given.or_localhost(config.serving.is_secure(), port)
    }

    /// Serves on all of them until the server stops.
    pub(crate) fn serve(
        self,
        shared: &Arc<Shared>,
        tls: Option<&Arc<Tls>>,
    ) -> (Vec<Served>, Vec<JoinHandle<()>>) {
        let sites = Arc::new(route::sites(shared));
        let seats = Arc::new(Semaphore::new(shared.config.serving.limits.connections as usize));
        let serve = |opened: Opened| {
            let Opened { listener, address, only } = opened;
            // The operator's machines ask from nearby, and know no name that a certificate could be for.
            let tls = tls.filter(|_| only != Some(Site::Operator)).cloned();
            let entrance = Entrance { listener, only, tls };
            let (sites, seats) = (Arc::clone(&sites), Arc::clone(&seats));
            let accepting = tokio::spawn(accept(entrance, sites, seats, Arc::clone(shared)));
            ((only, address), accepting)
        };
        self.0.into_iter().map(serve).unzip()
    }
}

impl Opened {
    async fn bind(only: Option<Site>, listen: &str) -> Result<Self, ListenError> {
        let refused = |source| refused(listen, source);
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, only })
    }
}

fn refused(address: &str, source: std::io::Error) -> ListenError {
    let hint = if source.kind() == std::io::ErrorKind::AddrInUse {
        "another program listens there, choose another port"
    } else {
        "an address of this machine and a free port are wanted, such as 127.0.0.1:3338"
    };
    ListenError { address: address.to_owned(), hint, source }
}
