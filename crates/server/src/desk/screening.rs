//! Screening as the server does it: names of the lists in memory, newcomers at once, everybody after an import.

use std::sync::Arc;

use tacit_service::desk::screening::matching::Screen;
use tacit_service::desk::screening::{Alike, Due, Hit, HitId, ImportId, Screener};

use super::Desk;
use super::refusal::Refusal;
use crate::random;

/// Names read in one go.
const PAGE: u32 = 10_000;

/// People screened in one go.
const A_ROUND: u32 = 100;

/// The lists, as they were last read. Whoever holds it screens: nobody else has to at the same time.
#[derive(Default)]
pub(crate) struct Lists(tokio::sync::Mutex<Loaded>);

#[derive(Default)]
struct Loaded {
    imports: Vec<ImportId>,
    screen: Arc<Screen>,
}

/// Screens whoever waits for it, beside what is going on.
pub(crate) fn soon(desk: &Desk) {
    let desk = desk.clone();
    // What fails was logged; the next round does it.
    tokio::spawn(async move { screen_due(&desk).await });
}

/// Screens whoever is to be screened.
///
/// # Errors
/// As [`Desk::run`].
pub(crate) async fn screen_due(desk: &Desk) -> Result<(), Refusal> {
    let mut lists = desk.handle.lists.0.lock().await;
    loop {
        let due = desk.run(|store| Ok(store.due(A_ROUND)?)).await?;
        if due.is_empty() {
            return Ok(());
        }
        let screener = match &desk.handle.screener {
            Some(other) => Arc::clone(other),
            None => lists.load(desk).await?,
        };
        for due in due {
            let hits = hits(desk, Arc::clone(&screener), &due).await?;
            desk.run(move |store| Ok(store.screened(&due, &hits)?)).await?;
        }
    }
}

impl Loaded {
    /// The lists in use, read anew if they are others than those that were read.
    async fn load(&mut self, desk: &Desk) -> Result<Arc<dyn Screener>, Refusal> {
        let lists = desk.run(|store| Ok(store.lists()?)).await?;
        let imports: Vec<ImportId> = lists.iter().map(|list| list.import).collect();
        if imports == self.imports {
            return Ok(Arc::clone(&self.screen) as Arc<dyn Screener>);
        }
        let mut screen = Screen::default();
        for list in lists {
            let (import, mut from) = (list.import, 0);
            loop {
                let page = desk.run(move |store| Ok(store.listed(import, from, PAGE)?)).await?;
                let read = page.len() as u64;
                page.into_iter().for_each(|listed| screen.add(&list.name, listed));
                if read < u64::from(PAGE) {
                    break;
                }
                from += read;
            }
        }
        *self = Self { imports, screen: Arc::new(screen) };
        Ok(Arc::clone(&self.screen) as Arc<dyn Screener>)
    }
}

/// What a screener says of somebody.
async fn hits(desk: &Desk, screener: Arc<dyn Screener>, due: &Due) -> Result<Vec<Hit>, Refusal> {
    let (name, found) = (due.name.clone(), desk.now().day());
    let compared = tokio::task::spawn_blocking(move || screener.alike(&name)).await;
    let compared = compared.map_err(|error| Refusal::internal(&error))?.map_err(|error| {
        crate::log::error_chain(crate::log::Level::Warn, "nobody was screened", &error);
        Refusal::Busy
    })?;
    let hit = |alike: Alike| {
        let id = random::bytes().map_err(|error| Refusal::internal(&error))?;
        let Alike { list, entry, name, likeness } = alike;
        Ok(Hit { id: HitId::from_bytes(id), list, entry, name, likeness, found })
    };
    compared.into_iter().map(hit).collect()
}
