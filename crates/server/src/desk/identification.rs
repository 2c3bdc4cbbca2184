//! Asking whoever looks at documents for the operator, where that is not the operator's own desk.

use std::sync::Arc;

use tacit_service::desk::identification::{CaseId, CaseState, Finding, NumberKey, Place, Sighting};

use super::Desk;
use super::refusal::Refusal;

/// Requests asked for in one go.
const A_ROUND: u32 = 200;

/// Where the person of this request goes.
///
/// # Errors
/// [`Refusal::Busy`] if the provider cannot be asked.
pub(crate) async fn place(desk: &Desk, case: CaseId) -> Result<Place, Refusal> {
    let kyc = Arc::clone(&desk.handle.kyc);
    let asked = tokio::task::spawn_blocking(move || kyc.begin(case)).await;
    asked.map_err(|error| Refusal::internal(&error))?.map_err(|error| {
        crate::log::error_chain(crate::log::Level::Warn, "identification was not begun", &error);
        Refusal::Busy
    })
}

/// Takes over what the provider has found out.
///
/// # Errors
/// [`Refusal::Busy`] if the provider cannot be asked, and as [`Desk::run`].
pub(crate) async fn take_over(desk: &Desk) -> Result<(), Refusal> {
    let cases = desk.run(|store| Ok(store.cases(0, A_ROUND)?)).await?;
    for case in cases.into_iter().filter(|case| case.state == CaseState::Asked) {
        let (kyc, seed, id) = (Arc::clone(&desk.handle.kyc), desk.shared.seed.clone(), case.id);
        let asked =
            tokio::task::spawn_blocking(move || kyc.finding(id, &NumberKey::derive(&seed))).await;
        let found = asked.map_err(|error| Refusal::internal(&error))?.map_err(|error| {
            crate::log::error_chain(crate::log::Level::Warn, "nothing was found out", &error);
            Refusal::Busy
        })?;
        let Some(found) = found else { continue };
        let Finding { number, document } = found;
        let (person, now) = (case.person.id, desk.now());
        let sighting = Sighting { person, case: id, number, document, by: None, now };
        // Of a number that somebody else has, the request stays as it is, for a teller to look at.
        desk.run(move |store| Ok(store.see_document(&sighting)?)).await?;
    }
    Ok(())
}
