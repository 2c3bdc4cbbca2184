//! Opening the desk as the server starts, and letting the first visitor of a demonstration in.

use std::sync::Arc;

use secp256k1::PublicKey;
use tacit_service::desk::DeskStore;
use tacit_service::desk::identification::KycProvider;
use tacit_service::desk::screening::Screener;
use tacit_store::desk::OpenError;
use tacit_store::desk::sqlite::SqliteDesk;
use tacit_store::postgres::desk::PostgresDesk;

use super::{DeskHandle, staffing};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::origin::Origins;
use crate::server::StartError;
use crate::state::Shared;
use crate::vault::with_password;

/// Connections to a desk that is a database: as many questions may be under way at once.
const CONNECTIONS: u8 = 4;

/// The desk's database, unless nobody could reach the desk.
pub(crate) fn open(
    config: &Config,
    mint: &PublicKey,
    data: &DataDir,
) -> Result<Vec<Box<dyn DeskStore>>, StartError> {
    if !config.demo && config.serving.origins.desk.is_none() {
        return Ok(Vec::new());
    }
    if let Some(target) = &config.desk_url {
        let target = with_password(target.clone());
        let open =
            || PostgresDesk::open(&target, mint).map(|desk| Box::new(desk) as Box<dyn DeskStore>);
        let failed = |error: OpenError| StartError::Desk {
            target: target.to_string(),
            source: error.into(),
        };
        return (0..CONNECTIONS).map(|_| open()).collect::<Result<_, _>>().map_err(failed);
    }
    let path = data.desk();
    let desk = SqliteDesk::open(&path, mint);
    Ok(vec![Box::new(desk.map_err(|error| StartError::Open { path, source: error.into() })?)])
}

/// What the handlers ask of it.
pub(crate) fn handle(
    stores: Vec<Box<dyn DeskStore>>,
    origins: &Origins,
    config: &Config,
    kyc: &Arc<dyn KycProvider>,
    screener: Option<&Arc<dyn Screener>>,
) -> Result<Option<Arc<DeskHandle>>, StartError> {
    let Some(origin) = origins.desk.clone().filter(|_| !stores.is_empty()) else {
        return Ok(None);
    };
    let shown = origin.to_string();
    let logins = config.serving.limits.logins_per_second;
    let handle = DeskHandle::new(stores, origin, logins, Arc::clone(kyc), screener.cloned());
    let handle = handle.map_err(|_| StartError::DeskOrigin { origin: shown })?;
    Ok(Some(Arc::new(handle)))
}

/// A way into the console of a demonstration. Without one it runs all the same: `tacitd staff` makes another.
pub(crate) async fn invite_to_demo(shared: &Arc<Shared>) -> Option<String> {
    let handle = shared.desk.as_ref().filter(|_| shared.config.demo)?;
    staffing::demo_admin(handle, shared.now()).await.ok().flatten() // What went wrong was logged.
}
